//! Counters of running processes: which processes, what was read of each, and how that becomes a run.
//!
//! How the memory of a process is read is process-capture's. What a target is, is [`target`]'s; reading one,
//! [`reading`]'s, which process a container is, [`container`]'s; what later snapshots are compared with, [`earlier`]'s.

#[cfg(target_os = "linux")]
mod container;
#[cfg(target_os = "linux")]
mod earlier;
#[cfg(target_os = "linux")]
mod keeping;
#[cfg(target_os = "linux")]
mod reading;
mod target;

pub use target::Target;

use std::path::Path;

use crate::cli::ReportOptions;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::terminal::Terminal;

/// Reads the targets, keeps what was read as a run, and reports on it.
#[cfg(target_os = "linux")]
pub async fn run(
    targets: &[Target],
    since: Option<&Path>,
    report: &ReportOptions,
    terminal: &Terminal,
) -> Result<ExitCode, CommandError> {
    use crate::finish;
    use crate::run_directory::RunDirectory;

    let earlier = since.map(|path| earlier::Earlier::read(path, &report.output_dir)).transpose()?;
    let readings = reading::read_all(targets, terminal).await;
    let mut directory = RunDirectory::create(&report.output_dir, terminal)?;
    keeping::keep(&readings, earlier, &mut directory, terminal)?;
    finish::finish(&mut directory, &report.source, report.shown(), terminal)?;
    let is_enough = report.allow_incomplete || finish::is_complete(directory.run());
    Ok(if is_enough { ExitCode::Success } else { ExitCode::Incomplete })
}

/// Names and words of processes, engines and files, which must not steer the terminal.
#[cfg(target_os = "linux")]
fn printable(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

/// Reads nothing.
#[cfg(not(target_os = "linux"))]
pub async fn run(
    _: &[Target],
    _: Option<&Path>,
    _: &ReportOptions,
    _: &Terminal,
) -> Result<ExitCode, CommandError> {
    let system = std::env::consts::OS;
    Err(CommandError::failure(format!(
        "podcov snapshot needs Linux: the memory of processes is not read on {system}"
    ))
    .hint("podcov exec and podcov run --exec keep what a program counts when it ends"))
}
