//! Nodes that are containers of this machine, as kind's are: what of them is this machine's, and their processes.

use podcov_container_image::{Environment, find_container};
use podcov_doctor::facts::running_workload::Unknown;

use super::process::Processes;

/// Whether a node is a container of an engine of this machine.
pub async fn is_on_this_machine(node: &str) -> bool {
    find_container(&Environment::of_this_process(), node).await.is_ok()
}

/// Where a path of a node is on this machine; none if it is the node's own.
pub async fn on_this_machine(node: &str, path: &str) -> Result<Option<String>, Unknown> {
    let container = find_container(&Environment::of_this_process(), node).await;
    let container = container.map_err(|_| {
        Unknown::because(format!("node {node} is no container of this machine, as kind's nodes are"))
    })?;
    let within = |mount: &podcov_container_image::ContainerMount| {
        let rest = path.strip_prefix(mount.destination.trim_end_matches('/'))?;
        (rest.is_empty() || rest.starts_with('/'))
            .then(|| format!("{}{rest}", mount.source.trim_end_matches('/')))
    };
    let mounts = container.mounts.iter().filter_map(|mount| Some((mount.destination.len(), within(mount)?)));
    Ok(mounts.max_by_key(|(length, _)| *length).map(|(_, path)| path))
}

/// The processes of a container whose node is a container of this machine. An error says why they are not seen.
#[cfg(target_os = "linux")]
pub fn processes(container: &str) -> Result<Processes, String> {
    use podcov_process_capture::{examine, processes_in_cgroups_of};

    let found = processes_in_cgroups_of(container).map_err(|error| error.to_string())?;
    if found.is_empty() {
        return Err("its processes are on a node, not on this machine".to_owned());
    }
    let mut processes = Processes { examined: Vec::new(), refused: None };
    for process in found {
        match examine(process) {
            Ok(examination) => processes.examined.push(examination),
            Err(reason) => processes.refused = Some(reason.in_full()),
        }
    }
    match processes {
        Processes { examined, refused: Some(refused) } if examined.is_empty() => Err(refused),
        processes => Ok(processes),
    }
}

/// Processes are read on Linux only.
#[cfg(not(target_os = "linux"))]
pub fn processes(_container: &str) -> Result<Processes, String> {
    Err("its processes are on a node, not on this machine".to_owned())
}
