//! `podcov snapshot`: live counters of running processes.

use std::path::PathBuf;

use crate::attached::AttachArgs;
use crate::cli::{ClusterArgs, ClusterOptions, ReportOptions};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::snapshot::{self, Target};
use crate::terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  podcov snapshot process/4711
  podcov snapshot container/api container/worker
  podcov snapshot process/$(pidof api) -o before
  podcov snapshot process/$(pidof api) -o after --since before
  podcov snapshot -n shop deploy/api deploy/worker
  podcov snapshot -n shop --all --yes --attach-namespace kube-system

Processes are neither stopped nor changed, and go on counting. Those of this machine have to run as
the same user, or podcov has to have CAP_SYS_PTRACE; Linux only. Pods are read through the agent that
podcov run or podcov inject put into them; others by a privileged pod on their node, which podcov
creates for that, and deletes. It says so and asks before.";

/// Read the counters of running processes, without stopping or changing them.
///
/// Of a process that is not a Go program, such as a shell, the processes that it started are read.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct SnapshotArgs {
    /// What to read: process/PID, or container/NAME of Docker or Podman, on this machine; or workloads of the
    /// cluster, as kubectl names them: deploy/api, statefulset/db, daemonset/agent, replicaset/x, pod/x.
    #[arg(
        value_name = "TARGET",
        value_parser = Target::parse,
        required_unless_present_any = ["selector", "all"]
    )]
    targets: Vec<Target>,

    #[command(flatten)]
    cluster: ClusterOptions,

    #[command(flatten)]
    attach: AttachArgs,

    /// Only what ran since an earlier snapshot, which is in this directory.
    #[arg(long, value_name = "DIR")]
    since: Option<PathBuf>,

    #[command(flatten)]
    pub report: ReportOptions,
}

/// Runs the command.
pub async fn run(args: SnapshotArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    args.report.check()?;
    let workloads = args.targets.iter().filter(|target| matches!(target, Target::Workload(_)));
    let cluster =
        ClusterArgs { targets: workloads.map(ToString::to_string).collect(), options: args.cluster };
    snapshot::run(&args.targets, &cluster, &args.attach, args.since.as_deref(), &args.report, terminal).await
}
