//! Why coverage of a process cannot be read.

use std::error::Error as _;
use std::io;

use crate::{Denial, LiveAddress, ProcessId};

/// Coverage of a process cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read coverage of process {process}")]
pub struct Error {
    /// The process.
    pub process: ProcessId,
    /// Why.
    #[source]
    pub reason: Reason,
}

/// Why coverage of a process cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// It has ended, or has become another program (`exec`).
    #[error("it is gone")]
    Gone,
    /// The kernel does not let this process look at that one.
    #[error("permission denied: {0}")]
    Denied(Denial),
    /// Another kind of program, such as a shell that starts the real one.
    #[error("{executable} is not a program of Go's")]
    NotGo {
        /// What it runs.
        executable: String,
    },
    /// Built without `-cover`.
    #[error("{executable} was built without coverage: use go build -cover")]
    NotInstrumented {
        /// What it runs.
        executable: String,
    },
    /// Not all packages are known yet: try again.
    #[error("it is still starting: not all of its packages are initialised")]
    Starting,
    /// The module data were not found where, or as, they are in the releases of Go that are known.
    #[error(
        "the runtime's module data are not there: it has only just started, or its Go is not known (1.21 to 1.27 are)"
    )]
    NoModuleData,
    /// Its executable cannot be described.
    #[error("its executable cannot be described")]
    Executable(#[source] go_binary::Error),
    /// A part of its memory is not there, although it should be.
    #[error("its memory at {address} cannot be read")]
    Memory {
        /// Where.
        address: LiveAddress,
        /// What the kernel says.
        #[source]
        source: io::Error,
    },
    /// What is in its memory contradicts itself.
    #[error("its memory at {address} is not what it should be: {what}")]
    Inconsistent {
        /// Where.
        address: LiveAddress,
        /// What is wrong.
        what: &'static str,
    },
    /// Its meta-data are damaged.
    #[error("its meta-data are damaged")]
    MetaData(#[source] go_coverage::Error),
    /// A difference of snapshots of two programs, or of two processes.
    #[error("the earlier snapshot is of another process")]
    OtherProcess,
    /// The system does not tell what is needed.
    #[error("cannot read {path}")]
    System {
        /// A file.
        path: String,
        /// What the kernel says.
        #[source]
        source: io::Error,
    },
}

impl Reason {
    /// In one sentence, with what is behind it.
    #[must_use]
    pub fn in_full(&self) -> String {
        self.source().map_or_else(|| self.to_string(), |cause| format!("{self}: {cause}"))
    }

    /// Of a read of memory that failed.
    pub(crate) fn memory(address: LiveAddress, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::NotFound => Self::Gone,
            _ => Self::Memory { address, source },
        }
    }

    /// Of a search of memory that failed, in which offsets are addresses.
    pub(crate) fn search(error: go_binary::Error) -> Self {
        match error {
            go_binary::Error::Read { offset, source, .. } => Self::memory(LiveAddress(offset), source),
            other => Self::Executable(other),
        }
    }
}
