//! What later snapshots are compared with: which processes were read, and what they had counted by then.
//!
//! Owns the files in `snapshot/` of a run directory. A process is recognised by its number, its start, and which of the
//! programs it is that it has been; numbers alone are used again. The counters are whole also where the run's own data is a
//! difference, so that every snapshot can be the earlier one of a next.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use go_coverage::{Adder, CounterFileWriter, CounterFlavor, Error, ProgramCounts, Programs, RunArguments};
use podcov_process_capture::{ProcessId, Snapshot, start_time};
use serde::{Deserialize, Serialize};

use super::printable;
use crate::coverage_data::LARGEST_FILE;
use crate::error::CommandError;
use crate::run_directory::{self, RunDirectory};

const PROCESSES: &str = "processes.json";
/// Some thousand processes.
const LARGEST_RECORD: u64 = 1 << 22;
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
    process_id: u32,
    start_time: u64,
    start_of_stack: u64,
    metadata_hash: String,
    /// What it is called in its run.
    name: String,
}

impl RecordedProcess {
    fn new(name: &str, snapshot: &Snapshot) -> Self {
        let key = snapshot.process();
        Self {
            process_id: key.id.0.get(),
            start_time: key.start_time.0,
            start_of_stack: key.start_of_stack.0,
            metadata_hash: snapshot.hash().to_string(),
            name: name.to_owned(),
        }
    }

    fn counter_file_name(&self) -> String {
        format!("{}-{}.counters", self.process_id, self.start_time)
    }

    fn is_same_program(&self, other: &Self) -> bool {
        self.is_same_process(other)
            && (self.start_of_stack, &self.metadata_hash) == (other.start_of_stack, &other.metadata_hash)
    }

    fn is_same_process(&self, other: &Self) -> bool {
        (self.process_id, self.start_time) == (other.process_id, other.start_time)
    }

    fn is_running(&self) -> bool {
        let process = ProcessId::new(self.process_id);
        process.and_then(start_time).is_some_and(|start| start.0 == self.start_time)
    }
}

/// Keeps what processes have counted by now, for later snapshots. The name is that of their reading.
pub fn keep<'a>(
    snapshots: impl Iterator<Item = (&'a str, &'a Snapshot)>,
    directory: &RunDirectory,
) -> Result<(), CommandError> {
    let path = directory.snapshot_directory()?;
    let mut record = Record { boot_id: boot_id()?, processes: Vec::new() };
    for (name, snapshot) in snapshots {
        let process = RecordedProcess::new(name, snapshot);
        run_directory::write_file(&path, &process.counter_file_name(), &snapshot.counter_file())?;
        record.processes.push(process);
    }
    let text = serde_json::to_string_pretty(&record)
        .map_err(|error| CommandError::failure("cannot write which processes were read").caused_by(error))?;
    run_directory::write_file(&path, PROCESSES, format!("{text}\n").as_bytes())
}

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
    now: Vec<RecordedProcess>,
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
        let (known, lost) =
            if is_this_boot { (record.processes, Vec::new()) } else { (Vec::new(), record.processes) };
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
    pub fn since(&mut self, snapshot: &Snapshot) -> Result<Since, String> {
        let now = RecordedProcess::new("", snapshot);
        let before = self.known.iter().find(|known| known.is_same_program(&now)).cloned();
        self.now.push(now);
        let Some(before) = before else { return Ok(Since::New) };
        let file = run_directory::snapshot_directory_of(&self.path).join(before.counter_file_name());
        self.met.insert(before);
        let cannot = |reason: String| format!("cannot be compared with {}: {reason}", file.display());
        let earlier = read_file(&file, LARGEST_FILE).map_err(cannot)?;
        difference(snapshot, &earlier).map_err(|error| cannot(error.to_string()))
    }

    /// The processes that were there then, and are not any more. To be asked when all were compared.
    pub fn ended(&self) -> Vec<Ended> {
        let of = |known: &RecordedProcess, how| Ended {
            name: printable(&known.name),
            process: known.process_id,
            how,
        };
        let lost = self.lost.iter().map(|known| of(known, "has ended: the system was started anew"));
        let rest = self.known.iter().filter(|known| !self.met.contains(known));
        let ended = rest.filter_map(|known| {
            if self.now.iter().any(|now| now.is_same_process(known)) {
                return Some(of(known, "has become another program"));
            }
            // One that is there was just not asked for.
            (!known.is_running()).then(|| of(known, "has ended"))
        });
        lost.chain(ended).collect()
    }
}

fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > limit {
        return Err(format!("{length} bytes are too many"));
    }
    fs::read(path).map_err(|error| error.to_string())
}

fn difference(snapshot: &Snapshot, earlier: &[u8]) -> Result<Since, Error> {
    let metadata = snapshot.program().metadata();
    let mut programs = Programs::new();
    programs.insert(metadata.clone())?;
    let counts = |bytes: &[u8]| -> Result<ProgramCounts, Error> {
        let mut adder = Adder::new();
        adder.add(&programs, bytes)?;
        let counts = adder.finish(&programs);
        Ok(counts.get(0).cloned().unwrap_or_else(|| ProgramCounts::zero(metadata)))
    };
    let (now, before) = (counts(&snapshot.counter_file())?, counts(earlier)?);
    let Some(difference) = now.since(metadata.mode(), &before) else { return Ok(Since::Cleared) };
    Ok(Since::Difference(counter_file(snapshot, &difference, snapshot.arguments())))
}

fn counter_file(snapshot: &Snapshot, counts: &ProgramCounts, arguments: &RunArguments) -> Vec<u8> {
    let mut writer = CounterFileWriter::new(snapshot.hash(), CounterFlavor::Uleb128, arguments);
    for (package, functions) in (0..).zip(snapshot.program().metadata().packages()) {
        for (function, metadata) in (0..).zip(functions.functions()) {
            let counters = counts.of_function(&metadata).unwrap_or_default();
            if counters.iter().any(|count| *count != 0) {
                writer.function(package, function, counters);
            }
        }
    }
    writer.finish()
}
