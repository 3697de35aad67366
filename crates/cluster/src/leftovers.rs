//! Pods of podcov's own, with what they need, that a podcov that was killed has left behind: they read nodes, or are trials.
//!
//! Prepared workloads are `eject`'s.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use k8s_openapi::api::core::v1::Pod;
use kube::{ResourceExt, api::ListParams};

use crate::{
    Connection, Error,
    agent_config_map::delete_config_map,
    attached::{LIFETIME, remove_pod},
    examination::trial,
    identity::{ROLE_LABEL, SNAPSHOT_LABEL},
};

/// Clocks differ.
const MARGIN: Duration = Duration::from_secs(30);

/// Everything in a namespace that was created to look at pods, by any podcov.
#[derive(Debug, Default)]
pub struct Leftovers(BTreeMap<String, Look>);

/// What one podcov has created for one purpose.
#[derive(Debug, Default)]
struct Look {
    pods: BTreeSet<String>,
    config_maps: BTreeSet<String>,
    /// There is a pod whose time is not known to be over. One that has ended otherwise may still be looked at.
    is_in_time: bool,
    /// When the time of all of it is over, in seconds since 1970.
    until: u64,
}

impl Leftovers {
    /// Looks for it.
    pub async fn find(connection: &Connection) -> Result<Self, Error> {
        let parameters = ListParams::default().labels(SNAPSHOT_LABEL);
        let (pods, config_maps) = (connection.pods(), connection.config_maps());
        let trials = ListParams::default().labels(&format!("{ROLE_LABEL}={}", trial::ROLE));
        let trials = connection.request("list", "pods", || pods.list(&trials)).await?;
        let pods = connection.request("list", "pods", || pods.list(&parameters)).await?;
        let config_maps =
            connection.request("list", "configmaps", || config_maps.list_metadata(&parameters)).await?;
        let mut found = Self::default();
        for pod in pods.items.iter().chain(&trials.items) {
            found.add_pod(pod);
        }
        for config_map in &config_maps.items {
            found.add(config_map, LIFETIME).config_maps.insert(config_map.name_any());
        }
        Ok(found)
    }

    /// Only what nobody uses any more: the time of all of its pods is over.
    #[must_use]
    pub fn abandoned(mut self) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        self.0.retain(|_, look| look.is_abandoned(now));
        self
    }

    /// Takes it away; the names of what was there.
    pub async fn remove(&self, connection: &Connection) -> Result<Vec<String>, Error> {
        let mut removed = Vec::new();
        for look in self.0.values() {
            for name in &look.pods {
                remove_pod(connection, name).await?;
                removed.push(format!("pod/{name}"));
            }
            for name in &look.config_maps {
                delete_config_map(connection, name).await?;
                removed.push(format!("configmap/{name}"));
            }
        }
        Ok(removed)
    }

    fn add_pod(&mut self, pod: &Pod) {
        let reason = pod.status.as_ref().and_then(|status| status.reason.as_deref());
        let lifetime = pod.spec.as_ref().and_then(|specification| specification.active_deadline_seconds);
        let lifetime = lifetime.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs);
        let look = self.add(pod, lifetime.unwrap_or(LIFETIME));
        look.is_in_time |= reason != Some("DeadlineExceeded");
        look.pods.insert(pod.name_any());
    }

    /// With what it belongs to: the same snapshot, or nothing else.
    fn add(&mut self, object: &impl ResourceExt, lifetime: Duration) -> &mut Look {
        let id = object.labels().get(SNAPSHOT_LABEL).cloned().unwrap_or_else(|| object.name_any());
        let look = self.0.entry(id).or_default();
        let created = object.creation_timestamp().and_then(|time| u64::try_from(time.0.as_second()).ok());
        look.until = look.until.max(created.unwrap_or_default().saturating_add(lifetime.as_secs()));
        look
    }
}

impl Look {
    fn is_abandoned(&self, now: u64) -> bool {
        let is_over = !self.pods.is_empty() && !self.is_in_time;
        is_over || now > self.until.saturating_add(MARGIN.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;

    use super::*;

    const CREATED: u64 = 1_700_000_000;

    fn metadata(name: &str, labels: &serde_json::Value) -> serde_json::Value {
        serde_json::json!({"name": name, "labels": labels, "creationTimestamp": "2023-11-14T22:13:20Z"})
    }

    fn found(reasons: &[&str]) -> Leftovers {
        let mut found = Leftovers::default();
        let labels = serde_json::json!({SNAPSHOT_LABEL: "x"});
        for (number, reason) in reasons.iter().enumerate() {
            let pod = serde_json::json!({
                "metadata": metadata(&format!("p{number}"), &labels), "status": {"reason": reason},
            });
            found.add_pod(&serde_json::from_value(pod).unwrap());
        }
        let map: ConfigMap =
            serde_json::from_value(serde_json::json!({"metadata": metadata("c", &labels)})).unwrap();
        found.add(&map, LIFETIME).config_maps.insert("c".to_owned());
        found
    }

    #[test]
    fn what_another_podcov_uses_is_left_alone() {
        let is_abandoned = |reasons: &[&str], later| found(reasons).0["x"].is_abandoned(CREATED + later);
        assert!(!is_abandoned(&[""], 100));
        assert!(!is_abandoned(&["", "DeadlineExceeded"], 100), "one still runs");
        assert!(!is_abandoned(&["OutOfpods"], 1), "its podcov may be about to say so");
        assert!(!is_abandoned(&[], 1), "its pods may come");
        assert!(is_abandoned(&["DeadlineExceeded"], 1));
        assert!(is_abandoned(&[""], 200), "its node is gone");
        assert!(is_abandoned(&[], 200));
    }

    #[test]
    fn each_trial_is_left_alone_as_long_as_it_may_take() {
        let mut found = Leftovers::default();
        for (name, seconds) in [("short", 100), ("long", 500)] {
            let pod = serde_json::json!({
                "metadata": metadata(name, &serde_json::json!({ROLE_LABEL: trial::ROLE})),
                "spec": {"activeDeadlineSeconds": seconds, "containers": []},
            });
            found.add_pod(&serde_json::from_value(pod).unwrap());
        }
        let is_abandoned = |name: &str, later| found.0[name].is_abandoned(CREATED + later);
        assert!(!is_abandoned("short", 110) && is_abandoned("short", 140));
        assert!(!is_abandoned("long", 140));
    }
}
