//! A running program, which is told what to do and when to end.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use go_coverage::CounterFile;
use podcov_go_programs::{Covered, Linking, LiveProgram};
use podcov_process_capture::{Process, ProcessId, Snapshot};

pub const RELEASES: [&str; 5] = ["go1.21.13", "go1.22.12", "go1.24.11", "local", "go1.27.3"];
pub const MODES: [&str; 3] = ["set", "count", "atomic"];

pub fn program(mode: &'static str, covered: Covered) -> LiveProgram {
    LiveProgram { release: "local", mode, linking: Linking::Stripped, covered }
}

pub fn executable(program: LiveProgram) -> PathBuf {
    program.executable(Path::new(env!("CARGO_TARGET_TMPDIR")))
}

/// Copies an executable by another process: a file that this one writes could not be executed while any test forks.
pub fn install(from: &Path, to: &Path, mode: u32) {
    let mut install = Command::new("install");
    let installed = install.arg(format!("--mode={mode:o}")).arg(from).arg(to).status().unwrap();
    assert!(installed.success(), "{install:?}");
}

/// A process, and where it writes its data.
pub struct Live {
    pub child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    data: tempfile::TempDir,
}

/// The files that a process wrote.
#[derive(Debug, PartialEq, Eq)]
pub struct Written {
    pub metadata: Option<(String, Vec<u8>)>,
    pub counters: Option<(String, Vec<u8>)>,
}

impl Live {
    pub fn start(program: LiveProgram) -> Self {
        Self::start_command(&mut Command::new(executable(program)))
    }

    pub fn start_command(command: &mut Command) -> Self {
        let mut live = Self::spawn(command);
        live.expect("ready");
        live
    }

    /// Does not wait for the program to be initialised.
    pub fn spawn(command: &mut Command) -> Self {
        let data = tempfile::tempdir().unwrap();
        let command = command.env("GOCOVERDIR", data.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { input: child.stdin.take(), output, child, data }
    }

    pub fn id(&self) -> ProcessId {
        ProcessId::new(self.child.id()).unwrap()
    }

    pub fn attach(&self) -> Process {
        Process::attach(self.id()).unwrap_or_else(|error| panic!("{error}: {}", error.reason))
    }

    pub fn snapshot(&self) -> Snapshot {
        self.attach().snapshot().unwrap_or_else(|error| panic!("{error}: {}", error.reason))
    }

    pub fn say(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    pub fn work(&mut self, rounds: u32) {
        self.say(&rounds.to_string());
        self.expect("done");
    }

    pub fn expect(&mut self, line: &str) {
        let mut read = String::new();
        self.output.read_line(&mut read).unwrap();
        assert_eq!(read.trim_end(), line);
    }

    /// Makes it return from main.
    pub fn end_input(&mut self) {
        drop(self.input.take());
    }

    /// Lets it return from main, and waits.
    pub fn finish(mut self) -> Written {
        drop(self.input.take());
        assert!(self.child.wait().unwrap().success());
        self.written()
    }

    pub fn written(&self) -> Written {
        Written::read(self.data.path())
    }
}

impl Written {
    pub fn read(directory: &Path) -> Self {
        let file = |prefix: &str| {
            let mut files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
            let found = files.find(|file| file.file_name().to_str().unwrap().starts_with(prefix))?;
            Some((found.file_name().into_string().unwrap(), fs::read(found.path()).unwrap()))
        };
        Self { metadata: file("covmeta."), counters: file("covcounters.") }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // It has ended already if all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Checks that a snapshot is what the process wrote, apart from the time in a name.
pub fn assert_same(snapshot: &Snapshot, written: &Written, context: &str) {
    let (metadata_name, metadata) = written.metadata.as_ref().expect("the process wrote its meta-data");
    let (counters_name, counters) = written.counters.as_ref().expect("the process wrote its counters");
    assert_eq!(&snapshot.metadata_file_name(), metadata_name, "{context}");
    assert!(snapshot.metadata_file() == metadata, "{context}: other meta-data");
    let without_time = |name: &str| name.rsplit_once('.').unwrap().0.to_owned();
    assert_eq!(without_time(&snapshot.counter_file_name()), without_time(counters_name), "{context}");
    assert_eq!(snapshot.counters().stray_words(), 0, "{context}");
    assert_same_counters(&snapshot.counter_file(), counters, context);
}

/// Apart from the string table: Go puts the arguments there in an order that changes from run to run.
pub fn assert_same_counters(one: &[u8], other: &[u8], context: &str) {
    let [one, other] = [one, other].map(|bytes| {
        let file = CounterFile::parse(bytes).unwrap();
        let arguments = file.arguments().unwrap().to_run_arguments();
        let length = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        let functions = 48 + length(40) + length(44);
        (arguments, bytes[..48].to_vec(), bytes[functions..].to_vec())
    });
    assert_eq!(one.0, other.0, "{context}: other arguments");
    assert!((one.1, one.2) == (other.1, other.2), "{context}: other counters");
}

/// Asks again until there is an answer.
pub fn wait_for<Answer>(what: &str, mut ask: impl FnMut() -> Option<Answer>) -> Answer {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited for {what}");
        std::thread::yield_now();
    }
}
