//! A directory in which podcov is started, and what it leaves there. Owns its processes: none outlives its test.

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

use podcov_wait as wait;

/// Empty at first, and gone after the test.
pub struct Place {
    directory: TempDir,
}

/// What podcov said, and its exit code; 128 + n where signal n ended it.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub output: String,
    pub errors: String,
}

/// A podcov that runs.
pub struct Running {
    child: Child,
    output: PathBuf,
    errors: PathBuf,
}

impl Place {
    pub fn new() -> Self {
        Self { directory: TempDir::new().unwrap() }
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The text of a file; empty as long as it is not there.
    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// All that the page in `coverage` knows of files, their sources among it, as its script unpacks it.
    pub fn sources_in_the_page(&self) -> String {
        const FILE: &str = "<script type=\"application/octet-stream\" id=\"file-";
        let page = self.text("coverage/index.html");
        let mut all = String::new();
        for block in page.split(FILE).skip(1) {
            let (_, block) = block.split_once('>').unwrap();
            let packed = STANDARD.decode(block.split_once('<').unwrap().0).unwrap();
            flate2::read::DeflateDecoder::new(packed.as_slice()).read_to_string(&mut all).unwrap();
        }
        all
    }

    /// The record of the run in `coverage`.
    pub fn record(&self) -> Value {
        self.record_in("coverage")
    }

    pub fn record_in(&self, directory: &str) -> Value {
        serde_json::from_slice(&fs::read(self.path(directory).join("run.json")).unwrap()).unwrap()
    }

    /// Runs podcov to its end.
    pub fn podcov<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Ended {
        self.start(arguments).end()
    }

    /// Starts podcov here.
    pub fn start<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Running {
        self.start_in(self.directory.path(), arguments)
    }

    /// Starts podcov in another directory.
    pub fn start_in<A: AsRef<OsStr>>(
        &self,
        directory: &Path,
        arguments: impl IntoIterator<Item = A>,
    ) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_podcov"));
        command.args(arguments).current_dir(directory).stdin(Stdio::null());
        self.start_command(command)
    }

    /// Starts podcov as the command says.
    pub fn start_command(&self, mut command: Command) -> Running {
        let log = |kind: &str| {
            let file = tempfile::Builder::new().prefix(kind).tempfile_in(self.directory.path()).unwrap();
            file.keep().unwrap()
        };
        let ((output_file, output), (errors_file, errors)) = (log(".output-"), log(".errors-"));
        command.stdout(output_file).stderr(errors_file).env_remove("GOCOVERDIR").env("NO_COLOR", "1");
        // Not in the group of a terminal that these tests may run at: it would look like Ctrl-C for all.
        command.process_group(0);
        Running { child: command.spawn().unwrap(), output, errors }
    }
}

impl Running {
    pub fn output(&self) -> String {
        fs::read_to_string(&self.output).unwrap()
    }

    pub fn errors(&self) -> String {
        fs::read_to_string(&self.errors).unwrap()
    }

    /// Waits until it has said something on standard error.
    pub fn wait_for_error(&self, text: &str) {
        wait::until(&format!("podcov says {text:?}; it said: {}", self.errors()), || {
            self.errors().contains(text)
        });
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    /// Waits for its end.
    pub fn end(mut self) -> Ended {
        let status = wait::until_some("podcov ends", || self.child.try_wait().unwrap());
        Ended { code: shell_code(status), output: self.output(), errors: self.errors() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.child.try_wait().unwrap().is_none() {
            self.signal(Signal::SIGKILL);
            self.child.wait().unwrap();
        }
    }
}

impl Ended {
    /// The same, if it ended with this code.
    #[track_caller]
    pub fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n{}\n{}", self.output, self.errors);
        self
    }

    /// The same, if it ended with one of these codes.
    #[track_caller]
    pub fn with_code_in(self, codes: &[i32]) -> Self {
        assert!(codes.contains(&self.code), "{}\n{}\n{}", self.code, self.output, self.errors);
        self
    }

    /// The same, if it said all this on standard error.
    #[track_caller]
    pub fn saying(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.errors.contains(text), "it does not say {text:?}, but:\n{}", self.errors);
        }
        self
    }

    /// The same, if it printed all this on standard output.
    #[track_caller]
    pub fn printing(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.output.contains(text), "it does not print {text:?}, but:\n{}", self.output);
        }
        self
    }
}

fn shell_code(status: ExitStatus) -> i32 {
    status.code().or_else(|| Some(128 + status.signal()?)).unwrap()
}

/// An address of this machine that nobody listens on, and nobody else gets until it is used: it is one of this process
/// alone, with a port that the system gives to none by itself.
pub fn free_address() -> String {
    static NEXT_PORT: AtomicU16 = AtomicU16::new(10_000);
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    loop {
        let port = NEXT_PORT.fetch_add(1, Ordering::Relaxed);
        let address = format!("127.{high}.{middle}.{low}:{port}");
        // Who listens at a port of all addresses has it here, too.
        if TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
}

/// Whether the process is there and not a zombie.
pub fn runs(process: i32) -> bool {
    fs::read_to_string(format!("/proc/{process}/stat"))
        .is_ok_and(|stat| stat.rsplit(") ").next().is_some_and(|state| !state.starts_with('Z')))
}

/// The processes whose command line contains `text`.
pub fn processes(text: &str) -> Vec<i32> {
    let all =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    all.filter(|process| {
        let command = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        *process != i32::try_from(std::process::id()).unwrap()
            && String::from_utf8_lossy(&command).contains(text)
    })
    .filter(|process| runs(*process))
    .collect()
}

/// Ends the processes whose command line contains `text`; it has to be one that no other test uses.
pub fn kill_all(text: &str) {
    // Nobody has the time to see the end of another one.
    for signal in [Signal::SIGSTOP, Signal::SIGKILL] {
        for process in processes(text) {
            // It may have ended meanwhile.
            let _ = kill(Pid::from_raw(process), signal);
        }
    }
    wait::until(&format!("no process has {text}"), || processes(text).is_empty());
}
