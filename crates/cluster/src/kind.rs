//! The kinds of workload that podcov prepares, and how they are called.

use std::fmt;

use kube::api::{ApiResource, GroupVersionKind, TypeMeta};
use serde::{Deserialize, Serialize};

/// A kind of object that runs pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// `apps/v1` Deployment.
    Deployment,
    /// `apps/v1` StatefulSet.
    StatefulSet,
    /// `apps/v1` DaemonSet.
    DaemonSet,
    /// `apps/v1` ReplicaSet that no Deployment owns.
    ReplicaSet,
    /// `v1` Pod that nothing owns.
    Pod,
}

impl Kind {
    /// Every kind, owners of pods first.
    pub const ALL: [Self; 5] =
        [Self::Deployment, Self::StatefulSet, Self::DaemonSet, Self::ReplicaSet, Self::Pod];

    /// The kind in an object's `kind` field.
    #[must_use]
    pub fn from_api_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.api_name() == name)
    }

    /// What kubectl accepts: singular, plural and short name, in any case.
    #[must_use]
    pub fn from_argument(argument: &str) -> Option<Self> {
        let argument = argument.to_ascii_lowercase();
        let argument = argument.strip_suffix(".apps").unwrap_or(&argument);
        Self::ALL.into_iter().find(|kind| {
            argument == kind.name() || argument == kind.plural() || kind.short_names().contains(&argument)
        })
    }

    /// Lower case and in full, as in `deployment/api`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::StatefulSet => "statefulset",
            Self::DaemonSet => "daemonset",
            Self::ReplicaSet => "replicaset",
            Self::Pod => "pod",
        }
    }

    /// The value of an object's `kind` field.
    #[must_use]
    pub const fn api_name(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::ReplicaSet => "ReplicaSet",
            Self::Pod => "Pod",
        }
    }

    /// The resource, as in `kubectl get deployments`.
    #[must_use]
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Deployment => "deployments",
            Self::StatefulSet => "statefulsets",
            Self::DaemonSet => "daemonsets",
            Self::ReplicaSet => "replicasets",
            Self::Pod => "pods",
        }
    }

    const fn short_names(self) -> &'static [&'static str] {
        match self {
            Self::Deployment => &["deploy"],
            Self::StatefulSet => &["sts"],
            Self::DaemonSet => &["ds"],
            Self::ReplicaSet => &["rs"],
            Self::Pod => &["po"],
        }
    }

    /// Where the pod template lies in an object of this kind; the object itself for a Pod.
    #[must_use]
    pub const fn template_pointer(self) -> &'static str {
        match self {
            Self::Pod => "",
            _ => "/spec/template",
        }
    }

    pub(crate) fn type_meta(self) -> TypeMeta {
        let resource = self.api_resource();
        TypeMeta { api_version: resource.api_version, kind: resource.kind }
    }

    pub(crate) fn api_resource(self) -> ApiResource {
        let group = if self == Self::Pod { "" } else { "apps" };
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, "v1", self.api_name()), self.plural())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
