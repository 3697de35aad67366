//! Waiting until a change of workloads has reached their pods, and finding out why it does not.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use k8s_openapi::api::core::v1::{ContainerStatus, Event as KubernetesEvent, Pod};
use kube::{
    ResourceExt,
    api::{DeleteParams, ListParams, LogParams},
};
use serde_json::Value;

use crate::{
    Connection, Error, Event, Kind, Observer, RunId, Workload,
    identity::RUN_LABEL,
    pod_record::{is_ready, statuses},
};

/// Between two looks at the pods.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// A pod's complaint must stand this long before it counts: some pass by themselves.
const COMPLAINT_TIMEOUT: Duration = Duration::from_secs(10);
/// A container that crashed this often is not going to start. Fewer crashes are normal while services wait
/// for each other.
const MAX_CRASHES: i32 = 3;
const LOG_LINES: i64 = 20;
/// Unlike a quota, Pod Security does not change its mind when other pods end.
const NEVER_ADMITTED: &str = "violates PodSecurity";

/// How the pods of a workload are to be.
#[derive(Clone, Debug)]
pub(crate) enum Goal {
    /// Prepared by this run, and ready.
    Prepared(RunId),
    /// Not prepared, and ready.
    Restored,
}

impl Goal {
    fn is_met_by(&self, pod: &Pod) -> bool {
        let run = pod.labels().get(RUN_LABEL);
        match self {
            Self::Prepared(wanted) => run.map(String::as_str) == Some(wanted.as_str()),
            Self::Restored => run.is_none(),
        }
    }
}

/// What one look showed.
struct Look {
    ready: u32,
    wanted: u32,
    is_done: bool,
    complaint: Option<Complaint>,
}

/// Why a rollout does not go on.
#[derive(Clone, Debug)]
struct Complaint {
    reason: String,
    /// Pod, container and whether the log is of the previous start.
    log_of: Option<(String, String, bool)>,
    /// It will not get better.
    is_final: bool,
}

/// Waits until every pod of every workload meets the goal and is ready.
pub(crate) async fn wait(
    connection: &Connection,
    workloads: &[Workload],
    goal: &Goal,
    timeout: Duration,
    observer: &dyn Observer,
) -> Result<(), Error> {
    let deadline = Instant::now() + timeout;
    let mut complaining_since = BTreeMap::new();
    let mut pending: Vec<&Workload> = workloads.iter().collect();
    // Warnings of earlier days are no complaint about this rollout.
    let mut known_warnings = BTreeMap::new();
    for workload in workloads {
        let time = last_warning(connection, workload).await.map_or(0, |(time, _)| time);
        known_warnings.insert(workload.reference(), time);
    }
    loop {
        let mut still_pending = Vec::new();
        for workload in pending {
            let reference = workload.reference();
            let since = known_warnings.get(&reference).copied().unwrap_or(0);
            let look = look_at(connection, workload, goal, since).await?;
            observer.event(Event::Rollout {
                workload: reference.clone(),
                ready: look.ready,
                wanted: look.wanted,
            });
            if look.is_done {
                continue;
            }
            if let Some(complaint) = &look.complaint {
                let since = *complaining_since.entry(reference).or_insert_with(Instant::now);
                if complaint.is_final || since.elapsed() > COMPLAINT_TIMEOUT && complaint.reason_persists() {
                    return Err(rollout_error(connection, workload, complaint.clone()).await);
                }
            } else {
                complaining_since.remove(&reference);
            }
            if Instant::now() > deadline {
                let complaint = match look.complaint {
                    Some(complaint) => complaint,
                    None => at_the_deadline(connection, workload, &look, timeout).await,
                };
                return Err(rollout_error(connection, workload, complaint).await);
            }
            still_pending.push(workload);
        }
        if still_pending.is_empty() {
            return Ok(());
        }
        pending = still_pending;
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

impl Complaint {
    /// Crashes may end while other services come up; what the kubelet or the API server refuses stays refused.
    fn reason_persists(&self) -> bool {
        self.log_of.is_none()
    }
}

/// The pods that the workload selects, without those that end.
pub(crate) async fn living_pods(connection: &Connection, workload: &Workload) -> Result<Vec<Pod>, Error> {
    let api = connection.pods();
    if workload.kind() == Kind::Pod {
        let name = workload.name();
        let pod = connection.request_optional("get", &workload.reference(), || api.get(&name)).await?;
        return Ok(pod.into_iter().collect());
    }
    let Some(selector) = workload.pod_selector() else { return Ok(Vec::new()) };
    let parameters = ListParams::default().labels(&selector);
    let pods = connection.request("list", "pods", || api.list(&parameters)).await?;
    Ok(pods.into_iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()).collect())
}

/// Deletes the pods that do not meet the goal, where the controller leaves that to others: always, or, as a
/// StatefulSet does, when they are not ready (Kubernetes: StatefulSets, "Forced rollback").
pub(crate) async fn replace_pods(
    connection: &Connection,
    workload: &Workload,
    goal: &Goal,
) -> Result<(), Error> {
    let all = workload.replaces_only_deleted_pods();
    if !all && workload.kind() != Kind::StatefulSet {
        return Ok(());
    }
    let api = connection.pods();
    let parameters = DeleteParams::default();
    let pods = living_pods(connection, workload).await?;
    for pod in pods.iter().filter(|pod| !goal.is_met_by(pod) && (all || !is_ready(pod))) {
        let name = pod.name_any();
        connection
            .request_optional("delete", &format!("pod/{name}"), || api.delete(&name, &parameters))
            .await?;
    }
    Ok(())
}

async fn look_at(
    connection: &Connection,
    workload: &Workload,
    goal: &Goal,
    since: i64,
) -> Result<Look, Error> {
    let Some(current) = Workload::find(connection, workload.kind(), &workload.name()).await? else {
        let reason = "it was deleted meanwhile".to_owned();
        let complaint = Complaint { reason, log_of: None, is_final: true };
        return Ok(Look { ready: 0, wanted: 0, is_done: false, complaint: Some(complaint) });
    };
    let pods = living_pods(connection, &current).await?;
    let as_wanted: Vec<&Pod> = pods.iter().filter(|pod| goal.is_met_by(pod)).collect();
    let ready = count(as_wanted.iter().filter(|pod| is_ready(pod)));
    let wanted = current.wanted_pods() - current.held_back_pods();
    let others = count(pods.iter()) - count(as_wanted.iter());
    let is_done = current.is_observed() && ready >= wanted && others <= current.held_back_pods();
    let mut complaint = None;
    if !is_done {
        complaint = as_wanted
            .iter()
            .find_map(|pod| complaint_of_pod(pod))
            .or_else(|| current.is_observed().then(|| complaint_of_workload(&current)).flatten());
    }
    if complaint.is_none() && !is_done && as_wanted.is_empty() {
        complaint = complaint_of_events(connection, &current, since).await;
    }
    Ok(Look { ready, wanted, is_done, complaint })
}

fn complaint_of_pod(pod: &Pod) -> Option<Complaint> {
    statuses(pod).find_map(|status| complaint_of_container(&pod.name_any(), status))
}

fn complaint_of_container(pod: &str, status: &ContainerStatus) -> Option<Complaint> {
    let state = status.state.as_ref()?;
    let last = status.last_state.as_ref().and_then(|state| state.terminated.as_ref());
    let terminated = state.terminated.as_ref().or(last);
    let container = &status.name;
    if let Some(terminated) = terminated {
        let reason = terminated.reason.as_deref().unwrap_or_default();
        let message = terminated.message.as_deref().unwrap_or_default();
        if matches!(reason, "StartError" | "ContainerCannotRun") {
            let reason = format!("pod {pod}, container {container} cannot start: {message}");
            return Some(Complaint { reason, log_of: None, is_final: true });
        }
        if status.restart_count >= 1 && terminated.exit_code != 0 {
            let reason = format!(
                "pod {pod}, container {container} ended {} times, last with exit code {} ({reason}) {message}",
                status.restart_count, terminated.exit_code
            );
            let reason = reason.trim_end().to_owned();
            let is_previous = state.terminated.is_none();
            let log_of = Some((pod.to_owned(), container.clone(), is_previous));
            return Some(Complaint { reason, log_of, is_final: status.restart_count >= MAX_CRASHES });
        }
    }
    let waiting = state.waiting.as_ref()?;
    let reason = waiting.reason.as_deref().unwrap_or_default();
    let is_trouble = reason.ends_with("Error") || reason.ends_with("BackOff") || reason == "InvalidImageName";
    let message = waiting.message.as_deref().unwrap_or_default();
    is_trouble.then(|| Complaint {
        reason: format!("pod {pod}, container {container}: {reason}: {message}"),
        log_of: None,
        is_final: reason == "InvalidImageName" || reason == "ErrImageNeverPull",
    })
}

/// A controller that may not create its pods says so in its conditions.
fn complaint_of_workload(workload: &Workload) -> Option<Complaint> {
    let conditions = workload.field("/status/conditions")?.as_array()?;
    let condition = conditions.iter().find(|condition| {
        let field = |name: &str| condition.get(name).and_then(Value::as_str);
        field("type") == Some("ReplicaFailure") && field("status") == Some("True")
    })?;
    let reason = condition.get("message").and_then(Value::as_str).unwrap_or("no pod can be created");
    Some(Complaint { reason: reason.to_owned(), log_of: None, is_final: reason.contains(NEVER_ADMITTED) })
}

/// StatefulSets and DaemonSets say only in events that they may not create their pods.
async fn complaint_of_events(connection: &Connection, workload: &Workload, since: i64) -> Option<Complaint> {
    let (_, warning) = last_warning(connection, workload).await.filter(|(time, _)| *time > since)?;
    let is_final = warning.contains(NEVER_ADMITTED);
    warning.starts_with("FailedCreate").then_some(Complaint { reason: warning, log_of: None, is_final })
}

async fn at_the_deadline(
    connection: &Connection,
    workload: &Workload,
    look: &Look,
    timeout: Duration,
) -> Complaint {
    let mut reason =
        format!("{} of {} pods were ready after {} s", look.ready, look.wanted, timeout.as_secs());
    if let Some((_, warning)) = last_warning(connection, workload).await {
        reason = format!("{reason}; {warning}");
    }
    Complaint { reason, log_of: None, is_final: true }
}

/// The newest warning event of the workload or its pods, with its time in seconds since 1970 by the cluster's
/// clock. Without the permission to read events: none.
async fn last_warning(connection: &Connection, workload: &Workload) -> Option<(i64, String)> {
    let parameters = ListParams::default().fields("type=Warning");
    let events = connection.api::<KubernetesEvent>().list(&parameters).await.ok()?;
    let name = workload.name();
    let is_its = |event: &&KubernetesEvent| {
        let involved = event.involved_object.name.as_deref().unwrap_or_default();
        involved == name || involved.strip_prefix(&name).is_some_and(|rest| rest.starts_with('-'))
    };
    let time = |event: &KubernetesEvent| event.last_timestamp.as_ref().map_or(0, |time| time.0.as_second());
    let newest = events.items.iter().filter(is_its).max_by_key(|event| time(event))?;
    let reason = newest.reason.as_deref().unwrap_or_default();
    let message = newest.message.as_deref().unwrap_or_default();
    Some((time(newest), format!("{reason}: {message}")))
}

async fn rollout_error(connection: &Connection, workload: &Workload, complaint: Complaint) -> Error {
    let mut log = None;
    if let Some((pod, container, previous)) = complaint.log_of {
        let parameters = LogParams {
            container: Some(container),
            previous,
            tail_lines: Some(LOG_LINES),
            ..LogParams::default()
        };
        log = connection.pods().logs(&pod, &parameters).await.ok().filter(|text| !text.trim().is_empty());
    }
    Error::Rollout { object: workload.display_name(), reason: complaint.reason, log }
}

fn count(items: impl Iterator) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
