//! `podcov collect`.

use crate::cli::ClusterArgs;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::terminal::Terminal;

/// Collect what prepared workloads have captured, into a run directory.
#[derive(Debug, clap::Args)]
pub struct CollectArgs {
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// Runs the command.
pub async fn run(_args: CollectArgs, _terminal: &Terminal) -> Result<ExitCode, CommandError> {
    Err(CommandError::failure("`podcov collect` is not built yet"))
}
