//! What the scheduler, the kubelet and controllers complained about.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Event;
use kube::api::ListParams;

use super::{Answer, one_line};
use crate::{Connection, Workload};

/// An unhealthy cluster may have thousands.
const MAX_EVENTS: usize = 50;

/// A warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFacts {
    /// The object it is about: `pod/api-7f9c`.
    pub about: String,
    /// Kubernetes' word, such as `FailedMount`.
    pub reason: String,
    /// The sentence.
    pub message: String,
    /// When it was seen last, in seconds since 1970 by the cluster's clock.
    pub last_seen: i64,
}

/// Those about the workload, its pods, and what is between them; the newest last.
pub(super) async fn warnings(connection: &Connection, workload: &Workload) -> Answer<Vec<EventFacts>> {
    let (api, parameters) = (connection.api::<Event>(), ListParams::default().fields("type=Warning"));
    let events = connection.request("list", "events", || api.list(&parameters)).await;
    let events = events.map_err(|error| one_line(&error))?;
    let name = workload.name();
    let mut found: Vec<EventFacts> = events.items.iter().filter_map(|event| of_its(event, &name)).collect();
    found.sort_by_key(|event| event.last_seen);
    let surplus = found.len().saturating_sub(MAX_EVENTS);
    found.drain(..surplus);
    // One that stands since long is written again and again.
    let mut seen = BTreeSet::new();
    found.retain(|event| seen.insert((event.about.clone(), event.reason.clone(), event.message.clone())));
    Ok(found)
}

fn of_its(event: &Event, workload: &str) -> Option<EventFacts> {
    let involved = event.involved_object.name.as_deref()?;
    let is_its = involved.strip_prefix(workload).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    let kind = event.involved_object.kind.as_deref().unwrap_or_default().to_lowercase();
    let time = event.last_timestamp.as_ref().map(|time| time.0.as_second());
    let time = time.or_else(|| event.event_time.as_ref().map(|time| time.0.as_second()));
    is_its.then(|| EventFacts {
        about: format!("{kind}/{involved}"),
        reason: event.reason.clone().unwrap_or_default(),
        message: event.message.clone().unwrap_or_default(),
        last_seen: time.unwrap_or(0),
    })
}
