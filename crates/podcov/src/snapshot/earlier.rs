//! What later snapshots are compared with: which processes were read, and what they had counted by then.
//!
//! Owns the files in `snapshot/` of a run directory. A process is recognised by its number, its start, and which of the
//! programs it is that it has been; numbers alone are used again. The counters are whole also where the run's own data is a
//! difference, so that every snapshot can be the earlier one of a next.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use go_coverage::{
    Adder, CounterFileWriter, CounterFlavor, Error, MetaDataFile, ProgramCounts, Programs, RunArguments,
};
use serde::{Deserialize, Serialize};

use super::read::{Identity, ReadProcess};
use crate::coverage_data::LARGEST_FILE;
use crate::error::CommandError;
use crate::run_directory::{self, RunDirectory};
use crate::terminal::printable;

const PROCESSES: &str = "processes.json";
/// Some thousand processes.
const LARGEST_RECORD: u64 = 1 << 22;
#[cfg(target_os = "linux")]
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The file that says which processes were read.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    /// Numbers and times of processes are of one boot.
    boot_id: String,
    processes: Vec<RecordedProcess>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct RecordedProcess {
    #[serde(flatten)]
    identity: Identity,
    /// What it is called in its run: its workload, or its reading.
    name: String,
}

impl RecordedProcess {
    fn is_same_process(&self, other: &Identity) -> bool {
        let Identity { process_id, start_time, container, .. } = &self.identity;
        (process_id, start_time, container) == (&other.process_id, &other.start_time, &other.container)
    }

    fn is_of_this_machine(&self) -> bool {
        self.identity.container.is_none()
    }
}

fn counter_file_name(identity: &Identity) -> String {
    let Identity { process_id, start_time, container, .. } = identity;
    match container {
        None => format!("{process_id}-{start_time}.counters"),
        Some(container) => format!("{}-{process_id}-{start_time}.counters", container.replace('/', "-")),
    }
}

/// Keeps what processes have counted by now, for later snapshots. The name is that of their workload.
pub fn keep<'a>(
    processes: impl Iterator<Item = (&'a str, &'a ReadProcess)>,
    directory: &RunDirectory,
) -> Result<(), CommandError> {
    let path = directory.snapshot_directory()?;
    let mut record = Record { boot_id: boot_id()?, processes: Vec::new() };
    for (name, process) in processes {
        let identity = process.identity.clone();
        run_directory::write_file(&path, &counter_file_name(&identity), &process.counters)?;
        record.processes.push(RecordedProcess { identity, name: name.to_owned() });
    }
    let text = serde_json::to_string_pretty(&record)
        .map_err(|error| CommandError::failure("cannot write which processes were read").caused_by(error))?;
    run_directory::write_file(&path, PROCESSES, format!("{text}\n").as_bytes())
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "as on Linux")]
fn boot_id() -> Result<String, CommandError> {
    // No process of this machine is read.
    Ok(String::new())
}

#[cfg(target_os = "linux")]
fn boot_id() -> Result<String, CommandError> {
    fs::read_to_string(BOOT_ID)
        .map(|text| text.trim().to_owned())
        .map_err(|error| CommandError::failure(format!("cannot read {BOOT_ID}")).caused_by(error))
}

/// An earlier snapshot.
pub struct Earlier {
    pub path: PathBuf,
    /// When it was taken.
    pub taken: String,
    /// Empty if the system was started anew since.
    known: Vec<RecordedProcess>,
    /// Of an earlier boot.
    lost: Vec<RecordedProcess>,
    met: BTreeSet<RecordedProcess>,
    now: Vec<Identity>,
}

/// What a process counted since.
pub enum Since {
    /// The bytes of a counter file.
    Difference(Vec<u8>),
    /// It is new since.
    New,
    /// It has cleared its counters since.
    Cleared,
}

/// A process of the earlier snapshot that counts no more.
pub struct Ended {
    pub name: String,
    pub process: u32,
    pub how: &'static str,
}

impl Earlier {
    /// Reads which processes there were. `output` is where the new snapshot goes.
    pub fn read(path: &Path, output: &Path) -> Result<Self, CommandError> {
        let is_same = |(one, other): (PathBuf, PathBuf)| one == other;
        if fs::canonicalize(path).ok().zip(fs::canonicalize(output).ok()).is_some_and(is_same) {
            return Err(CommandError::usage(format!(
                "the new snapshot would replace the earlier one in {}",
                path.display()
            ))
            .hint("name another directory with -o DIR"));
        }
        let none = |cause: String| {
            CommandError::usage(format!("there is no earlier snapshot in {}", path.display()))
                .caused_by(cause)
                .hint("--since names a directory that podcov snapshot -o wrote")
        };
        let file = run_directory::snapshot_directory_of(path).join(PROCESSES);
        let record: Record = read_file(&file, LARGEST_RECORD)
            .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()))
            .map_err(|error| none(format!("{}: {error}", file.display())))?;
        let run = run_directory::read_record(path)?.ok_or_else(|| none("it has no run.json".to_owned()))?;
        let is_this_boot = record.boot_id == boot_id()?;
        let is_lost = |process: &RecordedProcess| process.is_of_this_machine() && !is_this_boot;
        let (lost, known) = record.processes.into_iter().partition(is_lost);
        Ok(Self {
            path: path.to_owned(),
            taken: run.started,
            known,
            lost,
            met: BTreeSet::new(),
            now: Vec::new(),
        })
    }

    /// What a process counted since. An error says why that is not known.
    pub fn since(&mut self, process: &ReadProcess) -> Result<Since, String> {
        let before = self.known.iter().find(|known| known.identity == process.identity).cloned();
        self.now.push(process.identity.clone());
        let Some(before) = before else { return Ok(Since::New) };
        let file = run_directory::snapshot_directory_of(&self.path).join(counter_file_name(&before.identity));
        self.met.insert(before);
        let cannot = |reason: String| format!("cannot be compared with {}: {reason}", file.display());
        let earlier = read_file(&file, LARGEST_FILE).map_err(cannot)?;
        let difference = difference(&process.metadata, &process.counters, &earlier);
        difference.map_err(|error| cannot(error.to_string()))
    }

    /// The processes that were there then, and are not any more. To be asked when all were compared; `is_asked` says
    /// whether a workload's pods were read again.
    pub fn ended(&self, is_asked: impl Fn(&str) -> bool) -> Vec<Ended> {
        let of = |known: &RecordedProcess, how| Ended {
            name: printable(&known.name),
            process: known.identity.process_id,
            how,
        };
        let lost = self.lost.iter().map(|known| of(known, "has ended: the system was started anew"));
        let rest = self.known.iter().filter(|known| !self.met.contains(known));
        let ended = rest.filter_map(|known| {
            if self.now.iter().any(|now| known.is_same_process(now)) {
                return Some(of(known, "has become another program"));
            }
            // One that is there was just not asked for.
            let is_gone = if known.is_of_this_machine() { !is_running(known) } else { is_asked(&known.name) };
            is_gone.then(|| of(known, "has ended"))
        });
        lost.chain(ended).collect()
    }
}

#[cfg(target_os = "linux")]
fn is_running(process: &RecordedProcess) -> bool {
    use podcov_process_capture::{ProcessId, start_time};
    let start = ProcessId::new(process.identity.process_id).and_then(start_time);
    start.is_some_and(|start| start.0 == process.identity.start_time)
}

#[cfg(not(target_os = "linux"))]
fn is_running(_process: &RecordedProcess) -> bool {
    false
}

fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > limit {
        return Err(format!("{length} bytes are too many"));
    }
    fs::read(path).map_err(|error| error.to_string())
}

fn difference(metadata: &MetaDataFile<'static>, now: &[u8], earlier: &[u8]) -> Result<Since, Error> {
    let (now, before) = (counts(metadata, now)?, counts(metadata, earlier)?);
    let Some(difference) = now.since(metadata.mode(), &before) else { return Ok(Since::Cleared) };
    Ok(Since::Difference(counter_file(metadata, &difference)))
}

/// What a counter file of a program says.
pub fn counts(metadata: &MetaDataFile<'static>, counters: &[u8]) -> Result<ProgramCounts, Error> {
    let mut programs = Programs::new();
    programs.insert(metadata.clone())?;
    let mut adder = Adder::new();
    adder.add(&programs, counters)?;
    let counts = adder.finish(&programs);
    Ok(counts.get(0).cloned().unwrap_or_else(|| ProgramCounts::zero(metadata)))
}

/// A counter file of a program, with the functions that ran.
pub fn counter_file(metadata: &MetaDataFile<'static>, counts: &ProgramCounts) -> Vec<u8> {
    let none = RunArguments::default();
    let arguments = counts.arguments().unwrap_or(&none);
    let mut writer = CounterFileWriter::new(metadata.hash(), CounterFlavor::Uleb128, arguments);
    for (package, functions) in (0..).zip(metadata.packages()) {
        for (function, metadata) in (0..).zip(functions.functions()) {
            let counters = counts.of_function(&metadata).unwrap_or_default();
            if counters.iter().any(|count| *count != 0) {
                writer.function(package, function, counters);
            }
        }
    }
    writer.finish()
}
