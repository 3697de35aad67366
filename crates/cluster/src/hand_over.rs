//! Where a pod's files land on this machine.
//!
//! Every file is written under another name, synced and renamed before it counts as received, so whatever has
//! been acknowledged is whole, also after a power cut. Each start of a container has a directory of its own,
//! with the meta-data its counters need: Go's own tools work on each.
//!
//! What a process that lives has counted is such a file, too, named after the start of the process, with a record that says
//! when it was read. It is replaced by the next one, and taken away before what the process left at its end gets its
//! name: a process has one owner at any moment, also if podcov is killed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use podcov_agent_protocol::{
    is_kept_file_name, is_metadata_file_name, is_process_record_name, process_record_name,
};

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
    /// Where the files of processes that live are, and their lengths.
    live: BTreeMap<(String, String), (PathBuf, u64)>,
    /// When the last process of this number, program and container wrote its counters.
    ended: BTreeMap<(String, String, u32), u64>,
    bytes: u64,
    open: Option<OpenFile>,
}

#[derive(Debug)]
struct OpenFile {
    container: String,
    name: String,
    directory: PathBuf,
    remaining: u64,
    is_live: bool,
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
            live: BTreeMap::new(),
            ended: BTreeMap::new(),
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

    /// Processes of one start of a container of which there is only what they had counted while they lived.
    pub(crate) fn live_counter_files(&self, container: &str, restart: u32) -> u32 {
        let directory = self.directory(container, restart);
        let is_there = |((_, name), (own, _)): &(&(String, String), &(PathBuf, u64))| {
            **own == directory && Counters::of(name).is_some()
        };
        u32::try_from(self.live.iter().filter(is_there).count()).unwrap_or(u32::MAX)
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
        let is_known = self.received.contains(&(container.to_owned(), name.to_owned()));
        self.open(container, name, length, restart_of(name, runs), !is_known)?;
        Ok(true)
    }

    /// The same for what a process that lives has counted, or its record.
    pub(crate) fn begin_live(
        &mut self,
        container: &str,
        name: &str,
        length: u64,
        runs: &ContainerRuns,
    ) -> Result<bool, Error> {
        self.open = None;
        let key = (container.to_owned(), name.to_owned());
        let expected = self.containers.iter().any(|known| known == container)
            && is_kept_file_name(name)
            && !is_metadata_file_name(name);
        let before = self.live.get(&key).map_or(0, |(_, length)| *length);
        let bytes = self.bytes.saturating_sub(before).saturating_add(length);
        if !expected || length > MAX_FILE_LENGTH || bytes > MAX_POD_LENGTH {
            return Ok(false);
        }
        // The time in the name is that of the start.
        let restart = last_number(name).map_or(0, |started| runs.of_start(started));
        let has_ended = match Counters::of(name) {
            Some(counters) => {
                self.ended.get(&counters.key(container)).is_some_and(|ended| *ended >= counters.time)
            }
            None => self.received.contains(&key),
        };
        self.open(container, name, length, restart, !has_ended)?;
        if let Some(open) = &mut self.open {
            open.is_live = true;
        }
        Ok(true)
    }

    fn open(
        &mut self,
        container: &str,
        name: &str,
        length: u64,
        restart: u32,
        is_wanted: bool,
    ) -> Result<(), Error> {
        let directory = self.directory(container, restart);
        let create = |path: &Path| {
            fs::create_dir_all(&directory)?;
            File::create(path)
        };
        let path = directory.join(format!("{name}.part"));
        let file = is_wanted.then(|| create(&path)).transpose().map_err(|error| write_error(&path, error))?;
        self.open = Some(OpenFile {
            container: container.to_owned(),
            name: name.to_owned(),
            directory,
            remaining: length,
            is_live: false,
            file: file.map(|file| (file, path)),
        });
        Ok(())
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

    /// Completes the file: its container and name once it is safe on disk; none if it is shorter than announced, or of a
    /// process that lives, of which nobody has to know.
    pub(crate) fn finish(&mut self) -> Result<Option<(String, String)>, Error> {
        let Some(open) = self.open.take() else { return Ok(None) };
        if open.remaining > 0 {
            return Ok(None);
        }
        if open.is_live {
            return self.finish_live(open).map(|()| None);
        }
        let key = (open.container, open.name);
        if let Some((file, part)) = open.file {
            let path = open.directory.join(&key.1);
            self.forget_live(&key.0, &key.1)?;
            let length = settle(&file, &part, &path).map_err(|error| write_error(&path, error))?;
            self.bytes += length;
            self.received.insert(key.clone());
            if is_metadata_file_name(&key.1) {
                self.metadata.insert(key.clone(), path);
            } else if !is_process_record_name(&key.1) {
                *self.counter_files.entry(open.directory.clone()).or_default() += 1;
                if let Some(counters) = Counters::of(&key.1) {
                    let ended = self.ended.entry(counters.key(&key.0)).or_default();
                    *ended = counters.time.max(*ended);
                }
                self.complete_directory(&open.directory, &key.0, &metadata_name(&key.1))?;
            }
        }
        Ok(Some(key))
    }

    fn finish_live(&mut self, open: OpenFile) -> Result<(), Error> {
        let Some((file, part)) = open.file else { return Ok(()) };
        let path = open.directory.join(&open.name);
        let key = (open.container, open.name);
        if let Some((directory, length)) = self.live.remove(&key) {
            self.bytes = self.bytes.saturating_sub(length);
            // Of which start it is, may be known better by now.
            if directory != open.directory {
                remove(&directory.join(&key.1))?;
            }
        }
        let length = settle(&file, &part, &path).map_err(|error| write_error(&path, error))?;
        self.bytes += length;
        if Counters::of(&key.1).is_some() {
            self.complete_directory(&open.directory, &key.0, &metadata_name(&key.1))?;
        }
        self.live.insert(key, (open.directory, length));
        Ok(())
    }

    /// Takes away what a process had counted while it lived, since what it left at its end is here. What an earlier podcov
    /// kept counts as well, so that the directories are asked.
    fn forget_live(&mut self, container: &str, name: &str) -> Result<(), Error> {
        if is_metadata_file_name(name) {
            return Ok(());
        }
        let ended = Counters::of(name);
        for directory in directories_of(&self.pod_directory, container) {
            let is_superseded = |live: &str| match (&ended, Counters::of(live)) {
                // The record itself is replaced where it is in the same directory.
                (None, _) => live == name,
                (Some(ended), Some(live)) => {
                    (&live.hash, live.process) == (&ended.hash, ended.process)
                        && live.time <= ended.time
                        && directory.join(process_record_name(live.process, live.time)).exists()
                }
                (Some(_), None) => false,
            };
            for live in names(&directory).iter().filter(|live| is_superseded(live)) {
                remove(&directory.join(live))?;
                if let Some((_, length)) = self.live.remove(&(container.to_owned(), live.clone())) {
                    self.bytes = self.bytes.saturating_sub(length);
                }
            }
        }
        Ok(())
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
    let Some(nanoseconds) = last_number(name) else { return 0 };
    if is_metadata_file_name(name) {
        0
    } else if is_process_record_name(name) {
        runs.of_start(nanoseconds)
    } else {
        runs.of_counters(nanoseconds)
    }
}

fn last_number(name: &str) -> Option<u64> {
    name.rsplit('.').next().and_then(|last| last.parse().ok())
}

/// What the name of a counter file says.
struct Counters {
    hash: String,
    process: u32,
    /// When it was written; the start of the process, while it lives.
    time: u64,
}

impl Counters {
    fn of(name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix("covcounters.")?.split('.');
        let (hash, process) = (parts.next()?.to_owned(), parts.next()?.parse().ok()?);
        Some(Self { hash, process, time: parts.next()?.parse().ok()? })
    }

    fn key(&self, container: &str) -> (String, String, u32) {
        (container.to_owned(), self.hash.clone(), self.process)
    }
}

/// The directories of all starts of a container.
fn directories_of(pod_directory: &Path, container: &str) -> Vec<PathBuf> {
    let is_start = |name: &String| {
        let restart = name.strip_prefix(container).and_then(|rest| rest.strip_prefix('-'));
        restart.is_some_and(|restart| restart.parse::<u32>().is_ok())
    };
    names(pod_directory).iter().filter(|name| is_start(name)).map(|name| pod_directory.join(name)).collect()
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(write_error(path, error)),
        _ => Ok(()),
    }
}

/// The meta-data that `covcounters.<hash>.…` counts for.
fn metadata_name(counters: &str) -> String {
    let hash = counters.split('.').nth(1).unwrap_or_default();
    format!("covmeta.{hash}")
}

#[cfg(test)]
mod tests;
