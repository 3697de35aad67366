//! `podcov completions`: the completion script of a shell.

use clap_complete::Shell;

use crate::cli;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  podcov completions bash > ~/.local/share/bash-completion/completions/podcov
  podcov completions zsh > ~/.zfunc/_podcov";

/// Print the completion script of a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct CompletionsArgs {
    /// The shell that is to complete podcov's command lines.
    shell: Shell,
}

/// Runs the command.
pub fn run(args: &CompletionsArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli::command(), "podcov", &mut script);
    terminal.data(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::Success)
}
