//! A supervised program, and what it leaves.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::SystemTime;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use podcov_agent_protocol::{LATEST_DIRECTORY, OWN_FILES_DIRECTORY, ProcessRecord, is_process_record_name};
use podcov_go_programs::{Covered, Linking, LiveProgram};
use podcov_wait as wait;
use tempfile::TempDir;

use crate::counts::{self, Kept, Ledger};

pub const SUPERVISE: &str = env!("CARGO_BIN_EXE_podcov-supervise-and-capture");
const MODE: &str = "atomic";

/// The program that says what it counted, and ends as it is told to.
pub fn program() -> String {
    let linking = Linking::Stripped;
    let program = LiveProgram { release: "local", mode: MODE, linking, covered: Covered::Program };
    program.executable_of_endings(Path::new(env!("CARGO_TARGET_TMPDIR"))).to_str().unwrap().to_owned()
}

/// Directories for the data and for the ledger, gone after the test.
pub struct Place(TempDir);

/// Killed with its value.
pub struct Running {
    child: Child,
    output: PathBuf,
}

impl Place {
    pub fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for directory in [place.data(), place.ledger()] {
            fs::create_dir(directory).unwrap();
        }
        place
    }

    pub fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    pub fn ledger(&self) -> PathBuf {
        self.0.path().join("ledger")
    }

    pub fn latest(&self) -> PathBuf {
        self.data().join(LATEST_DIRECTORY)
    }

    /// The words of a command that supervises a program, and reads it so often.
    pub fn supervised(&self, milliseconds: u32, words: &[&str]) -> Vec<String> {
        let (data, milliseconds) = (self.data(), milliseconds.to_string());
        let supervise = [SUPERVISE, data.to_str().unwrap(), &milliseconds];
        supervise.iter().chain(words).map(|word| (*word).to_owned()).collect()
    }

    pub fn start(&self, words: &[String]) -> Running {
        let output = self.0.path().join("output");
        let file = File::create(&output).unwrap();
        let child = Command::new(&words[0])
            .args(&words[1..])
            .env("LEDGER", self.ledger())
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        Running { child, output }
    }

    /// Supervises a program to its end. Returns its exit code, as a shell has it, and what was said.
    pub fn run(&self, words: &[&str]) -> (i32, String) {
        self.start(&self.supervised(60_000, words)).end()
    }

    /// What is kept has to be what all processes together counted, and to stay so.
    #[track_caller]
    pub fn assert_has_everything(&self, processes: usize) {
        let profile = counts::profile(&self.data());
        let kept = counts::compare(profile.as_deref(), &Ledger::read(&self.ledger()), MODE);
        assert_eq!(kept, Kept::Everything, "{:?}", self.names());
        let counters = self.names().into_iter().filter(|name| name.starts_with("covcounters."));
        assert_eq!(counters.count(), processes, "{:?}", self.names());
        self.assert_is_final();
    }

    /// Nothing is left that is not used, or not whole.
    #[track_caller]
    pub fn assert_is_final(&self) {
        assert!(self.names().iter().all(|name| !name.starts_with('.')), "{:?}", self.names());
    }

    pub fn names(&self) -> Vec<String> {
        names(&self.data())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn latest_names(&self) -> Vec<String> {
        names(&self.latest())
    }

    /// Waits until all processes that live are read by a reading that begins from now on.
    pub fn until_read_again(&self) {
        // The first time, by one that may have begun before.
        for _ in 0..2 {
            let now = SystemTime::now();
            wait::until("all processes are read again", || {
                // They come after the records of the processes.
                let names = self.latest_names().into_iter().filter(|name| name.starts_with("covcounters."));
                let files: Vec<_> = names.map(|name| fs::metadata(self.latest().join(name))).collect();
                let is_newer = |file: &io::Result<fs::Metadata>| {
                    file.as_ref().is_ok_and(|file| file.modified().is_ok_and(|time| time > now))
                };
                !files.is_empty() && files.iter().all(is_newer)
            });
        }
    }

    pub fn own(&self) -> Vec<String> {
        names(&self.data().join(OWN_FILES_DIRECTORY))
    }

    pub fn records(&self) -> Vec<ProcessRecord> {
        let names = self.names().into_iter().filter(|name| is_process_record_name(name));
        let texts = names.map(|name| fs::read_to_string(self.data().join(name)).unwrap());
        texts.map(|text| ProcessRecord::parse(&text).unwrap()).collect()
    }

    /// The processes that have counted, by their numbers.
    pub fn processes(&self) -> Vec<Pid> {
        let names = names(&self.ledger()).into_iter();
        names.map(|name| Pid::from_raw(name.rsplit_once('.').unwrap().1.parse().unwrap())).collect()
    }

    /// Kills all processes that have counted and live. What they count then is lost.
    pub fn kill_processes(&self) {
        for process in self.processes() {
            let _ = kill(process, Signal::SIGKILL);
            wait::until("a process has ended", || kill(process, None).is_err() || is_zombie(process));
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.kill_processes();
    }
}

impl Running {
    pub fn output(&self) -> String {
        fs::read_to_string(&self.output).unwrap()
    }

    pub fn until_ready(&self) {
        wait::until("the program is ready", || self.output().contains("ready\n"));
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    pub fn end(mut self) -> (i32, String) {
        let status = wait::until_some("the supervision ends", || self.child.try_wait().unwrap());
        (status.code().or_else(|| Some(128 + status.signal()?)).unwrap(), self.output())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.child.try_wait().unwrap().is_none() {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
    }
}

fn is_zombie(process: Pid) -> bool {
    fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| stat.contains(") Z "))
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
