//! `podcov report`: a report from coverage data that is there, however it came about.

use std::path::PathBuf;

use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::terminal::Terminal;

/// Report on coverage data that is there.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// Directories with coverage data, searched with everything below them.
    #[arg(required = true, value_name = "DIR")]
    directories: Vec<PathBuf>,
}

/// Runs the command.
pub fn run(_args: &ReportArgs, _terminal: &Terminal) -> Result<ExitCode, CommandError> {
    Err(CommandError::failure("`podcov report` is not built yet"))
}
