//! What the cluster tells of a workload and its pods without anything being started, executed or changed in it.
//!
//! Owns the requests, and what is taken over of the answers: plain facts, each at most as long as is said here. What
//! follows from them is not decided here. What may not be read is an [`Answer`] with the reason.

mod container;
mod ending;
mod events;
mod log;
pub mod trial;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Namespace, Pod, PodSpec, Volume};
use kube::{Api, ResourceExt};
use serde_json::Value;

pub use container::{ContainerFacts, ContainerState, MountFacts, Setting, Termination};
pub use ending::follow_end;
pub use events::EventFacts;
pub use log::{LogFacts, LogParts};

use crate::{
    Connection, Error, RunningPod, Target, Workload, rollout::living_pods, running_pods::running_pod,
};

/// What was asked, or why there is no answer.
pub type Answer<T> = Result<T, String>;

/// More pods of one workload say nothing new.
const MAX_PODS: usize = 20;
/// What this label says is refused (Kubernetes: Pod Security Admission).
const ENFORCE_LABEL: &str = "pod-security.kubernetes.io/enforce";

/// A workload as the cluster has it.
#[derive(Clone, Debug)]
pub struct WorkloadFacts {
    /// Kind and name, `deployment/api`.
    pub reference: String,
    /// Where it is.
    pub namespace: String,
    /// How many pods it wants.
    pub wanted_pods: u32,
    /// How many it has; of these [`Self::pods`] has the first.
    pub existing_pods: usize,
    /// What its template says of containers; no states.
    pub template: Vec<ContainerFacts>,
    /// Of the template.
    pub volumes: Vec<VolumeFacts>,
    /// How long its pods may take to end.
    pub grace_period_seconds: i64,
    /// The pods that there are, those that end included.
    pub pods: Vec<PodFacts>,
    /// Of these, which containers run, as they are read from their nodes.
    pub running: Vec<RunningPod>,
    /// Warnings about it and its pods, the newest last.
    pub warnings: Answer<Vec<EventFacts>>,
    /// The Pod Security level that the namespace enforces.
    pub enforced_level: Answer<Option<String>>,
}

/// A pod.
#[derive(Clone, Debug)]
pub struct PodFacts {
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// The node that runs it, once that is known.
    pub node: Option<String>,
    /// Kubernetes' word: `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
    pub phase: String,
    /// It was told to end.
    pub is_terminating: bool,
    /// When that was, in seconds since 1970 by the cluster's clock.
    pub end_requested: Option<i64>,
    /// How long it may take to end: what it was told, or else what its specification says.
    pub grace_period_seconds: i64,
    /// Its volumes.
    pub volumes: Vec<VolumeFacts>,
    /// Init containers first.
    pub containers: Vec<ContainerFacts>,
    /// Why the pod as a whole failed, such as `Evicted`.
    pub reason: Option<String>,
}

impl PodFacts {
    /// Whole seconds from when it was told to end until this ending; none if that came first.
    #[must_use]
    pub fn seconds_to_end(&self, ending: &Termination) -> Option<i64> {
        let took = ending.finished? - self.end_requested?;
        (took >= 0).then_some(took)
    }
}

/// A volume of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeFacts {
    /// As mounts name it.
    pub name: String,
    /// What it is.
    pub kind: VolumeKind,
}

/// What a volume is, as far as coverage data depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VolumeKind {
    /// Lives as long as the pod.
    EmptyDir {
        /// `sizeLimit`.
        size_limit: Option<String>,
    },
    /// A directory of the node.
    HostPath {
        /// In the node.
        path: String,
        /// `DirectoryOrCreate` and its like; empty for no check.
        check: String,
    },
    /// Of a claim.
    PersistentVolumeClaim {
        /// Its name.
        claim: String,
        /// Whatever the mount says.
        read_only: bool,
    },
    /// Only to be read: a ConfigMap, a Secret, the downward API, a projection, an image.
    ReadOnly,
    /// Any other.
    Other,
}

/// All of it. `target` need not be the topmost owner.
pub async fn examine(connection: &Connection, target: &Target) -> Result<WorkloadFacts, Error> {
    let workload = Workload::find(connection, target.kind, &target.name).await?;
    let Some(workload) = workload else {
        // For its words about what is not there.
        return Err(match Workload::get(connection, target.kind, &target.name).await {
            Ok(workload) => Error::NoSuchWorkload {
                kind: workload.kind(),
                name: workload.name(),
                namespace: connection.namespace().to_owned(),
            },
            Err(error) => error,
        });
    };
    let mut pods = living_pods(connection, &workload).await?;
    pods.extend(ending_pods(connection, &workload).await?);
    let existing_pods = pods.len();
    pods.truncate(MAX_PODS);
    let template = template(&workload);
    let mut facts = WorkloadFacts {
        reference: workload.reference(),
        namespace: connection.namespace().to_owned(),
        wanted_pods: workload.wanted_pods(),
        existing_pods,
        template: container::of_spec(&template),
        volumes: volumes(&template),
        grace_period_seconds: grace_period(&template),
        pods: pods.iter().map(pod_facts).collect(),
        running: pods.iter().map(|pod| running_pod(workload.reference(), pod)).collect(),
        warnings: events::warnings(connection, &workload).await,
        enforced_level: enforced_level(connection).await,
    };
    for pod in &mut facts.pods {
        for container in &mut pod.containers {
            container.log = log::read(connection, &pod.name, container).await;
        }
    }
    Ok(facts)
}

/// One pod, without its logs.
pub async fn pod(connection: &Connection, name: &str) -> Result<PodFacts, Error> {
    let api = connection.pods();
    let pod = connection.request("get", &format!("pod/{name}"), || api.get(name)).await?;
    Ok(pod_facts(&pod))
}

fn template(workload: &Workload) -> PodSpec {
    let pointer = format!("{}/spec", workload.kind().template_pointer());
    let specification = workload.value().pointer(&pointer).cloned().unwrap_or(Value::Null);
    serde_json::from_value(specification).unwrap_or_default()
}

async fn ending_pods(connection: &Connection, workload: &Workload) -> Result<Vec<Pod>, Error> {
    let Some(selector) = workload.pod_selector().filter(|_| workload.kind() != crate::Kind::Pod) else {
        return Ok(Vec::new());
    };
    let (api, parameters) = (connection.pods(), kube::api::ListParams::default().labels(&selector));
    let pods = connection.request("list", "pods", || api.list(&parameters)).await?;
    Ok(pods.into_iter().filter(|pod| pod.metadata.deletion_timestamp.is_some()).collect())
}

async fn enforced_level(connection: &Connection) -> Answer<Option<String>> {
    let namespaces = Api::<Namespace>::all(connection.client());
    let name = connection.namespace();
    let object = format!("namespace/{name}");
    let found = connection.request("get", &object, || namespaces.get_metadata(name)).await;
    let found = found.map_err(|error| one_line(&error))?;
    Ok(found.labels().get(ENFORCE_LABEL).cloned())
}

/// What the API server said of a pod.
fn pod_facts(pod: &Pod) -> PodFacts {
    let specification = pod.spec.clone().unwrap_or_default();
    let status = pod.status.clone().unwrap_or_default();
    let told = pod.metadata.deletion_grace_period_seconds;
    let end = pod.metadata.deletion_timestamp.as_ref().map(|time| time.0.as_second());
    PodFacts {
        name: pod.name_any(),
        uid: pod.uid().unwrap_or_default(),
        node: specification.node_name.clone(),
        phase: status.phase.unwrap_or_default(),
        is_terminating: end.is_some(),
        // The time that the object has is when it will be over.
        end_requested: end.map(|end| end - told.unwrap_or(0)),
        grace_period_seconds: told.unwrap_or_else(|| grace_period(&specification)),
        volumes: volumes(&specification),
        containers: container::of_pod(&specification, pod),
        reason: status.reason,
    }
}

/// Kubernetes' own default is 30.
fn grace_period(specification: &PodSpec) -> i64 {
    specification.termination_grace_period_seconds.unwrap_or(30)
}

fn volumes(specification: &PodSpec) -> Vec<VolumeFacts> {
    let volumes = specification.volumes.iter().flatten();
    volumes.map(|volume| VolumeFacts { name: volume.name.clone(), kind: volume_kind(volume) }).collect()
}

fn volume_kind(volume: &Volume) -> VolumeKind {
    if let Some(directory) = &volume.empty_dir {
        return VolumeKind::EmptyDir {
            size_limit: directory.size_limit.as_ref().map(|limit| limit.0.clone()),
        };
    }
    if let Some(host) = &volume.host_path {
        return VolumeKind::HostPath {
            path: host.path.clone(),
            check: host.type_.clone().unwrap_or_default(),
        };
    }
    if let Some(claim) = &volume.persistent_volume_claim {
        return VolumeKind::PersistentVolumeClaim {
            claim: claim.claim_name.clone(),
            read_only: claim.read_only.unwrap_or(false),
        };
    }
    let is_read_only = volume.config_map.is_some()
        || volume.secret.is_some()
        || volume.downward_api.is_some()
        || volume.projected.is_some()
        || volume.image.is_some();
    if is_read_only { VolumeKind::ReadOnly } else { VolumeKind::Other }
}

/// An error and its causes.
fn one_line(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.ends_with(&message) {
            text = format!("{text}: {message}");
        }
        cause = error.source();
    }
    text
}

/// Names and values; a later one of a name counts.
pub(crate) type Variables = BTreeMap<String, Setting>;
