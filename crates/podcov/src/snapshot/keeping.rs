//! Makes a run of what was read: Go's files, and a capture for each target that says what is missing.

use std::collections::BTreeMap;

use go_coverage::CounterMode;
use podcov_report::run::{Capture, LossReason, Origin, Outcome, Way};

use super::earlier::{self, Earlier, Ended, Since};
use super::read::{Missing, ReadProcess, Reading};
use crate::error::CommandError;
use crate::run_directory::{self, RunDirectory};
use crate::terminal::Terminal;

/// Processes that are named in a sentence; there may be hundreds.
const MOST_NAMED: usize = 3;

/// Writes the data of all readings, or what was counted since an earlier snapshot, and records it.
pub fn keep(
    readings: &[Reading],
    earlier: Option<Earlier>,
    directory: &mut RunDirectory,
    terminal: &Terminal,
) -> Result<(), CommandError> {
    let processes = readings
        .iter()
        .flat_map(|reading| reading.processes.iter().map(|process| (reading.origin.workload(), process)));
    earlier::keep(processes, directory)?;
    let mut keeper = Keeper { directory, terminal, earlier, remarks: BTreeMap::new() };
    let mut notes = Vec::new();
    if let Some(earlier) = &keeper.earlier {
        let (path, taken) = (earlier.path.display(), &earlier.taken);
        notes.push(format!("only what ran since the snapshot of {taken} in {path}"));
    }
    let mut captures = Vec::new();
    for reading in readings {
        captures.push(keeper.keep(reading)?);
    }
    let is_asked = |name: &str| readings.iter().any(|reading| reading.origin.workload() == name);
    let ended = keeper.earlier.as_ref().map(|earlier| earlier.ended(is_asked)).unwrap_or_default();
    for ended in ended {
        keeper.lose(&ended, &mut captures)?;
    }
    notes.extend(
        keeper
            .remarks
            .iter()
            .map(|((name, text), processes)| format!("{name}: {text}: {}", named(processes))),
    );
    let run = directory.run_mut();
    run.notes.extend(notes);
    run.captures = captures;
    directory.save()
}

struct Keeper<'a> {
    directory: &'a RunDirectory,
    terminal: &'a Terminal,
    earlier: Option<Earlier>,
    /// By reading and text: what a reader of the figures should know of some processes.
    remarks: BTreeMap<(String, &'static str), Vec<u32>>,
}

impl Keeper<'_> {
    fn keep(&mut self, reading: &Reading) -> Result<Capture, CommandError> {
        let mut capture = self.empty(reading.origin.clone(), reading.way)?;
        let path = self.directory.path().join(&capture.directory);
        let mut missing = reading.missing.clone();
        let mut written = Vec::new();
        for process in &reading.processes {
            match self.counters(&reading.name(), process) {
                Ok(counters) => {
                    let metadata =
                        (format!("covmeta.{}", process.metadata.hash()), process.metadata.as_bytes());
                    for (name, contents) in [metadata, (process.counter_file_name.clone(), &counters)] {
                        if !written.contains(&name) {
                            run_directory::write_file(&path, &name, contents)?;
                            capture.bytes += contents.len() as u64;
                            written.push(name);
                        }
                    }
                    capture.processes_captured += 1;
                    capture.processes.extend(process.record.clone());
                }
                Err(why) => {
                    let who = format!("process {}", process.process_id);
                    let missed = Missing::new(LossReason::Unreachable, &who, &why);
                    self.terminal.loss(&missed.who, &missed.why);
                    missing.push(missed);
                }
            }
        }
        let processes = missing.iter().filter(|missing| missing.reason != LossReason::NoData).count();
        capture.processes_started = capture.processes_captured + number(processes);
        capture.outcome = outcome(&missing);
        Ok(capture)
    }

    /// Of a program of which nothing is here yet.
    fn empty(&self, origin: Origin, way: Way) -> Result<Capture, CommandError> {
        let path = match &origin {
            Origin::Local { name, .. } => self.directory.program_directory(name)?,
            Origin::Pod { workload, pod, container, restart, .. } => {
                self.directory.container_directory(workload, pod, container, *restart)?
            }
        };
        Ok(Capture {
            origin,
            directory: self.directory.relative(&path),
            way,
            processes_started: 0,
            processes_captured: 0,
            bytes: 0,
            outcome: Outcome::Heard,
            processes: Vec::new(),
            diagnosis: None,
        })
    }

    /// The counter file of a process.
    fn counters(&mut self, name: &str, process: &ReadProcess) -> Result<Vec<u8>, String> {
        let mut remark =
            |text| self.remarks.entry((name.to_owned(), text)).or_default().push(process.process_id);
        if process.is_torn {
            remark("read while a function was counted for the first time, which may be missing");
        }
        let Some(earlier) = &mut self.earlier else { return Ok(process.counters.clone()) };
        match earlier.since(process)? {
            Since::Difference(counters) => {
                if process.metadata.mode() == CounterMode::Set {
                    remark("counts in mode set, so that what had run before does not count again");
                }
                return Ok(counters);
            }
            Since::New => remark("new since then, and counted whole"),
            Since::Cleared => remark("cleared its counters since then, and counted whole"),
        }
        Ok(process.counters.clone())
    }

    /// What a process counted between the earlier snapshot and its end is missing.
    fn lose(&self, ended: &Ended, captures: &mut Vec<Capture>) -> Result<(), CommandError> {
        let Ended { name, process, how } = ended;
        let why = format!("{how} since the earlier snapshot; what it ran after that is not known");
        self.terminal.loss(&format!("process {process} of {name}"), &why);
        let detail = format!("process {process} {why}");
        let is_its = |capture: &Capture| capture.origin.workload() == name;
        if !captures.iter().any(is_its) {
            let origin = Origin::Local { name: name.clone(), command: Vec::new() };
            captures.push(self.empty(origin, Way::Attached)?);
        }
        let Some(capture) = captures.iter_mut().find(|capture| is_its(capture)) else { return Ok(()) };
        capture.processes_started += 1;
        capture.outcome = match &capture.outcome {
            Outcome::Lost { reason, detail: others } => {
                Outcome::Lost { reason: *reason, detail: format!("{others}; {detail}") }
            }
            _ => Outcome::Lost { reason: LossReason::Unreachable, detail },
        };
        Ok(())
    }
}

/// `process 4711`; `processes 12, 13, 14 and 8 more`.
fn named(processes: &[u32]) -> String {
    let names: Vec<String> = processes.iter().take(MOST_NAMED).map(ToString::to_string).collect();
    let noun = if processes.len() == 1 { "process" } else { "processes" };
    format!("{noun} {}{}", names.join(", "), more(processes.len()))
}

fn more(count: usize) -> String {
    match count.saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    }
}

fn outcome(missing: &[Missing]) -> Outcome {
    let Some(Missing { reason, .. }) = missing.first() else { return Outcome::Heard };
    let named = missing.iter().take(MOST_NAMED).map(|Missing { who, why, .. }| format!("{who}: {why}"));
    let detail = format!("{}{}", named.collect::<Vec<_>>().join("; "), more(missing.len()));
    Outcome::Lost { reason: *reason, detail }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
