//! `podcov eject`: coverage collection taken out of workloads, or of their manifests.

use std::{path::PathBuf, time::Duration};

use crate::{
    cli::{ClusterArgs, CollectionArgs, ReportOptions, parse_duration},
    error::CommandError,
    exit_code::ExitCode,
    kubernetes,
    terminal::Terminal,
};

const EXAMPLES: &str = "\
Examples:
  podcov eject -n shop
  podcov eject -n shop deploy/api -o coverage
  podcov eject -n shop --run 20260102-030405-0a1b2c3d --discard
  podcov eject -f prepared.yaml > original.yaml

Without a target, everything in the namespace that podcov prepared is put back, also what a killed run left.";

/// Take coverage collection out of workloads again, exactly, and collect what their pods hold.
///
/// The prepared pods end, which makes Go write its counters; these are collected and reported on.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct EjectArgs {
    #[command(flatten)]
    pub cluster: ClusterArgs,

    /// Only what this run prepared.
    #[arg(long, value_name = "ID", help_heading = "Cluster options")]
    pub run: Option<String>,

    /// How long workloads may take until they are ready again, such as 90s or 5m.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = parse_duration)]
    #[arg(help_heading = "Cluster options")]
    pub timeout: Duration,

    #[command(flatten)]
    pub collection: CollectionArgs,

    #[command(flatten)]
    pub report: ReportOptions,

    /// Throw the data away.
    #[arg(long)]
    pub discard: bool,

    /// Change these manifests (- is standard input) back and print them, instead of workloads of a cluster.
    #[arg(
        short,
        long,
        value_name = "FILE",
        conflicts_with_all = ["targets", "namespace", "context", "kubeconfig", "selector", "all", "run", "discard"]
    )]
    pub filename: Vec<PathBuf>,
}

/// Runs the command.
pub async fn run(args: EjectArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    if !args.filename.is_empty() {
        return kubernetes::manifests::eject(&args.filename, terminal);
    }
    kubernetes::eject::run(args, terminal).await
}
