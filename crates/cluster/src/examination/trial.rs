//! A pod that is made to see how its containers fare and end: from a workload's template, or of an image alone. Nothing of
//! the workload is changed.
//!
//! The pod has none of the workload's labels, so that no Service sends requests to it and no controller counts it. It
//! is deleted in any case, unless podcov is killed: then its deadline ends it, and [`Leftovers`](crate::Leftovers) find it.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::{
    Capabilities, Container, EmptyDirVolumeSource, EnvVar, Pod, PodSpec, SeccompProfile, SecurityContext,
    Volume, VolumeMount,
};
use kube::ResourceExt;
use kube::api::{DeleteParams, PostParams};

use super::{Answer, ContainerState, PodFacts, ending, log, template};
use crate::identity::{MANAGED_BY_LABEL, MANAGER, ROLE_LABEL};
use crate::{Connection, Error, Target, Workload};

/// What marks such a pod.
pub(crate) const ROLE: &str = "trial";
/// Between two looks at the pod.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);
/// Kubernetes' own, for a pod that says nothing of it.
const GRACE_SECONDS: i64 = 30;
/// Of what the API server takes.
const MARGIN: Duration = Duration::from_secs(30);
/// Where the data of an image alone go.
pub const DIRECTORY: &str = "/podcov-trial";
/// Of a trial that nobody waits for any more.
const STOPPED_GRACE_SECONDS: u32 = 1;

/// An image that is tried without a workload.
#[derive(Clone, Debug)]
pub struct TriedImage {
    /// As the node names it.
    pub image: String,
    /// The node that has it; otherwise any, which may pull it.
    pub node: Option<String>,
    /// It runs as a user other than root, so that it needs no privilege.
    pub is_nonroot: bool,
}

/// How a pod of the workload starts, runs for a while, and ends.
#[derive(Debug)]
pub struct Trial {
    /// As it was before it was told to end.
    pub running: PodFacts,
    /// As it was last seen.
    pub ended: Answer<PodFacts>,
}

/// Starts a pod, and tells it to end once its containers ran for `duration`, have ended, `timeout` has passed, or
/// `is_stopped`. `while_running` is called as soon as its containers run.
pub async fn run(
    connection: &Connection,
    pod: &Pod,
    duration: Duration,
    timeout: Duration,
    is_stopped: impl Fn() -> bool,
    while_running: impl AsyncFnOnce(&PodFacts),
) -> Result<Trial, Error> {
    let api = connection.pods();
    let parameters = PostParams::default();
    let pod = with_deadline(pod, duration + timeout + MARGIN);
    let created = connection.request("create", "pod", || api.create(&parameters, &pod)).await?;
    let name = created.name_any();
    let running = observe(connection, &name, duration, timeout, &is_stopped, while_running).await;
    let grace_period_seconds = is_stopped().then_some(STOPPED_GRACE_SECONDS);
    let parameters = DeleteParams { grace_period_seconds, ..DeleteParams::default() };
    let object = format!("pod/{name}");
    // Also when it could not be observed.
    let deleted = connection.request_optional("delete", &object, || api.delete(&name, &parameters)).await;
    let running = running?;
    deleted?;
    let ended = ending::follow_end(connection, &running).await;
    Ok(Trial { running, ended })
}

async fn observe(
    connection: &Connection,
    name: &str,
    duration: Duration,
    timeout: Duration,
    is_stopped: &impl Fn() -> bool,
    while_running: impl AsyncFnOnce(&PodFacts),
) -> Result<PodFacts, Error> {
    let deadline = tokio::time::Instant::now() + timeout;
    let mut while_running = Some(while_running);
    let mut until = None;
    loop {
        let mut facts = super::pod(connection, name).await?;
        let mut containers = facts.containers.iter().filter(|container| !container.is_init);
        let is_over = facts.containers.iter().all(|it| it.termination().is_some());
        if containers.all(|it| matches!(it.state, Some(ContainerState::Running))) && until.is_none() {
            until = Some(tokio::time::Instant::now() + duration);
            if let Some(while_running) = while_running.take() {
                while_running(&facts).await;
            }
        }
        let now = tokio::time::Instant::now();
        if is_over || until.is_some_and(|until| now >= until) || now >= deadline || is_stopped() {
            for container in &mut facts.containers {
                container.log = log::read(connection, name, container).await;
            }
            return Ok(facts);
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

/// It ends by itself where nobody tells it to end in time.
fn with_deadline(pod: &Pod, time: Duration) -> Pod {
    let mut pod = pod.clone();
    if let Some(specification) = &mut pod.spec {
        let grace = specification.termination_grace_period_seconds.unwrap_or(GRACE_SECONDS);
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX).saturating_add(grace);
        specification.active_deadline_seconds = Some(seconds);
    }
    pod
}

/// A pod of a workload's template.
pub async fn of_workload(connection: &Connection, target: &Target) -> Result<Pod, Error> {
    let workload = Workload::get(connection, target.kind, &target.name).await?;
    Ok(of_template(&workload))
}

fn of_template(workload: &Workload) -> Pod {
    let mut specification = template(workload);
    specification.node_name = None;
    pod(&workload.name(), specification)
}

/// A pod of one container that runs what the image says, with a fresh directory.
#[must_use]
pub fn of_image(tried: &TriedImage) -> Pod {
    let volume = "coverage".to_owned();
    let unprivileged = SecurityContext {
        allow_privilege_escalation: Some(false),
        capabilities: Some(Capabilities { add: None, drop: Some(vec!["ALL".to_owned()]) }),
        run_as_non_root: Some(true),
        seccomp_profile: Some(SeccompProfile {
            type_: "RuntimeDefault".to_owned(),
            ..SeccompProfile::default()
        }),
        ..SecurityContext::default()
    };
    let container = Container {
        name: "program".to_owned(),
        image: Some(tried.image.clone()),
        image_pull_policy: Some(if tried.node.is_some() { "Never" } else { "IfNotPresent" }.to_owned()),
        env: Some(vec![EnvVar {
            name: "GOCOVERDIR".to_owned(),
            value: Some(DIRECTORY.to_owned()),
            value_from: None,
        }]),
        security_context: tried.is_nonroot.then_some(unprivileged),
        volume_mounts: Some(vec![VolumeMount {
            name: volume.clone(),
            mount_path: DIRECTORY.to_owned(),
            ..VolumeMount::default()
        }]),
        ..Container::default()
    };
    let specification = PodSpec {
        node_name: tried.node.clone(),
        automount_service_account_token: Some(false),
        containers: vec![container],
        volumes: Some(vec![Volume {
            name: volume,
            empty_dir: Some(EmptyDirVolumeSource::default()),
            ..Volume::default()
        }]),
        ..PodSpec::default()
    };
    pod("image", specification)
}

fn pod(name: &str, mut specification: PodSpec) -> Pod {
    specification.restart_policy = Some("Never".to_owned());
    let mut pod = Pod { spec: Some(specification), ..Pod::default() };
    // Names of pods are short, and the server adds five letters.
    let name: String = name.chars().take(40).collect();
    pod.metadata.generate_name = Some(format!("{}-podcov-trial-", name.trim_end_matches(['-', '.'])));
    pod.metadata.labels = Some(BTreeMap::from(
        [(MANAGED_BY_LABEL, MANAGER), (ROLE_LABEL, ROLE)]
            .map(|(key, value)| (key.to_owned(), value.to_owned())),
    ));
    pod
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Kind;

    #[test]
    fn the_pod_is_the_template_s_and_nobody_s() {
        let template = json!({
            "metadata": {"labels": {"app": "api"}},
            "spec": {"terminationGracePeriodSeconds": 7, "containers": [{"name": "api", "image": "api:1"}]},
        });
        let object = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api", "namespace": "shop"},
            "spec": {"template": template},
        });
        let workload = Workload::from_object(Kind::Deployment, serde_json::from_value(object).unwrap());
        let pod = with_deadline(&of_template(&workload), Duration::from_mins(1));
        let labels = pod.metadata.labels.unwrap();
        assert!(!labels.contains_key("app"), "no Service and no controller selects it: {labels:?}");
        assert_eq!(labels[ROLE_LABEL], ROLE);
        assert_eq!(pod.metadata.generate_name.as_deref(), Some("api-podcov-trial-"));
        let specification = pod.spec.unwrap();
        assert_eq!(specification.restart_policy.as_deref(), Some("Never"), "it ends once");
        assert_eq!(specification.termination_grace_period_seconds, Some(7));
        assert_eq!(specification.active_deadline_seconds, Some(67));
        assert_eq!(specification.containers[0].image.as_deref(), Some("api:1"));
    }
}
