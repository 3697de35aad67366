//! What a podcov that was killed has left behind of reading nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use k8s_openapi::api::core::v1::Pod;
use kube::{ResourceExt, api::ListParams};

use super::{LIFETIME, remove_pod};
use crate::{Connection, Error, agent_config_map::delete_config_map, identity::SNAPSHOT_LABEL};

/// Clocks differ.
const MARGIN: Duration = Duration::from_secs(30);

/// Everything in a namespace that was created to read nodes, by any podcov.
#[derive(Debug, Default)]
pub struct Leftovers(BTreeMap<String, Snapshot>);

/// What one podcov has created.
#[derive(Debug, Default)]
struct Snapshot {
    pods: BTreeSet<String>,
    config_maps: BTreeSet<String>,
    /// There is a pod that has not ended.
    is_running: bool,
    /// The youngest of it, in seconds since 1970.
    created: u64,
}

impl Leftovers {
    /// Looks for it.
    pub async fn find(connection: &Connection) -> Result<Self, Error> {
        let parameters = ListParams::default().labels(SNAPSHOT_LABEL);
        let (pods, config_maps) = (connection.pods(), connection.config_maps());
        let pods = connection.request("list", "pods", || pods.list(&parameters)).await?;
        let config_maps =
            connection.request("list", "configmaps", || config_maps.list_metadata(&parameters)).await?;
        let mut found = Self::default();
        for pod in &pods.items {
            found.add_pod(pod);
        }
        for config_map in &config_maps.items {
            let names = |snapshot: &mut Snapshot| snapshot.config_maps.insert(config_map.name_any());
            found.add(config_map, names);
        }
        Ok(found)
    }

    /// Only what nobody uses any more: all of its pods have ended, or should have.
    #[must_use]
    pub fn abandoned(mut self) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        self.0.retain(|_, snapshot| snapshot.is_abandoned(now));
        self
    }

    /// Takes it away; the names of what was there.
    pub async fn remove(&self, connection: &Connection) -> Result<Vec<String>, Error> {
        let mut removed = Vec::new();
        for snapshot in self.0.values() {
            for name in &snapshot.pods {
                remove_pod(connection, name).await?;
                removed.push(format!("pod/{name}"));
            }
            for name in &snapshot.config_maps {
                delete_config_map(connection, name).await?;
                removed.push(format!("configmap/{name}"));
            }
        }
        Ok(removed)
    }

    fn add_pod(&mut self, pod: &Pod) {
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        let has_ended = matches!(phase, Some("Succeeded" | "Failed"));
        self.add(pod, |snapshot| {
            snapshot.is_running |= !has_ended;
            snapshot.pods.insert(pod.name_any())
        });
    }

    fn add(&mut self, object: &impl ResourceExt, name: impl FnOnce(&mut Snapshot) -> bool) {
        let Some(id) = object.labels().get(SNAPSHOT_LABEL) else { return };
        let snapshot = self.0.entry(id.clone()).or_default();
        let created = object.creation_timestamp().and_then(|time| u64::try_from(time.0.as_second()).ok());
        snapshot.created = snapshot.created.max(created.unwrap_or_default());
        name(snapshot);
    }
}

impl Snapshot {
    fn is_abandoned(&self, now: u64) -> bool {
        let has_ended = !self.pods.is_empty() && !self.is_running;
        has_ended || now.saturating_sub(self.created) > (LIFETIME + MARGIN).as_secs()
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;

    use super::*;

    const CREATED: u64 = 1_700_000_000;

    fn found(phases: &[&str]) -> Leftovers {
        let mut found = Leftovers::default();
        for (number, phase) in phases.iter().enumerate() {
            let pod = serde_json::json!({
                "metadata": {"name": format!("p{number}"), "labels": {SNAPSHOT_LABEL: "x"},
                             "creationTimestamp": "2023-11-14T22:13:20Z"},
                "status": {"phase": phase},
            });
            found.add_pod(&serde_json::from_value(pod).unwrap());
        }
        let map: ConfigMap = serde_json::from_value(serde_json::json!({
            "metadata": {"name": "c", "labels": {SNAPSHOT_LABEL: "x"},
                         "creationTimestamp": "2023-11-14T22:13:20Z"},
        }))
        .unwrap();
        found.add(&map, |snapshot| snapshot.config_maps.insert("c".to_owned()));
        found
    }

    #[test]
    fn what_another_podcov_uses_is_left_alone() {
        let is_abandoned = |phases: &[&str], later| found(phases).0["x"].is_abandoned(CREATED + later);
        assert!(!is_abandoned(&["Running"], 100));
        assert!(!is_abandoned(&["Pending", "Failed"], 100), "one still runs");
        assert!(!is_abandoned(&[], 1), "its pods may come");
        assert!(is_abandoned(&["Failed"], 1), "its deadline has passed");
        assert!(is_abandoned(&["Running"], 200), "its node is gone");
        assert!(is_abandoned(&[], 200));
    }
}
