//! `podcov eject`.

use crate::cli::ClusterArgs;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::terminal::Terminal;

/// Take coverage collection out of workloads again, exactly.
#[derive(Debug, clap::Args)]
pub struct EjectArgs {
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// Runs the command.
pub async fn run(_args: EjectArgs, _terminal: &Terminal) -> Result<ExitCode, CommandError> {
    Err(CommandError::failure("`podcov eject` is not built yet"))
}
