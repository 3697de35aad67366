//! The pods that workloads have now, prepared or not: which of their containers run, and why the others do not.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Container, ContainerState, ContainerStatus, Pod};
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
    /// Those that should run, and do not.
    pub idle: Vec<IdleContainer>,
    /// What its images were pulled with.
    pub pull_secrets: BTreeSet<String>,
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
    /// As its manifest names it.
    pub image: String,
}

/// A container that does not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdleContainer {
    /// Its name.
    pub name: String,
    /// How often it was started before.
    pub restart: u32,
    /// Why it does not run.
    pub why: String,
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

pub(crate) fn running_pod(workload: String, pod: &Pod) -> RunningPod {
    let capture = pod.annotations().get(CAPTURE_ANNOTATION);
    let capture: Option<Capture> = capture.and_then(|text| serde_json::from_str(text).ok());
    let of = |name: &String| match &capture {
        Some(capture) if capture.supervised.contains(name) => ContainerCapture::Supervised,
        Some(capture) if capture.containers.contains(name) => ContainerCapture::Files,
        _ => ContainerCapture::Nothing,
    };
    let secrets = pod.spec.iter().flat_map(|spec| spec.image_pull_secrets.iter().flatten());
    let (mut containers, mut idle) = (Vec::new(), Vec::new());
    for container in lasting_containers(pod).filter(|container| container.name != SIDECAR) {
        let name = container.name.clone();
        let status = statuses(pod).find(|status| status.name == name);
        let restart = status.and_then(|status| u32::try_from(status.restart_count).ok()).unwrap_or(0);
        let running =
            status.filter(|status| status.state.as_ref().is_some_and(|state| state.running.is_some()));
        match running {
            Some(status) => containers.push(RunningContainer {
                id: status.container_id.clone().unwrap_or_default(),
                restart,
                capture: of(&name),
                image: container.image.clone().unwrap_or_default(),
                name,
            }),
            None => idle.push(IdleContainer { name, restart, why: why_idle(pod, status) }),
        }
    }
    RunningPod {
        workload,
        name: pod.name_any(),
        uid: pod.uid().unwrap_or_default(),
        node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
        run: capture.as_ref().and_then(|_| RunId::new(pod.labels().get(RUN_LABEL)?)),
        containers,
        idle,
        pull_secrets: secrets.map(|secret| secret.name.clone()).collect(),
    }
}

impl RunningContainer {
    /// Its ID without the name of the runtime.
    pub(crate) fn bare_id(&self) -> &str {
        self.id.split_once("://").map_or(&self.id, |(_, id)| id)
    }
}

/// Other init containers have ended when the pod is what it is there for.
fn lasting_containers(pod: &Pod) -> impl Iterator<Item = &Container> {
    let init_containers = pod.spec.iter().flat_map(|spec| spec.init_containers.iter().flatten());
    let sidecars = init_containers.filter(|container| container.restart_policy.as_deref() == Some("Always"));
    pod.spec.iter().flat_map(|spec| &spec.containers).chain(sidecars)
}

fn why_idle(pod: &Pod, status: Option<&ContainerStatus>) -> String {
    if let Some(why) = status.and_then(|status| why_ended_or_waits(status.state.as_ref()?)) {
        return why;
    }
    let status = pod.status.as_ref();
    let conditions = status.and_then(|status| status.conditions.as_ref()).into_iter().flatten();
    let unscheduled = conditions
        .into_iter()
        .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False")
        .and_then(|condition| condition.message.clone());
    let phase = status.and_then(|status| status.phase.as_deref()).unwrap_or("not known");
    let message = unscheduled.or_else(|| status.and_then(|status| status.message.clone()));
    let message = message.map(|message| format!(": {message}")).unwrap_or_default();
    format!("it does not run: its pod is {phase}{message}")
}

fn why_ended_or_waits(state: &ContainerState) -> Option<String> {
    if let Some(ended) = &state.terminated {
        let reason = ended.reason.as_deref().unwrap_or("Error");
        return Some(format!("it has ended: {reason}, exit code {}", ended.exit_code));
    }
    let waiting = state.waiting.as_ref()?;
    let message = waiting.message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
    Some(format!("it does not run: {}{message}", waiting.reason.as_deref().unwrap_or("waiting")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(status: &serde_json::Value) -> RunningPod {
        let pod = json!({
            "metadata": {"name": "api-1", "uid": "u"},
            "spec": {
                "nodeName": "n1",
                "imagePullSecrets": [{"name": "registry"}],
                "initContainers": [
                    {"name": "migrate", "image": "m:1"},
                    {"name": "proxy", "image": "p:1", "restartPolicy": "Always"},
                ],
                "containers": [{"name": "api", "image": "api:1"}],
            },
            "status": status,
        });
        running_pod("deployment/api".to_owned(), &serde_json::from_value(pod).unwrap())
    }

    fn status(name: &str, state: &serde_json::Value) -> serde_json::Value {
        json!({"name": name, "image": "", "imageID": "", "ready": true, "restartCount": 2, "state": state,
               "containerID": "containerd://0123"})
    }

    #[test]
    fn sidecars_run_and_init_containers_have_ended() {
        let running = json!({"running": {"startedAt": "2023-11-14T22:13:20Z"}});
        let pod = pod(&json!({
            "phase": "Running",
            "containerStatuses": [status("api", &running)],
            "initContainerStatuses": [
                status("migrate", &json!({"terminated": {"exitCode": 0, "reason": "Completed"}})),
                status("proxy", &running),
            ],
        }));
        let names: Vec<_> = pod.containers.iter().map(|container| container.name.as_str()).collect();
        assert_eq!((names, pod.idle), (vec!["api", "proxy"], Vec::new()));
        let api = &pod.containers[0];
        assert_eq!((api.restart, api.bare_id(), api.image.as_str()), (2, "0123", "api:1"));
        assert!(pod.pull_secrets.contains("registry"));
    }

    #[test]
    fn a_container_that_does_not_run_says_why() {
        let why = |pod: RunningPod| pod.idle[0].why.clone();
        let waiting = json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}});
        let crashing = json!({"phase": "Running", "containerStatuses": [status("api", &waiting)]});
        assert_eq!(why(pod(&crashing)), "it does not run: CrashLoopBackOff: back-off 10s");
        let ended = json!({"terminated": {"exitCode": 0, "reason": "Completed"}});
        let ended = json!({"phase": "Succeeded", "containerStatuses": [status("api", &ended)]});
        assert_eq!(why(pod(&ended)), "it has ended: Completed, exit code 0");
        let unscheduled =
            json!({"type": "PodScheduled", "status": "False", "message": "0/2 nodes are available"});
        let pending = json!({"phase": "Pending", "conditions": [unscheduled]});
        assert_eq!(why(pod(&pending)), "it does not run: its pod is Pending: 0/2 nodes are available");
    }
}
