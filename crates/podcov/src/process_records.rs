//! What supervised processes left beside their counters, as the record of a run has it.
//!
//! Owns what a record means for completeness. The file itself is `agent-protocol`'s.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use podcov_agent_protocol::{CountersFrom, Moment, ProcessEnding, ProcessRecord};
use podcov_report::run::{Ending, LossReason, Process, ReadAt, Way};

use crate::coverage_data::CovdataDirectory;
use crate::terminal;

/// A record has some lines.
const LONGEST_RECORD: u64 = 64 * 1024;

/// All records in some directories, by the start of the processes.
pub fn read<'a>(directories: impl IntoIterator<Item = &'a CovdataDirectory>) -> Vec<ProcessRecord> {
    let files = directories.into_iter().flat_map(|covdata| &covdata.records);
    let mut records: Vec<_> = files.filter_map(|path| read_one(path)).collect();
    records.sort_by_key(|record| (record.started_unix_nanoseconds, record.process_id));
    records
}

fn read_one(path: &Path) -> Option<ProcessRecord> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(LONGEST_RECORD).read_to_end(&mut bytes).ok()?;
    ProcessRecord::parse(&String::from_utf8_lossy(&bytes))
}

/// One record's text, for the record of the run.
pub fn parse(text: &str) -> Option<Process> {
    ProcessRecord::parse(text).map(|record| process(&record, None))
}

/// For the record of the run.
pub fn processes(records: &[ProcessRecord]) -> Vec<Process> {
    records.iter().map(|record| process(record, None)).collect()
}

/// The same where it is known by when all of them were gone.
pub fn processes_gone_by(records: &[ProcessRecord], gone_by: Option<SystemTime>) -> Vec<Process> {
    records.iter().map(|record| process(record, gone_by)).collect()
}

fn process(record: &ProcessRecord, gone_by: Option<SystemTime>) -> Process {
    let (way, read_at, detail) = match &record.counters {
        CountersFrom::Memory(moment) => {
            let before_end = before_end(record, gone_by);
            (Some(Way::Supervised), Some(read_at(*moment, before_end)), None)
        }
        CountersFrom::OwnFiles(reason) => (Some(Way::Files), None, Some(reason.clone())),
        CountersFrom::Nowhere(reason) => (None, None, Some(reason.clone())),
    };
    Process {
        process_id: record.process_id,
        program: record.program.clone(),
        go_version: record.go_version.clone(),
        started: started(record.started_unix_nanoseconds),
        way,
        read_at,
        ending: record.ending.map(|ending| match ending {
            ProcessEnding::Exited(code) => Ending::ExitCode(code),
            ProcessEnding::Killed(signal) => Ending::Signal(signal),
        }),
        detail,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "seconds for people and programs, far below 2^52 milliseconds"
)]
fn read_at(moment: Moment, before_end: Option<Duration>) -> ReadAt {
    match moment {
        Moment::End => ReadAt::End,
        Moment::Exec => ReadAt::Exec,
        Moment::Left => ReadAt::Left,
        Moment::Interval { age_milliseconds } => ReadAt::Interval {
            seconds_after_start: age_milliseconds as f64 / 1000.0,
            seconds_before_end: before_end.map(|time| time.as_millis() as f64 / 1000.0),
        },
    }
}

/// How long before its end a process was read whose end nobody saw, at most. The clocks of two machines may differ.
fn before_end(record: &ProcessRecord, gone_by: Option<SystemTime>) -> Option<Duration> {
    Some(gone_by?.duration_since(last_read(record)?).unwrap_or_default())
}

/// When a process was read whose end nobody saw.
fn last_read(record: &ProcessRecord) -> Option<SystemTime> {
    let CountersFrom::Memory(Moment::Interval { age_milliseconds }) = record.counters else { return None };
    UNIX_EPOCH
        .checked_add(Duration::from_nanos(record.started_unix_nanoseconds))?
        .checked_add(Duration::from_millis(age_milliseconds))
}

/// RFC 3339, UTC.
fn started(unix_nanoseconds: u64) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(unix_nanoseconds))
        .map(|time| time.to_string())
        .unwrap_or_default()
}

/// The way of a program that left these records: one that was not supervised leaves none, and of one whose memory could not
/// be read there are files.
pub fn way(records: &[ProcessRecord]) -> Way {
    let wrote_itself = |record: &ProcessRecord| matches!(record.counters, CountersFrom::OwnFiles(_));
    if records.iter().all(wrote_itself) { Way::Files } else { Way::Supervised }
}

/// How many processes left no counters.
pub fn without_counters(records: &[ProcessRecord]) -> usize {
    records.iter().filter(|record| matches!(record.counters, CountersFrom::Nowhere(_))).count()
}

/// What is missing, of the first process of which something is.
pub fn loss(records: &[ProcessRecord]) -> Option<(LossReason, String)> {
    records.iter().find_map(|record| match record.counters {
        CountersFrom::Memory(Moment::Left) => Some((
            LossReason::StillRunning,
            format!("{} was left running; its counters are those of that moment", name(record)),
        )),
        _ => loss_of(record, None),
    })
}

/// The same in a container, where the kernel ends what is left together with the first process; all of them were gone by
/// then.
pub fn loss_in_pod<'a>(
    records: impl IntoIterator<Item = &'a ProcessRecord>,
    gone_by: Option<SystemTime>,
) -> Option<(LossReason, String)> {
    records.into_iter().find_map(|record| loss_of(record, gone_by))
}

fn loss_of(record: &ProcessRecord, gone_by: Option<SystemTime>) -> Option<(LossReason, String)> {
    let who = name(record);
    match &record.counters {
        CountersFrom::Nowhere(reason) => Some((LossReason::Killed, format!("{who}: {reason}"))),
        CountersFrom::Memory(Moment::Interval { age_milliseconds }) => {
            let age = terminal::duration(Duration::from_millis(*age_milliseconds));
            let how_old =
                match (before_end(record, gone_by), last_read(record).map(jiff::Timestamp::try_from)) {
                    (Some(time), _) => format!(", at most {} before its end", terminal::duration(time)),
                    (None, Some(Ok(time))) => format!(", at {}", terminal::time(time)),
                    (None, _) => String::new(),
                };
            let detail = format!(
                "{who}: its end was not seen; its counters are those of {age} after its start{how_old}"
            );
            Some((LossReason::Killed, detail))
        }
        CountersFrom::Memory(Moment::End | Moment::Exec | Moment::Left) | CountersFrom::OwnFiles(_) => None,
    }
}

fn name(record: &ProcessRecord) -> String {
    format!("process {} ({})", record.process_id, record.program)
}
