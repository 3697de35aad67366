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
    if names(&files.read("cgroup", LONGEST_FILE)?, container) {
        return Ok(true);
    }
    // Engines that do without cgroups of their own: `containerd-shim -id ID`, `conmon -c ID`.
    let Some(parent) = ProcessId::new(files.stat()?.parent) else { return Ok(false) };
    Ok(ProcFiles(parent).read("cmdline", LONGEST_FILE).is_ok_and(|bytes| names(&bytes, container)))
}

/// Whether the ID of a container stands somewhere. Runtimes put it into names of their own: `/docker/ID`,
/// `cri-containerd-ID.scope`, `crio-ID.scope`, `/kubepods/burstable/podUID/ID`.
fn names(bytes: &[u8], container: &str) -> bool {
    !container.is_empty() && bytes.windows(container.len()).any(|part| part == container.as_bytes())
}

/// The processes in the cgroups of the container with this ID, whoever started them, with those of containers within it.
pub fn processes_in_cgroups_of(container: &str) -> io::Result<Vec<ProcessId>> {
    // What ends in the meantime has no cgroup any more.
    let is_its = |process: &ProcessId| {
        ProcFiles(*process).read("cgroup", LONGEST_FILE).is_ok_and(|bytes| names(&bytes, container))
    };
    let mut processes: Vec<_> = all()?.filter(is_its).collect();
    processes.sort();
    Ok(processes)
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

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "3f0c9a53d1b2c4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d";

    #[test]
    fn every_runtime_names_the_container_in_its_cgroups() {
        for cgroup in [
            // containerd on cgroups v2, seen from the root and from another container.
            format!("0::/kubelet.slice/kubelet-kubepods-pod1234_5678.slice/cri-containerd-{ID}.scope\n"),
            format!("0::/../../kubepods-besteffort-pod1234.slice/cri-containerd-{ID}.scope\n"),
            format!("0::/kubepods.slice/kubepods-burstable.slice/crio-{ID}.scope/container\n"),
            format!("0::/system.slice/docker-{ID}.scope\n"),
            // cgroups v1.
            format!("12:pids:/kubepods/burstable/pod1234-5678/{ID}\n1:name=systemd:/docker/{ID}\n"),
        ] {
            assert!(names(cgroup.as_bytes(), ID), "{cgroup}");
        }
        assert!(!names(b"0::/\n", ID));
        assert!(!names(b"0::/\n", ""), "no ID is everybody's");
    }
}
