//! Why a container that was captured gave nothing, by the rules of `podcov doctor`.

use podcov_cluster::{ContainerResult, PodResult};
use podcov_doctor::facts::running_workload::{ContainerFacts, Ending, Files, State, Unknown};
use podcov_doctor::{Severity, rules, runtime_log};
use podcov_report::run::Diagnosis;

/// Less than this much room, and an unfinished file means a full volume.
pub const FULL_VOLUME_BYTES: u64 = 64 * 1024;

/// The cause of what is missing of a container, where what is known of it tells one.
pub fn of(pod: &PodResult, container: &ContainerResult) -> Option<Diagnosis> {
    let found = rules::running_pod::of_container(&facts(pod, container));
    found.iter().find(|it| it.severity == Severity::Error).map(recorded)
}

/// As the record has it.
pub fn recorded(diagnosis: &podcov_doctor::Diagnosis) -> Diagnosis {
    Diagnosis {
        id: diagnosis.id.to_string(),
        cause: diagnosis.sentence.clone(),
        fix: diagnosis.fix.clone().unwrap_or_default(),
    }
}

/// GOCOVERDIR and its volume are podcov's own, and as they should be.
fn facts(pod: &PodResult, container: &ContainerResult) -> ContainerFacts {
    let subject = format!("pod {}, container {}", pod.pod, container.container);
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let is_full = pod.volume_free_bytes.is_some_and(|free| free < FULL_VOLUME_BYTES);
    let log = container.log.as_deref().map(|log| runtime_log::findings(log.lines()));
    ContainerFacts {
        state: if container.ending.is_some() { State::Ended } else { State::Running },
        ending: container.ending.as_ref().map(|ending| Ending {
            exit_code: ending.exit_code,
            reason: ending.reason.clone(),
            seconds_after_request: None,
        }),
        restarts: container.restart,
        log: log.ok_or_else(|| Unknown::because("its log was not read")),
        files: Ok(Files {
            metadata: count(container.processes_started),
            counters: count(container.counter_files),
            temporary: container.unfinished_files.len(),
        }),
        is_volume_full: is_full && !container.unfinished_files.is_empty(),
        ..ContainerFacts::new(subject, container.container.clone())
    }
}
