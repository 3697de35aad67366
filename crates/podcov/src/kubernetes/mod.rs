//! The cluster commands: what `run`, `inject`, `eject` and `collect` share.
//!
//! Turns command-line options into values of [`podcov_cluster`], its events into lines of the terminal and its
//! errors into errors that a user can act on. How a cluster is changed is that crate's.

pub mod collect;
mod collection;
mod diagnosis;
pub mod eject;
mod entry_points;
mod error;
pub mod inject;
pub mod manifests;
mod options;
mod outcome;
pub mod run;
mod watching;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use podcov_cluster::{
    Collector, Connection, ConnectionOptions, Kind, Prepared, PreparedRun, Purpose, RunId, Scope, Selection,
    Workload,
};
use podcov_report::run::{Capture, LossReason, Origin, Outcome};
use tokio::time::Instant;

pub use self::error::cluster_error;
pub use self::options::{agent_named, run_id, who};
use self::watching::Watching;
use crate::{
    cli::{ClusterArgs, ClusterOptions, PrepareArgs},
    error::CommandError,
    examine,
    interrupt::Interrupt,
    run_directory::RunDirectory,
    terminal,
    terminal::Terminal,
};

/// covmeta is written before a program's own code starts; a pod that is ready has had that time many times over.
const COVERAGE_TIMEOUT: Duration = Duration::from_secs(10);

const BUILD_WITH_COVERAGE: &str =
    "build it with go build -cover; a -coverpkg pattern must match its main package too";

/// One command at work on a cluster.
pub struct Cluster<'a> {
    connection: Connection,
    watching: Arc<Watching>,
    interrupt: Interrupt,
    terminal: &'a Terminal,
}

impl<'a> Cluster<'a> {
    pub async fn open(
        args: &ClusterArgs,
        interrupt: Interrupt,
        terminal: &'a Terminal,
    ) -> Result<Self, CommandError> {
        let ClusterOptions { kubeconfig, context, namespace, .. } = args.options.clone();
        let options = ConnectionOptions { kubeconfig, context, namespace };
        let connection = Connection::open(&options).await.map_err(cluster_error)?;
        Ok(Self { connection, watching: Arc::new(Watching::new(terminal)), interrupt, terminal })
    }

    /// Does something, unless the user does not want to wait for it.
    pub async fn interrupted_or<T>(&self, work: impl Future<Output = T>) -> Result<T, CommandError> {
        self.interrupt.or(work).await
    }

    /// The way to it.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Requests to stop.
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Where the user is told.
    pub fn terminal(&self) -> &Terminal {
        self.terminal
    }

    /// The namespace of all workloads.
    pub fn namespace(&self) -> &str {
        self.connection.namespace()
    }

    /// The workloads that the options name.
    pub async fn select(&self, args: &ClusterArgs) -> Result<Vec<Workload>, CommandError> {
        let targets = args.targets.iter().map(|target| target.parse()).collect::<Result<_, _>>();
        let targets = targets.map_err(cluster_error)?;
        let selection = Selection { targets, selector: args.options.selector.clone(), all: args.options.all };
        self.interrupt.or(selection.resolve(&self.connection)).await?.map_err(cluster_error)
    }

    /// Bare Pods are deleted and created again only when the user agrees: by `--yes`, or when asked.
    fn agree_to_recreate(&self, workloads: &[Workload], prepare: &mut PrepareArgs) {
        let names: Vec<String> = workloads
            .iter()
            .filter(|workload| workload.kind() == Kind::Pod)
            .map(Workload::display_name)
            .collect();
        if names.is_empty() || prepare.yes {
            return;
        }
        let question = format!("{} has no controller: delete it and create it again?", names.join(", "));
        prepare.yes = self.terminal.ask(&question).unwrap_or(false);
    }

    /// What is prepared in the namespace: by this run if one is named, and of these workloads if any are.
    async fn prepared_runs(
        &self,
        args: &ClusterArgs,
        run: Option<&str>,
    ) -> Result<Vec<PreparedRun>, CommandError> {
        let run = run.map(run_id).transpose()?;
        let found = self.interrupt.or(PreparedRun::find(&self.connection, run.as_ref())).await?;
        let found = found.map_err(cluster_error)?;
        if !args.names_workloads() {
            return Ok(found);
        }
        let workloads = self.select(args).await?;
        Ok(found.into_iter().filter_map(|run| run.restricted_to(&workloads)).collect())
    }

    /// Follows the pods of a scope.
    pub fn collector(&self, scope: Scope, purpose: Purpose) -> Collector {
        Collector::start(self.connection.clone(), scope, purpose, Arc::<Watching>::clone(&self.watching))
    }

    /// One for each run, for the workloads that it was restricted to.
    fn collectors(&self, args: &ClusterArgs, prepared: &[PreparedRun], purpose: &Purpose) -> Vec<Collector> {
        let workloads = |run: &PreparedRun| {
            args.names_workloads().then(|| run.workloads.iter().map(Workload::reference).collect())
        };
        let scope = |run: &PreparedRun| Scope { run: run.run.clone(), workloads: workloads(run) };
        prepared.iter().map(|run| self.collector(scope(run), purpose.clone())).collect()
    }

    /// A program without coverage is known as soon as it runs; tests of it would be for nothing.
    async fn check_coverage(&self, collector: &Collector) -> Result<(), CommandError> {
        let deadline = Instant::now() + COVERAGE_TIMEOUT;
        let missing = self.interrupt.or(collector.containers_without_coverage(deadline)).await?;
        let missing = missing.map_err(cluster_error)?;
        let Some((pod, container)) = missing.first() else { return Ok(()) };
        let seen = collector.results().into_iter().find(|result| &result.pod == pod);
        let failure = seen.filter(|result| !result.was_reached).and_then(|result| result.last_failure);
        let found = examine::container_program(&self.connection, pod, container).await;
        let pod = format!("pod {}/{pod}", self.connection.namespace());
        let without = format!("{pod}, container {container}: no process was built with coverage");
        if let Some(cause) = found.first().filter(|_| failure.is_none()) {
            let fix =
                cause.fix.iter().flat_map(|fix| fix.lines()).map(str::trim).collect::<Vec<_>>().join(" ");
            let error = CommandError::failure(without).caused_by(cause.sentence.clone());
            return Err(error.hint(BUILD_WITH_COVERAGE).hint(format!("{}: {fix}", cause.id)));
        }
        Err(match failure {
            Some(failure) => {
                CommandError::failure(format!("{pod}: its agent cannot be reached")).caused_by(failure)
            }
            None => CommandError::failure(without)
                .hint(BUILD_WITH_COVERAGE)
                .hint("name the containers that are built with coverage with -c"),
        })
    }

    fn say_put_back(&self, prepared: &[PreparedRun]) {
        for run in prepared {
            let names: BTreeSet<String> = run.workloads.iter().map(Workload::name).collect();
            let names: Vec<String> = names.into_iter().collect();
            let subject = if names.is_empty() { "podcov's own objects".to_owned() } else { names.join(", ") };
            self.terminal.step("put back", &subject, "");
        }
    }

    /// The command that puts back what is left of a run.
    fn eject_command(&self, run: &RunId) -> String {
        format!("podcov eject {} --run {run}", self.place())
    }

    fn place(&self) -> String {
        let context = self.connection.context();
        let namespace = self.connection.namespace();
        if context.is_empty() {
            format!("-n {namespace}")
        } else {
            format!("--context {context} -n {namespace}")
        }
    }

    /// Adds to the record, for containers of which nothing came, what their images tell.
    async fn explain_no_data(&self, directory: &mut RunDirectory) -> Result<(), CommandError> {
        for capture in &mut directory.run_mut().captures {
            let is_without = matches!(capture.outcome, Outcome::Lost { reason: LossReason::NoData, .. });
            let (Origin::Pod { pod, container, .. }, true) = (&capture.origin, is_without) else { continue };
            let found = examine::container_program(&self.connection, pod, container).await;
            capture.diagnosis = found.first().map(diagnosis::recorded);
        }
        directory.save()
    }

    /// Writes what the pods came to into the record.
    fn record(&self, collectors: &[&Collector], directory: &mut RunDirectory) -> Result<(), CommandError> {
        directory.run_mut().captures =
            collectors.iter().flat_map(|collector| captures(collector, directory)).collect();
        directory.run_mut().notes = self.watching.notes();
        directory.save()
    }
}

/// What the pods of a collector have come to.
fn captures(collector: &Collector, directory: &RunDirectory) -> Vec<Capture> {
    let of_pod = |pod| outcome::captures(&pod, collector.namespace(), |path| directory.relative(path));
    collector.results().into_iter().flat_map(of_pod).collect()
}

/// The same while a run goes on, in which the processes that live count further.
pub fn captures_so_far(collector: &Collector, directory: &RunDirectory) -> Vec<Capture> {
    captures(collector, directory).into_iter().map(outcome::so_far).collect()
}

/// `api (supervised), worker (files)`.
fn names_and_ways(prepared: &[Prepared]) -> String {
    let names = prepared.iter().map(|prepared| format!("{} ({})", prepared.workload.name(), prepared.ways()));
    names.collect::<Vec<_>>().join(", ")
}

/// `api (3 pods)`.
fn with_pods(workload: &Workload, pods: usize) -> String {
    format!("{} ({})", workload.name(), terminal::count(pods, "pod"))
}
