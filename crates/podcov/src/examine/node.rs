//! Nodes that are containers of this machine, as kind's are: what of them is this machine's, and their processes. What
//! processes tell, whichever machine they were looked at on.

use podcov_agent_protocol::{CoverageFiles, Directory, Examination};
use podcov_container_image::{Environment, find_container};
use podcov_doctor::facts::running_workload::{Answer, Files, ProcessDirectory, ProcessFacts, Unknown};

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

/// The processes of a container, as far as they could be looked at.
pub struct Processes {
    pub examined: Vec<Examination>,
    /// Why one could not be.
    pub refused: Option<String>,
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
            Err(reason) => processes.refused = Some(reason.to_string()),
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

/// What the Go program among the processes of a container tells. `place` says on which machine.
pub fn facts(processes: Processes, place: &str, go_program: Option<&str>) -> Answer<ProcessFacts> {
    let Processes { mut examined, refused } = processes;
    // The one with the lowest number of its own namespace began the container.
    examined.sort_by_key(|found| found.own_id);
    let missed = |otherwise: &str| Unknown::because(refused.unwrap_or_else(|| otherwise.to_owned()));
    let Some(first) = examined.first() else { return Err(missed("they have ended")) };
    let is_wanted = |found: &&Examination| go_program.is_none_or(|path| found.program == path);
    let mut of_go = examined.iter().filter(|found| found.is_go);
    let Some(found) = of_go.clone().find(is_wanted).or_else(|| of_go.next()) else {
        return Err(missed("none of its processes is a Go program"));
    };
    Ok(ProcessFacts {
        read_in: format!("/proc/{}{place}", found.process_id),
        first_program: first.program.clone(),
        first_is_go: first.is_go,
        setting: found.setting.clone(),
        waits_for_termination: found.handles_termination,
        user: found.user,
        directory: found.directory.as_ref().map(directory).transpose(),
    })
}

fn directory(found: &Directory) -> Answer<ProcessDirectory> {
    Ok(match found {
        Directory::Unreachable(reason) => {
            return Err(Unknown::because(format!("podcov may not go there: {reason}")));
        }
        Directory::Missing(reason) => ProcessDirectory::Missing(reason.clone()),
        Directory::NotADirectory => ProcessDirectory::NotADirectory,
        Directory::There(state) => ProcessDirectory::There {
            owner: format!("{:o} {}:{}", state.mode, state.user, state.group),
            lets_create: state.lets_create,
            is_read_only: state.is_read_only,
            free_bytes: state.free_bytes,
            free_files: state.free_files,
            is_of_container: state.mount_point == "/",
            files: state.files.map(files),
        },
    })
}

fn files(found: CoverageFiles) -> Files {
    let count = |number| usize::try_from(number).unwrap_or(usize::MAX);
    Files {
        metadata: count(found.metadata),
        counters: count(found.counters),
        temporary: count(found.temporary),
    }
}
