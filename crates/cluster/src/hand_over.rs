//! Where a pod's files land on this machine.
//!
//! Every file is written under another name, synced and renamed before it counts as received, so whatever has
//! been acknowledged is whole, also after a power cut. Each start of a container has a directory of its own,
//! with the meta-data its counters need: Go's own tools work on each.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use podcov_agent_protocol::{is_kept_file_name, is_metadata_file_name, is_process_record_name};

use crate::{Error, pod_record::ContainerRuns};

/// One file of a program's coverage is megabytes; this is far beyond, and keeps a hostile pod from filling the disk.
const MAX_FILE_LENGTH: u64 = 1 << 30;
/// The same for everything that one pod sends.
const MAX_POD_LENGTH: u64 = 16 << 30;

/// Receives the files of one pod.
#[derive(Debug)]
pub struct HandOver {
    pod_directory: PathBuf,
    containers: Vec<String>,
    received: BTreeSet<(String, String)>,
    /// Where a container's meta-data was put first.
    metadata: BTreeMap<(String, String), PathBuf>,
    /// Counter files per directory.
    counter_files: BTreeMap<PathBuf, u32>,
    bytes: u64,
    open: Option<OpenFile>,
}

#[derive(Debug)]
struct OpenFile {
    container: String,
    name: String,
    directory: PathBuf,
    remaining: u64,
    /// None for a file that is here already: its bytes are passed over.
    file: Option<(File, PathBuf)>,
}

impl HandOver {
    pub(crate) fn new(pod_directory: PathBuf, containers: Vec<String>) -> Self {
        Self {
            pod_directory,
            containers,
            received: BTreeSet::new(),
            metadata: BTreeMap::new(),
            counter_files: BTreeMap::new(),
            bytes: 0,
            open: None,
        }
    }

    /// Bytes of all received files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The directory of one start of a container.
    pub(crate) fn directory(&self, container: &str, restart: u32) -> PathBuf {
        self.pod_directory.join(format!("{container}-{restart}"))
    }

    /// Counter files received for one start of a container.
    pub(crate) fn counter_files(&self, container: &str, restart: u32) -> u32 {
        self.counter_files.get(&self.directory(container, restart)).copied().unwrap_or(0)
    }

    /// Counter files received in all.
    pub(crate) fn all_counter_files(&self) -> usize {
        self.counter_files.values().map(|count| usize::try_from(*count).unwrap_or(usize::MAX)).sum()
    }

    /// Starts a file. False for what podcov did not ask for: another container, another name, or too much.
    pub(crate) fn begin(
        &mut self,
        container: &str,
        name: &str,
        length: u64,
        runs: &ContainerRuns,
    ) -> Result<bool, Error> {
        self.open = None;
        let expected = self.containers.iter().any(|known| known == container) && is_kept_file_name(name);
        if !expected || length > MAX_FILE_LENGTH || self.bytes + length > MAX_POD_LENGTH {
            return Ok(false);
        }
        let restart = restart_of(name, runs);
        let directory = self.directory(container, restart);
        let file = if self.received.contains(&(container.to_owned(), name.to_owned())) {
            None
        } else {
            let path = directory.join(format!("{name}.part"));
            let create = || {
                fs::create_dir_all(&directory)?;
                File::create(&path)
            };
            Some((create().map_err(|error| write_error(&path, error))?, path.clone()))
        };
        self.open = Some(OpenFile {
            container: container.to_owned(),
            name: name.to_owned(),
            directory,
            remaining: length,
            file,
        });
        Ok(true)
    }

    /// Appends to the file that was begun. False if it is longer than announced.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<bool, Error> {
        let Some(open) = &mut self.open else { return Ok(true) };
        let Some(remaining) = open.remaining.checked_sub(bytes.len() as u64) else { return Ok(false) };
        open.remaining = remaining;
        if let Some((file, path)) = &mut open.file {
            file.write_all(bytes).map_err(|error| write_error(path, error))?;
        }
        Ok(true)
    }

    /// Completes the file: its container and name once it is safe on disk; none if it is shorter than announced.
    pub(crate) fn finish(&mut self) -> Result<Option<(String, String)>, Error> {
        let Some(open) = self.open.take() else { return Ok(None) };
        if open.remaining > 0 {
            return Ok(None);
        }
        let key = (open.container, open.name);
        if let Some((file, part)) = open.file {
            let path = open.directory.join(&key.1);
            let length = settle(&file, &part, &path).map_err(|error| write_error(&path, error))?;
            self.bytes += length;
            self.received.insert(key.clone());
            if is_metadata_file_name(&key.1) {
                self.metadata.insert(key.clone(), path);
            } else if !is_process_record_name(&key.1) {
                *self.counter_files.entry(open.directory.clone()).or_default() += 1;
                self.complete_directory(&open.directory, &key.0, &metadata_name(&key.1))?;
            }
        }
        Ok(Some(key))
    }

    /// Makes sure that the directory of one start exists and has the meta-data its processes wrote.
    pub(crate) fn process_started(
        &mut self,
        container: &str,
        restart: u32,
        metadata_file: &str,
    ) -> Result<(), Error> {
        let directory = self.directory(container, restart);
        self.complete_directory(&directory, container, metadata_file)
    }

    fn complete_directory(
        &self,
        directory: &Path,
        container: &str,
        metadata_file: &str,
    ) -> Result<(), Error> {
        let Some(source) = self.metadata.get(&(container.to_owned(), metadata_file.to_owned())) else {
            return Ok(());
        };
        let path = directory.join(metadata_file);
        if path.exists() {
            return Ok(());
        }
        let copy = || {
            fs::create_dir_all(directory)?;
            // A link costs nothing; some file systems have none.
            fs::hard_link(source, &path).or_else(|_| fs::copy(source, &path).map(drop))
        };
        copy().map_err(|error| write_error(&path, error))
    }
}

fn settle(file: &File, part: &Path, path: &Path) -> io::Result<u64> {
    file.sync_all()?;
    fs::rename(part, path)?;
    if let Some(parent) = path.parent() {
        // Only Unix can sync a directory; elsewhere the rename is as durable as it gets.
        #[cfg(unix)]
        File::open(parent)?.sync_all()?;
        #[cfg(not(unix))]
        let _ = parent;
    }
    Ok(file.metadata()?.len())
}

fn write_error(path: &Path, source: io::Error) -> Error {
    Error::Write { path: path.display().to_string(), source }
}

/// The restart of the container that a file is of. Meta-data is of all of them.
fn restart_of(name: &str, runs: &ContainerRuns) -> u32 {
    let Some(nanoseconds) = name.rsplit('.').next().and_then(|last| last.parse().ok()) else { return 0 };
    if is_metadata_file_name(name) {
        0
    } else if is_process_record_name(name) {
        runs.of_start(nanoseconds)
    } else {
        runs.of_counters(nanoseconds)
    }
}

/// The meta-data that `covcounters.<hash>.…` counts for.
fn metadata_name(counters: &str) -> String {
    let hash = counters.split('.').nth(1).unwrap_or_default();
    format!("covmeta.{hash}")
}
