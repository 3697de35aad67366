//! Programs with and without a supervisor.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use podcov_wait as wait;
use tempfile::TempDir;

use crate::log::Log;

/// The supervisor for tests.
pub const SUPERVISE: &str = env!("CARGO_BIN_EXE_podcov-supervise");

/// Where a run leaves its files.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        // Other users run there, too.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
        Self(directory)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// A copy of a file, where other users get to.
    pub fn copy(&self, file: &str, mode: u32) -> String {
        self.copy_as(file.rsplit_once('/').unwrap().1, file, mode)
    }

    /// The same under another name.
    pub fn copy_as(&self, name: &str, file: &str, mode: u32) -> String {
        let copy = self.path().join(name);
        // By another process: a file that this one writes could not be executed while any test forks.
        let mut install = Command::new("install");
        let installed = install.arg(format!("--mode={mode:o}")).arg(file).arg(&copy).status().unwrap();
        assert!(installed.success(), "{install:?}");
        copy.to_str().unwrap().to_owned()
    }

    fn log_file(&self) -> PathBuf {
        self.path().join("log")
    }

    pub fn log(&self) -> Log {
        Log::read(&self.log_file())
    }

    /// The words of a command that supervises a program.
    pub fn command(&self, options: &[&str], program: &[&str]) -> Vec<String> {
        let log = format!("--log={}", self.log_file().display());
        let counters = format!("--counters={}", self.path().display());
        let words = [SUPERVISE, &log, &counters].into_iter().chain(options.iter().copied()).chain(["--"]);
        words.chain(program.iter().copied()).map(str::to_owned).collect()
    }

    /// Starts a command that may use this place.
    pub fn start(&self, words: &[impl AsRef<str>]) -> Running {
        let mut command = Command::new(words[0].as_ref());
        command
            .args(words[1..].iter().map(AsRef::as_ref))
            .env("COUNTERS", self.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Running { child, output }
    }
}

/// A command that runs.
pub struct Running {
    pub child: Child,
    output: BufReader<ChildStdout>,
}

impl Running {
    /// Writes a line to the command.
    pub fn say(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    pub fn id(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// The next line that it prints.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.id()), signal).unwrap();
    }

    /// Waits for its end. Returns its status, and what it printed since the last line.
    #[track_caller]
    pub fn end(mut self) -> (ExitStatus, String) {
        let status = wait::until_exit("the end of the program", &mut self.child);
        let mut output = String::new();
        self.output.read_to_string(&mut output).unwrap();
        (status, output)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program without a supervisor.
#[track_caller]
pub fn plain(program: &[&str]) -> (ExitStatus, String) {
    Place::new().start(program).end()
}

/// Runs a program below a supervisor.
#[track_caller]
pub fn supervised(options: &[&str], program: &[&str]) -> (ExitStatus, String, Log) {
    let place = Place::new();
    let (status, output) = place.start(&place.command(options, program)).end();
    (status, output, place.log())
}

/// Runs a program with and without a supervisor, which has to be the same, and returns what the observer was told.
#[track_caller]
pub fn as_without(program: &[&str]) -> (ExitStatus, Log) {
    let (expected, expected_output) = plain(program);
    let (status, output, log) = supervised(&[], program);
    assert_eq!(expected.code(), status.code(), "{program:?}");
    assert_eq!(signal_of(expected), signal_of(status), "{program:?}");
    assert_eq!(expected_output, output, "{program:?}");
    (status, log)
}

fn signal_of(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}
