//! The command line of podcov. What each module owns is said at its top; the codes it ends with are in
//! [`exit_code`].

mod agent_binary;
mod attached;
mod builds;
mod cli;
mod commands;
mod consent;
mod content;
mod counter_files;
mod coverage_data;
mod diff;
mod doctor;
mod error;
mod examine;
mod existing_data;
mod exit_code;
mod finish;
mod gate;
mod instrumented;
mod interrupt;
mod kinds;
mod kubernetes;
mod live;
mod living;
mod local;
mod outputs;
mod page;
mod parallel;
mod per_test;
mod process_files;
mod process_records;
mod run_directory;
mod serve;
mod settings;
mod snapshot;
mod terminal;
mod test_command;

fn main() -> std::process::ExitCode {
    local::become_supervisor().unwrap_or_else(cli::main).into()
}
