//! The tasks of a collector: one watches the pods, and each pod has one that holds a stream to it.

use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::{Duration, SystemTime},
};

use futures::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    ResourceExt,
    api::LogParams,
    runtime::{WatchStreamExt, watcher},
};
use tokio::task::JoinSet;

use super::{HandOverEnd, PodEntry, Purpose, Shared};
use crate::{
    Error,
    pod_record::PodRecord,
    stream::{self, StreamEnd},
};

/// After a pod is gone from the API, what its stream had under way may still arrive.
const LAST_BYTES_TIMEOUT: Duration = Duration::from_secs(3);
/// After everything was sent, how the containers ended may still be reported.
const LAST_STATUS_TIMEOUT: Duration = Duration::from_secs(10);
/// A panic names every goroutine.
const LOG_LINES: i64 = 2000;
const LOG_BYTES: i64 = 256 * 1024;
/// Between attempts to reach a pod whose stream broke.
const RECONNECT_INTERVAL: Duration = Duration::from_millis(250);

/// Follows the pods of the run for as long as it is polled.
pub(super) async fn watch_pods(shared: Arc<Shared>) {
    let configuration = watcher::Config::default().labels(&shared.scope.run.selector());
    let events = watcher(shared.connection.pods(), configuration).default_backoff();
    let mut events = std::pin::pin!(events);
    let mut streams = JoinSet::new();
    let mut listed = Vec::new();
    while let Some(event) = events.next().await {
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                // An API server that is away is asked again by the back-off; one that refuses will do so again.
                if let Some(message) = refusal(&error) {
                    shared.fail(Error::Forbidden { message });
                }
                continue;
            }
        };
        match event {
            watcher::Event::Init => listed.clear(),
            watcher::Event::InitApply(pod) => {
                listed.extend(pod.uid());
                see_pod(&shared, &pod, &mut streams);
            }
            watcher::Event::InitDone => {
                shared.is_listed.store(true, Ordering::Release);
                mark_gone(&shared, |uid| !listed.iter().any(|known| known == uid));
            }
            watcher::Event::Apply(pod) => see_pod(&shared, &pod, &mut streams),
            watcher::Event::Delete(pod) => {
                see_pod(&shared, &pod, &mut streams);
                mark_gone(&shared, |uid| pod.metadata.uid.as_deref() == Some(uid));
            }
        }
    }
}

/// The API server's message when it does not allow the watch.
fn refusal(error: &watcher::Error) -> Option<String> {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status)
            if status.code == 403 =>
        {
            Some(status.message.clone())
        }
        _ => None,
    }
}

fn see_pod(shared: &Arc<Shared>, pod: &Pod, streams: &mut JoinSet<()>) {
    let Some(uid) = pod.uid() else { return };
    let is_new = !shared.pods().contains_key(&uid);
    if is_new {
        let Some(record) = PodRecord::of(pod).filter(|record| shared.scope.contains(record)) else { return };
        let directory = match &shared.purpose {
            Purpose::Keep(directory) | Purpose::Copy(directory) => directory.as_path(),
            Purpose::Look | Purpose::Discard => Path::new(""),
        };
        let entry = PodEntry::new(record, directory);
        shared.pods().insert(uid.clone(), entry);
        streams.spawn(follow_pod(Arc::clone(shared), uid.clone()));
    }
    shared.with_pod(&uid, |entry| entry.record.update(pod));
}

fn mark_gone(shared: &Shared, is_gone: impl Fn(&str) -> bool) {
    for (uid, entry) in shared.pods().iter_mut() {
        entry.record.is_gone |= is_gone(uid);
    }
    shared.changed();
}

/// Holds a stream to one pod, again and again, until its data is here or it is gone.
async fn follow_pod(shared: Arc<Shared>, uid: String) {
    let mut changes = shared.changes.subscribe();
    loop {
        let Some((can_attach, is_over)) = shared.pods().get(&uid).map(|pod| {
            let record = &pod.record;
            (
                record.sidecar_is_running,
                record.is_gone || record.sidecar_exit_code.is_some() && record.is_terminating,
            )
        }) else {
            return;
        };
        if can_attach && !is_over {
            let outcome = tokio::select! {
                outcome = stream::take(&shared.connection, &shared, &uid) => outcome,
                () = gone_for_a_while(&shared, &uid) => Err("the pod is gone".to_owned()),
            };
            match outcome {
                Ok(StreamEnd::Ended) => {
                    // How a container ended that left no counters, the kubelet tells a moment later.
                    let is_explained =
                        |pod: &PodEntry| pod.record.is_gone || pod.has_everything() || pod.record.has_ended();
                    let explained = shared.until(&uid, is_explained);
                    let _ = tokio::time::timeout(LAST_STATUS_TIMEOUT, explained).await;
                    read_logs(&shared, &uid).await;
                    shared.with_pod(&uid, |pod| pod.end = Some((HandOverEnd::Complete, SystemTime::now())));
                    return;
                }
                Ok(StreamEnd::Closed) => {}
                Err(failure) => drop(shared.with_pod(&uid, |pod| pod.last_failure = Some(failure))),
            }
            tokio::time::sleep(RECONNECT_INTERVAL).await;
        } else if is_over {
            shared.with_pod(&uid, |pod| {
                let end = HandOverEnd::of_sidecar(pod.record.sidecar_exit_code);
                pod.end = Some((end, SystemTime::now()));
            });
            return;
        } else if changes.changed().await.is_err() {
            return;
        }
    }
}

/// Why a program gave up is in its log, which goes with the pod.
async fn read_logs(shared: &Shared, uid: &str) {
    let (pod, containers) = match shared.pods().get(uid) {
        Some(entry) => (entry.record.name.clone(), entry.record.containers_that_gave_up()),
        None => return,
    };
    for container in containers {
        let parameters = LogParams {
            container: Some(container.clone()),
            tail_lines: Some(LOG_LINES),
            limit_bytes: Some(LOG_BYTES),
            ..LogParams::default()
        };
        if let Ok(text) = shared.connection.pods().logs(&pod, &parameters).await {
            shared.with_pod(uid, |entry| entry.logs.insert(container, text));
        }
    }
}

async fn gone_for_a_while(shared: &Shared, uid: &str) {
    shared.until(uid, |pod| pod.record.is_gone).await;
    tokio::time::sleep(LAST_BYTES_TIMEOUT).await;
}
