//! What a container of a pod is to run, and how it fared.

use k8s_openapi::api::core::v1::{
    Container, ContainerState as ApiState, ContainerStateTerminated, ContainerStatus, Pod, PodSpec,
};

use super::{Answer, LogFacts, Variables};
use crate::pod_record::statuses;

/// A variable of the environment, as the specification says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// The text, in which `$(NAME)` is still to be replaced.
    Value(String),
    /// Of another object, such as a ConfigMap; its name is in here.
    From(String),
}

/// A container.
#[derive(Clone, Debug)]
pub struct ContainerFacts {
    /// Its name.
    pub name: String,
    /// An init container that ends before the others start.
    pub is_init: bool,
    /// The image as the specification names it.
    pub image: String,
    /// The image as the node tells it, once it runs: a digest, or an ID.
    pub image_id: Option<String>,
    /// The ID that the runtime gave it, once it was started.
    pub id: Option<String>,
    /// `IfNotPresent`, `Always` or `Never`.
    pub pull_policy: Option<String>,
    /// `command` and `args`.
    pub command: Vec<String>,
    /// Those after `command`.
    pub args: Vec<String>,
    /// Where it is started, if the image does not say.
    pub working_directory: Option<String>,
    /// `env`, by name.
    pub environment: Variables,
    /// Whole objects that become variables (`envFrom`).
    pub environment_from: Vec<String>,
    /// What is mounted where.
    pub mounts: Vec<MountFacts>,
    /// `readOnlyRootFilesystem`.
    pub has_read_only_root: bool,
    /// The user and the group that the specification names.
    pub user: Option<i64>,
    /// See [`Self::user`].
    pub group: Option<i64>,
    /// Of the volumes that support it.
    pub file_system_group: Option<i64>,
    /// What it does; none for what a template says.
    pub state: Option<ContainerState>,
    /// How the start before this one ended.
    pub last_termination: Option<Termination>,
    /// How often it was started again.
    pub restarts: i32,
    /// What it wrote.
    pub log: Answer<LogFacts>,
}

/// What is mounted where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountFacts {
    /// The volume's name.
    pub volume: String,
    /// Where, in the container.
    pub path: String,
    /// Only to be read.
    pub is_read_only: bool,
    /// A part of the volume.
    pub sub_path: Option<String>,
}

/// What a container does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContainerState {
    /// It has not started.
    Waiting {
        /// Kubernetes' word, such as `CreateContainerConfigError`.
        reason: String,
        /// The kubelet's sentence.
        message: String,
    },
    /// It runs.
    Running,
    /// It has ended.
    Terminated(Termination),
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Termination {
    /// 128 + the signal's number for a signal.
    pub exit_code: i32,
    /// Kubernetes' word, such as `OOMKilled`.
    pub reason: String,
    /// More of it, if there is any.
    pub message: String,
    /// When, in seconds since 1970 by the node's clock.
    pub finished: Option<i64>,
}

/// As a template has them.
pub(super) fn of_spec(specification: &PodSpec) -> Vec<ContainerFacts> {
    let init = specification.init_containers.iter().flatten().map(|container| {
        let is_sidecar = container.restart_policy.as_deref() == Some("Always");
        facts(specification, container, !is_sidecar)
    });
    init.chain(specification.containers.iter().map(|container| facts(specification, container, false)))
        .collect()
}

/// The same with what became of them.
pub(super) fn of_pod(specification: &PodSpec, pod: &Pod) -> Vec<ContainerFacts> {
    let mut containers = of_spec(specification);
    for container in &mut containers {
        if let Some(status) = statuses(pod).find(|status| status.name == container.name) {
            container.add(status);
        }
    }
    containers
}

impl ContainerFacts {
    fn add(&mut self, status: &ContainerStatus) {
        self.image_id = Some(status.image_id.clone()).filter(|id| !id.is_empty());
        // `containerd://ID`
        let id = status.container_id.as_deref().and_then(|id| id.split_once("://"));
        self.id = id.map(|(_, id)| id.to_owned());
        self.restarts = status.restart_count;
        self.state = status.state.as_ref().map(state);
        let last = status.last_state.as_ref().and_then(|last| last.terminated.as_ref());
        self.last_termination = last.map(termination);
    }

    /// How it ended last, in this start or the one before.
    #[must_use]
    pub fn termination(&self) -> Option<&Termination> {
        match &self.state {
            Some(ContainerState::Terminated(termination)) => Some(termination),
            _ => self.last_termination.as_ref(),
        }
    }
}

fn facts(specification: &PodSpec, container: &Container, is_init: bool) -> ContainerFacts {
    let of_pod = specification.security_context.clone().unwrap_or_default();
    let own = container.security_context.clone().unwrap_or_default();
    let mounts = container.volume_mounts.iter().flatten().map(|mount| MountFacts {
        volume: mount.name.clone(),
        path: mount.mount_path.clone(),
        is_read_only: mount.read_only.unwrap_or(false),
        sub_path: mount.sub_path.clone().or_else(|| mount.sub_path_expr.clone()),
    });
    ContainerFacts {
        name: container.name.clone(),
        is_init,
        image: container.image.clone().unwrap_or_default(),
        image_id: None,
        id: None,
        pull_policy: container.image_pull_policy.clone(),
        command: container.command.clone().unwrap_or_default(),
        args: container.args.clone().unwrap_or_default(),
        working_directory: container.working_dir.clone(),
        environment: environment(container),
        environment_from: environment_from(container),
        mounts: mounts.collect(),
        has_read_only_root: own.read_only_root_filesystem.unwrap_or(false),
        user: own.run_as_user.or(of_pod.run_as_user),
        group: own.run_as_group.or(of_pod.run_as_group),
        file_system_group: of_pod.fs_group,
        state: None,
        last_termination: None,
        restarts: 0,
        log: Err("no container of it was started".to_owned()),
    }
}

fn environment(container: &Container) -> Variables {
    let variable = |variable: &k8s_openapi::api::core::v1::EnvVar| {
        let setting = match (&variable.value, &variable.value_from) {
            (_, Some(source)) => Setting::From(named_source(source)),
            (value, None) => Setting::Value(value.clone().unwrap_or_default()),
        };
        (variable.name.clone(), setting)
    };
    container.env.iter().flatten().map(variable).collect()
}

fn named_source(source: &k8s_openapi::api::core::v1::EnvVarSource) -> String {
    if let Some(key) = &source.config_map_key_ref {
        return format!("key {} of configmap/{}", key.key, key.name);
    }
    if let Some(key) = &source.secret_key_ref {
        return format!("key {} of secret/{}", key.key, key.name);
    }
    if let Some(field) = &source.field_ref {
        return format!("field {} of the pod", field.field_path);
    }
    "a field of the container".to_owned()
}

fn environment_from(container: &Container) -> Vec<String> {
    let sources = container.env_from.iter().flatten();
    let named = sources.filter_map(|source| {
        let config_map = source.config_map_ref.as_ref().map(|it| format!("configmap/{}", it.name));
        config_map.or_else(|| source.secret_ref.as_ref().map(|it| format!("secret/{}", it.name)))
    });
    named.collect()
}

fn state(state: &ApiState) -> ContainerState {
    if let Some(terminated) = &state.terminated {
        return ContainerState::Terminated(termination(terminated));
    }
    if state.running.is_some() {
        return ContainerState::Running;
    }
    let waiting = state.waiting.clone().unwrap_or_default();
    ContainerState::Waiting {
        reason: waiting.reason.unwrap_or_default(),
        message: waiting.message.unwrap_or_default(),
    }
}

fn termination(terminated: &ContainerStateTerminated) -> Termination {
    Termination {
        exit_code: terminated.exit_code,
        reason: terminated.reason.clone().unwrap_or_default(),
        message: terminated.message.clone().unwrap_or_default(),
        finished: terminated.finished_at.as_ref().map(|time| time.0.as_second()),
    }
}
