//! `podcov inject`: coverage collection put into workloads, or into their manifests.

use std::path::PathBuf;

use crate::{
    cli::{ClusterArgs, CollectionArgs, PrepareArgs},
    error::CommandError,
    exit_code::ExitCode,
    kubernetes,
    terminal::Terminal,
};

const EXAMPLES: &str = "\
Examples:
  podcov inject -n shop deploy/api deploy/worker
  podcov inject -n shop -l app.kubernetes.io/part-of=shop --timeout 10m
  kustomize build . | podcov inject -f - | kubectl apply --server-side -f -

The id of the run is printed on standard output. podcov eject puts everything back and collects the data.";

/// Put coverage collection into workloads, to be taken out again with eject.
///
/// The pods are replaced by prepared ones, and podcov waits until these are ready. If they do not get ready,
/// or have no program that was built with coverage, the workloads are put back.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct InjectArgs {
    #[command(flatten)]
    pub cluster: ClusterArgs,

    #[command(flatten)]
    pub prepare: PrepareArgs,

    #[command(flatten)]
    pub collection: CollectionArgs,

    /// Do not wait until the prepared pods are ready.
    #[arg(long)]
    pub no_wait: bool,

    /// Change these manifests (- is standard input) and print them, instead of workloads of a cluster.
    #[arg(
        short,
        long,
        value_name = "FILE",
        conflicts_with_all = ["targets", "namespace", "context", "kubeconfig", "selector", "all", "no_wait", "force"]
    )]
    pub filename: Vec<PathBuf>,
}

/// Runs the command.
pub async fn run(args: InjectArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    if !args.filename.is_empty() {
        return kubernetes::manifests::inject(&args.filename, &args.prepare, &args.collection, terminal)
            .await;
    }
    if !args.cluster.names_workloads() {
        return Err(CommandError::usage("there is nothing to prepare")
            .hint("name workloads of the cluster: podcov inject deploy/api")
            .hint("or manifests: podcov inject -f FILE"));
    }
    kubernetes::inject::run(args, terminal).await
}
