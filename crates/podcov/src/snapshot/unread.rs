//! Pods that cannot be read through an agent, because they were never prepared or only to hand over files.

use podcov_cluster::{RunningContainer, RunningPod};
use podcov_report::run::{LossReason, Origin, Way};

use super::read::{Missing, Reading};
use crate::kubernetes::Cluster;

/// A container of a pod, which no agent can read.
pub struct UnreadContainer {
    pub pod: RunningPod,
    pub container: RunningContainer,
}

/// Reads the containers some other way, one reading for each that has something to say. The one place that decides what
/// becomes of them.
pub fn read(cluster: &Cluster<'_>, containers: &[UnreadContainer]) -> Vec<Reading> {
    containers.iter().map(|unread| nothing_of(unread, cluster.namespace())).collect()
}

fn nothing_of(UnreadContainer { pod, container }: &UnreadContainer, namespace: &str) -> Reading {
    let why = if pod.run.is_some() {
        "no agent is the parent of its program, so its counters come as files when its processes end: podcov collect takes \
         them, podcov run --entrypoint lets the agent start it"
    } else {
        "it was not prepared, so no agent can read it: prepare it with podcov inject, or measure tests with podcov run"
    };
    let who = format!("pod {}, container {}", pod.name, container.name);
    Reading {
        origin: origin(pod, container, namespace),
        way: Way::Files,
        processes: Vec::new(),
        missing: vec![Missing::new(LossReason::NoData, &who, why)],
    }
}

/// Where the processes of a container run.
pub fn origin(pod: &RunningPod, container: &RunningContainer, namespace: &str) -> Origin {
    Origin::Pod {
        namespace: namespace.to_owned(),
        workload: pod.workload.clone(),
        pod: pod.name.clone(),
        pod_uid: pod.uid.clone(),
        container: container.name.clone(),
        restart: container.restart,
    }
}
