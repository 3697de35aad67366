//! The pods of workloads as they are now, prepared or not: which of their containers run, and why the others do not.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Pod};
use kube::ResourceExt;

use crate::{Connection, Error, Workload, pod_record::statuses, rollout::living_pods};

/// A pod as the API server shows it.
#[derive(Clone, Debug)]
pub struct LivePod {
    /// Kind and name of what it belongs to, `deployment/api`.
    pub workload: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// Where it runs; none before that is decided.
    pub node: Option<String>,
    /// Those that are there all the time. None if the pod runs nothing yet.
    pub containers: Vec<LiveContainer>,
    /// What its images were pulled with.
    pub(crate) pull_secrets: BTreeSet<String>,
}

/// A container of it.
#[derive(Clone, Debug)]
pub struct LiveContainer {
    /// Its name.
    pub name: String,
    /// How often it was started again.
    pub restart: u32,
    /// What runs, or why nothing does.
    pub state: Result<RunningContainer, String>,
}

/// A container that runs.
#[derive(Clone, Debug)]
pub struct RunningContainer {
    /// The ID that the runtime gave it.
    pub id: String,
    /// Its image, as the manifest names it.
    pub image: String,
}

impl LivePod {
    fn of(pod: &Pod, workload: &str) -> Self {
        let spec = pod.spec.as_ref();
        let secrets = spec.and_then(|spec| spec.image_pull_secrets.as_ref()).into_iter().flatten();
        let init_containers = spec.and_then(|spec| spec.init_containers.as_ref()).into_iter().flatten();
        // Others have ended when the pod is what it is there for.
        let sidecars =
            init_containers.filter(|container| container.restart_policy.as_deref() == Some("Always"));
        let containers = spec.into_iter().flat_map(|spec| &spec.containers).chain(sidecars);
        Self {
            workload: workload.to_owned(),
            name: pod.name_any(),
            uid: pod.uid().unwrap_or_default(),
            node: spec.and_then(|spec| spec.node_name.clone()),
            containers: containers
                .map(|container| {
                    let status = statuses(pod).find(|status| status.name == container.name);
                    let image = container.image.clone().unwrap_or_default();
                    LiveContainer {
                        name: container.name.clone(),
                        restart: status.and_then(|s| u32::try_from(s.restart_count).ok()).unwrap_or(0),
                        state: running(status, image).ok_or_else(|| why_not_running(pod, status)),
                    }
                })
                .collect(),
            pull_secrets: secrets.map(|secret| secret.name.clone()).collect(),
        }
    }

    /// Its containers that run.
    pub fn running(&self) -> impl Iterator<Item = &RunningContainer> {
        self.containers.iter().filter_map(|container| container.state.as_ref().ok())
    }
}

/// The pods that the workloads have now, without those that are being deleted.
pub async fn live_pods(connection: &Connection, workloads: &[Workload]) -> Result<Vec<LivePod>, Error> {
    let mut pods: Vec<LivePod> = Vec::new();
    for workload in workloads {
        for pod in living_pods(connection, workload).await? {
            let pod = LivePod::of(&pod, &workload.reference());
            if !pods.iter().any(|known| known.uid == pod.uid) {
                pods.push(pod);
            }
        }
    }
    Ok(pods)
}

fn running(status: Option<&ContainerStatus>, image: String) -> Option<RunningContainer> {
    let status = status?;
    status.state.as_ref()?.running.as_ref()?;
    // `containerd://ID`
    let (_, id) = status.container_id.as_deref()?.split_once("://")?;
    Some(RunningContainer { id: id.to_owned(), image })
}

fn why_not_running(pod: &Pod, status: Option<&ContainerStatus>) -> String {
    if let Some(why) = status.and_then(|status| why_not(status.state.as_ref()?)) {
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

fn why_not(state: &ContainerState) -> Option<String> {
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

    fn pod(status: &serde_json::Value) -> LivePod {
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
        LivePod::of(&serde_json::from_value(pod).unwrap(), "deployment/api")
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
        assert_eq!(names, ["api", "proxy"]);
        assert_eq!(pod.running().count(), 2);
        assert_eq!((pod.containers[0].restart, pod.running().next().unwrap().id.as_str()), (2, "0123"));
        assert!(pod.pull_secrets.contains("registry"));
    }

    #[test]
    fn a_container_that_does_not_run_says_why() {
        let why = |pod: LivePod| pod.containers[0].state.clone().unwrap_err();
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
