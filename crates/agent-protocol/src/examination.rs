//! A process and what it finds where GOCOVERDIR points, as whoever looked at it saw them: the agent on a node, or podcov
//! itself on its own machine.
//!
//! Field order and variant order are the wire format: append, never reorder.

use serde::{Deserialize, Serialize};

/// A process, as it is at one moment. Texts of it have no control characters, and an end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Examination {
    /// The number that who looked sees it by.
    pub process_id: u32,
    /// The number that it has in its own PID namespace.
    pub own_id: u32,
    /// Its executable, as it is called in its own file system.
    pub program: String,
    /// Whether its executable is a program of Go's.
    pub is_go: bool,
    /// The user that the kernel checks.
    pub user: u32,
    /// The group, and all others.
    pub groups: Vec<u32>,
    /// Whether it asked for SIGTERM. None where that cannot be known.
    pub handles_termination: Option<bool>,
    /// Its variable GOCOVERDIR. Go reads it once, when the program starts.
    pub setting: Option<String>,
    /// What is there; none without the variable.
    pub directory: Option<Directory>,
    /// Its command line, the program first; what is very long has an end.
    pub command_line: Vec<String>,
    /// Whether it has a handler for SIGTERM, as the kernel sees it. Every program of Go's has one, whoever waits for it.
    pub catches_termination: bool,
    /// What its executable tells of coverage, or why that is not known.
    pub go_program: Result<GoProgram, String>,
    /// What it has counted so far, or why that is not known.
    pub counted: Result<Counted, String>,
}

/// What the executable of a program of Go's tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoProgram {
    /// As `go1.26.8`; empty without build information, like the next ones.
    pub go_version: String,
    /// The import path of main.
    pub main_package: String,
    /// The module of main.
    pub main_module: String,
    /// The setting `-cover`, which Go records from 1.23 on.
    pub cover_setting: Option<bool>,
    /// What is in it.
    pub coverage: ProgramCoverage,
    /// What tells, and where: for people.
    pub coverage_seen: (String, String),
    /// As `amd64`.
    pub architecture: String,
    /// Whether the symbol table was taken out.
    pub is_stripped: bool,
    /// Whether it needs no libraries.
    pub is_static: bool,
    /// Whether it is loaded anywhere.
    pub is_position_independent: bool,
}

/// Whether coverage is in a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProgramCoverage {
    /// With main: it writes.
    WithMain,
    /// Without main: it counts, and never writes.
    WithoutMain,
    /// None.
    Nothing,
    /// It does not write; whether it counts cannot be told.
    NoHook,
}

/// The counters of a process at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// How many functions are covered.
    pub functions: u32,
    /// How many of them have run.
    pub ran: u32,
}

/// Where GOCOVERDIR points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Directory {
    /// Nothing is there, or the process cannot reach it; the kernel's reason.
    Missing(String),
    /// Something else is there.
    NotADirectory,
    /// It is there.
    There(DirectoryState),
    /// Who looked may not go there, though the process perhaps may; the kernel's reason.
    Unreachable(String),
}

/// A directory, as one process sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryState {
    /// Permissions.
    pub mode: u32,
    /// Its owner.
    pub user: u32,
    /// Its group.
    pub group: u32,
    /// Whether the process may create files in it, going by owner and permissions.
    pub lets_create: bool,
    /// Whether its file system is mounted to be read only.
    pub is_read_only: bool,
    /// Bytes that are free for those who are no superusers.
    pub free_bytes: u64,
    /// Files that may still be made; none where the file system does not limit them.
    pub free_files: Option<u64>,
    /// Where its file system is mounted; `/` if it is the container's own, which ends with it.
    pub mount_point: String,
    /// The directory of that file system, such as the path in the node for a volume of it.
    pub mounted: String,
    /// `ext4`, `tmpfs`, `overlay` …
    pub file_system: String,
    /// What is in it; none if who looked may not list it.
    pub files: Option<CoverageFiles>,
}

/// How many files of coverage data there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageFiles {
    /// Of meta-data.
    pub metadata: u32,
    /// Of counters.
    pub counters: u32,
    /// Those that Go began and did not finish.
    pub temporary: u32,
}
