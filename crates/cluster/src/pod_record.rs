//! What is known of one prepared pod: which containers ran when, how they ended, and what they handed over.
//!
//! Pure bookkeeping. Kubernetes tells times in whole seconds and only the latest ending of a container; Go's
//! file names tell nanoseconds. From both follows which restart of a container a file belongs to.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ContainerState, ContainerStateTerminated, ContainerStatus, Pod};
use kube::ResourceExt;

use crate::identity::{CAPTURE_ANNOTATION, Capture, SIDECAR};

/// The exit code of Go's runtime.
const GO_GAVE_UP: i32 = 2;
const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The exit code; 128 + signal number for a signal.
    pub exit_code: i32,
    /// Kubernetes' reason: `Completed`, `Error`, `OOMKilled` …
    pub reason: String,
}

/// One start of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ContainerRun {
    /// Whole seconds since 1970.
    pub started: Option<u64>,
    /// Whole seconds since 1970.
    pub finished: Option<u64>,
    pub ending: Option<Ending>,
}

/// Every known start of a container by its restart count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ContainerRuns(BTreeMap<u32, ContainerRun>);

impl ContainerRuns {
    pub(crate) fn get(&self, restart: u32) -> Option<&ContainerRun> {
        self.0.get(&restart)
    }

    /// Starts and endings, in seconds, of one start after the other.
    #[cfg(test)]
    pub(crate) fn of(runs: &[(u64, Option<u64>)]) -> Self {
        let run = |(index, (started, finished)): (u32, &(u64, Option<u64>))| {
            (index, ContainerRun { started: Some(*started), finished: *finished, ending: None })
        };
        Self((0..).zip(runs).map(run).collect())
    }

    /// The restart counts of every known start.
    pub(crate) fn restarts(&self) -> impl Iterator<Item = u32> {
        self.0.iter().filter(|(_, run)| run.started.is_some()).map(|(restart, _)| *restart)
    }

    /// The last known start has ended, and how is known.
    fn has_ended(&self) -> bool {
        self.0.values().next_back().is_none_or(|run| run.ending.is_some())
    }

    /// The last known start has not ended.
    fn is_running(&self) -> bool {
        self.0.values().next_back().is_some_and(|run| run.started.is_some() && run.ending.is_none())
    }

    fn update(&mut self, status: &ContainerStatus) {
        let restart = u32::try_from(status.restart_count).unwrap_or(0);
        if let Some(state) = &status.state {
            self.update_run(restart, state);
        }
        if let (Some(state), Some(previous)) = (&status.last_state, restart.checked_sub(1)) {
            self.update_run(previous, state);
        }
    }

    fn update_run(&mut self, restart: u32, state: &ContainerState) {
        if let Some(running) = &state.running {
            let run = self.0.entry(restart).or_default();
            run.started = running.started_at.as_ref().and_then(|time| u64::try_from(time.0.as_second()).ok());
        }
        if let Some(terminated) = &state.terminated {
            let run = self.0.entry(restart).or_default();
            let seconds = |time: &Option<k8s_openapi::apimachinery::pkg::apis::meta::v1::Time>| {
                time.as_ref().and_then(|time| u64::try_from(time.0.as_second()).ok())
            };
            run.started = seconds(&terminated.started_at);
            run.finished = seconds(&terminated.finished_at);
            run.ending = Some(ending(terminated));
        }
    }

    /// The restart whose process wrote its counters at `nanoseconds`: the first that had not finished by then.
    pub(crate) fn of_counters(&self, nanoseconds: u64) -> u32 {
        let finished_before = |run: &ContainerRun| {
            run.finished.is_some_and(|finished| (finished + 1) * NANOSECONDS_PER_SECOND <= nanoseconds)
        };
        match self.0.iter().find(|(_, run)| !finished_before(run)) {
            Some((restart, _)) => *restart,
            None => self.0.keys().last().map_or(0, |last| last + 1),
        }
    }

    /// The restart whose process started at `nanoseconds`: the last that had started by then.
    pub(crate) fn of_start(&self, nanoseconds: u64) -> u32 {
        let started_by = |run: &ContainerRun| {
            run.started.is_some_and(|started| started * NANOSECONDS_PER_SECOND <= nanoseconds)
        };
        self.0
            .iter()
            .rev()
            .find(|(_, run)| started_by(run))
            .or_else(|| self.0.iter().next())
            .map_or(0, |(restart, _)| *restart)
    }
}

fn ending(terminated: &ContainerStateTerminated) -> Ending {
    Ending { exit_code: terminated.exit_code, reason: terminated.reason.clone().unwrap_or_default() }
}

/// A prepared pod as the API server last showed it.
#[derive(Clone, Debug)]
pub(crate) struct PodRecord {
    pub name: String,
    pub uid: String,
    pub capture: Capture,
    pub containers: BTreeMap<String, ContainerRuns>,
    pub is_terminating: bool,
    pub sidecar_is_running: bool,
    /// The sidecar's exit code, once it ended for good.
    pub sidecar_exit_code: Option<i32>,
    /// The API server has no such pod any more.
    pub is_gone: bool,
}

impl PodRecord {
    /// None for a pod without podcov's annotation.
    pub(crate) fn of(pod: &Pod) -> Option<Self> {
        let capture = serde_json::from_str(pod.annotations().get(CAPTURE_ANNOTATION)?).ok()?;
        let mut record = Self {
            name: pod.name_any(),
            uid: pod.uid()?,
            capture,
            containers: BTreeMap::new(),
            is_terminating: false,
            sidecar_is_running: false,
            sidecar_exit_code: None,
            is_gone: false,
        };
        record.update(pod);
        Some(record)
    }

    /// Every captured container has ended, and how is known.
    pub(crate) fn has_ended(&self) -> bool {
        self.containers.values().all(ContainerRuns::has_ended)
    }

    /// A captured container runs.
    pub(crate) fn is_running(&self) -> bool {
        self.containers.values().any(ContainerRuns::is_running)
    }

    /// Containers that ended last as Go programs do that panic.
    pub(crate) fn containers_that_gave_up(&self) -> Vec<String> {
        let gave_up = |runs: &ContainerRuns| {
            let last = runs.0.values().next_back().and_then(|run| run.ending.as_ref());
            last.is_some_and(|ending| ending.exit_code == GO_GAVE_UP)
        };
        self.containers.iter().filter(|(_, runs)| gave_up(runs)).map(|(name, _)| name.clone()).collect()
    }

    pub(crate) fn update(&mut self, pod: &Pod) {
        self.is_terminating = pod.metadata.deletion_timestamp.is_some();
        for status in statuses(pod) {
            if status.name == SIDECAR {
                let state = status.state.as_ref();
                self.sidecar_is_running = state.is_some_and(|state| state.running.is_some());
                self.sidecar_exit_code =
                    state.and_then(|state| state.terminated.as_ref()).map(|terminated| terminated.exit_code);
            } else if self.capture.containers.contains(&status.name) {
                self.containers.entry(status.name.clone()).or_default().update(status);
            }
        }
    }
}

/// The statuses of all containers, init containers included.
pub(crate) fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.as_ref();
    let containers = status.and_then(|status| status.container_statuses.as_ref());
    let init_containers = status.and_then(|status| status.init_container_statuses.as_ref());
    init_containers.into_iter().chain(containers).flatten()
}

/// Whether the pod's condition Ready is true.
pub(crate) fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.into_iter().flatten().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(runs: &[(u64, Option<u64>)]) -> ContainerRuns {
        ContainerRuns::of(runs)
    }

    fn at(seconds: f64) -> u64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small test values")]
        let milliseconds = (seconds * 1e3) as u64;
        milliseconds * 1_000_000
    }

    #[test]
    fn counters_belong_to_the_start_that_was_running() {
        let runs = runs(&[(10, Some(20)), (21, None)]);
        assert_eq!(runs.of_counters(at(15.0)), 0);
        // Kubernetes cuts fractions off: 20 stands for any time before 21.
        assert_eq!(runs.of_counters(at(20.9)), 0);
        assert_eq!(runs.of_counters(at(21.1)), 1);
    }

    #[test]
    fn counters_after_the_last_known_ending_belong_to_the_next_start() {
        assert_eq!(runs(&[(10, Some(20))]).of_counters(at(25.0)), 1);
        assert_eq!(runs(&[]).of_counters(at(25.0)), 0);
    }

    #[test]
    fn starts_belong_to_the_latest_start_of_the_container() {
        let runs = runs(&[(10, Some(10)), (11, Some(30)), (31, None)]);
        assert_eq!(runs.of_start(at(10.2)), 0);
        assert_eq!(runs.of_start(at(11.0)), 1);
        assert_eq!(runs.of_start(at(29.0)), 1);
        assert_eq!(runs.of_start(at(31.5)), 2);
    }
}
