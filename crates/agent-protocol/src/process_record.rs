//! What a supervised process leaves beside its coverage files: how it was read, and how it ended.
//!
//! Owns the file's name and its text: `key value` lines in any order, of which unknown ones are left out. A value has no
//! line end. Keys are added, and never change their meaning.

use std::fmt::Write as _;

use crate::layout::is_decimal;

/// What is known of a process that was built with coverage, after its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessRecord {
    /// As the process itself sees it, which is often 1 in a container.
    pub process_id: u32,
    /// When its program was started, by the clock of the machine, in nanoseconds since 1970.
    pub started_unix_nanoseconds: u64,
    /// Its executable.
    pub program: String,
    /// What built that, as `go1.26.8`; none if it does not say.
    pub go_version: Option<String>,
    /// Where its counters come from.
    pub counters: CountersFrom,
    /// None if it did not end: it became another program, or was left running.
    pub ending: Option<ProcessEnding>,
}

/// Where the counters of a process come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CountersFrom {
    /// Out of its memory.
    Memory(Moment),
    /// It wrote them itself, and its memory could not be read, for this reason.
    OwnFiles(String),
    /// There are none, for this reason.
    Nowhere(String),
}

/// When memory was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// At its end, when nothing was counted any more.
    End,
    /// When it became another program (`exec`).
    Exec,
    /// When the supervision ended before it did.
    Left,
    /// The last time that all processes were read, so many milliseconds after the program's start. Nobody saw its end.
    Interval {
        /// Since the program's start.
        age_milliseconds: u64,
    },
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessEnding {
    /// By itself, with this exit code.
    Exited(i32),
    /// By this signal.
    Killed(i32),
}

const PREFIX: &str = "process.";
const PROCESS_ID: &str = "process-id";
const STARTED: &str = "started";
const PROGRAM: &str = "program";
const GO_VERSION: &str = "go-version";
const MEMORY: &str = "memory";
const OWN_FILES: &str = "own-files";
const NOWHERE: &str = "nowhere";
const EXITED: &str = "exited";
const KILLED: &str = "killed";

/// Whether a name is that of a process record: `process.<process id>.<nanoseconds>`.
#[must_use]
pub fn is_process_record_name(name: &str) -> bool {
    let parts = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('.'));
    parts.is_some_and(|(process_id, nanoseconds)| is_decimal(process_id) && is_decimal(nanoseconds))
}

/// The name of the record of a process, by its number and when its program was started.
#[must_use]
pub fn process_record_name(process_id: u32, started_unix_nanoseconds: u64) -> String {
    format!("{PREFIX}{process_id}.{started_unix_nanoseconds}")
}

/// The process whose record has this name: its number, and when its program was started.
#[must_use]
pub fn process_of_record(name: &str) -> Option<(u32, u64)> {
    let (process_id, started) = name.strip_prefix(PREFIX)?.split_once('.')?;
    Some((process_id.parse().ok()?, started.parse().ok()?))
}

impl ProcessRecord {
    /// The name of its file.
    #[must_use]
    pub fn file_name(&self) -> String {
        process_record_name(self.process_id, self.started_unix_nanoseconds)
    }

    /// What its file says.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let mut line = |key: &str, value: &str| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{key} {}", value.replace(['\n', '\r'], " "));
        };
        line(PROCESS_ID, &self.process_id.to_string());
        line(STARTED, &self.started_unix_nanoseconds.to_string());
        line(PROGRAM, &self.program);
        if let Some(version) = &self.go_version {
            line(GO_VERSION, version);
        }
        match &self.counters {
            CountersFrom::Memory(moment) => line(MEMORY, &moment.to_text()),
            CountersFrom::OwnFiles(reason) => line(OWN_FILES, reason),
            CountersFrom::Nowhere(reason) => line(NOWHERE, reason),
        }
        match self.ending {
            Some(ProcessEnding::Exited(code)) => line(EXITED, &code.to_string()),
            Some(ProcessEnding::Killed(signal)) => line(KILLED, &signal.to_string()),
            None => {}
        }
        text
    }

    /// Reads what a file says; none if that is no record.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let value = |key: &str| {
            let mut pairs = text.lines().filter_map(|line| line.split_once(' '));
            pairs.find(|(own, _)| *own == key).map(|(_, value)| value)
        };
        let counters = if let Some(moment) = value(MEMORY) {
            CountersFrom::Memory(Moment::parse(moment)?)
        } else if let Some(reason) = value(OWN_FILES) {
            CountersFrom::OwnFiles(reason.to_owned())
        } else {
            CountersFrom::Nowhere(value(NOWHERE)?.to_owned())
        };
        let ending = if let Some(code) = value(EXITED) {
            Some(ProcessEnding::Exited(code.parse().ok()?))
        } else if let Some(signal) = value(KILLED) {
            Some(ProcessEnding::Killed(signal.parse().ok()?))
        } else {
            None
        };
        Some(Self {
            process_id: value(PROCESS_ID)?.parse().ok()?,
            started_unix_nanoseconds: value(STARTED)?.parse().ok()?,
            program: value(PROGRAM)?.to_owned(),
            go_version: value(GO_VERSION).map(str::to_owned),
            counters,
            ending,
        })
    }
}

impl Moment {
    fn to_text(self) -> String {
        match self {
            Self::End => "end".to_owned(),
            Self::Exec => "exec".to_owned(),
            Self::Left => "left".to_owned(),
            Self::Interval { age_milliseconds } => format!("interval {age_milliseconds}"),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text.split_once(' ') {
            None => match text {
                "end" => Some(Self::End),
                "exec" => Some(Self::Exec),
                "left" => Some(Self::Left),
                _ => None,
            },
            Some(("interval", age)) => Some(Self::Interval { age_milliseconds: age.parse().ok()? }),
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(counters: CountersFrom, ending: Option<ProcessEnding>) -> ProcessRecord {
        ProcessRecord {
            process_id: 17,
            started_unix_nanoseconds: 1_700_000_000_000_000_000,
            program: "/app/a server".to_owned(),
            go_version: Some("go1.26.8".to_owned()),
            counters,
            ending,
        }
    }

    #[test]
    fn every_record_is_read_as_it_was_written() {
        let counters = [
            CountersFrom::Memory(Moment::End),
            CountersFrom::Memory(Moment::Exec),
            CountersFrom::Memory(Moment::Left),
            CountersFrom::Memory(Moment::Interval { age_milliseconds: 5000 }),
            CountersFrom::OwnFiles("permission denied".to_owned()),
            CountersFrom::Nowhere("killed 9 of them".to_owned()),
        ];
        let endings = [None, Some(ProcessEnding::Exited(3)), Some(ProcessEnding::Killed(9))];
        for counters in counters {
            for ending in endings {
                let record = record(counters.clone(), ending);
                assert_eq!(ProcessRecord::parse(&record.to_text()), Some(record));
            }
        }
    }

    #[test]
    fn a_program_cannot_write_lines_of_its_own() {
        let program = "/app/x\nexited 0".to_owned();
        let record = ProcessRecord { program, ..record(CountersFrom::Memory(Moment::End), None) };
        let read = ProcessRecord::parse(&record.to_text());
        assert_eq!(read.map(|read| (read.program, read.ending)), Some(("/app/x exited 0".to_owned(), None)));
    }

    #[test]
    fn a_record_of_an_older_agent_says_nothing_of_go() {
        let older = ProcessRecord { go_version: None, ..record(CountersFrom::Memory(Moment::End), None) };
        assert!(!older.to_text().contains("go-version"));
        assert_eq!(ProcessRecord::parse(&older.to_text()), Some(older));
    }

    #[test]
    fn only_names_of_records_are_recognised() {
        assert!(is_process_record_name(&record(CountersFrom::Memory(Moment::End), None).file_name()));
        for name in
            ["process.1", "process.1.2.3", "process.1.", "process.x.1", "process.1.1/..", "covmeta.1.2"]
        {
            assert!(!is_process_record_name(name), "{name}");
        }
    }

    #[test]
    fn what_is_no_record_is_none() {
        for text in ["", "process-id 1", "process-id x\nstarted 1\nprogram p\nmemory end", "memory never"] {
            assert_eq!(ProcessRecord::parse(text), None, "{text}");
        }
    }
}
