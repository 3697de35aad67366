//! The record of a run, `run.json`: where the data came from and how complete it is.
//!
//! Owns the model and its JSON form (documented for users in docs/run-directory.md). Writes no file; the
//! command line does.

use serde::{Deserialize, Serialize};

use crate::Excluded;

/// The version of the JSON form. It rises when a field changes its meaning or goes away.
pub const SCHEMA_VERSION: u32 = 1;

/// One run: what was observed, by which tests, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// [`SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// Unique for this run; in the cluster it labels what the run prepared.
    pub id: String,
    /// The version of podcov that wrote this.
    pub podcov_version: String,
    /// RFC 3339, UTC.
    pub started: String,
    /// RFC 3339, UTC. None while the run goes on, or when it was killed.
    pub finished: Option<String>,
    /// None for data that was reported on without a run.
    pub tests: Option<Tests>,
    /// Every process's or container's part, in the order they were found.
    pub captures: Vec<Capture>,
    /// Files that were set aside, and why. Paths are relative to the run directory.
    #[serde(default)]
    pub set_aside: Vec<SetAside>,
    /// What was left out of the figures on request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<Excluded>,
    /// Inputs that have a label or are text profiles, for a report on data that was there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Input>,
    /// What a reader should know: overridden settings, interruptions, deadlines.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The result, once it is known.
    pub summary: Option<Summary>,
}

/// The test command and how it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tests {
    /// Program and arguments.
    pub command: Vec<String>,
    /// None when it was ended by a signal or never started.
    pub exit_code: Option<i32>,
    /// Wall time in seconds.
    pub seconds: f64,
    /// The user stopped it.
    pub interrupted: bool,
}

/// What one container (one start of it) or one local program handed over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Capture {
    /// Where the processes ran.
    pub origin: Origin,
    /// The covdata directory, relative to the run directory, with `/` as separator.
    pub directory: String,
    /// Which way the counters were read.
    pub way: Way,
    /// Processes built with coverage that were seen to start.
    pub processes_started: u32,
    /// Processes whose counters are here.
    pub processes_captured: u32,
    /// Bytes in `directory`.
    pub bytes: u64,
    /// Whether this part is whole.
    pub outcome: Outcome,
    /// The processes, where each was watched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub processes: Vec<Process>,
    /// The cause of what is missing, where the rules of `podcov doctor` find one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnosis: Option<Diagnosis>,
}

/// Why data is missing, and what helps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// As `podcov doctor` calls it: `sigterm-unhandled`.
    pub id: String,
    /// One sentence.
    pub cause: String,
    /// What to paste; may have several lines.
    pub fix: String,
}

/// A process that was watched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// As the process itself sees it, which is often 1 in a container.
    pub process_id: u32,
    /// Its executable.
    pub program: String,
    /// What built that, as `go1.26.8`; none where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub go_version: Option<String>,
    /// When its program was started: RFC 3339, UTC.
    pub started: String,
    /// The way its counters were read; none if they were not.
    pub way: Option<Way>,
    /// When its memory was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<ReadAt>,
    /// How it ended; none if it became another program, or was left running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
    /// Why its memory was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// When a process's memory was read.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadAt {
    /// At its end: nothing was counted after that.
    End,
    /// When it became another program.
    Exec,
    /// When the program that started it had ended.
    Left,
    /// While it ran. Nobody saw its end.
    Interval {
        /// How long after the start of its program.
        seconds_after_start: f64,
        /// How long before its end, at most; none where nothing is known of that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds_before_end: Option<f64>,
    },
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// By itself.
    ExitCode(i32),
    /// By a signal.
    Signal(i32),
}

/// Where processes ran.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    /// A container of a pod.
    Pod {
        /// For example `shop`.
        namespace: String,
        /// Kind and name, for example `deployment/api`.
        workload: String,
        /// The pod's name.
        pod: String,
        /// The pod's UID.
        pod_uid: String,
        /// The container's name.
        container: String,
        /// The restart count of the container when these processes ran.
        restart: u32,
    },
    /// A program that podcov started.
    Local {
        /// Short name, unique in the run.
        name: String,
        /// Program and arguments.
        command: Vec<String>,
    },
}

/// The way counters were read (docs: capture).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Go wrote files when the process ended.
    Files,
    /// Out of the memory of a process whose parent podcov is, when it ended.
    Supervised,
    /// Read from the memory of a process that went on running.
    Attached,
}

/// Whether a capture is whole, and if not, why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Outcome {
    /// Every process that started handed its counters over.
    Heard,
    /// No process built with coverage ran here, and none was expected: another container of the pod has data.
    NotInstrumented,
    /// Data is missing.
    Lost {
        /// The class of the reason.
        reason: LossReason,
        /// One sentence for people: the evidence, such as an exit code.
        detail: String,
    },
}

/// Why data is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossReason {
    /// No process built with coverage was seen.
    NoData,
    /// A process ended without writing counters (signal, panic, out of memory).
    Killed,
    /// The data was not handed over before the deadline.
    Deadline,
    /// The volume had no room for the counters.
    DiskFull,
    /// A process still ran when the data was collected; Go writes counters when it ends.
    StillRunning,
    /// The pod could not be reached, or went away, before it handed its data over.
    Unreachable,
}

/// Data that a report was made from, as it was named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// What kind of test it is of, such as `unit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// A directory or a text profile, relative to the run directory.
    pub path: String,
}

/// A file that could not be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    /// Relative to the run directory.
    pub file: String,
    /// Why.
    pub reason: String,
}

/// The figures of the whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Statements in all.
    pub statements: u64,
    /// Statements that ran.
    pub covered: u64,
    /// Covered statements in percent; none when there is no data.
    pub percent: Option<f64>,
    /// The same for each workload or local program.
    pub workloads: Vec<WorkloadSummary>,
}

/// The figures of one workload or local program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkloadSummary {
    /// For example `deployment/api`, or a local program's name.
    pub workload: String,
    /// Statements in all.
    pub statements: u64,
    /// Statements that ran.
    pub covered: u64,
    /// Covered statements in percent; none when there is no data.
    pub percent: Option<f64>,
}

/// How many of those expected were heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completeness {
    /// Pods (or local programs) whose data was expected.
    pub pods_expected: u32,
    /// Those of which every container was heard.
    pub pods_heard: u32,
    /// Processes that were seen to start.
    pub processes_started: u32,
    /// Processes whose counters are here.
    pub processes_captured: u32,
}

impl Completeness {
    /// Nothing that was expected is missing, and something was expected.
    #[must_use]
    pub fn is_complete(self) -> bool {
        self.pods_expected > 0
            && self.pods_heard == self.pods_expected
            && self.processes_captured >= self.processes_started
    }
}

impl Origin {
    /// `deployment/api`, or a local program's name: what figures are grouped by.
    #[must_use]
    pub fn workload(&self) -> &str {
        match self {
            Self::Pod { workload, .. } => workload,
            Self::Local { name, .. } => name,
        }
    }

    /// The pod's UID, or a local program's name: what completeness counts.
    #[must_use]
    pub fn pod(&self) -> &str {
        match self {
            Self::Pod { pod_uid, .. } => pod_uid,
            Self::Local { name, .. } => name,
        }
    }
}

impl Run {
    /// Everything that was expected is here and in the figures.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.completeness().is_complete() && self.set_aside.is_empty()
    }

    /// Counted over all captures; containers without coverage beside ones with coverage do not count.
    #[must_use]
    pub fn completeness(&self) -> Completeness {
        let mut heard_by_pod = std::collections::BTreeMap::<&str, bool>::new();
        let mut completeness = Completeness::default();
        for capture in self.captures.iter().filter(|capture| capture.outcome != Outcome::NotInstrumented) {
            *heard_by_pod.entry(capture.origin.pod()).or_insert(true) &= capture.outcome == Outcome::Heard;
            completeness.processes_started += capture.processes_started;
            completeness.processes_captured += capture.processes_captured;
        }
        completeness.pods_expected = count(heard_by_pod.values());
        completeness.pods_heard = count(heard_by_pod.values().filter(|heard| **heard));
        completeness
    }
}

fn count(items: impl Iterator) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
