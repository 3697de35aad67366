//! The end of a pod: what its containers did last, which is gone from the cluster a moment later.

use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::runtime::{WatchStreamExt, watcher};

use super::{Answer, PodFacts, container, log, pod_facts};
use crate::Connection;

/// The kubelet takes a while to say how containers ended, and to let go of the pod.
const SLACK: Duration = Duration::from_secs(30);

/// Follows a pod that was told to end until it is gone: how its containers ended, and what they wrote until then.
///
/// An answer is missing where the pod did not end in the time it may take.
pub async fn follow_end(connection: &Connection, pod: &PodFacts) -> Answer<PodFacts> {
    let seconds = u64::try_from(pod.grace_period_seconds).unwrap_or(0);
    let patience = Duration::from_secs(seconds) + SLACK;
    let mut last = pod.clone();
    let followed = tokio::time::timeout(patience, follow(connection, &mut last)).await;
    followed.map_err(|_| format!("it did not end within {} s", patience.as_secs()))?;
    Ok(last)
}

async fn follow(connection: &Connection, last: &mut PodFacts) {
    let configuration = watcher::Config::default().fields(&format!("metadata.name={}", last.name));
    let events = watcher(connection.pods(), configuration).default_backoff();
    let mut events = std::pin::pin!(events);
    let mut is_there = false;
    while let Some(event) = events.next().await {
        match event {
            Ok(watcher::Event::Init) => is_there = false,
            Ok(watcher::Event::InitApply(pod) | watcher::Event::Apply(pod)) if is_it(&pod, last) => {
                is_there = true;
                take(connection, &pod, last).await;
                if has_ended(last) {
                    return;
                }
            }
            Ok(watcher::Event::Delete(pod)) if is_it(&pod, last) => {
                return take(connection, &pod, last).await;
            }
            // Another pod of its name, or none.
            Ok(watcher::Event::InitDone) if !is_there => return,
            _ => {}
        }
    }
}

fn is_it(pod: &Pod, known: &PodFacts) -> bool {
    pod.uid().as_deref() == Some(&known.uid)
}

/// Logs can be read as long as the pod is there, so that what was read before is kept.
async fn take(connection: &Connection, pod: &Pod, last: &mut PodFacts) {
    let mut now = pod_facts(pod);
    for container in &mut now.containers {
        let known = last.containers.iter_mut().find(|known| known.name == container.name);
        container.log = match (log::read(connection, &now.name, container).await, known) {
            (Err(_), Some(known)) => std::mem::replace(&mut known.log, Ok(log::LogFacts::default())),
            (log, _) => log,
        };
    }
    *last = now;
}

/// Every container that is not an init container has ended for good.
pub(super) fn has_ended(pod: &PodFacts) -> bool {
    let mut containers = pod.containers.iter().filter(|container| !container.is_init);
    pod.is_terminating
        && containers.all(|it| matches!(it.state, Some(container::ContainerState::Terminated(_))))
}
