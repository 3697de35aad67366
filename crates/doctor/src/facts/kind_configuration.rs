//! The configuration of a kind cluster, as far as paths matter.

use serde::Deserialize;

use crate::Known;

/// `kind: Cluster` of `kind.x-k8s.io/v1alpha4`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct KindConfiguration {
    /// Where it was read.
    #[serde(skip)]
    pub read_from: String,
    /// Its nodes. kind makes one control plane if there are none.
    pub nodes: Vec<Node>,
}

/// A node.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Node {
    /// `control-plane` or `worker`.
    pub role: String,
    /// Directories of the host in the node.
    pub extra_mounts: Vec<ExtraMount>,
}

/// A directory of the host in a node.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ExtraMount {
    /// On the host.
    pub host_path: String,
    /// In the node.
    pub container_path: String,
    /// Whether the node cannot write to it.
    pub read_only: bool,
    /// The host's directory, if it is this machine's.
    #[serde(skip)]
    pub host_directory: Known<HostDirectory>,
}

/// A directory of this machine: who may write to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostDirectory {
    /// Where it is.
    pub path: String,
    /// The numeric owner.
    pub user: u32,
    /// The permission bits.
    pub mode: u32,
}

impl HostDirectory {
    /// Whether a user can make files in it. A user who is not known is taken for one without rights
    /// of their own.
    #[must_use]
    pub fn is_writable_by(&self, user: Option<i64>) -> bool {
        const WRITE_AND_ENTER: u32 = 0o3;
        let bits = if user == Some(i64::from(self.user)) { self.mode >> 6 } else { self.mode };
        user == Some(0) || bits & WRITE_AND_ENTER == WRITE_AND_ENTER
    }
}
