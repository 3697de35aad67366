//! The files that are left. Owns their places, and that a file under its final name is whole.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, UNIX_EPOCH};

use podcov_agent_protocol::{
    CountersFrom, LATEST_DIRECTORY, Moment, OWN_FILES_DIRECTORY, ProcessRecord, REQUESTS_DIRECTORY,
    is_coverage_file_name, is_kept_file_name, is_metadata_file_name, is_process_record_name,
    process_of_record, process_record_name,
};

/// A process of the program may have another user.
const MODE: u32 = 0o777;
/// Far longer than it takes to look whether a supervision lives.
const LONGEST_LOOK: Duration = Duration::from_millis(20);
/// The beginning of names of files that are not whole yet.
const UNFINISHED: &str = ".unfinished.";

/// Where the files of a program go.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    /// Held as long as this process lives, for [`recover`].
    _lock: Option<File>,
}

impl Directory {
    /// Makes the directories below. Where they cannot be made, nothing can be kept, nor written by the program.
    pub(crate) fn prepare(path: PathBuf) -> Self {
        // Of an earlier start of the same container, which was killed.
        recover(&path);
        let lock = make_own(&path).ok();
        let _ = make_directory(&path.join(LATEST_DIRECTORY));
        Self { path, _lock: lock }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where processes write themselves.
    pub(crate) fn own(&self) -> PathBuf {
        let own = self.path.join(OWN_FILES_DIRECTORY);
        if own.is_dir() { own } else { self.path.clone() }
    }

    /// Leaves a file. One of the same name is replaced at once.
    pub(crate) fn keep(&self, name: &str, contents: &[u8]) -> io::Result<()> {
        write(&self.path, name, contents)
    }

    /// Leaves a file that is used only after the supervision was killed.
    pub(crate) fn keep_latest(&self, name: &str, contents: &[u8]) -> io::Result<()> {
        write(&self.path.join(LATEST_DIRECTORY), name, contents)
    }

    /// What is final now is needed no longer.
    pub(crate) fn forget_latest(&self, name: &str) {
        let _ = fs::remove_file(self.path.join(LATEST_DIRECTORY).join(name));
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

    /// Uses what was last read of a process, where there is nothing of its end, and tells of when that is.
    pub(crate) fn use_latest(&self, process_id: u32, started: u64) -> Option<Moment> {
        let latest = self.path.join(LATEST_DIRECTORY);
        let mut counters = names(&latest, is_coverage_file_name).into_iter().filter_map(OwnCounters::of);
        let counters = counters.find(|file| (file.process_id, file.written) == (process_id, started))?;
        let record = fs::read_to_string(latest.join(process_record_name(process_id, started))).ok()?;
        let CountersFrom::Memory(moment) = ProcessRecord::parse(&record)?.counters else { return None };
        use_latest(&self.path, &counters).ok().map(|()| moment)
    }

    /// Removes a counter file whose counters were read from memory.
    pub(crate) fn forget_own(&self, own: &OwnCounters) {
        let _ = fs::remove_file(self.path.join(OWN_FILES_DIRECTORY).join(&own.name));
    }

    /// Uses everything that processes wrote themselves: those of which nothing was read from memory.
    pub(crate) fn use_all_own(&self) {
        for name in names(&self.path.join(OWN_FILES_DIRECTORY), is_metadata_file_name) {
            let _ = fs::rename(self.path.join(OWN_FILES_DIRECTORY).join(&name), self.path.join(&name));
        }
        self.use_own_counters();
    }

    fn use_own_counters(&self) {
        use_own_of_others(&self.path);
    }

    /// Leaves nothing below but what is used.
    pub(crate) fn finish(&self) {
        self.use_own_counters();
        remove_below(&self.path);
    }
}

/// Makes the directory where processes write themselves. It is locked from the moment on that others can see it.
fn make_own(path: &Path) -> io::Result<File> {
    let new = path.join(format!("{OWN_FILES_DIRECTORY}.{}", std::process::id()));
    make_directory(&new)?;
    let lock = File::open(&new)?;
    lock.try_lock_shared()?;
    fs::rename(&new, path.join(OWN_FILES_DIRECTORY)).inspect_err(|_| drop(fs::remove_dir(&new)))?;
    Ok(lock)
}

pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(MODE).create(path)?;
    // Whatever the mask of the process.
    fs::set_permissions(path, Permissions::from_mode(MODE))
}

/// Whether there is a supervision that lives.
#[must_use]
pub fn is_supervised(directory: &Path) -> bool {
    File::open(directory.join(OWN_FILES_DIRECTORY)).is_ok_and(|own| own.try_lock().is_err())
}

/// After the supervision of a directory was killed: uses what was last read of the processes that lived then, and what
/// others wrote themselves. Says how many processes that were. Nothing is done while the supervision lives.
pub fn recover(directory: &Path) -> usize {
    let Some(_lock) = lock(directory) else { return 0 };
    let concluded = records(directory);
    let mut recovered = 0;
    for counters in names(&directory.join(LATEST_DIRECTORY), is_coverage_file_name) {
        let Some(latest) = OwnCounters::of(counters) else { continue };
        // There the time in the name is that of the start, so that later files replace earlier ones.
        let key = (latest.process_id, latest.written);
        // The supervision may have been killed between a process's counters and its record.
        let is_final = counters_in(directory).iter().any(|counters| counters.are_later_than(&latest));
        if !concluded.contains(&key) && !is_final && use_latest(directory, &latest).is_ok() {
            recovered += 1;
        }
    }
    recovered += use_own_of_others(directory);
    remove_below(directory);
    recovered
}

/// Taken once the supervision has ended. Who only looks whether it lives has the lock for a moment, too.
fn lock(directory: &Path) -> Option<File> {
    let own = File::open(directory.join(OWN_FILES_DIRECTORY)).ok()?;
    let deadline = Instant::now() + LONGEST_LOOK;
    while own.try_lock().is_err() {
        if Instant::now() >= deadline {
            return None;
        }
        std::thread::sleep(LONGEST_LOOK / 10);
    }
    Some(own)
}

/// Uses the counter files that processes wrote themselves of which there is no record: one that was left running, and read
/// then, may have written its own later. Says how many.
fn use_own_of_others(directory: &Path) -> usize {
    let concluded = records(directory);
    let is_other = |own: &OwnCounters| {
        let is_read =
            |(process_id, started): &(u32, u64)| *process_id == own.process_id && *started <= own.written;
        !concluded.iter().any(is_read)
    };
    own_counters(directory).iter().filter(|own| is_other(own) && use_own(directory, own).is_ok()).count()
}

/// The processes of which there are records, by their number and start.
fn records(directory: &Path) -> BTreeSet<(u32, u64)> {
    names(directory, is_process_record_name).iter().filter_map(|name| process_of_record(name)).collect()
}

fn use_latest(directory: &Path, latest: &OwnCounters) -> io::Result<()> {
    let below = directory.join(LATEST_DIRECTORY);
    let path = below.join(&latest.name);
    let written = fs::metadata(&path)?.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let name = format!("covcounters.{}.{}.{written}", latest.hash(), latest.process_id);
    fs::rename(&path, directory.join(name))?;
    // Last, since it says that there is nothing left to do.
    let record = process_record_name(latest.process_id, latest.written);
    fs::rename(below.join(&record), directory.join(record))
}

/// Removes what is not used, which has Go's names or podcov's own. Meta-data of which there is nothing else says that a
/// process is missing, and stays.
fn remove_below(directory: &Path) {
    let own = directory.join(OWN_FILES_DIRECTORY);
    for name in names(&own, is_metadata_file_name) {
        let target = directory.join(&name);
        if !target.exists() {
            let _ = fs::rename(own.join(&name), target);
        }
    }
    for below in [OWN_FILES_DIRECTORY, LATEST_DIRECTORY].map(|name| directory.join(name)) {
        for name in names(&below, is_kept_file_name) {
            let _ = fs::remove_file(below.join(name));
        }
        // Something else that a process has left there stays.
        let _ = fs::remove_dir(below);
    }
    // Its end is an answer to every request.
    let _ = fs::remove_dir_all(directory.join(REQUESTS_DIRECTORY));
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

    /// Whether they are of the same process, and were written after the start that the others' name has.
    fn are_later_than(&self, latest: &Self) -> bool {
        self.hash() == latest.hash() && self.process_id == latest.process_id && self.written >= latest.written
    }

    fn hash(&self) -> &str {
        self.name.split('.').nth(1).unwrap_or_default()
    }

    fn metadata_name(&self) -> String {
        format!("covmeta.{}", self.hash())
    }
}

fn own_counters(directory: &Path) -> Vec<OwnCounters> {
    counters_in(&directory.join(OWN_FILES_DIRECTORY))
}

fn counters_in(directory: &Path) -> Vec<OwnCounters> {
    names(directory, is_coverage_file_name).into_iter().filter_map(OwnCounters::of).collect()
}

fn use_own(directory: &Path, own: &OwnCounters) -> io::Result<()> {
    let below = directory.join(OWN_FILES_DIRECTORY);
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

#[cfg(test)]
mod tests {
    use podcov_agent_protocol::is_process_record_name;

    use super::*;

    const HASH: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn what_a_process_writes_after_it_was_left_does_not_count_again() {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::prepare(place.path().to_owned());
        let record = ProcessRecord {
            process_id: 17,
            started_unix_nanoseconds: 5,
            program: "/app".to_owned(),
            go_version: None,
            counters: CountersFrom::Memory(Moment::Left),
            ending: None,
        };
        directory.keep(&format!("covmeta.{HASH}"), b"meta-data").unwrap();
        directory.keep(&format!("covcounters.{HASH}.17.6"), b"counters").unwrap();
        directory.keep(&record.file_name(), record.to_text().as_bytes()).unwrap();
        for (name, contents) in [("covmeta.", ""), ("covcounters.", ".17.7"), ("covcounters.", ".18.7")] {
            fs::write(directory.own().join(format!("{name}{HASH}{contents}")), b"own").unwrap();
        }
        directory.finish();
        let counters = names(place.path(), |name| name.starts_with("covcounters."));
        assert_eq!(counters, [format!("covcounters.{HASH}.17.6"), format!("covcounters.{HASH}.18.7")]);
    }

    #[test]
    fn what_was_last_read_is_used_where_there_is_nothing_of_the_end() {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::prepare(place.path().to_owned());
        let record = ProcessRecord {
            process_id: 17,
            started_unix_nanoseconds: 5,
            program: "/app".to_owned(),
            go_version: None,
            counters: CountersFrom::Memory(Moment::Interval { age_milliseconds: 300 }),
            ending: None,
        };
        directory.keep_latest(&format!("covcounters.{HASH}.17.5"), b"counters").unwrap();
        directory.keep_latest(&record.file_name(), record.to_text().as_bytes()).unwrap();

        assert_eq!(directory.use_latest(17, 6), None, "another start of the same number");
        assert_eq!(directory.use_latest(17, 5), Some(Moment::Interval { age_milliseconds: 300 }));
        assert_eq!(names(place.path(), is_coverage_file_name).len(), 1);
        assert_eq!(names(place.path(), is_process_record_name), [record.file_name()]);
        assert_eq!(directory.use_latest(17, 5), None, "it was used");
    }
}
