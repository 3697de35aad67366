//! One process: whether it counts, and what it has counted so far. Writes no file.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use podcov_agent_protocol::{CountersFrom, ProcessEnding, ProcessRecord};
use podcov_process_capture::{Error, Process, ProcessId, Reason, Snapshot, StartTime, start_time};

/// A process of the program's tree, while it runs one program.
pub(crate) struct Watched {
    id: ProcessId,
    /// None if it has ended by then.
    start_time: Option<StartTime>,
    /// Unix nanoseconds.
    started: u64,
    program: PathBuf,
    /// What built it, once that was read.
    go_version: Option<String>,
    state: State,
    /// It was seen to count, and its meta-data are kept.
    pub(crate) is_announced: bool,
}

enum State {
    /// Not all of it is there yet.
    Starting(Option<Box<Process>>),
    Counting(Box<Process>),
    /// It counts nothing, or cannot be read.
    Not(Error),
}

impl Watched {
    /// The process has just begun to execute its program.
    pub(crate) fn new(id: ProcessId) -> Self {
        let program = std::fs::read_link(format!("/proc/{id}/exe")).unwrap_or_default();
        let start_time = start_time(id);
        Self {
            id,
            start_time,
            started: now(),
            program,
            go_version: None,
            state: State::Starting(None),
            is_announced: false,
        }
    }

    /// Whether it has not ended. Another one may have its number by now.
    pub(crate) fn is_running(&self) -> bool {
        self.start_time.is_some() && start_time(self.id) == self.start_time
    }

    /// Whether it has to be looked at again to learn whether it counts.
    pub(crate) const fn is_starting(&self) -> bool {
        matches!(self.state, State::Starting(_))
    }

    /// When its program was started, in unix nanoseconds.
    pub(crate) const fn started(&self) -> u64 {
        self.started
    }

    /// Its executable.
    pub(crate) fn program(&self) -> std::path::Display<'_> {
        self.program.display()
    }

    /// As the process itself sees it.
    pub(crate) fn own_id(&self) -> u32 {
        match &self.state {
            State::Counting(process) | State::Starting(Some(process)) => process.key().own_id,
            State::Starting(None) | State::Not(_) => self.id.0.get(),
        }
    }

    /// Reads it, and learns whether it counts. None if it does not, or not yet.
    pub(crate) fn read(&mut self) -> Option<Snapshot> {
        self.read_through(self.id)
    }

    /// The same through one of its threads, where it is not known already.
    pub(crate) fn read_through(&mut self, thread: ProcessId) -> Option<Snapshot> {
        let attached = match std::mem::replace(&mut self.state, State::Starting(None)) {
            State::Counting(process) | State::Starting(Some(process)) => Ok(process),
            State::Starting(None) => Process::attach(thread).map(Box::new),
            State::Not(error) => Err(error),
        };
        let mut process = match attached {
            Ok(process) => process,
            Err(error) => {
                self.failed(None, error);
                return None;
            }
        };
        match process.snapshot() {
            Ok(snapshot) => {
                if !self.is_announced {
                    self.go_version = go_version(&process);
                }
                self.state = State::Counting(process);
                Some(snapshot)
            }
            Err(error) => {
                self.failed(Some(process), error);
                None
            }
        }
    }

    fn failed(&mut self, process: Option<Box<Process>>, error: Error) {
        self.state = match (&error.reason, process) {
            (Reason::Starting | Reason::NoModuleData, process) => State::Starting(process),
            // A torn read, or one at an unlucky moment: the next may succeed.
            (_, Some(process)) if self.is_announced => State::Counting(process),
            _ => State::Not(error),
        };
    }

    /// Why it was not read. None for a program that counts nothing.
    pub(crate) fn obstacle(&self) -> Option<String> {
        match &self.state {
            // Of a program that was still starting, Go itself has written no meta-data either.
            State::Starting(_)
            | State::Not(Error { reason: Reason::NotGo { .. } | Reason::NotInstrumented { .. }, .. }) => None,
            State::Not(error) => Some(error.reason.to_string()),
            State::Counting(_) => Some("its memory could not be read".to_owned()),
        }
    }

    /// The name of a counter file, with the time of writing, as Go has it.
    pub(crate) fn counter_file_name(&self, snapshot: &Snapshot, unix_nanoseconds: u64) -> String {
        format!("covcounters.{}.{}.{unix_nanoseconds}", snapshot.hash(), self.own_id())
    }

    pub(crate) fn record(&self, counters: CountersFrom, ending: Option<ProcessEnding>) -> ProcessRecord {
        ProcessRecord {
            process_id: self.own_id(),
            started_unix_nanoseconds: self.started,
            program: self.program.display().to_string(),
            go_version: self.go_version.clone(),
            counters,
            ending,
        }
    }
}

fn go_version(process: &Process) -> Option<String> {
    let found = process.executable().build_info().ok()??;
    Some(found.value.go_version.as_str().to_owned())
}

pub(crate) fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}
