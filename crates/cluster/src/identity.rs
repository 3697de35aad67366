//! How podcov's marks in a cluster are named, and who made them.
//!
//! A prepared workload carries a label (to be found by) and an annotation (who prepared it, and how to undo
//! it); its pods carry the label and an annotation that says what is captured in them.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::injection::Undo;

/// On prepared workloads, their pods and podcov's own ConfigMaps: the run they belong to.
pub(crate) const RUN_LABEL: &str = "podcov.dev/run";
/// On prepared workloads: a [`Preparation`] as JSON.
pub(crate) const PREPARATION_ANNOTATION: &str = "podcov.dev/preparation";
/// On prepared pods: a [`Capture`] as JSON.
pub(crate) const CAPTURE_ANNOTATION: &str = "podcov.dev/capture";
/// On podcov's own ConfigMaps: what it holds.
pub(crate) const ROLE_LABEL: &str = "podcov.dev/role";
/// On what is created to read nodes: the snapshot it belongs to.
pub(crate) const SNAPSHOT_LABEL: &str = "podcov.dev/snapshot";
/// On pods that read nodes: who created them.
pub(crate) const BY_ANNOTATION: &str = "podcov.dev/by";
pub(crate) const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
pub(crate) const MANAGER: &str = "podcov";
/// The sidecar's name in a prepared pod.
pub(crate) const SIDECAR: &str = "podcov-agent";

/// Names one run in the cluster; a valid label value and part of object names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    const MAX_LENGTH: usize = 40;

    /// None unless it is a DNS label of at most 40 characters.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let valid = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let edges_valid = !text.starts_with('-') && !text.ends_with('-');
        (!text.is_empty() && text.len() <= Self::MAX_LENGTH && edges_valid && text.bytes().all(valid))
            .then(|| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A label selector for everything of this run.
    pub(crate) fn selector(&self) -> String {
        format!("{RUN_LABEL}={self}")
    }

    pub(crate) fn own_labels(&self, role: &str) -> BTreeMap<String, String> {
        [(MANAGED_BY_LABEL, MANAGER), (RUN_LABEL, self.as_str()), (ROLE_LABEL, role)]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Who prepared a workload, and what it takes to put it back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preparation {
    /// The run it belongs to.
    pub run: RunId,
    /// For example `ann@laptop`.
    pub by: String,
    /// RFC 3339, UTC.
    pub since: String,
    /// What was there before.
    pub(crate) undo: Undo,
}

/// What is captured in a pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Capture {
    /// Kind and name, `deployment/api`.
    pub workload: String,
    /// The containers whose GOCOVERDIR is on the data volume.
    pub containers: Vec<String>,
    /// Those of them whose program the agent starts.
    #[serde(default)]
    pub supervised: Vec<String>,
    /// The user named the containers, so each of them must report.
    pub containers_named: bool,
}
