//! The pods that workloads have now, prepared or not, and what is known of their containers.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;

use crate::{
    Connection, Error, RunId, Workload,
    identity::{CAPTURE_ANNOTATION, Capture, RUN_LABEL, SIDECAR},
    pod_record::statuses,
    rollout::living_pods,
};

/// A pod of a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningPod {
    /// Kind and name, `deployment/api`.
    pub workload: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// Where it runs.
    pub node: Option<String>,
    /// The run that prepared it, if one did.
    pub run: Option<RunId>,
    /// Those that run now, without podcov's own and without init containers that have ended.
    pub containers: Vec<RunningContainer>,
}

/// A container that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningContainer {
    /// Its name.
    pub name: String,
    /// As the runtime calls it, `containerd://…`.
    pub id: String,
    /// How often it was started before.
    pub restart: u32,
    /// What becomes of its counters.
    pub capture: ContainerCapture,
}

/// What becomes of the counters of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerCapture {
    /// It was not prepared.
    Nothing,
    /// Go writes files when its processes end.
    Files,
    /// An agent is the parent of its program.
    Supervised,
}

/// The pods that the workloads have now, without those that are being deleted.
pub async fn running_pods(connection: &Connection, workloads: &[Workload]) -> Result<Vec<RunningPod>, Error> {
    let mut pods = Vec::new();
    for workload in workloads {
        let own = living_pods(connection, workload).await?;
        pods.extend(own.iter().map(|pod| running_pod(workload.reference(), pod)));
    }
    pods.sort_by(|one, other| (&one.workload, &one.name).cmp(&(&other.workload, &other.name)));
    Ok(pods)
}

fn running_pod(workload: String, pod: &Pod) -> RunningPod {
    let capture = pod.annotations().get(CAPTURE_ANNOTATION);
    let capture: Option<Capture> = capture.and_then(|text| serde_json::from_str(text).ok());
    let of = |name: &String| match &capture {
        Some(capture) if capture.supervised.contains(name) => ContainerCapture::Supervised,
        Some(capture) if capture.containers.contains(name) => ContainerCapture::Files,
        _ => ContainerCapture::Nothing,
    };
    let running = statuses(pod).filter(|status| {
        status.name != SIDECAR && status.state.as_ref().is_some_and(|state| state.running.is_some())
    });
    let containers = running.map(|status| RunningContainer {
        name: status.name.clone(),
        id: status.container_id.clone().unwrap_or_default(),
        restart: u32::try_from(status.restart_count).unwrap_or(0),
        capture: of(&status.name),
    });
    RunningPod {
        workload,
        name: pod.name_any(),
        uid: pod.uid().unwrap_or_default(),
        node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
        run: capture.as_ref().and_then(|_| RunId::new(pod.labels().get(RUN_LABEL)?)),
        containers: containers.collect(),
    }
}
