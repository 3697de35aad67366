//! `podcov run TARGET… -- TEST…`.

use crate::commands::run::RunArgs;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::interrupt::Interrupt;
use crate::terminal::Terminal;
use crate::test_command::TestCommand;

/// Prepares the workloads, runs the tests, collects, puts back, reports.
pub async fn run(
    _args: RunArgs,
    _tests: TestCommand,
    _interrupt: Interrupt,
    _terminal: &Terminal,
) -> Result<ExitCode, CommandError> {
    Err(CommandError::failure("running on a cluster is not built yet"))
}
