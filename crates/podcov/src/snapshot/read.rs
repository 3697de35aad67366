//! What was read, of whatever kind of target: processes at one moment, and those that are missing.

use go_coverage::MetaDataFile;
use podcov_report::run::{LossReason, Origin, Process, Way};
use serde::{Deserialize, Serialize};

use crate::terminal::printable;

/// What was read of a local target, or of a container of a pod.
pub struct Reading {
    /// No other reading has it.
    pub origin: Origin,
    pub way: Way,
    pub processes: Vec<ReadProcess>,
    /// Processes that should be here.
    pub missing: Vec<Missing>,
}

/// A process at one moment.
pub struct ReadProcess {
    pub identity: Identity,
    /// For the user: as the kernel, or within a pod the process itself, sees it.
    pub process_id: u32,
    /// As Go names it.
    pub counter_file_name: String,
    pub metadata: MetaDataFile<'static>,
    /// The bytes of a counter file, whole.
    pub counters: Vec<u8>,
    /// It was read while a function was counted for the first time.
    pub is_torn: bool,
    /// For the record of the run, where the process was watched.
    pub record: Option<Process>,
}

/// Tells the process, while it runs one program, from every other one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identity {
    pub process_id: u32,
    /// In any unit, as long as it is always the same for the same process.
    pub start_time: u64,
    /// Which of the programs it is that the process has been; 0 where the start tells that already.
    pub start_of_stack: u64,
    pub metadata_hash: String,
    /// The UID of the pod and the container; none of a process of this machine, whose number and start are of one boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
}

/// A process that could not be read, and may be built with coverage; or a target that has no such process.
#[derive(Clone, Debug)]
pub struct Missing {
    pub reason: LossReason,
    /// `process 4711`
    pub who: String,
    /// Why, and the next step.
    pub why: String,
}

impl Missing {
    pub fn new(reason: LossReason, who: &str, why: &str) -> Self {
        Self { reason, who: printable(who), why: printable(why) }
    }
}

impl Reading {
    /// What messages call it.
    pub fn name(&self) -> String {
        match &self.origin {
            Origin::Local { name, .. } => name.clone(),
            Origin::Pod { pod, container, .. } => format!("{pod}/{container}"),
        }
    }
}
