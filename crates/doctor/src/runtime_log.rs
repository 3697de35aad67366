//! What Go's runtime writes to standard error about coverage and about its own end, recognised in a log.
//!
//! A log is from outside: lines are cut, and what could steer a terminal is replaced.

/// A line that says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFinding {
    /// What it says.
    pub complaint: Complaint,
    /// The line, fit to be shown.
    pub line: String,
}

/// What the runtime complains about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// GOCOVERDIR is not set. Only a program that is covered says so.
    NotSet,
    /// Meta-data (at the start) or counters (at the end) could not be written.
    NotWritten {
        /// Which of the two.
        data: Data,
        /// Why.
        reason: WriteFailure,
    },
    /// The program panicked.
    Panic,
    /// The runtime gave up: a deadlock, concurrent map writes, out of memory …
    FatalError,
}

/// The two kinds of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// `covmeta.*`, at the start.
    Metadata,
    /// `covcounters.*`, at the end.
    Counters,
}

/// Why a file could not be written, in the words of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteFailure {
    /// The directory does not exist.
    Missing,
    /// It is a file.
    NotADirectory,
    /// It belongs to another user.
    PermissionDenied,
    /// It is on a file system that is mounted to be read only.
    ReadOnly,
    /// It is full.
    NoSpace,
    /// Another process of the same directory took the temporary file.
    Rename,
    /// Anything else.
    Other,
}

const NOT_SET: &str = "warning: GOCOVERDIR not set, no coverage data emitted";
const NO_METADATA: &str = "error: coverage meta-data emit failed: ";
const NO_COUNTERS: &str = "error: coverage counter data emit failed: ";
/// Of a line that is shown.
const MOST_CHARACTERS: usize = 400;

/// The first line of each complaint, in the order of the log.
pub fn findings<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<LogFinding> {
    let mut found: Vec<LogFinding> = Vec::new();
    for line in lines {
        let Some(complaint) = complaint(line) else { continue };
        if !found.iter().any(|known| known.complaint == complaint) {
            found.push(LogFinding { complaint, line: printable(line) });
        }
    }
    found
}

fn complaint(line: &str) -> Option<Complaint> {
    if line.contains(NOT_SET) {
        return Some(Complaint::NotSet);
    }
    for (message, data) in [(NO_METADATA, Data::Metadata), (NO_COUNTERS, Data::Counters)] {
        if let Some((_, reason)) = line.split_once(message) {
            return Some(Complaint::NotWritten { data, reason: write_failure(reason) });
        }
    }
    // The runtime begins a line with these; a program may write them anywhere else.
    if line.starts_with("panic: ") {
        return Some(Complaint::Panic);
    }
    (line.starts_with("fatal error: ")).then_some(Complaint::FatalError)
}

fn write_failure(reason: &str) -> WriteFailure {
    let says = |words: &str| reason.contains(words);
    if says("no such file or directory") {
        WriteFailure::Missing
    } else if says("not a directory") {
        WriteFailure::NotADirectory
    } else if says("permission denied") || says("operation not permitted") {
        WriteFailure::PermissionDenied
    } else if says("read-only file system") {
        WriteFailure::ReadOnly
    } else if says("no space left on device") || says("disk quota exceeded") {
        WriteFailure::NoSpace
    } else if says("rename from") {
        WriteFailure::Rename
    } else {
        WriteFailure::Other
    }
}

fn printable(line: &str) -> String {
    let plain = |letter: char| if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter };
    line.trim_end().chars().take(MOST_CHARACTERS).map(plain).collect()
}
