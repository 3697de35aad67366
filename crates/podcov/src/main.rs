//! The command line of podcov. What each module owns is said at its top; the codes it ends with are in
//! [`exit_code`].

mod cli;
mod commands;
mod error;
mod exit_code;
mod interrupt;
mod kubernetes;
mod run_directory;
mod terminal;
mod test_command;

fn main() -> std::process::ExitCode {
    cli::main().into()
}
