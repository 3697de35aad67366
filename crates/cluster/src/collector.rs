//! Follows every prepared pod of a run from its first moment to its last, and takes what it hands over.
//!
//! One task watches the pods; each pod with a running sidecar has a task that holds a stream to it and comes
//! back when the stream breaks. What has been seen is kept here and can be asked for at any time.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};

use podcov_agent_protocol::{ContainerSnapshot, SnapshotOutcome};
use tokio::{sync::watch, task::JoinSet, time::Instant};

use crate::{Connection, Ending, Error, Event, Observer, RunId, hand_over::HandOver, pod_record::PodRecord};

mod follow;
mod result;

pub use result::{ContainerResult, HandOverEnd, PodResult};

/// What one pod has shown and handed over so far.
pub(crate) struct PodEntry {
    pub(crate) record: PodRecord,
    pub(crate) hand_over: HandOver,
    /// Container, meta-data file and time of every start of a process built with coverage.
    pub(crate) starts: Vec<(String, String, u64)>,
    /// Files that Go began and did not finish, by container.
    pub(crate) unfinished_files: BTreeMap<String, Vec<String>>,
    pub(crate) volume_free_bytes: Option<u64>,
    /// The end of what containers wrote that ended badly.
    pub(crate) logs: BTreeMap<String, String>,
    /// The agent has sent everything it had at some moment.
    pub(crate) is_up_to_date: bool,
    /// The number of the last snapshot that its agent has taken, and what came of it in each container.
    pub(crate) snapshot: Option<(u32, Vec<ContainerSnapshot>)>,
    /// The version of podcov that its agent is of, if that takes no snapshots.
    pub(crate) agent_without_snapshots: Option<String>,
    /// How the hand-over ended, and when that was known.
    pub(crate) end: Option<(HandOverEnd, SystemTime)>,
    /// Why the last stream broke.
    pub(crate) last_failure: Option<String>,
}

impl PodEntry {
    fn new(record: PodRecord, directory: &Path) -> Self {
        let directory = directory.join(record.capture.workload.replace('/', "-")).join(&record.name);
        let hand_over = HandOver::new(directory, record.capture.containers.clone());
        Self {
            record,
            hand_over,
            starts: Vec::new(),
            unfinished_files: BTreeMap::new(),
            volume_free_bytes: None,
            logs: BTreeMap::new(),
            is_up_to_date: false,
            snapshot: None,
            agent_without_snapshots: None,
            end: None,
            last_failure: None,
        }
    }

    /// No container of it ever ran, so nothing can be missing.
    fn never_ran(&self) -> bool {
        self.record.containers.values().all(|runs| runs.restarts().next().is_none())
    }

    /// Every process that started has left its counters.
    fn has_everything(&self) -> bool {
        !self.starts.is_empty() && self.hand_over.all_counter_files() >= self.starts.len()
    }
}

/// Which pods a collector follows.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Those that this run prepared.
    pub run: RunId,
    /// Of these, the ones of these workloads, `deployment/api`; all when absent.
    pub workloads: Option<Vec<String>>,
}

impl Scope {
    /// Everything that the run prepared.
    #[must_use]
    pub fn whole(run: RunId) -> Self {
        Self { run, workloads: None }
    }

    fn contains(&self, record: &PodRecord) -> bool {
        self.workloads.as_ref().is_none_or(|workloads| workloads.contains(&record.capture.workload))
    }
}

/// What a collector is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Files go to `<this directory>/<kind>-<name>/<pod>/<container>-<restart>`, and are then acknowledged.
    Keep(PathBuf),
    /// The same, but nothing is acknowledged: whoever keeps it gets it as well.
    Copy(PathBuf),
    /// Only to see which processes start. Nothing is taken.
    Look,
    /// The pods are told that nobody wants their data.
    Discard,
}

pub(crate) struct Shared {
    connection: Connection,
    scope: Scope,
    purpose: Purpose,
    observer: Arc<dyn Observer>,
    pods: Mutex<BTreeMap<String, PodEntry>>,
    /// The pods that there were at the start are known.
    is_listed: AtomicBool,
    changes: watch::Sender<u64>,
    /// A failure of this machine, such as a full disk, that ends the collection.
    failure: Mutex<Option<Error>>,
    /// The number of the last snapshot that was asked for.
    pub(crate) wanted_snapshot: watch::Sender<u32>,
}

impl Shared {
    pub(crate) fn pods(&self) -> MutexGuard<'_, BTreeMap<String, PodEntry>> {
        self.pods.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on one pod and tells those who wait.
    pub(crate) fn with_pod<T>(&self, uid: &str, work: impl FnOnce(&mut PodEntry) -> T) -> Option<T> {
        let result = self.pods().get_mut(uid).map(work);
        self.changed();
        result
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
        let pods = self.pods();
        let count = |filter: fn(&PodEntry) -> bool| {
            u32::try_from(pods.values().filter(|pod| filter(pod)).count()).unwrap_or(u32::MAX)
        };
        let event = Event::Collection {
            pods_ended: count(|pod| pod.end.is_some()),
            pods: count(|_| true),
            bytes: pods.values().map(|pod| pod.hand_over.bytes()).sum(),
        };
        drop(pods);
        self.observer.event(event);
    }

    pub(crate) fn purpose(&self) -> &Purpose {
        &self.purpose
    }

    pub(crate) fn fail(&self, error: Error) {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.changed();
    }

    /// Waits until the condition holds for one pod.
    async fn until(&self, uid: &str, condition: impl Fn(&PodEntry) -> bool) {
        let mut changes = self.changes.subscribe();
        while !self.pods().get(uid).is_none_or(&condition) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }
}

/// Collects a run's data for as long as it lives.
pub struct Collector {
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

impl Collector {
    /// Starts to follow pods.
    #[must_use]
    pub fn start(
        connection: Connection,
        scope: Scope,
        purpose: Purpose,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let shared = Arc::new(Shared {
            connection,
            scope,
            purpose,
            observer,
            pods: Mutex::default(),
            is_listed: AtomicBool::new(false),
            changes: watch::Sender::new(0),
            failure: Mutex::default(),
            wanted_snapshot: watch::Sender::new(0),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(follow::watch_pods(Arc::clone(&shared)));
        Self { shared, _tasks: tasks }
    }

    /// Where the pods are.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.shared.connection.namespace()
    }

    /// Waits until the pods are known and the condition holds for all of them together; false when the deadline came first.
    pub(crate) async fn wait_until(
        &self,
        deadline: Instant,
        condition: impl Fn(&BTreeMap<String, PodEntry>) -> bool,
    ) -> Result<bool, Error> {
        let mut changes = self.shared.changes.subscribe();
        let holds = || self.shared.is_listed.load(Ordering::Acquire) && condition(&self.shared.pods());
        loop {
            if let Some(error) = self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return Err(error);
            }
            if holds() {
                return Ok(true);
            }
            match tokio::time::timeout_at(deadline, changes.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return Ok(holds()),
            }
        }
    }

    /// Waits until the pods that there are at the start are known.
    pub async fn wait_until_listed(&self, deadline: Instant) -> Result<bool, Error> {
        self.wait_until(deadline, |_| true).await
    }

    /// Waits until every pod has sent what it has at this moment, and those that end have ended.
    pub async fn wait_until_up_to_date(&self, deadline: Instant) -> Result<bool, Error> {
        self.wait_until(deadline, |pods| {
            pods.values().all(|pod| {
                pod.end.is_some() || !pod.record.is_terminating && (pod.is_up_to_date || pod.never_ran())
            })
        })
        .await
    }

    /// Waits until every pod has ended and its data is here or lost.
    pub async fn wait_until_ended(&self, deadline: Instant) -> Result<bool, Error> {
        self.wait_until(deadline, |pods| pods.values().all(|pod| pod.end.is_some())).await
    }

    /// Waits for the processes of ready pods to show themselves; the containers that have not, as
    /// `(pod, container)`. A pod counts if it is prepared and still there; of containers that the user did
    /// not name, one in a pod suffices.
    pub async fn containers_without_coverage(
        &self,
        deadline: Instant,
    ) -> Result<Vec<(String, String)>, Error> {
        self.wait_until(deadline, |pods| missing_coverage(pods).is_empty()).await?;
        Ok(missing_coverage(&self.shared.pods()))
    }

    /// Has all processes of all pods read now, and waits until what they have counted is here. What is not, in time or
    /// at all, is told.
    pub async fn snapshot(&self, deadline: Instant) -> Result<Vec<NotTaken>, Error> {
        let mut number = 0;
        self.shared.wanted_snapshot.send_modify(|wanted| {
            *wanted += 1;
            number = *wanted;
        });
        self.wait_until(deadline, |pods| pods.values().all(|pod| has_taken(pod, number))).await?;
        let pods = self.shared.pods();
        Ok(pods.values().flat_map(|pod| not_taken(pod, number)).collect())
    }

    /// Everything seen so far, pod by pod, sorted by workload and name.
    #[must_use]
    pub fn results(&self) -> Vec<PodResult> {
        let pods = self.shared.pods();
        let wanted = *self.shared.wanted_snapshot.borrow();
        let of_pod = |pod| result::of_pod(pod, has_taken(pod, wanted) && not_taken(pod, wanted).is_empty());
        let mut results: Vec<PodResult> = pods.values().filter(|pod| !pod.never_ran()).map(of_pod).collect();
        results.sort_by(|one, other| (&one.workload, &one.pod).cmp(&(&other.workload, &other.pod)));
        results
    }
}

/// A container of which a snapshot does not have everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotTaken {
    /// The pod's name.
    pub pod: String,
    /// The container's name.
    pub container: String,
    /// Why, for people.
    pub why: String,
}

/// Nothing more can come of this snapshot.
fn has_taken(pod: &PodEntry, number: u32) -> bool {
    // No container of the pod has started, or all of them have ended; else it is a sidecar that was killed, and comes again.
    number == 0
        || pod.end.is_some()
        || !pod.record.sidecar_is_running && !pod.record.is_running()
        || pod.record.is_gone
        || pod.agent_without_snapshots.is_some()
        || pod.snapshot.as_ref().is_some_and(|(taken, _)| *taken >= number)
}

fn not_taken(pod: &PodEntry, number: u32) -> Vec<NotTaken> {
    let of = |container: &String, why: &str| NotTaken {
        pod: pod.record.name.clone(),
        container: container.clone(),
        why: why.to_owned(),
    };
    let supervised = &pod.record.capture.supervised;
    if !has_taken(pod, number) {
        let why = pod.last_failure.as_deref().unwrap_or("its agent did not answer in time");
        return supervised.iter().map(|container| of(container, why)).collect();
    }
    if let Some(version) = &pod.agent_without_snapshots {
        let why = format!(
            "its agent is of podcov {version}, which does not read processes that run; podcov eject, and inject it again"
        );
        return supervised.iter().map(|container| of(container, &why)).collect();
    }
    let taken =
        pod.snapshot.iter().filter(|(taken, _)| *taken >= number).flat_map(|(_, containers)| containers);
    let problem = |snapshot: &ContainerSnapshot| {
        let why = match snapshot.outcome {
            SnapshotOutcome::Taken | SnapshotOutcome::NotSupervised => return None,
            SnapshotOutcome::Failed => {
                "its agent could not read it or keep it; the log of the container says why"
            }
            SnapshotOutcome::NoAnswer => "its agent did not answer in time",
        };
        Some(of(&snapshot.container, why))
    };
    taken.filter(|snapshot| supervised.contains(&snapshot.container)).filter_map(problem).collect()
}

fn missing_coverage(pods: &BTreeMap<String, PodEntry>) -> Vec<(String, String)> {
    let mut missing = Vec::new();
    for pod in pods.values().filter(|pod| !pod.record.is_terminating && !pod.record.is_gone) {
        let without: Vec<&String> = pod
            .record
            .capture
            .containers
            .iter()
            .filter(|container| !pod.starts.iter().any(|(known, ..)| known == *container))
            .collect();
        let one_suffices = !pod.record.capture.containers_named;
        if one_suffices && without.len() < pod.record.capture.containers.len() {
            continue;
        }
        missing.extend(without.into_iter().map(|container| (pod.record.name.clone(), container.clone())));
    }
    missing
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::identity::{CAPTURE_ANNOTATION, SIDECAR};

    /// A pod whose container runs, with its sidecar or without.
    fn pod(has_sidecar: bool) -> PodEntry {
        let capture = json!({"workload": "deployment/api", "containers": ["api"], "supervised": ["api"], "containers_named": false});
        let state = |is_running| {
            if is_running {
                json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}})
            } else {
                json!({"waiting": {}})
            }
        };
        let status = |name, is_running| json!({"name": name, "state": state(is_running), "image": "", "imageID": "", "ready": true, "restartCount": 0});
        let pod = json!({
            "metadata": {"name": "api-1", "uid": "u", "annotations": {CAPTURE_ANNOTATION: capture.to_string()}},
            "status": {
                "initContainerStatuses": [status(SIDECAR, has_sidecar)],
                "containerStatuses": [status("api", true)],
            },
        });
        let record = PodRecord::of(&serde_json::from_value(pod).unwrap()).unwrap();
        PodEntry::new(record, Path::new("data"))
    }

    fn why(pod: &PodEntry) -> Vec<String> {
        not_taken(pod, 1).into_iter().map(|missing| missing.why).collect()
    }

    #[test]
    fn a_pod_that_does_not_answer_was_not_read_even_if_its_sidecar_is_away() {
        for has_sidecar in [true, false] {
            let pod = pod(has_sidecar);
            assert!(!has_taken(&pod, 1));
            assert_eq!(why(&pod), ["its agent did not answer in time"]);
        }
    }

    #[test]
    fn an_agent_that_takes_no_snapshots_is_not_waited_for_and_named() {
        let pod = PodEntry { agent_without_snapshots: Some("0.0.9".to_owned()), ..pod(true) };
        assert!(has_taken(&pod, 1));
        let [why] = why(&pod).try_into().unwrap();
        assert!(why.starts_with("its agent is of podcov 0.0.9, which does not read"), "{why}");
    }
}
