//! Reads the pods of workloads: through their agents, where one is the parent of the program.

use podcov_cluster::{ContainerCapture, Workload, running_pods};

use super::attached::AttachArgs;
use super::read::Reading;
use super::unread::{self, UnreadContainer};
use crate::cli::ClusterArgs;
use crate::error::CommandError;
use crate::interrupt::Interrupt;
use crate::kubernetes::{Cluster, cluster_error};
use crate::terminal::Terminal;

/// Reads every container of the workloads' pods.
pub async fn read(
    args: &ClusterArgs,
    attach: &AttachArgs,
    terminal: &Terminal,
) -> Result<Vec<Reading>, CommandError> {
    let cluster = Cluster::open(args, Interrupt::install()?, terminal).await?;
    let workloads = cluster.select(args).await?;
    let pods = running_pods(cluster.connection(), &workloads).await.map_err(cluster_error)?;
    for workload in workloads.iter().map(Workload::reference) {
        if !pods.iter().any(|pod| pod.workload == workload) {
            terminal.warning(&format!("{workload} has no pods"));
        }
    }
    let (mut unread, mut readings) = (Vec::new(), Vec::new());
    for pod in &pods {
        readings.extend(pod.idle.iter().map(|container| unread::idle(pod, container, cluster.namespace())));
        for container in &pod.containers {
            if container.capture != ContainerCapture::Supervised {
                unread.push(UnreadContainer { pod: pod.clone(), container: container.clone() });
            }
        }
    }
    readings.extend(unread::read(&cluster, attach, &unread).await?);
    Ok(readings)
}
