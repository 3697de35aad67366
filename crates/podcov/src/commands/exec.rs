//! `podcov exec`: one program under coverage collection, otherwise as if started directly.

use std::path::PathBuf;

use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  podcov exec -- ./bin/migrate --dry-run
  for file in testdata/*; do podcov exec --append -- ./bin/convert \"$file\"; done; podcov report coverage

podcov ends with the exit code of the program. When it is 0 but data is missing, podcov ends with 3.";

/// Run one program and keep what its processes counted.
///
/// Standard input, output and error, signals and the exit code are the program's own.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ExecArgs {
    /// Where the data, the report and run.json go. An earlier run that ended there is replaced.
    #[arg(short, long, value_name = "DIR", default_value = "coverage")]
    output_dir: PathBuf,

    /// Add to the data in the directory, and leave the report to `podcov report`. Any number may run at once.
    #[arg(long)]
    append: bool,

    /// The checkout with the sources of the program.
    #[arg(long, value_name = "DIR", default_value = ".")]
    source: PathBuf,

    /// Succeed although data is missing. It is named all the same.
    #[arg(long)]
    allow_incomplete: bool,

    /// The program and its arguments.
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    program: Vec<String>,
}

/// Runs the command.
pub async fn run(_args: ExecArgs, _terminal: &Terminal) -> Result<ExitCode, CommandError> {
    Err(CommandError::failure("`podcov exec` is not built yet"))
}
