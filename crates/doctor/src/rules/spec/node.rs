//! From a hostPath to the host: is it the node's mount of a host directory, on every node that the pod can be on.

use super::{about, absolute};
use crate::facts::kind_configuration::{ExtraMount, Node};
use crate::facts::pod_spec::{Container, PodSpec, is_within};
use crate::facts::{KindConfiguration, Workload};
use crate::{Diagnosis, Hop, Id, Severity};

const NOTHING_ON_THE_HOST: &[Id] = &[Id::NoData];
const CONTROL_PLANE: &str = "control-plane";
const CONTROL_PLANE_TAINT: &str = "node-role.kubernetes.io/control-plane";

pub(super) fn find(workload: &Workload, clusters: &[KindConfiguration]) -> Vec<Diagnosis> {
    let mut found = Vec::new();
    for cluster in clusters {
        for container in workload.spec.long_running() {
            found.extend(of_container(workload, container, cluster));
        }
    }
    found
}

fn of_container(
    workload: &Workload,
    container: &Container,
    cluster: &KindConfiguration,
) -> Option<Diagnosis> {
    let mount = container.mount_of(absolute(container)?)?;
    let path = &workload.spec.volume(&mount.name)?.host_path.as_ref()?.path;
    let nodes = possible_nodes(&workload.spec, cluster);
    let of_node =
        |node: &Node| node.extra_mounts.iter().find(|mount| is_within(path, &mount.container_path)).cloned();
    let mounts: Vec<Option<ExtraMount>> = nodes.iter().map(of_node).collect();
    let new = |id, sentence: &str| {
        about(workload, container, id, Severity::Error, Hop::Volume, sentence)
            .evidence(format!("hostPath: {path}"), format!("{}, volume {}", workload.read_from, mount.name))
            .explains(NOTHING_ON_THE_HOST)
    };
    let extra_mount = format!("extraMounts: [{{hostPath: {path}, containerPath: {path}}}]");
    if mounts.iter().all(Option::is_none) {
        let other = nodes.iter().flat_map(|node| &node.extra_mounts).find(|mount| {
            mount.container_path.to_ascii_lowercase().contains("cov") || mount.host_path == *path
        });
        if let Some(other) = other {
            return Some(
                new(
                    Id::PathMismatch,
                    "the volume's hostPath is not the path that the host's directory has in the node",
                )
                .evidence(
                    format!("containerPath: {}", other.container_path),
                    format!("{}, extraMounts", cluster.read_from),
                )
                .fix(format!("hostPath: {{path: {}}}", other.container_path)),
            );
        }
        return Some(
            new(
                Id::NodePathNotMounted,
                "hostPath is a directory of the kind node, which is a container: nothing of it is on the host",
            )
            .evidence(seen(&nodes), &cluster.read_from)
            .fix(format!("{extra_mount}    # of each node that runs the pod; or an emptyDir and podcov run")),
        );
    }
    let without: Vec<&Node> =
        nodes.iter().zip(&mounts).filter(|(_, mount)| mount.is_none()).map(|(node, _)| node).collect();
    if !without.is_empty() {
        return Some(
            new(
                Id::NodePathNotMounted,
                "some of the nodes that the pod can be on do not have the host's directory",
            )
            .evidence(
                format!(
                    "{} of {} possible nodes have no extraMount of it ({})",
                    without.len(),
                    nodes.len(),
                    roles(&without)
                ),
                &cluster.read_from,
            )
            .fix(format!("{extra_mount}    # of every {}; or a nodeSelector", roles(&without))),
        );
    }
    let read_only = mounts.iter().flatten().find(|mount| mount.read_only)?;
    Some(
        new(
            Id::ReadOnlyFileSystem,
            "the host's directory is mounted in the node so that nobody can write to it",
        )
        .evidence(format!("readOnly: true for {}", read_only.container_path), &cluster.read_from)
        .fix(extra_mount),
    )
}

/// The nodes that the scheduler may choose. kind taints the control plane where there are workers.
fn possible_nodes(spec: &PodSpec, cluster: &KindConfiguration) -> Vec<Node> {
    let mut nodes = cluster.nodes.clone();
    if nodes.is_empty() {
        nodes.push(Node { role: CONTROL_PLANE.to_owned(), extra_mounts: Vec::new() });
    }
    let has_workers = nodes.iter().any(|node| node.role == "worker");
    let is_tolerated = spec
        .tolerations
        .iter()
        .any(|toleration| toleration.key.as_deref().is_none_or(|key| key == CONTROL_PLANE_TAINT));
    let wants_control_plane = spec.node_selector.contains_key(CONTROL_PLANE_TAINT)
        || spec.node_name.as_deref().is_some_and(|name| name.ends_with(CONTROL_PLANE));
    if wants_control_plane {
        nodes.retain(|node| node.role == CONTROL_PLANE);
    } else if has_workers && !is_tolerated {
        nodes.retain(|node| node.role == "worker");
    }
    nodes
}

fn seen(nodes: &[Node]) -> String {
    let paths: Vec<&str> =
        nodes.iter().flat_map(|node| &node.extra_mounts).map(|mount| mount.container_path.as_str()).collect();
    let nodes: Vec<&Node> = nodes.iter().collect();
    if paths.is_empty() {
        format!("no extraMounts ({})", roles(&nodes))
    } else {
        format!("extraMounts only of {} ({})", paths.join(", "), roles(&nodes))
    }
}

fn roles(nodes: &[&Node]) -> String {
    let mut roles: Vec<&str> = nodes
        .iter()
        .map(|node| if node.role.is_empty() { CONTROL_PLANE } else { node.role.as_str() })
        .collect();
    roles.sort_unstable();
    roles.dedup();
    roles.join(", ")
}
