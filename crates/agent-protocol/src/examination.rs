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
