//! What the options of the command line are to the cluster.

use podcov_cluster::{
    Connection, RunId, Session, SessionOptions, agent_config_map,
    injection::{CaptureMode, ContainerChoice, EntryPoints, Injection},
};

use super::Watching;
use crate::{
    agent_binary::{Architecture, agent_binary},
    cli::{Capture, CollectionArgs, PrepareArgs},
    error::CommandError,
    run_directory::now,
};

/// What goes into a pod template.
pub fn injection(
    run: &RunId,
    prepare: &PrepareArgs,
    collection: &CollectionArgs,
    entry_points: EntryPoints,
) -> Injection {
    Injection {
        run: run.clone(),
        by: who(),
        since: now(),
        agent_config_map: agent_config_map::name(run),
        containers: container_choice(prepare),
        capture: match prepare.capture {
            Capture::Auto => CaptureMode::Auto,
            Capture::Supervised => CaptureMode::Supervised,
            Capture::Files => CaptureMode::Files,
        },
        entry_points,
        image: prepare.image.clone(),
        deadline_seconds: collection.collect_timeout.as_secs(),
        data_limit: prepare.data_limit.clone(),
        data_in_memory: prepare.data_in_memory,
    }
}

/// The containers that are captured.
pub fn container_choice(prepare: &PrepareArgs) -> ContainerChoice {
    if prepare.containers.is_empty() {
        ContainerChoice::All
    } else {
        ContainerChoice::Named(prepare.containers.clone())
    }
}

/// A session for a run; nothing is changed yet.
pub fn session<'a>(
    connection: &'a Connection,
    injection: Injection,
    prepare: &PrepareArgs,
    watching: &'a Watching,
) -> Session<'a> {
    let options = SessionOptions { injection, take_over: prepare.force, recreate_pods: prepare.yes };
    Session::new(connection, options, watching)
}

/// The architecture of the nodes: the one that was named, or that all of them have.
pub async fn architecture(connection: &Connection, prepare: &PrepareArgs) -> Option<String> {
    match &prepare.arch {
        Some(name) => Some(name.clone()),
        None => connection.node_architecture().await,
    }
}

/// The agent for an architecture; for x86-64 when nothing is known.
pub fn agent_named(name: Option<&str>) -> Result<&'static [u8], CommandError> {
    let architecture = match name {
        Some("arm64") => Architecture::Arm64,
        None | Some("amd64") => Architecture::Amd64,
        Some(other) => return Err(CommandError::failure(format!("there is no agent for {other} nodes"))),
    };
    agent_binary(architecture).ok_or_else(|| {
        let name = name.unwrap_or("amd64");
        CommandError::failure(format!("this build of podcov carries no agent for {name} nodes")).hint(
            "install a release for Linux, or set PODCOV_AGENT_AMD64 or PODCOV_AGENT_ARM64 when building",
        )
    })
}

/// The identity of a run in the cluster: that of its record.
pub fn run_id(id: &str) -> Result<RunId, CommandError> {
    RunId::new(id)
        .ok_or_else(|| CommandError::usage(format!("{id:?} is no run id: it has lower case, digits and -")))
}

/// For example `ann@laptop`, as far as the environment tells.
pub fn who() -> String {
    let variable =
        |names: &[&str]| names.iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    let user = variable(&["USER", "LOGNAME", "USERNAME"]).unwrap_or_else(|| "somebody".to_owned());
    let host = variable(&["HOSTNAME", "COMPUTERNAME"])
        .or_else(|| std::fs::read_to_string("/etc/hostname").ok().map(|name| name.trim().to_owned()));
    match host {
        Some(host) => format!("{user}@{host}"),
        None => user,
    }
}
