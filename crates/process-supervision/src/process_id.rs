//! Numbers of processes and threads. Owns that the two are not mixed up.

use std::fmt;

/// A process (for the kernel: a thread group), as this process' PID namespace numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId(pub i32);

/// A thread. That of a process' first thread is the number of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadId(pub i32);

impl ProcessId {
    pub(crate) fn first_thread(self) -> ThreadId {
        ThreadId(self.0)
    }
}

impl fmt::Display for ProcessId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Display for ThreadId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
