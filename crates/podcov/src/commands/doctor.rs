//! `podcov doctor`: why there is no coverage data.

use podcov_cluster::ConnectionOptions;

use crate::attached::AttachArgs;
use crate::cli::{ClusterOptions, OutputFormat};
use crate::doctor::{self, Cluster};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  podcov doctor bin/api
  podcov doctor Dockerfile kind.yaml deploy.yaml
  helm template ./chart | podcov doctor - kind.yaml
  podcov doctor ./coverdata
  podcov doctor registry.local/shop/api:e2e
  podcov doctor -n shop deploy/api
  podcov doctor -n shop deploy/api --try
  podcov doctor --try ./cmd/api
  podcov doctor

Exit code 0: nothing is wrong with what was looked at; 1: a cause was found; 2: it could not be looked at.";

/// Say why there is no coverage data, with the evidence and the fix.
///
/// Looks at every hop that it is given, from the build to the data, and says just as clearly what is not the
/// cause. Nothing is run and nothing is changed, but with --try. Where only a process tells, it asks whether it may look from
/// a pod on the node for a moment. Without arguments it looks at the current directory and at the
/// current namespace.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct DoctorArgs {
    /// What to look at, in any mix: a binary, an image or an archive of one, a Dockerfile, the configuration of a kind
    /// cluster, manifests (- for standard input), a data directory or an archive of one, a workload (deploy/api).
    #[arg(value_name = "TARGET or PATH")]
    targets: Vec<String>,

    #[command(flatten)]
    cluster: ClusterOptions,

    /// Run each binary, image, workload and directory of a Go package: here, in a container, and in a pod; and say where
    /// data stops appearing. Says what it makes for that, asks before, and takes it away again.
    #[arg(long = "try")]
    is_tried: bool,

    #[command(flatten)]
    attach: AttachArgs,

    /// What is printed on standard output: findings for people, or a document for programs.
    #[arg(long, value_enum, default_value_t)]
    output: OutputFormat,
}

/// Runs the command.
pub async fn run(args: DoctorArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    let DoctorArgs { targets, cluster, is_tried, attach, output } = args;
    let ClusterOptions { namespace, context, kubeconfig, selector, all } = cluster;
    let options = ConnectionOptions { namespace, context, kubeconfig };
    let cluster = Cluster { options, selector, all };
    let facts = if is_tried {
        doctor::try_all(&targets, &cluster, attach.yes, terminal).await?
    } else {
        doctor::gather(&targets, &cluster, &attach, terminal).await?
    };
    let examination = podcov_doctor::examine(&facts);
    terminal.data(&match output {
        OutputFormat::Text => doctor::text(&examination),
        OutputFormat::Json => doctor::json(&examination),
    })?;
    Ok(if examination.has_cause() {
        ExitCode::CauseFound
    } else if examination.saw_nothing() || !facts.not_seen.is_empty() {
        ExitCode::CouldNotLook
    } else {
        ExitCode::Success
    })
}
