//! Which processes are those of a container, seen from outside of it.

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::proc_files::ProcFiles;
use crate::process_tree::{all, descendants};
use crate::{ProcessId, Reason};

/// Some kilobytes, and the command line of a container's parent not much more.
const LONGEST_FILE: u64 = 1 << 16;

/// Whether a process is of the container with this ID: its cgroups or what its parent was told say so. An engine that
/// runs elsewhere numbers processes that this machine does not have, or that are others here.
pub fn is_of_container(process: ProcessId, container: &str) -> Result<bool, Reason> {
    let files = ProcFiles(process);
    let names_container = |bytes: &[u8]| {
        !container.is_empty() && bytes.windows(container.len()).any(|part| part == container.as_bytes())
    };
    if names_container(&files.read("cgroup", LONGEST_FILE)?) {
        return Ok(true);
    }
    // Engines that do without cgroups of their own: `containerd-shim -id ID`, `conmon -c ID`.
    let Some(parent) = ProcessId::new(files.stat()?.parent) else { return Ok(false) };
    Ok(ProcFiles(parent).read("cmdline", LONGEST_FILE).is_ok_and(|bytes| names_container(&bytes)))
}

/// The processes of a container, given its first: those that it started, and those that were started in it later (`docker
/// exec`). Not those of containers within it.
pub fn processes_of_container(first: ProcessId) -> io::Result<Vec<ProcessId>> {
    let mut processes = descendants(first)?;
    processes.push(first);
    let namespace = pid_namespace(first);
    let is_apart = namespace.is_some() && namespace != fs::read_link("/proc/self/ns/pid").ok();
    if is_apart {
        // Whose namespace may not be known is kept: reading it says why.
        processes.retain(|process| pid_namespace(*process).is_none_or(|own| Some(own) == namespace));
        processes.extend(all()?.filter(|process| pid_namespace(*process) == namespace));
    }
    processes.sort();
    processes.dedup();
    Ok(processes)
}

/// None if it may not be known.
fn pid_namespace(process: ProcessId) -> Option<PathBuf> {
    fs::read_link(ProcFiles(process).path("ns/pid")).ok()
}
