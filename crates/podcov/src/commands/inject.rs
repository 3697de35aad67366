//! `podcov inject`.

use crate::cli::ClusterArgs;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::terminal::Terminal;

/// Put coverage collection into workloads, to be taken out again with eject.
#[derive(Debug, clap::Args)]
pub struct InjectArgs {
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// Runs the command.
pub async fn run(_args: InjectArgs, _terminal: &Terminal) -> Result<ExitCode, CommandError> {
    Err(CommandError::failure("`podcov inject` is not built yet"))
}
