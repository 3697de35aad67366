//! What is not on this machine's disk as files: images and workloads. [`examine`](crate::examine) looks at them.

use std::path::Path;

use podcov_cluster::{ConnectionOptions, Target};
use podcov_doctor::Facts;

use crate::examine;

/// Which cluster is asked, and how far the asking goes.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub options: ConnectionOptions,
    /// Workloads with these labels.
    pub selector: Option<String>,
    /// All workloads of the namespace.
    pub all: bool,
    /// The programs of workloads are run, to see where data stops appearing.
    pub is_tried: bool,
}

pub(super) async fn image(name: &str, facts: &mut Facts) {
    examine::add_image(name, facts).await;
}

pub(super) async fn image_archive(path: &Path, facts: &mut Facts) {
    examine::add_image_archive(path, facts).await;
}

pub(super) async fn workload(target: &Target, cluster: &Cluster, facts: &mut Facts) {
    examine::add_workload(target, &cluster.options, cluster.is_tried, facts).await;
}

/// What is named by labels, or not at all.
pub(super) async fn selected(cluster: &Cluster, facts: &mut Facts) {
    if cluster.all || cluster.selector.is_some() {
        examine::add_all(cluster.selector.as_deref(), &cluster.options, cluster.is_tried, facts).await;
    }
}

pub(super) async fn current_namespace(cluster: &Cluster, facts: &mut Facts) {
    examine::add_current_namespace(&cluster.options, facts).await;
}
