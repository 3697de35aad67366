//! What processes have counted since it was last asked, in all directories of a run.
//!
//! A process counts from what was last read of it to what is read now, or to its end. No process is in two differences
//! with the same counts, however often its files are seen.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use go_coverage::{MetaDataFile, ProgramCounts};
use podcov_agent_protocol::{CountersFrom, LATEST_DIRECTORY, ProcessRecord, process_record_name};

use crate::coverage_data::read_file;
use crate::process_files::{self, ProcessFile};
use crate::snapshot::counts;

/// What a process counted in between.
pub struct Difference {
    /// Where its data is.
    pub directory: PathBuf,
    pub metadata: Arc<MetaDataFile<'static>>,
    pub process_id: u32,
    pub counts: ProgramCounts,
}

/// A process that was read: the place of its data, its program, its number and its start.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    place: PathBuf,
    hash: String,
    process_id: u32,
    started: u64,
}

/// What was last read of each process.
#[derive(Default)]
pub struct Differences {
    programs: HashMap<String, Arc<MetaDataFile<'static>>>,
    live: HashMap<Key, ProgramCounts>,
    /// The names of files of processes that have ended; they do not change any more.
    ended: HashSet<PathBuf>,
    /// What is in no difference, and why.
    pub problems: BTreeSet<String>,
}

impl Differences {
    /// Reads everything below a directory.
    pub fn read(&mut self, data: &Path) -> Vec<Difference> {
        let mut differences = Vec::new();
        for directory in directories(data) {
            // First what lives: what ends meanwhile is found with what has ended.
            let latest = directory.join(LATEST_DIRECTORY);
            for file in process_files::of_directory(&latest, &latest) {
                self.add(&directory, &file, &mut differences);
            }
            for file in process_files::of_directory(&directory, &directory) {
                self.add(&directory, &file, &mut differences);
            }
        }
        differences
    }

    fn add(&mut self, directory: &Path, file: &ProcessFile, differences: &mut Vec<Difference>) {
        match self.difference(directory, file) {
            Ok(Some(difference)) if difference.counts.counts().iter().any(|count| *count != 0) => {
                differences.push(difference);
            }
            Ok(_) => {}
            Err(why) => {
                let name = file.path.file_name().unwrap_or_default().to_string_lossy();
                self.problems.insert(format!("{name}: {why}"));
            }
        }
    }

    fn difference(&mut self, directory: &Path, file: &ProcessFile) -> Result<Option<Difference>, String> {
        // A container's data may move to the directory of another start, once Kubernetes has told of it.
        let place = directory.parent().unwrap_or(directory).to_owned();
        let before = if file.is_live() {
            let key = Key {
                place: place.clone(),
                hash: file.hash.clone(),
                process_id: file.process_id,
                started: file.time,
            };
            self.live.remove(&key)
        } else if self.ended.contains(&name_of(file)) {
            return Ok(None);
        } else {
            let before = self.take_last(&place, file);
            match &before {
                None if !self.is_of_a_short_life(directory, file)? => return Ok(None),
                _ => before,
            }
        };
        let metadata = self.program(directory, file)?;
        let now = counts(&metadata, &read_file(&file.path)?).map_err(|error| error.to_string())?;
        // A program that has cleared its counters counts whole.
        let since = before.and_then(|before| now.since(metadata.mode(), &before));
        let counts = since.unwrap_or_else(|| now.clone());
        if file.is_live() {
            let (hash, process_id, started) = (file.hash.clone(), file.process_id, file.time);
            self.live.insert(Key { place, hash, process_id, started }, now);
        } else {
            self.ended.insert(name_of(file));
        }
        Ok(Some(Difference {
            directory: directory.to_owned(),
            metadata,
            process_id: file.process_id,
            counts,
        }))
    }

    /// What was last read of a process that has ended.
    fn take_last(&mut self, place: &Path, file: &ProcessFile) -> Option<ProgramCounts> {
        let is_its = |key: &&Key| {
            (key.place.as_path(), &key.hash, key.process_id) == (place, &file.hash, file.process_id)
                && key.started <= file.time
        };
        let key = self.live.keys().filter(is_its).max_by_key(|key| key.started)?.clone();
        self.live.remove(&key)
    }

    /// A process that was never read while it lived has started in between, unless its memory cannot be read: then nobody
    /// knows when it counted.
    fn is_of_a_short_life(&mut self, directory: &Path, file: &ProcessFile) -> Result<bool, String> {
        let started = file.started.unwrap_or_default();
        let record = directory.join(process_record_name(file.process_id, started));
        let record = std::fs::read_to_string(record).ok().and_then(|text| ProcessRecord::parse(&text));
        match record.map(|record| record.counters) {
            Some(CountersFrom::Memory(_)) => Ok(true),
            // It may come a moment after the counters.
            None => Ok(false),
            Some(CountersFrom::OwnFiles(why) | CountersFrom::Nowhere(why)) => {
                self.ended.insert(name_of(file));
                Err(format!("not read while it ran ({why}), so that it belongs to no test"))
            }
        }
    }

    fn program(
        &mut self,
        directory: &Path,
        file: &ProcessFile,
    ) -> Result<Arc<MetaDataFile<'static>>, String> {
        if let Some(known) = self.programs.get(&file.hash) {
            return Ok(Arc::clone(known));
        }
        let bytes = read_file(&directory.join(file.metadata_name()))?;
        let metadata = Arc::new(MetaDataFile::parse(bytes).map_err(|error| error.to_string())?);
        self.programs.insert(file.hash.clone(), Arc::clone(&metadata));
        Ok(metadata)
    }

    /// Processes that have ended and of which nobody knows when they counted. To be asked at the end.
    pub fn without_test(&self, data: &Path) -> usize {
        let files = directories(data).into_iter().flat_map(|path| process_files::of_directory(&path, &path));
        files.filter(|file| !file.is_live() && !self.ended.contains(&name_of(file))).count()
    }
}

/// A directory and those below it, without podcov's own.
fn directories(root: &Path) -> Vec<PathBuf> {
    let mut found = vec![root.to_owned()];
    let mut looked_into = 0;
    while let Some(directory) = found.get(looked_into).cloned() {
        looked_into += 1;
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let below = entries.filter(|entry| {
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            is_directory && !entry.file_name().as_encoded_bytes().starts_with(b".")
        });
        found.extend(below.map(|entry| entry.path()));
    }
    found
}

/// Numbers, times and hashes, which no two processes share.
fn name_of(file: &ProcessFile) -> PathBuf {
    file.path.file_name().map(PathBuf::from).unwrap_or_default()
}
