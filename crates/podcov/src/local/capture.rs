//! What a local program left behind, and what its end says of what is missing.

use std::collections::BTreeSet;
use std::path::Path;

use podcov_report::run::{Capture, LossReason, Origin, Outcome};

use super::service::{self, Ending, Forced};
use crate::coverage_data::{self, CovdataDirectory};
use crate::error::CommandError;
use crate::run_directory::RunDirectory;
use crate::{process_records, terminal};

/// Looks at the covdata directory of a program that has ended.
pub fn capture(
    origin: Origin,
    directory: &Path,
    log: Option<&Path>,
    ending: &Ending,
    run: &RunDirectory,
) -> Result<Capture, CommandError> {
    let found = coverage_data::find(directory)?.directories;
    let records = process_records::read(&found);
    let captured: usize = found.iter().map(|covdata| covdata.counters.len()).sum();
    let unheard: BTreeSet<String> = found.iter().flat_map(CovdataDirectory::unheard).collect();
    let (missing, loss) = if records.is_empty() {
        let loss = loss(&found, &unheard, ending, &log.map(service::log_tail).unwrap_or_default());
        // A program that was killed is one more, though others of the same build may have written theirs.
        (unheard.len().max(usize::from(ending.forced.is_some())), loss)
    } else {
        // A process that was let go before anything was known of it has no record.
        let unrecorded = (!unheard.is_empty()).then(|| (LossReason::Killed, NOT_FOLLOWED.to_owned()));
        let missing = process_records::without_counters(&records).max(unheard.len());
        (missing, process_records::loss(&records).or(unrecorded))
    };
    Ok(Capture {
        origin,
        directory: run.relative(directory),
        way: process_records::way(&records),
        processes_started: number(captured + missing),
        processes_captured: number(captured),
        bytes: found.iter().map(|covdata| covdata.bytes).sum(),
        outcome: loss.map_or(Outcome::Heard, |(reason, detail)| Outcome::Lost { reason, detail }),
        processes: process_records::processes(&records),
        diagnosis: None,
    })
}

fn loss(
    found: &[CovdataDirectory],
    unheard: &BTreeSet<String>,
    ending: &Ending,
    log_tail: &str,
) -> Option<(LossReason, String)> {
    if log_tail.contains("no space left on device") && (found.is_empty() || !unheard.is_empty()) {
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
        None if unheard.is_empty() => return None,
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
