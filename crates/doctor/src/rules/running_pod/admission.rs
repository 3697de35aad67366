//! What keeps a pod from being created, or its containers from being started.

use super::super::finding::{Seen, error};
use crate::facts::running_workload::{RunningWorkload, State, Warning};
use crate::{Diagnosis, Id};

const FORBIDDEN: &str = "violates PodSecurity";
const HOST_PATH: &str = "hostPath type check failed";

pub(super) fn diagnose(workload: &RunningWorkload) -> Vec<Diagnosis> {
    // Of a time before there were pods, a warning says nothing of those that run now.
    let all_run = workload.existing_pods >= workload.wanted_pods as usize
        && workload.containers.iter().all(|it| !matches!(it.state, State::Waiting(..) | State::Described));
    if all_run {
        return Vec::new();
    }
    [forbidden, path_of_node].iter().find_map(|rule| rule(workload)).into_iter().collect()
}

fn latest<'a>(workload: &'a RunningWorkload, words: &str) -> Option<&'a Warning> {
    workload.warnings.iter().rev().find(|warning| warning.message.contains(words))
}

fn with_warning(diagnosis: Diagnosis, warning: &Warning) -> Diagnosis {
    let value = format!("{}: {}", warning.reason, warning.message);
    diagnosis.seen("event", value, &warning.about)
}

fn forbidden(workload: &RunningWorkload) -> Option<Diagnosis> {
    let warning = latest(workload, FORBIDDEN)?;
    let sentence = "the namespace's Pod Security level does not admit the pods, so that none is created";
    let diagnosis = error(Id::PodSecurityForbids, &workload.subject, sentence.to_owned());
    Some(with_warning(diagnosis, warning).fix(
        "an emptyDir instead of a hostPath (every level admits it):\n  volumes:\n  - name: coverdata\n    emptyDir: {}",
    ))
}

fn path_of_node(workload: &RunningWorkload) -> Option<Diagnosis> {
    let warning = latest(workload, HOST_PATH)?;
    let sentence = "the hostPath is not there in the node that was to run the pod; in kind, a node is a container, and has only \
                    what extraMounts name";
    let diagnosis = error(Id::NodePathNotMounted, &workload.subject, sentence.to_owned());
    Some(with_warning(diagnosis, warning).fix(
        "in the configuration of kind, for each node that may run the pod:\n  extraMounts:\n  - hostPath: PATH\n    \
         containerPath: PATH\nthen create the cluster anew; or use an emptyDir",
    ))
}
