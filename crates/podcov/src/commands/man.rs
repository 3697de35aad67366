//! `podcov man`: the manual, from the same definitions as the help.

use clap_mangen::Man;

use crate::cli;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  podcov man | man -l -
  podcov man run > podcov-run.1";

/// Print the manual page of podcov or of one of its commands.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ManArgs {
    /// The command whose page is wanted.
    command: Option<String>,
}

/// Runs the command.
pub fn run(args: &ManArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    let mut tree = cli::command();
    tree.build();
    let page = match &args.command {
        None => tree,
        Some(name) => tree.find_subcommand(name).cloned().ok_or_else(|| {
            CommandError::usage(format!("there is no command `{name}`")).hint("podcov --help lists them")
        })?,
    };
    let mut text = Vec::new();
    Man::new(page)
        .render(&mut text)
        .map_err(|error| CommandError::failure("cannot write the manual page").caused_by(error))?;
    terminal.data(&String::from_utf8_lossy(&text))?;
    Ok(ExitCode::Success)
}
