//! `podcov doctor`: stub.

use crate::cli::ClusterArgs;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::terminal::Terminal;

/// Stub.
#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Run the program: here, in a container of its image, in a pod; and say where data stops appearing.
    #[arg(long = "try")]
    try_it: bool,
    /// Form.
    #[arg(long)]
    output: Option<String>,
}

/// Runs the command.
pub async fn run(args: DoctorArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    let mut facts = podcov_doctor::Facts::default();
    for target in &args.cluster.targets {
        if std::path::Path::new(target).exists() {
            let source = crate::examine::ImageSource::Archive(target.into());
            let platform = podcov_container_image::Platform::linux("amd64");
            facts.examined_images.push(crate::examine::image(&source, &platform).await?);
        } else if let Ok(parsed) = target.parse::<podcov_cluster::Target>() {
            let options = podcov_cluster::ConnectionOptions {
                kubeconfig: args.cluster.options.kubeconfig.clone(),
                context: args.cluster.options.context.clone(),
                namespace: args.cluster.options.namespace.clone(),
            };
            let connection =
                podcov_cluster::Connection::open(&options).await.map_err(CommandError::failure)?;
            if args.try_it {
                let tried = crate::examine::experiment::of_workload(&connection, &parsed).await;
                facts.experiments.extend(tried.map_err(CommandError::failure)?);
                continue;
            }
            let examined =
                crate::examine::workload(&connection, &parsed).await.map_err(CommandError::failure)?;
            facts.running_workloads.push(examined);
        } else {
            let source = crate::examine::ImageSource::Name(target.clone());
            let platform = podcov_container_image::Platform::linux("amd64");
            facts.examined_images.push(crate::examine::image(&source, &platform).await?);
        }
    }
    let examination = podcov_doctor::examine(&facts);
    terminal.data(&format!("{:#}\n", serde_json::json!({"diagnoses": examination.diagnoses})))?;
    Ok(if examination.has_cause() { ExitCode::Failure } else { ExitCode::Success })
}
