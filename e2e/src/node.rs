//! The nodes of kind, which are containers of this machine: their files, and the processes in their pods.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::output;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// The file system of a node. Its volumes are not those of this machine.
pub fn root(node: &str) -> PathBuf {
    let process = output(Command::new("docker").args(["inspect", "--format", "{{.State.Pid}}", node]));
    format!("/proc/{}/root", process.trim()).into()
}

/// Where a volume of a pod is that lives as long as the pod does.
pub fn empty_dir(root: &Path, uid: &str, volume: &str) -> PathBuf {
    root.join(format!("var/lib/kubelet/pods/{uid}/volumes/kubernetes.io~empty-dir/{volume}"))
}

/// The first process of each of these containers, by their IDs, of those that run.
pub fn main_processes<'a>(containers: &[&'a str]) -> BTreeMap<&'a str, Pid> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir("/proc").expect("Linux tells of its processes").flatten() {
        let Some(number) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let Ok(cgroup) = fs::read_to_string(entry.path().join("cgroup")) else { continue };
        let Some(id) = containers.iter().find(|id| cgroup.contains(**id)) else { continue };
        if is_first(&entry.path()) {
            found.insert(*id, Pid::from_raw(number));
        }
    }
    found
}

/// In its own PID namespace.
fn is_first(process: &Path) -> bool {
    let status = fs::read_to_string(process.join("status")).unwrap_or_default();
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    numbers.and_then(|numbers| numbers.split_whitespace().last()) == Some("1")
}

/// The process that another one has started, if it has.
pub fn child(parent: Pid) -> Option<Pid> {
    // Whichever of its threads has started it.
    fs::read_dir(format!("/proc/{parent}/task")).ok()?.flatten().find_map(|thread| {
        let children = fs::read_to_string(thread.path().join("children")).ok()?;
        children.split_whitespace().next()?.parse().ok().map(Pid::from_raw)
    })
}

/// Sends a signal to the first process of every container of a pod, and so, if it is SIGKILL, to all of their processes.
pub fn signal_all(pod: &Value, signal: Signal) {
    let statuses = ["/status/containerStatuses", "/status/initContainerStatuses"];
    let statuses = statuses.iter().filter_map(|list| pod.pointer(list)?.as_array()).flatten();
    let ids: Vec<&str> =
        statuses.filter_map(|status| Some(status["containerID"].as_str()?.split_once("://")?.1)).collect();
    let processes = main_processes(&ids);
    assert_eq!(processes.len(), ids.len(), "every container runs: {pod}");
    for process in processes.into_values() {
        kill(process, signal).expect("it runs");
    }
}
