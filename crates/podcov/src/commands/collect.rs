//! `podcov collect`: what prepared workloads have captured so far.

use crate::{
    cli::{ClusterArgs, CollectionArgs, ReportOptions},
    error::CommandError,
    exit_code::ExitCode,
    kubernetes,
    terminal::Terminal,
};

const EXAMPLES: &str = "\
Examples:
  podcov collect -n shop
  podcov collect -n shop deploy/api -o coverage --output json

Processes that still run are read, and go on. Where counters come from files, Go writes them when a process
ends: those that run are named, and count as missing. podcov eject ends them.";

/// Collect what prepared workloads have captured so far, and report on it.
///
/// The workloads stay prepared. Without a target: everything in the namespace that podcov prepared.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct CollectArgs {
    #[command(flatten)]
    pub cluster: ClusterArgs,

    /// Only what this run prepared.
    #[arg(long, value_name = "ID", help_heading = "Cluster options")]
    pub run: Option<String>,

    #[command(flatten)]
    pub collection: CollectionArgs,

    #[command(flatten)]
    pub report: ReportOptions,
}

/// Runs the command.
pub async fn run(args: CollectArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    kubernetes::collect::run(args, terminal).await
}
