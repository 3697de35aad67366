//! Counters of running processes: which processes, what was read of each, and how that becomes a run.
//!
//! How the memory of a process is read is process-capture's. What a target is, is [`target`]'s; reading one,
//! [`reading`]'s, which process a container is, [`container`]'s. Pods are [`pods`]'; those that no agent reads are
//! [`unread`]'s, and how their nodes are entered [`crate::attached`]'s. What later snapshots are compared with is [`earlier`]'s.

#[cfg(target_os = "linux")]
mod container;
mod earlier;
mod keeping;
mod pods;
mod read;
#[cfg(target_os = "linux")]
mod reading;
mod target;
mod unread;

pub use earlier::{counter_file, counts};
pub use target::Target;

use std::path::Path;

use crate::attached::AttachArgs;
use crate::cli::{ClusterArgs, ReportOptions};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::finish;
use crate::run_directory::RunDirectory;
use crate::terminal::{self, Terminal};
use read::Reading;

/// Reads the targets, keeps what was read as a run, and reports on it. Workloads are those of the cluster's options, too.
pub async fn run(
    targets: &[Target],
    cluster: &ClusterArgs,
    attach: &AttachArgs,
    since: Option<&Path>,
    report: &ReportOptions,
    terminal: &Terminal,
) -> Result<ExitCode, CommandError> {
    let earlier = since.map(|path| earlier::Earlier::read(path, &report.output_dir)).transpose()?;
    let mut readings = read_local(targets, terminal).await?;
    if cluster.names_workloads() {
        let pods = pods::read(cluster, attach, terminal).await?;
        for reading in &pods {
            show(reading, terminal);
        }
        readings.extend(pods);
    }
    let mut directory = RunDirectory::create(&report.output_dir, terminal)?;
    keeping::keep(&readings, earlier, &mut directory, terminal)?;
    finish::finish(&mut directory, &report.settings, report.shown(), terminal)?;
    let is_enough = report.allow_incomplete || finish::is_complete(directory.run());
    Ok(if is_enough { ExitCode::Success } else { ExitCode::Incomplete })
}

/// What is on this machine.
#[cfg(target_os = "linux")]
async fn read_local(targets: &[Target], terminal: &Terminal) -> Result<Vec<Reading>, CommandError> {
    Ok(reading::read_all(targets, terminal).await)
}

/// The memory of processes cannot be read here.
#[cfg(not(target_os = "linux"))]
async fn read_local(targets: &[Target], _: &Terminal) -> Result<Vec<Reading>, CommandError> {
    if targets.iter().all(|target| matches!(target, Target::Workload(_))) {
        return Ok(Vec::new());
    }
    let system = std::env::consts::OS;
    Err(CommandError::failure(format!("processes and containers are not read on {system}, only on Linux"))
        .hint("podcov exec and podcov run --exec keep what a program counts when it ends"))
}

/// Says what came of a target, or of a container.
fn show(reading: &Reading, terminal: &Terminal) {
    for missing in &reading.missing {
        terminal.loss(&missing.who, &missing.why);
    }
    let Some(first) = reading.processes.first() else { return };
    let processes = match reading.processes.as_slice() {
        [_] => format!("process {}", first.process_id),
        several => terminal::count(several.len(), "process"),
    };
    let metadata = &first.metadata;
    let packages = terminal::count(metadata.packages().len(), "package");
    terminal.step("read", &reading.name(), &format!("{processes}, {}, {packages}", metadata.mode().as_str()));
}
