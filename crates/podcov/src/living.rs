//! Processes that live: what was last read of them, and what the record says of them until they have ended.
//!
//! Owns where their supervision keeps that, apart from what is final, and how old it is. Who reads them is [`crate::live`]'s.

use std::path::Path;

use podcov_agent_protocol::{LATEST_DIRECTORY, process_record_name};
use podcov_report::run::{LossReason, Outcome, Process, ReadAt};

use crate::coverage_data::CovdataDirectory;
use crate::process_files::{self, ProcessFile};
use crate::terminal;

/// Adds what was last read of processes that have not ended, which reports on a run leave out until its end.
pub fn add(directory: &mut CovdataDirectory) {
    let owner = directory.path.as_path();
    let latest = owner.join(LATEST_DIRECTORY);
    let left = process_files::of_directory(owner, owner);
    let mut living = process_files::of_directory(&latest, &latest);
    living.retain(|living| !has_ended(owner, &left, living));
    for ProcessFile { path, process_id, time, .. } in living {
        directory.records.push(latest.join(process_record_name(process_id, time)));
        directory.counters.push(path);
    }
}

/// A living process has the time of its start in the name of its counters, and what it left in the directory of its owner
/// at its end a later one.
fn has_ended(owner: &Path, left: &[ProcessFile], living: &ProcessFile) -> bool {
    owner.join(process_record_name(living.process_id, living.time)).exists()
        || left.iter().any(|file| file.process_id == living.process_id && file.time > living.time)
}

/// Until when those of the processes have been read that live; none if no one does.
pub fn read_until(processes: &[Process]) -> Option<jiff::Timestamp> {
    processes.iter().filter(|process| process.ending.is_none()).filter_map(read_at).min()
}

fn read_at(process: &Process) -> Option<jiff::Timestamp> {
    let Some(ReadAt::Interval { seconds_after_start, .. }) = process.read_at else { return None };
    let started: jiff::Timestamp = process.started.parse().ok()?;
    started.checked_add(jiff::SignedDuration::try_from_secs_f64(seconds_after_start).ok()?).ok()
}

/// What becomes of processes that live, and were read until then: nobody knows what they count further.
pub fn outcome(read_until: Option<jiff::Timestamp>) -> Outcome {
    let detail = match read_until {
        Some(time) => format!("what it counts after {} is not here", terminal::time(time)),
        None => "nothing that it counts is here yet".to_owned(),
    };
    Outcome::Lost { reason: LossReason::StillRunning, detail }
}

#[cfg(test)]
mod tests {
    use podcov_report::run::{Ending, Way};

    use super::*;

    const HASH: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn what_was_read_of_a_process_counts_until_it_leaves_its_counters() {
        let place = tempfile::tempdir().unwrap();
        let owner = place.path();
        let counters = |process: u32, time: u64| format!("covcounters.{HASH}.{process}.{time}");
        let latest = owner.join(LATEST_DIRECTORY);
        std::fs::create_dir(&latest).unwrap();
        std::fs::write(latest.join(counters(7, 100)), "four").unwrap();
        let added = || {
            let mut directory = CovdataDirectory { path: owner.to_owned(), ..CovdataDirectory::default() };
            add(&mut directory);
            let bytes = directory.bytes();
            (directory.counters, directory.records, bytes)
        };
        let living = (vec![latest.join(counters(7, 100))], vec![latest.join("process.7.100")], 4);
        std::fs::write(owner.join(counters(8, 150)), "").unwrap();
        std::fs::write(owner.join(counters(7, 90)), "").unwrap();
        assert_eq!(added(), living);
        std::fs::write(owner.join(counters(7, 150)), "").unwrap();
        assert_eq!(added(), (vec![], vec![], 0));
    }

    #[test]
    fn what_is_missing_of_processes_is_what_they_counted_since_the_first_was_read() {
        let process = |seconds_after_start, ending| Process {
            process_id: 7,
            program: "/app".to_owned(),
            go_version: None,
            started: "2026-01-02T03:04:05.5Z".to_owned(),
            way: Some(Way::Supervised),
            read_at: Some(ReadAt::Interval { seconds_after_start, seconds_before_end: None }),
            ending,
            detail: None,
        };
        let ended = process(1.0, Some(Ending::ExitCode(0)));
        assert_eq!(read_until(std::slice::from_ref(&ended)), None);
        let until = read_until(&[process(9.0, None), ended, process(4.0, None)]);
        let Outcome::Lost { detail, .. } = outcome(until) else { panic!("it lives") };
        assert_eq!(detail, "what it counts after 2026-01-02 03:04:09 UTC is not here");
    }
}
