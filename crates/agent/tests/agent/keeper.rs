//! A running `agent keep` and its data volume.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use podcov_wait as wait;

use crate::reader::{FileName, Reader};

/// The agent as cargo built it.
pub const AGENT: &str = env!("CARGO_BIN_EXE_podcov-agent");

/// A deadline that no test may come near.
pub const FAR_DEADLINE: u32 = 600;

/// Ends with its value.
pub struct Keeper {
    data_directory: PathBuf,
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Keeper {
    /// Starts a keeper and waits until it keeps.
    #[track_caller]
    pub fn start(data_directory: &Path, deadline_seconds: u32, containers: &[&str]) -> Self {
        let mut command = Command::new(AGENT);
        command.args(keep_arguments(data_directory, deadline_seconds, containers));
        Self::spawn(command, data_directory)
    }

    /// Starts a keeper in a way of the test's own.
    #[track_caller]
    pub fn spawn(mut command: Command, data_directory: &Path) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (lines, shared) = (BufReader::new(child.stderr.take().unwrap()).lines(), Arc::clone(&log));
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                writeln!(shared.lock().unwrap(), "{line}").unwrap();
            }
        });
        let keeper = Self { data_directory: data_directory.to_owned(), child, log };
        keeper.until_log("keeping the coverage files of");
        keeper
    }

    /// A container's GOCOVERDIR.
    pub fn directory(&self, container: &str) -> PathBuf {
        self.data_directory.join(container)
    }

    /// A reader as podcov starts it: through `agent attach`.
    pub fn attach(&self) -> Reader {
        Reader::attach(Command::new(AGENT).arg("attach").arg(data_flag(&self.data_directory)))
    }

    /// A reader at the socket itself, for what `agent attach` cannot do wrong.
    pub fn connect(&self) -> Reader {
        Reader::connect(&self.data_directory.join(".agent/socket"))
    }

    /// What the kubelet does once every application container has ended.
    pub fn terminate(&self) {
        self.signal(Signal::SIGTERM);
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    /// Its process.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the keeper has said something.
    #[track_caller]
    pub fn until_log(&self, text: &str) {
        wait::until_some(&format!("the keeper to say {text:?}"), || self.log().contains(text).then_some(()));
    }

    /// What the keeper has said so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn exit(&mut self) -> ExitStatus {
        wait::until_exit(&format!("the keeper to end; it said {}", self.log()), &mut self.child)
    }

    /// Waits for its end and asserts that nothing was lost.
    #[track_caller]
    pub fn exit_successfully(&mut self) {
        let status = self.exit();
        assert!(status.success(), "{status}: {}", self.log());
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The arguments of `agent keep`.
pub fn keep_arguments(data_directory: &Path, deadline_seconds: u32, containers: &[&str]) -> Vec<String> {
    let mut arguments =
        vec!["keep".to_owned(), data_flag(data_directory), format!("--deadline-seconds={deadline_seconds}")];
    arguments.extend(containers.iter().map(|&container| container.to_owned()));
    arguments
}

/// The flag with which tests do without `/podcov`.
pub fn data_flag(data_directory: &Path) -> String {
    format!("--data-directory={}", data_directory.display())
}

/// Every finished file of these containers, as it is on the volume.
pub fn files_on_volume(data_directory: &Path, containers: &[&str]) -> BTreeMap<FileName, Vec<u8>> {
    let mut files = BTreeMap::new();
    for &container in containers {
        for entry in fs::read_dir(data_directory.join(container)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            files.insert((container.to_owned(), name), fs::read(&path).unwrap());
        }
    }
    files
}
