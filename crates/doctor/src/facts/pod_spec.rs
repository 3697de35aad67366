//! What runs pods, as manifests and clusters write it: the part of the Kubernetes API that coverage depends on.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A workload, or a bare pod.
#[derive(Clone, Debug, Default)]
pub struct Workload {
    /// `deployment shop/api`: the chain of its findings.
    pub name: String,
    /// Where it was read: a file, or the cluster.
    pub read_from: String,
    /// `Deployment`.
    pub kind: String,
    /// The namespace, where it is said.
    pub namespace: Option<String>,
    /// The level of Pod Security that the namespace enforces, where it was seen.
    pub enforced_level: crate::Known<String>,
    /// The pods that it makes.
    pub spec: PodSpec,
}

/// `spec` of a pod.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PodSpec {
    /// The application's containers.
    pub containers: Vec<Container>,
    /// What runs before them, and sidecars.
    pub init_containers: Vec<Container>,
    /// Where data can be.
    pub volumes: Vec<Volume>,
    /// For all containers.
    pub security_context: Option<SecurityContext>,
    /// How long a pod may take to end; 30 if it is not said.
    pub termination_grace_period_seconds: Option<i64>,
    /// Labels that a node must have.
    pub node_selector: BTreeMap<String, String>,
    /// The node it is bound to.
    pub node_name: Option<String>,
    /// Taints that do not keep it away.
    pub tolerations: Vec<Toleration>,
}

/// A container.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: Option<String>,
    /// Replaces ENTRYPOINT.
    pub command: Option<Vec<String>>,
    /// Replaces CMD.
    pub args: Option<Vec<String>>,
    /// Environment variables.
    pub env: Vec<EnvVar>,
    /// Environment variables from elsewhere.
    pub env_from: Vec<EnvFrom>,
    /// Where volumes are in it.
    pub volume_mounts: Vec<VolumeMount>,
    /// For this container.
    pub security_context: Option<SecurityContext>,
    /// `Always` makes an init container a sidecar.
    pub restart_policy: Option<String>,
    /// `Always`, `IfNotPresent`, `Never`.
    pub image_pull_policy: Option<String>,
}

/// An environment variable.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct EnvVar {
    /// Its name.
    pub name: String,
    /// Its value, if it is written here.
    pub value: Option<String>,
    /// Where else it comes from.
    pub value_from: Option<serde::de::IgnoredAny>,
}

/// A ConfigMap or Secret whose keys become environment variables.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct EnvFrom {
    /// A ConfigMap.
    pub config_map_ref: Option<Reference>,
    /// A Secret.
    pub secret_ref: Option<Reference>,
}

/// A reference by name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Reference {
    /// The name.
    pub name: String,
}

/// A volume in a container.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct VolumeMount {
    /// The volume's name.
    pub name: String,
    /// Where it is in the container.
    pub mount_path: String,
    /// The part of the volume that is mounted.
    pub sub_path: Option<String>,
    /// Whether it cannot be written to.
    pub read_only: bool,
}

/// A volume.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// A directory of the node.
    pub host_path: Option<HostPath>,
    /// A directory that lives as long as the pod.
    pub empty_dir: Option<EmptyDir>,
    /// A claim.
    pub persistent_volume_claim: Option<serde::de::IgnoredAny>,
    /// Read-only data.
    pub config_map: Option<serde::de::IgnoredAny>,
    /// Read-only data.
    pub secret: Option<serde::de::IgnoredAny>,
    /// Read-only data.
    pub projected: Option<serde::de::IgnoredAny>,
}

/// A directory of the node.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct HostPath {
    /// In the node.
    pub path: String,
    /// `Directory`, `DirectoryOrCreate`, `File`…
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// A directory that lives as long as the pod.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct EmptyDir {
    /// The most it holds.
    pub size_limit: Option<serde::de::IgnoredAny>,
}

/// Who a container runs as.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SecurityContext {
    /// The user.
    pub run_as_user: Option<i64>,
    /// Whether root is refused.
    pub run_as_non_root: Option<bool>,
    /// The group of volumes, but not of hostPath.
    pub fs_group: Option<i64>,
    /// Whether the container's own file system cannot be written to.
    pub read_only_root_filesystem: Option<bool>,
    /// Whether it may do everything.
    pub privileged: Option<bool>,
}

/// A taint that does not keep a pod away.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Toleration {
    /// The taint's name; all if there is none.
    pub key: Option<String>,
    /// `Exists` or `Equal`.
    pub operator: Option<String>,
}

impl PodSpec {
    /// The program's containers: the application's, and sidecars.
    pub fn long_running(&self) -> impl Iterator<Item = &Container> {
        let sidecars = self
            .init_containers
            .iter()
            .filter(|container| container.restart_policy.as_deref() == Some("Always"));
        self.containers.iter().chain(sidecars)
    }

    /// The volume of this name.
    #[must_use]
    pub fn volume(&self, name: &str) -> Option<&Volume> {
        self.volumes.iter().find(|volume| volume.name == name)
    }
}

impl Container {
    /// The environment variable of this name: the last one counts.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&EnvVar> {
        self.env.iter().rev().find(|variable| variable.name == name)
    }

    /// The mount that a path is in: the innermost.
    #[must_use]
    pub fn mount_of(&self, path: &str) -> Option<&VolumeMount> {
        let within = |mount: &&VolumeMount| is_within(path, &mount.mount_path);
        self.volume_mounts
            .iter()
            .filter(within)
            .max_by_key(|mount| mount.mount_path.trim_end_matches('/').len())
    }
}

/// Whether a path is a directory or something below it. Both absolute.
#[must_use]
pub fn is_within(path: &str, directory: &str) -> bool {
    let (path, directory) = (path.trim_end_matches('/'), directory.trim_end_matches('/'));
    path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
