//! Reads the pods of workloads: through their agents, where one is the parent of the program.

use podcov_cluster::{ContainerCapture, running_pods};

use super::read::Reading;
use super::unread::{self, UnreadContainer};
use crate::cli::ClusterArgs;
use crate::error::CommandError;
use crate::interrupt::Interrupt;
use crate::kubernetes::{Cluster, cluster_error};
use crate::terminal::Terminal;

/// Reads every container of the workloads' pods.
pub async fn read(args: &ClusterArgs, terminal: &Terminal) -> Result<Vec<Reading>, CommandError> {
    let cluster = Cluster::open(args, Interrupt::install()?, terminal).await?;
    let workloads = cluster.select(args).await?;
    let pods = running_pods(cluster.connection(), &workloads).await.map_err(cluster_error)?;
    let mut unread = Vec::new();
    for pod in &pods {
        for container in &pod.containers {
            if container.capture != ContainerCapture::Supervised {
                unread.push(UnreadContainer { pod: pod.clone(), container: container.clone() });
            }
        }
    }
    Ok(unread::read(&cluster, &unread))
}
