//! The objects that are created to read a node. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{
    Capabilities, ConfigMap, ConfigMapVolumeSource, Container, KeyToPath, LocalObjectReference, Pod, PodSpec,
    ResourceRequirements, SeccompProfile, SecurityContext, Toleration, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::{api::resource::Quantity, apis::meta::v1::ObjectMeta};
use podcov_agent_protocol::{AGENT_ARGUMENT_WAIT, AGENT_DIRECTORY, AGENT_EXECUTABLE};

use crate::{
    RunId, RunningContainer,
    agent_config_map::AGENT_KEY,
    identity::{BY_ANNOTATION, MANAGED_BY_LABEL, MANAGER, SNAPSHOT_LABEL},
};

/// A pod ends by itself after this time, also when nobody is there any more to delete it.
pub(crate) const LIFETIME: Duration = Duration::from_mins(2);
pub(super) const READER_CONTAINER: &str = "podcov-agent";
const AGENT_VOLUME: &str = "podcov-agent";
const EXECUTABLE_MODE: i32 = 0o555;
const ROOT: i64 = 0;

/// The pod that reads a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// Its name.
    pub name: String,
    /// The node.
    pub node: String,
    /// Kubernetes does not hear of the node, so that nothing can be started there.
    pub node_is_gone: bool,
    /// Its image.
    pub image: String,
    pub(super) pull_secrets: BTreeSet<String>,
    pub(super) architecture: String,
    /// The IDs of the containers that it reads.
    pub(super) containers: Vec<String>,
}

impl Reader {
    /// Whether it reads this container.
    #[must_use]
    pub fn reads(&self, container: &RunningContainer) -> bool {
        self.containers.iter().any(|id| id == container.bare_id())
    }
}

pub(super) fn config_map_name(id: &RunId, architecture: &str) -> String {
    format!("podcov-snapshot-{id}-{architecture}")
}

pub(super) fn config_map(id: &RunId, namespace: &str, architecture: &str, agent: &[u8]) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(config_map_name(id, architecture)),
            namespace: Some(namespace.to_owned()),
            labels: Some(labels(id)),
            ..ObjectMeta::default()
        },
        binary_data: Some(BTreeMap::from([(AGENT_KEY.to_owned(), ByteString(agent.to_owned()))])),
        immutable: Some(true),
        ..ConfigMap::default()
    }
}

fn labels(id: &RunId) -> BTreeMap<String, String> {
    [(MANAGED_BY_LABEL, MANAGER), (SNAPSHOT_LABEL, id.as_str())]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

impl Reader {
    /// The whole object.
    pub(super) fn pod(&self, id: &RunId, namespace: &str, by: &str) -> Pod {
        Pod {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                namespace: Some(namespace.to_owned()),
                labels: Some(labels(id)),
                annotations: Some(BTreeMap::from([(BY_ANNOTATION.to_owned(), by.to_owned())])),
                ..ObjectMeta::default()
            },
            spec: Some(self.specification(id)),
            status: None,
        }
    }

    fn specification(&self, id: &RunId) -> PodSpec {
        let secrets = self.pull_secrets.iter().map(|name| LocalObjectReference { name: name.clone() });
        PodSpec {
            // The scheduler is not asked: there is one node that will do, whatever its taints.
            node_name: Some(self.node.clone()),
            tolerations: Some(vec![Toleration {
                operator: Some("Exists".to_owned()),
                ..Toleration::default()
            }]),
            host_pid: Some(true),
            restart_policy: Some("Never".to_owned()),
            active_deadline_seconds: i64::try_from(LIFETIME.as_secs()).ok(),
            automount_service_account_token: Some(false),
            enable_service_links: Some(false),
            image_pull_secrets: Some(secrets.collect()),
            containers: vec![self.container()],
            volumes: Some(vec![Volume {
                name: AGENT_VOLUME.to_owned(),
                config_map: Some(ConfigMapVolumeSource {
                    name: config_map_name(id, &self.architecture),
                    default_mode: Some(EXECUTABLE_MODE),
                    items: Some(vec![KeyToPath {
                        key: AGENT_KEY.to_owned(),
                        path: AGENT_KEY.to_owned(),
                        ..KeyToPath::default()
                    }]),
                    ..ConfigMapVolumeSource::default()
                }),
                ..Volume::default()
            }]),
            ..PodSpec::default()
        }
    }

    fn container(&self) -> Container {
        let quantities = |cpu: &str, memory: &str| {
            let pairs = [("cpu", cpu), ("memory", memory)];
            Some(pairs.map(|(key, value)| (key.to_owned(), Quantity(value.to_owned()))).into())
        };
        Container {
            name: READER_CONTAINER.to_owned(),
            image: Some(self.image.clone()),
            image_pull_policy: Some("Never".to_owned()),
            command: Some(vec![AGENT_EXECUTABLE.to_owned(), AGENT_ARGUMENT_WAIT.to_owned()]),
            // Some namespaces want them. A program's counters and meta-data have to fit.
            resources: Some(ResourceRequirements {
                requests: quantities("10m", "32Mi"),
                limits: quantities("1", "512Mi"),
                ..ResourceRequirements::default()
            }),
            security_context: Some(SecurityContext {
                // Kubernetes gives capabilities that are added to nobody but root.
                run_as_user: Some(ROOT),
                run_as_group: Some(ROOT),
                run_as_non_root: Some(false),
                capabilities: Some(Capabilities {
                    add: Some(vec!["SYS_PTRACE".to_owned()]),
                    drop: Some(vec!["ALL".to_owned()]),
                }),
                allow_privilege_escalation: Some(false),
                read_only_root_filesystem: Some(true),
                seccomp_profile: Some(SeccompProfile {
                    type_: "RuntimeDefault".to_owned(),
                    ..SeccompProfile::default()
                }),
                ..SecurityContext::default()
            }),
            volume_mounts: Some(vec![VolumeMount {
                name: AGENT_VOLUME.to_owned(),
                mount_path: AGENT_DIRECTORY.to_owned(),
                read_only: Some(true),
                ..VolumeMount::default()
            }]),
            ..Container::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pod_has_what_it_needs_and_no_more() {
        let reader = Reader {
            name: "podcov-snapshot-x-0".to_owned(),
            node: "n1".to_owned(),
            node_is_gone: false,
            image: "api:1".to_owned(),
            pull_secrets: BTreeSet::new(),
            architecture: "arm64".to_owned(),
            containers: Vec::new(),
        };
        let id = RunId::new("x").unwrap();
        let pod = serde_json::to_value(reader.pod(&id, "shop", "ann@laptop")).unwrap();
        let spec = &pod["spec"];
        assert_eq!((&spec["nodeName"], &spec["hostPID"]), (&"n1".into(), &true.into()));
        for absent in ["hostNetwork", "hostIPC", "serviceAccountName"] {
            assert!(spec.get(absent).is_none(), "{absent}");
        }
        let volumes = spec["volumes"].as_array().unwrap();
        assert_eq!(volumes.len(), 1, "nothing of the node is mounted: {volumes:?}");
        assert_eq!(volumes[0]["configMap"]["name"], "podcov-snapshot-x-arm64");
        let context = &spec["containers"][0]["securityContext"];
        let capabilities = serde_json::json!({"add": ["SYS_PTRACE"], "drop": ["ALL"]});
        assert_eq!(context["capabilities"], capabilities);
        assert!(context.get("privileged").is_none());
        assert_eq!(spec["containers"][0]["imagePullPolicy"], "Never");
        assert_eq!(spec["activeDeadlineSeconds"], 120);
        assert_eq!(spec["automountServiceAccountToken"], false);
    }
}
