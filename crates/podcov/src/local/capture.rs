//! What there is of a local program while it runs, what it left behind, and what its end says of what is missing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use podcov_agent_protocol::ProcessRecord;
use podcov_report::run::{Capture, LossReason, Origin, Outcome, Way};
use tokio::sync::watch;

use super::launch;
use super::service::{self, Ending, Forced};
use crate::coverage_data::{self, CovdataDirectory};
use crate::error::CommandError;
use crate::run_directory::RunDirectory;
use crate::{living, process_records, terminal};

/// A program that podcov has started.
#[derive(Clone, Debug)]
pub struct Program {
    pub origin: Origin,
    /// Where its data is.
    pub directory: PathBuf,
    /// How it ended; none while it runs.
    pub status: watch::Receiver<Option<ExitStatus>>,
}

impl Program {
    /// What the user calls it.
    pub fn name(&self) -> &str {
        self.origin.workload()
    }

    /// How it ended; none while it runs.
    pub fn status(&self) -> Option<ExitStatus> {
        *self.status.borrow()
    }

    /// What it left, when it has ended. Its standard output and error may say why something is missing.
    pub fn capture(
        &self,
        ending: &Ending,
        log: Option<&Path>,
        run: &RunDirectory,
    ) -> Result<Capture, CommandError> {
        let found = coverage_data::find(&self.directory)?.directories;
        let records = process_records::read(&found);
        let unheard = unheard(&found);
        let (missing, loss) = if records.is_empty() {
            let loss = loss(&found, unheard, ending, &log.map(service::log_tail).unwrap_or_default());
            // A program that was killed is one more, though others of the same build may have written theirs.
            (unheard.max(usize::from(ending.forced.is_some())), loss)
        } else {
            // A process that was let go before anything was known of it has no record.
            let unrecorded = (unheard > 0).then(|| (LossReason::Killed, NOT_FOLLOWED.to_owned()));
            let missing = process_records::without_counters(&records).max(unheard);
            (missing, process_records::loss(&records).or(unrecorded))
        };
        let outcome = loss.map_or(Outcome::Heard, |(reason, detail)| Outcome::Lost { reason, detail });
        let way = process_records::way(&records);
        Ok(self.record(&found, &records, missing, way, outcome, run))
    }

    /// What there is of it by now.
    pub fn capture_so_far(&self, run: &RunDirectory) -> Result<Capture, CommandError> {
        if let Some(status) = self.status() {
            let ending = Ending { status: Some(status), was_asked: false, forced: None };
            return self.capture(&ending, None, run);
        }
        let mut found = coverage_data::find(&self.directory)?.directories;
        found.iter_mut().for_each(living::add);
        let records = process_records::read(&found);
        let unheard = unheard(&found);
        let missing = process_records::without_counters(&records).max(unheard);
        // What has meta-data is read within a moment, where it is read at all.
        let way = if found.is_empty() { launch::WAY } else { process_records::way(&records) };
        let outcome = living::outcome(living::read_until(&process_records::processes(&records)));
        let capture = self.record(&found, &records, missing, way, outcome, run);
        Ok(Capture { processes_started: capture.processes_started.max(1), ..capture })
    }

    fn record(
        &self,
        found: &[CovdataDirectory],
        records: &[ProcessRecord],
        missing: usize,
        way: Way,
        outcome: Outcome,
        run: &RunDirectory,
    ) -> Capture {
        let captured: usize = found.iter().map(|covdata| covdata.counters.len()).sum();
        Capture {
            origin: self.origin.clone(),
            directory: run.relative(&self.directory),
            way,
            processes_started: number(captured + missing),
            processes_captured: number(captured),
            bytes: found.iter().map(CovdataDirectory::bytes).sum(),
            outcome,
            processes: process_records::processes(records),
            diagnosis: None,
        }
    }
}

/// How many programs started of which no process left counters.
fn unheard(found: &[CovdataDirectory]) -> usize {
    found.iter().flat_map(CovdataDirectory::unheard).collect::<BTreeSet<_>>().len()
}

fn loss(
    found: &[CovdataDirectory],
    unheard: usize,
    ending: &Ending,
    log_tail: &str,
) -> Option<(LossReason, String)> {
    if log_tail.contains("no space left on device") && (found.is_empty() || unheard > 0) {
        return Some((LossReason::DiskFull, "its log says: no space left on device".to_owned()));
    }
    if found.iter().all(|covdata| covdata.metadata.is_empty()) {
        return Some((LossReason::NoData, NOT_INSTRUMENTED.to_owned()));
    }
    match ending.forced {
        Some(Forced::Deadline(timeout)) => {
            let timeout = terminal::duration(timeout);
            return Some((
                LossReason::Killed,
                format!("it still ran {timeout} after SIGTERM and was killed"),
            ));
        }
        Some(Forced::User) => {
            return Some((LossReason::Killed, "it was killed because podcov was stopped twice".to_owned()));
        }
        None if unheard == 0 => return None,
        None => {}
    }
    let how = ending.status.map_or_else(|| "an unknown end".to_owned(), service::ending);
    let detail = if ending.was_asked && how == "SIGTERM" {
        "it does not handle SIGTERM; Go writes counters when main returns or os.Exit is called".to_owned()
    } else if log_tail.contains("panic:") || log_tail.contains("fatal error:") {
        format!("it ended with {how} after a panic")
    } else if how == "exit code 0" {
        "it ended with exit code 0; a child may still run, or it ended by syscall.Exit".to_owned()
    } else {
        format!("it ended with {how}")
    };
    Some((LossReason::Killed, detail))
}

const NOT_FOLLOWED: &str = "a process that was not followed left meta-data, and no counters";

/// Why a program that runs has no meta-data.
pub const NOT_INSTRUMENTED: &str =
    "it was not built with go build -cover, or -coverpkg leaves its main package out";

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
