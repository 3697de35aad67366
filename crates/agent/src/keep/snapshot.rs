//! What the processes of the containers have counted by now: asked of the agents that are their parents, through the
//! directories that both see.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use podcov_agent_protocol::{
    ContainerSnapshot, LATEST_DIRECTORY, SnapshotOutcome, is_coverage_file_name, is_metadata_file_name,
    is_process_record_name,
};
use podcov_supervised_capture::{Answer, Request};

use super::ledger::Container;
use super::watch::names_in;
use crate::terminal::say;

/// Far longer than it takes to read all processes. One that is being killed is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Has all processes of all containers read, at once, and tells what came of it.
pub fn take(containers: &[Container]) -> Vec<ContainerSnapshot> {
    let deadline = Instant::now() + PATIENCE;
    let requests: Vec<_> =
        containers.iter().map(|container| (container, Request::make(&container.directory))).collect();
    let outcome = |(container, request): (&Container, _)| ContainerSnapshot {
        container: container.name.clone(),
        outcome: outcome(container, request, deadline),
    };
    requests.into_iter().map(outcome).collect()
}

fn outcome(
    container: &Container,
    request: std::io::Result<Option<Request>>,
    deadline: Instant,
) -> SnapshotOutcome {
    match request.map(|request| request.map(|request| request.wait(deadline))) {
        Ok(None | Some(Some(Answer::Gone))) => SnapshotOutcome::NotSupervised,
        Ok(Some(Some(Answer::Done))) => SnapshotOutcome::Taken,
        Ok(Some(Some(Answer::Refused))) => SnapshotOutcome::Failed,
        Ok(Some(None)) => SnapshotOutcome::NoAnswer,
        Err(error) => {
            say(format_args!("cannot ask the agent of {}: {error}", container.name));
            SnapshotOutcome::Failed
        }
    }
}

/// The files of processes that live: container, path and name. The record of a process comes before its counters, which
/// would be taken for final ones without.
pub fn live_files(containers: &[Container]) -> Vec<(String, PathBuf, String)> {
    let mut files = Vec::new();
    for container in containers {
        let directory = container.directory.join(LATEST_DIRECTORY);
        if !is_directory(&directory) {
            continue;
        }
        let is_counters = |name: &str| is_coverage_file_name(name) && !is_metadata_file_name(name);
        let mut names = names_in(&directory, |name| is_counters(name) || is_process_record_name(name));
        names.sort_by_key(|name| !is_process_record_name(name));
        files.extend(names.into_iter().map(|name| (container.name.clone(), directory.join(&name), name)));
    }
    files
}

/// A link could lead anywhere.
fn is_directory(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}
