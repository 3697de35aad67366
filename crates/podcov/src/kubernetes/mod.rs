//! The cluster commands: what `run`, `inject`, `eject` and `collect` share.
//!
//! Turns command-line options into values of [`podcov_cluster`], its events into lines of the terminal and its
//! errors into errors that a user can act on. How a cluster is changed is that crate's.

mod collection;
mod outcome;
pub mod run;
mod watching;

use podcov_cluster::{
    Connection, ConnectionOptions, RunId, Selection, Session, SessionOptions, Workload, agent_config_map,
    injection::{ContainerChoice, Injection},
};

pub use collection::{Collection, end_pods_and_collect, record_results};
pub use watching::Watching;

use crate::{
    agent_binary::{Architecture, agent_binary},
    cli::{ClusterArgs, CollectionArgs, PrepareArgs},
    error::CommandError,
    run_directory::now,
};

/// Connects to the cluster and namespace that the options name.
pub async fn connect(args: &ClusterArgs) -> Result<Connection, CommandError> {
    let options = ConnectionOptions {
        kubeconfig: args.kubeconfig.clone(),
        context: args.context.clone(),
        namespace: args.namespace.clone(),
    };
    Connection::open(&options).await.map_err(cluster_error)
}

/// The workloads that the options name.
pub async fn select(connection: &Connection, args: &ClusterArgs) -> Result<Vec<Workload>, CommandError> {
    let targets = args.targets.iter().map(|target| target.parse()).collect::<Result<_, _>>();
    let targets = targets.map_err(|error: podcov_cluster::Error| CommandError::usage(error))?;
    let selection = Selection { targets, selector: args.selector.clone(), all: args.all };
    selection.resolve(connection).await.map_err(cluster_error)
}

/// Whether the options name anything.
pub fn names_workloads(args: &ClusterArgs) -> bool {
    !args.targets.is_empty() || args.selector.is_some() || args.all
}

/// What goes into a pod template.
pub fn injection(
    run: &RunId,
    cluster: &ClusterArgs,
    prepare: &PrepareArgs,
    collection: &CollectionArgs,
) -> Injection {
    Injection {
        run: run.clone(),
        by: who(),
        since: now(),
        agent_config_map: agent_config_map::name(run),
        containers: if cluster.containers.is_empty() {
            ContainerChoice::All
        } else {
            ContainerChoice::Named(cluster.containers.clone())
        },
        image: prepare.image.clone(),
        deadline_seconds: collection.collect_timeout.as_secs(),
        data_limit: prepare.data_limit.clone(),
        data_in_memory: prepare.data_in_memory,
    }
}

/// A session for a run; nothing is changed yet.
pub fn session<'a>(
    connection: &'a Connection,
    injection: Injection,
    prepare: &PrepareArgs,
    watching: &'a Watching,
) -> Session<'a> {
    let options =
        SessionOptions { injection, take_over: prepare.force, recreate_pods: prepare.yes };
    Session::new(connection, options, watching)
}

/// The agent for the nodes: of the architecture that was named, or that all of them have.
pub async fn agent(connection: &Connection, prepare: &PrepareArgs) -> Result<&'static [u8], CommandError> {
    let named = match &prepare.arch {
        Some(name) => Some(name.clone()),
        None => connection.node_architecture().await,
    };
    agent_named(named.as_deref())
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
        CommandError::failure(format!("this build of podcov carries no agent for {name} nodes"))
            .hint("install a release for Linux, or set PODCOV_AGENT_AMD64 or PODCOV_AGENT_ARM64 when building")
    })
}

/// The identity of a run in the cluster: that of its record.
pub fn run_id(id: &str) -> Result<RunId, CommandError> {
    RunId::new(id).ok_or_else(|| CommandError::usage(format!("{id:?} is no run id: it is lower case, digits and -")))
}

/// An error of the cluster for the user, with its log and its next step.
pub fn cluster_error(error: podcov_cluster::Error) -> CommandError {
    use podcov_cluster::Error;
    let hint = error.hint();
    let log = match &error {
        Error::Rollout { log: Some(log), .. } => Some(log.trim_end().to_owned()),
        _ => None,
    };
    let mut command_error = match error {
        Error::BadTarget { .. } => CommandError::usage(error),
        error => CommandError::failure(error),
    };
    if let Some(log) = log {
        let lines: Vec<String> = log.lines().map(|line| format!("  │ {}", printable(line))).collect();
        command_error = command_error.caused_by(format!("the end of its log:\n{}", lines.join("\n")));
    }
    match hint {
        Some(hint) => command_error.hint(hint.0),
        None => command_error,
    }
}

/// Text from a pod without what could steer a terminal.
fn printable(text: &str) -> String {
    text.chars().filter(|character| !character.is_control() || *character == '\t').collect()
}

/// For example `ann@laptop`, as far as the environment tells.
fn who() -> String {
    let variable = |names: &[&str]| names.iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    let user = variable(&["USER", "LOGNAME", "USERNAME"]).unwrap_or_else(|| "somebody".to_owned());
    let host = variable(&["HOSTNAME", "COMPUTERNAME"])
        .or_else(|| std::fs::read_to_string("/etc/hostname").ok().map(|name| name.trim().to_owned()));
    match host {
        Some(host) => format!("{user}@{host}"),
        None => user,
    }
}

/// `deployment/api` as the summary calls it, with its pods: `api (3 pods)`.
pub fn with_pods(workload: &Workload, pods: usize) -> String {
    format!("{} ({})", workload.name(), crate::terminal::count(pods, "pod"))
}

/// Where a command's messages say that leftovers can be put back.
pub fn eject_command(connection: &Connection, run: &RunId) -> String {
    format!("podcov eject --context {} -n {} --run {run}", connection.context(), connection.namespace())
}
