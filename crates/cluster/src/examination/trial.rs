//! A pod made from a workload's template to see how its containers fare and end. Nothing of the workload is changed.
//!
//! The pod has none of the workload's labels, so that no Service sends requests to it and no controller counts it. It
//! is deleted in any case, unless podcov is killed: then its label finds it, and its deadline ends it.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{DeleteParams, PostParams};

use super::{Answer, ContainerState, PodFacts, ending, log, one_line, template};
use crate::identity::{MANAGED_BY_LABEL, MANAGER, ROLE_LABEL};
use crate::{Connection, Error, Target, Workload};

/// What marks such a pod.
const ROLE: &str = "trial";
/// Between two looks at the pod.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);
/// It is over long before that.
const DEADLINE_SECONDS: i64 = 3600;

/// How a pod of the workload starts, runs for a while, and ends.
#[derive(Debug)]
pub struct Trial {
    /// As it was before it was told to end.
    pub running: PodFacts,
    /// As it was last seen.
    pub ended: Answer<PodFacts>,
}

/// Starts a pod of the workload's template, and tells it to end once its containers ran for `duration`, have ended, or
/// `timeout` has passed. `while_running` is called as soon as its containers run.
pub async fn run(
    connection: &Connection,
    target: &Target,
    duration: Duration,
    timeout: Duration,
    while_running: impl AsyncFnOnce(&PodFacts),
) -> Result<Trial, Error> {
    let workload = Workload::get(connection, target.kind, &target.name).await?;
    let api = connection.pods();
    let pod = pod(&workload);
    let parameters = PostParams::default();
    let created = connection.request("create", "pod", || api.create(&parameters, &pod)).await?;
    let name = created.name_any();
    let running = observe(connection, &name, duration, timeout, while_running).await;
    let parameters = DeleteParams::default();
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
        if is_over || until.is_some_and(|until| now >= until) || now >= deadline {
            for container in &mut facts.containers {
                container.log = log::read(connection, name, container).await;
            }
            return Ok(facts);
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

fn pod(workload: &Workload) -> Pod {
    let mut specification = template(workload);
    specification.restart_policy = Some("Never".to_owned());
    specification.active_deadline_seconds = Some(DEADLINE_SECONDS);
    specification.node_name = None;
    let mut pod = Pod { spec: Some(specification), ..Pod::default() };
    // Names of pods are short, and the server adds five letters.
    let name: String = workload.name().chars().take(40).collect();
    pod.metadata.generate_name = Some(format!("{}-podcov-trial-", name.trim_end_matches(['-', '.'])));
    pod.metadata.labels = Some(BTreeMap::from(
        [(MANAGED_BY_LABEL, MANAGER), (ROLE_LABEL, ROLE)]
            .map(|(key, value)| (key.to_owned(), value.to_owned())),
    ));
    pod
}

/// Those that are left of podcovs that were killed.
pub async fn remove_left_over(connection: &Connection) -> Answer<usize> {
    let api = connection.pods();
    let parameters = kube::api::ListParams::default().labels(&format!("{ROLE_LABEL}={ROLE}"));
    let pods = connection.request("list", "pods", || api.list_metadata(&parameters)).await;
    let pods = pods.map_err(|error| one_line(&error))?;
    let deletion = DeleteParams::default();
    for pod in &pods.items {
        let name = pod.name_any();
        let delete = || api.delete(&name, &deletion);
        let deleted = connection.request_optional("delete", &format!("pod/{name}"), delete).await;
        deleted.map_err(|error| one_line(&error))?;
    }
    Ok(pods.items.len())
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
        let pod = pod(&workload);
        let labels = pod.metadata.labels.unwrap();
        assert!(!labels.contains_key("app"), "no Service and no controller selects it: {labels:?}");
        assert_eq!(labels[ROLE_LABEL], ROLE);
        assert_eq!(pod.metadata.generate_name.as_deref(), Some("api-podcov-trial-"));
        let specification = pod.spec.unwrap();
        assert_eq!(specification.restart_policy.as_deref(), Some("Never"), "it ends once");
        assert_eq!(specification.termination_grace_period_seconds, Some(7));
        assert_eq!(specification.active_deadline_seconds, Some(DEADLINE_SECONDS));
        assert_eq!(specification.containers[0].image.as_deref(), Some("api:1"));
    }
}
