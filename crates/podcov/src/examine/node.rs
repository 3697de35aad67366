//! Nodes that are containers of this machine, as kind's are: what of them is this machine's, and their processes.

use podcov_container_image::{Environment, find_container};
use podcov_doctor::facts::running_workload::{ProcessFacts, Unknown};

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

/// The Go program among the processes of a pod's container, if the node is a container of this machine.
#[cfg(target_os = "linux")]
pub fn process(container: &str, go_program: Option<&str>) -> Result<ProcessFacts, Unknown> {
    use podcov_process_capture::{examine, processes_in_cgroups_of};

    let how = "podcov doctor on the machine that runs the node, as root; or podcov doctor --try, which sees how a pod ends".to_owned();
    let elsewhere = |reason: String| Unknown { reason, how: how.clone() };
    let processes = processes_in_cgroups_of(container).map_err(|error| elsewhere(error.to_string()))?;
    if processes.is_empty() {
        return Err(elsewhere("its processes are on a node, not on this machine".to_owned()));
    }
    let mut refused = None;
    let mut examined = Vec::new();
    for process in processes {
        match examine(process) {
            Ok(found) => examined.push((process, found)),
            Err(reason) => refused = Some(reason.to_string()),
        }
    }
    // The one with the lowest number of its own namespace began the container.
    examined.sort_by_key(|(_, found)| found.own_id);
    let Some((_, first)) = examined.first().cloned() else {
        return Err(elsewhere(refused.unwrap_or_else(|| "they have ended".to_owned())));
    };
    let is_wanted =
        |found: &podcov_process_capture::Examination| go_program.is_none_or(|path| found.program == path);
    let chosen = examined.iter().find(|(_, found)| found.is_go && is_wanted(found));
    let chosen = chosen.or_else(|| examined.iter().find(|(_, found)| found.is_go));
    let (process, found) = chosen.ok_or_else(|| Unknown::because("none of its processes is a Go program"))?;
    Ok(ProcessFacts {
        read_in: format!("/proc/{process}"),
        first_program: first.program.clone(),
        first_is_go: first.is_go,
        setting: found.setting.clone(),
        waits_for_termination: found.handles_termination,
        user: found.user,
        directory: found.directory.as_ref().map(directory),
    })
}

/// Processes are read on Linux only.
#[cfg(not(target_os = "linux"))]
pub fn process(_container: &str, _go_program: Option<&str>) -> Result<ProcessFacts, Unknown> {
    Err(Unknown::because("processes are read on Linux"))
}

#[cfg(target_os = "linux")]
fn directory(
    found: &podcov_process_capture::Directory,
) -> podcov_doctor::facts::running_workload::ProcessDirectory {
    use podcov_doctor::facts::running_workload::{Files, ProcessDirectory};
    use podcov_process_capture::Directory;

    match found {
        Directory::Missing(reason) => ProcessDirectory::Missing(reason.clone()),
        Directory::NotADirectory => ProcessDirectory::NotADirectory,
        Directory::There(state) => ProcessDirectory::There {
            owner: format!("{:o} {}:{}", state.mode, state.user, state.group),
            lets_create: state.lets_create,
            is_read_only: state.is_read_only,
            free_bytes: state.free_bytes,
            is_of_container: state.mount_point == "/",
            files: Files {
                metadata: state.metadata_files,
                counters: state.counter_files,
                temporary: state.temporary_files,
            },
        },
    }
}
