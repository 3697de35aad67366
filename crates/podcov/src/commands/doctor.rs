//! `podcov doctor`: why there is no coverage data.

use std::path::Path;

use podcov_cluster::{ConnectionOptions, Target};
use podcov_doctor::{Diagnosis, Facts};

use crate::cli::{ClusterOptions, OutputFormat};
use crate::error::CommandError;
use crate::examine;
use crate::exit_code::ExitCode;
use crate::terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  podcov doctor shop-api:dev
  podcov doctor -n shop deploy/api
  podcov doctor -n shop deploy/api --try

Exit code 0: nothing is wrong; 1: a cause was found; 2: it could not be looked at.";

/// Say why there is no coverage data, with the evidence and the fix.
///
/// Nothing is run and nothing is changed, but with --try.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct DoctorArgs {
    /// Images by name, archives of images, and workloads as kubectl names them: deploy/api, pod/x.
    #[arg(required = true, value_name = "TARGET or PATH")]
    targets: Vec<String>,

    #[command(flatten)]
    cluster: ClusterOptions,

    /// Run the program of each workload: here, in a container of its image, and in a pod; and say where data stops
    /// appearing.
    #[arg(long = "try")]
    is_tried: bool,

    /// What is printed on standard output: findings for people, or a document for programs.
    #[arg(long, value_enum, default_value_t)]
    output: OutputFormat,
}

/// Runs the command.
pub async fn run(args: DoctorArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    let options = ConnectionOptions {
        kubeconfig: args.cluster.kubeconfig.clone(),
        context: args.cluster.context.clone(),
        namespace: args.cluster.namespace.clone(),
    };
    let mut facts = Facts::default();
    for text in &args.targets {
        let _progress = terminal.progress("examining", text);
        let path = Path::new(text);
        if path.exists() {
            examine::add_image_archive(path, &mut facts).await;
        } else if let Ok(target) = text.parse::<Target>() {
            examine::add_workload(&target, &options, args.is_tried, &mut facts).await;
        } else {
            examine::add_image(text, &mut facts).await;
        }
    }
    let examination = podcov_doctor::examine(&facts);
    terminal.data(&match args.output {
        OutputFormat::Text => examination.diagnoses.iter().map(lines).collect(),
        OutputFormat::Json => format!("{:#}\n", serde_json::json!({ "diagnoses": examination.diagnoses })),
    })?;
    Ok(if examination.has_cause() {
        ExitCode::Failure
    } else if examination.saw_nothing() && !examination.diagnoses.is_empty() {
        ExitCode::Usage
    } else {
        ExitCode::Success
    })
}

fn lines(found: &Diagnosis) -> String {
    let evidence = found.evidence.iter().map(|seen| format!("    {} ({})\n", seen.value, seen.read_from));
    let fix = found.fix.iter().flat_map(|fix| fix.lines()).map(|line| format!("    | {line}\n"));
    let severity = format!("{:?}", found.severity).to_lowercase();
    let head = format!("{severity:8} {}: {}\n  {}\n", found.id, found.subject, found.sentence);
    let text = head + &evidence.collect::<String>() + &fix.collect::<String>();
    text.chars().filter(|letter| !letter.is_control() || *letter == '\n').collect()
}
