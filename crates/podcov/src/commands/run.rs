//! `podcov run`: tests against services on a cluster, or against services that are started here.

use std::time::Duration;

use crate::cli::{ARGUMENTS, ClusterArgs, CollectionArgs, PrepareArgs, ReportOptions, parse_duration};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::gate::GateOptions;
use crate::interrupt::Interrupt;
use crate::local::LocalRun;
use crate::terminal::Terminal;
use crate::{kubernetes, test_command};

const EXAMPLES: &str = "\
Examples:
  podcov run -n shop deploy/api deploy/worker -- go test ./e2e/...
  podcov run -n shop -l app=api --context staging -- ginkgo ./e2e
  podcov run --exec './bin/api --listen :8080' --exec ./bin/worker \\
      --ready api=http://localhost:8080/healthz -- go test ./e2e/...
  podcov run --per-test -n shop deploy/api -- go test -v ./e2e

podcov ends with the exit code of the tests. When they passed but data is missing, it ends with 3; when a gate
(--fail-under ...) is missed, with 4.";

/// Run tests and report which code of the services they ran.
///
/// The services are workloads of a cluster (TARGET…), which are prepared before the tests and put back after
/// them, or programs that are started for the tests (--exec).
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct RunArgs {
    #[command(flatten)]
    pub cluster: ClusterArgs,

    #[command(flatten)]
    pub prepare: PrepareArgs,

    #[command(flatten)]
    pub collection: CollectionArgs,

    #[command(flatten)]
    pub local: LocalArgs,

    #[command(flatten)]
    pub report: ReportOptions,

    /// Record what each test alone ran, as told by the output of go test -v, go test -json or ginkgo -v, or by
    /// podcov mark.
    #[arg(long, help_heading = "Report options")]
    pub per_test: bool,

    #[command(flatten)]
    pub gates: GateOptions,

    /// The test command and its arguments.
    #[arg(last = true, required = true, value_name = "TEST", help_heading = ARGUMENTS)]
    pub test: Vec<String>,
}

/// Services that are started for the tests.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Local options")]
pub struct LocalArgs {
    /// A service to start here, with its arguments, quoted as for a shell; may be repeated. NAME=VALUE before
    /// it sets its environment.
    #[arg(
        long,
        value_name = "PROGRAM",
        conflicts_with_all = [
            "targets", "namespace", "context", "kubeconfig", "selector", "all", "containers", "capture", "entry_points",
        ]
    )]
    pub exec: Vec<String>,

    /// Wait for this before the tests: a URL that answers, or a host:port or :port that accepts connections.
    /// NAME= before it says which service it belongs to; may be repeated.
    #[arg(long, value_name = "[NAME=]ADDRESS", requires = "exec")]
    pub ready: Vec<String>,

    /// How long services may take until they are ready.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = parse_duration)]
    pub ready_timeout: Duration,

    /// How long services may take to end after SIGTERM, before they are killed and their data is lost.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = parse_duration)]
    pub stop_timeout: Duration,
}

/// Runs the command.
pub async fn run(args: RunArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    let tests = test_command::check(&args.test)?;
    args.report.check()?;
    let interrupt = Interrupt::install()?;
    if !args.local.exec.is_empty() {
        let run = LocalRun::new(tests, &args.local, &args.report, interrupt, terminal)?;
        return run.per_test(args.per_test).run(&args.gates.gates(&args.report.settings)).await;
    }
    if !args.cluster.names_workloads() {
        return Err(CommandError::usage("there is nothing to measure")
            .hint("name workloads of the cluster: podcov run deploy/api -- TEST...")
            .hint("or start a service here: podcov run --exec './bin/api' -- TEST..."));
    }
    kubernetes::run::run(args, tests, interrupt, terminal).await
}
