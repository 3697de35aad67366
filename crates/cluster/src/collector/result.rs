//! What a pod and its containers came to, as plain values.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use podcov_agent_protocol::EXIT_DEADLINE;

use super::{Ending, PodEntry};
use crate::pod_record::ContainerRun;

/// How the hand-over of a pod's data ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandOverEnd {
    /// The agent has sent everything, after every container had ended.
    Complete,
    /// The agent's deadline passed before everything was taken.
    Deadline,
    /// The pod went away before it said that everything was sent.
    Unreachable,
}

impl HandOverEnd {
    /// What the sidecar's exit code says when its stream did not.
    pub(super) fn of_sidecar(exit_code: Option<i32>) -> Self {
        match exit_code {
            Some(0) => Self::Complete,
            Some(EXIT_DEADLINE) => Self::Deadline,
            _ => Self::Unreachable,
        }
    }
}

/// One prepared pod.
#[derive(Clone, Debug)]
pub struct PodResult {
    /// Kind and name, `deployment/api`.
    pub workload: String,
    /// The pod's name.
    pub pod: String,
    /// The pod's UID.
    pub uid: String,
    /// The user named the containers, so each must report.
    pub containers_named: bool,
    /// None while the pod lives.
    pub end: Option<HandOverEnd>,
    /// Its agent answered at least once.
    pub was_reached: bool,
    /// Its agent has read everything when it was last asked to, or the pod had ended by then.
    pub was_read: bool,
    /// Why the last stream to it broke, if one did.
    pub last_failure: Option<String>,
    /// Free bytes of its data volume at the end.
    pub volume_free_bytes: Option<u64>,
    /// Each start of each captured container.
    pub containers: Vec<ContainerResult>,
}

/// One start of a container.
#[derive(Clone, Debug)]
pub struct ContainerResult {
    /// The container's name.
    pub container: String,
    /// Its restart count at that start.
    pub restart: u32,
    /// Its program was prepared to be started by the agent.
    pub is_supervised: bool,
    /// Where its files are; absent when there are none.
    pub directory: PathBuf,
    /// Processes built with coverage that started.
    pub processes_started: u32,
    /// Counter files received.
    pub counter_files: u32,
    /// Counters of processes that lived when they were last read, and left nothing since.
    pub live_counter_files: u32,
    /// How the container ended; none while it runs, or when nobody saw it.
    pub ending: Option<Ending>,
    /// By when its processes were gone, or out of reach. None while they run.
    pub gone_by: Option<SystemTime>,
    /// Files that Go began and did not finish. Told of the last start only.
    pub unfinished_files: Vec<String>,
    /// The end of its log, if it ended as a program does that panics. Of the last start only.
    pub log: Option<String>,
}

pub(super) fn of_pod(entry: &PodEntry, was_read: bool) -> PodResult {
    let record = &entry.record;
    let out_of_reach = match entry.end {
        Some((HandOverEnd::Unreachable, when)) => Some(when),
        Some((HandOverEnd::Complete | HandOverEnd::Deadline, _)) => None,
        None => (!was_read).then(SystemTime::now),
    };
    let mut containers = Vec::new();
    for container in &record.capture.containers {
        let runs = record.containers.get(container).cloned().unwrap_or_default();
        let known: Vec<u32> = runs.restarts().collect();
        let last_known = known.last().copied().unwrap_or(0);
        // Data of a start that the API never showed counts all the same.
        let has_data = |restart: &u32| {
            entry.hand_over.counter_files(container, *restart) > 0
                || entry.hand_over.live_counter_files(container, *restart) > 0
        };
        let restarts = (0..=last_known + 1).filter(|restart| known.contains(restart) || has_data(restart));
        for restart in restarts {
            let started = entry
                .starts
                .iter()
                .filter(|(name, _, nanoseconds)| name == container && runs.of_start(*nanoseconds) == restart)
                .count();
            let is_last = restart >= last_known;
            containers.push(ContainerResult {
                container: container.clone(),
                restart,
                is_supervised: record.capture.supervised.contains(container),
                directory: entry.hand_over.directory(container, restart),
                processes_started: u32::try_from(started).unwrap_or(u32::MAX),
                counter_files: entry.hand_over.counter_files(container, restart),
                live_counter_files: entry.hand_over.live_counter_files(container, restart),
                ending: runs.get(restart).and_then(|run| run.ending.clone()),
                gone_by: runs.get(restart).and_then(finished_by).or(out_of_reach),
                unfinished_files: is_last
                    .then(|| entry.unfinished_files.get(container).cloned())
                    .flatten()
                    .unwrap_or_default(),
                log: is_last.then(|| entry.logs.get(container).cloned()).flatten(),
            });
        }
    }
    PodResult {
        workload: record.capture.workload.clone(),
        pod: record.name.clone(),
        uid: record.uid.clone(),
        containers_named: record.capture.containers_named,
        end: entry.end.map(|(end, _)| end),
        was_reached: entry.is_up_to_date,
        was_read,
        last_failure: entry.last_failure.clone(),
        volume_free_bytes: entry.volume_free_bytes,
        containers,
    }
}

/// Kubernetes cuts off fractions of seconds.
fn finished_by(run: &ContainerRun) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_secs(run.finished? + 1))
}
