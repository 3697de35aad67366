//! The counters of a process at one moment, and what ran between two moments.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use go_coverage::{CounterFileWriter, CounterFlavor, MetaDataHash, RunArguments};

use crate::{Counters, ProcessId, Program, Reason, StartOfStack, StartTime};

/// Tells processes apart, also when their numbers are used again, and when they become another program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProcessKey {
    /// As this process sees it.
    pub id: ProcessId,
    /// As the process itself sees it, which is 1 in most containers.
    pub own_id: u32,
    /// When it was started.
    pub start_time: StartTime,
    /// Which of the programs it is that the process has been.
    pub start_of_stack: StartOfStack,
}

/// The counters of a process at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub(crate) process: ProcessKey,
    pub(crate) program: Arc<Program>,
    pub(crate) arguments: Arc<RunArguments>,
    pub(crate) taken: SystemTime,
    pub(crate) counters: Counters,
}

impl Snapshot {
    /// The process.
    #[must_use]
    pub const fn process(&self) -> ProcessKey {
        self.process
    }

    /// What it counts.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// How the program was started.
    #[must_use]
    pub fn arguments(&self) -> &RunArguments {
        &self.arguments
    }

    /// When it was taken.
    #[must_use]
    pub const fn taken(&self) -> SystemTime {
        self.taken
    }

    /// What was counted.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What joins the meta-data and the counters.
    #[must_use]
    pub fn hash(&self) -> MetaDataHash {
        self.program.metadata().hash()
    }

    /// `covmeta.HASH`.
    #[must_use]
    pub fn metadata_file_name(&self) -> String {
        format!("covmeta.{}", self.hash())
    }

    /// The meta-data file: the same bytes that the process writes itself.
    #[must_use]
    pub fn metadata_file(&self) -> &[u8] {
        self.program.metadata().as_bytes()
    }

    /// `covcounters.HASH.PID.NANOSECONDS`.
    #[must_use]
    pub fn counter_file_name(&self) -> String {
        let nanoseconds = self.taken.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let mut name = format!("covcounters.{}.{}", self.hash(), self.process.own_id);
        // Writing to a string does not fail.
        let _ = write!(name, ".{nanoseconds}");
        name
    }

    /// The counter file: the same bytes that the process would write itself.
    #[must_use]
    pub fn counter_file(&self) -> Vec<u8> {
        let mut writer = CounterFileWriter::new(self.hash(), CounterFlavor::Uleb128, &self.arguments);
        for (package, function, counters) in self.counters.functions() {
            writer.function(package, function, counters);
        }
        writer.finish()
    }

    /// What ran since an earlier snapshot of the same process. Exact in the modes count and atomic, unless the program
    /// cleared its counters; in the mode set, what had not run before.
    pub fn since(&self, earlier: &Self) -> Result<Self, Reason> {
        if self.process != earlier.process || self.hash() != earlier.hash() {
            return Err(Reason::OtherProcess);
        }
        let mode = self.program.metadata().mode();
        let counters = self.counters.since(&earlier.counters, mode).ok_or(Reason::OtherProcess)?;
        Ok(Self { counters, ..self.clone() })
    }
}
