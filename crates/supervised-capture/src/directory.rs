//! The files that are left. Owns their places, and that a file under its final name is whole.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use podcov_agent_protocol::{is_coverage_file_name, is_kept_file_name, is_metadata_file_name};

/// A process of the program may have another user.
const MODE: u32 = 0o777;
const OWN: &str = ".own";
const LATEST: &str = ".latest";
/// The beginning of names of files that are not whole yet.
const UNFINISHED: &str = ".unfinished.";

/// Where the files of a program go.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    path: PathBuf,
}

impl Directory {
    /// Makes the directories below. Where they cannot be made, the program writes its own files to the directory itself.
    pub(crate) fn prepare(path: PathBuf) -> Self {
        for name in [OWN, LATEST] {
            let below = path.join(name);
            if DirBuilder::new().mode(MODE).create(&below).is_ok() {
                // Whatever the mask of the process.
                let _ = fs::set_permissions(&below, Permissions::from_mode(MODE));
            }
        }
        Self { path }
    }

    /// Where processes write themselves.
    pub(crate) fn own(&self) -> PathBuf {
        let own = self.path.join(OWN);
        if own.is_dir() { own } else { self.path.clone() }
    }

    /// Leaves a file. One of the same name is replaced at once.
    pub(crate) fn keep(&self, name: &str, contents: &[u8]) -> io::Result<()> {
        write(&self.path, name, contents)
    }

    /// Leaves a file that is used only after the supervision was killed.
    pub(crate) fn keep_latest(&self, name: &str, contents: &[u8]) -> io::Result<()> {
        write(&self.path.join(LATEST), name, contents)
    }

    /// What is final now is needed no longer.
    pub(crate) fn forget_latest(&self, name: &str) {
        let _ = fs::remove_file(self.path.join(LATEST).join(name));
    }

    /// The counter files that a process has written itself since it was started.
    pub(crate) fn own_counters(&self, process_id: u32, started: u64) -> Vec<OwnCounters> {
        own_counters(&self.path)
            .into_iter()
            .filter(|own| own.process_id == process_id && own.written >= started)
            .collect()
    }

    /// Uses a counter file of a process's own, with its meta-data.
    pub(crate) fn use_own(&self, own: &OwnCounters) -> io::Result<()> {
        use_own(&self.path, own)
    }

    /// Removes a counter file whose counters were read from memory.
    pub(crate) fn forget_own(&self, own: &OwnCounters) {
        let _ = fs::remove_file(self.path.join(OWN).join(&own.name));
    }

    /// Uses everything that processes wrote themselves: those of which nothing was read from memory.
    pub(crate) fn use_all_own(&self) {
        for name in names(&self.path.join(OWN), is_metadata_file_name) {
            let _ = fs::rename(self.path.join(OWN).join(&name), self.path.join(&name));
        }
        for own in own_counters(&self.path) {
            let _ = self.use_own(&own);
        }
    }
}

/// After the supervision of a directory was killed: uses what was last read of the processes that lived then, and what
/// the others wrote themselves. Says how many processes that were.
pub fn recover(directory: &Path) -> usize {
    let latest = directory.join(LATEST);
    let mut recovered = 0;
    for name in names(&latest, is_kept_file_name) {
        let target = directory.join(&name);
        // What is there under the same name is of the same process, and later.
        if !target.exists() && fs::rename(latest.join(&name), target).is_ok() {
            recovered += usize::from(is_coverage_file_name(&name) && !is_metadata_file_name(&name));
        }
    }
    let read: Vec<(u32, u64)> = names(directory, is_coverage_file_name)
        .iter()
        .filter_map(|name| OwnCounters::of(name.clone()))
        .map(|counters| (counters.process_id, counters.written))
        .collect();
    for own in own_counters(directory) {
        // Counters from memory are named after the start of the process.
        let is_read =
            read.iter().any(|(process, started)| *process == own.process_id && *started <= own.written);
        if !is_read && use_own(directory, &own).is_ok() {
            recovered += 1;
        }
    }
    recovered
}

/// A counter file that a process has written itself.
#[derive(Clone, Debug)]
pub(crate) struct OwnCounters {
    name: String,
    process_id: u32,
    /// Unix nanoseconds.
    pub(crate) written: u64,
}

impl OwnCounters {
    fn of(name: String) -> Option<Self> {
        let mut parts = name.strip_prefix("covcounters.")?.split('.').skip(1);
        let process_id = parts.next()?.parse().ok()?;
        let written = parts.next()?.parse().ok()?;
        Some(Self { name, process_id, written })
    }

    fn metadata_name(&self) -> String {
        let hash = self.name.split('.').nth(1).unwrap_or_default();
        format!("covmeta.{hash}")
    }
}

fn own_counters(directory: &Path) -> Vec<OwnCounters> {
    names(&directory.join(OWN), is_coverage_file_name).into_iter().filter_map(OwnCounters::of).collect()
}

fn use_own(directory: &Path, own: &OwnCounters) -> io::Result<()> {
    let below = directory.join(OWN);
    let metadata = own.metadata_name();
    // Meta-data first: counters mean nothing without it. Others may have the same, so it is copied.
    if !directory.join(&metadata).exists() {
        write(directory, &metadata, &fs::read(below.join(&metadata))?)?;
    }
    fs::rename(below.join(&own.name), directory.join(&own.name))
}

fn write(directory: &Path, name: &str, contents: &[u8]) -> io::Result<()> {
    let unfinished = directory.join(format!("{UNFINISHED}{name}"));
    let result = File::create(&unfinished)
        .and_then(|mut file| file.write_all(contents))
        .and_then(|()| fs::rename(&unfinished, directory.join(name)));
    if result.is_err() {
        let _ = fs::remove_file(unfinished);
    }
    result
}

/// The names of files in a directory for which `wanted` holds.
fn names(directory: &Path, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| wanted(name))
        .collect();
    names.sort_unstable();
    names
}
