//! Coverage data as Go leaves it on disk: finds it and merges it.
//!
//! Owns what belongs together and what is set aside. Decoding is go-coverage's; what missing data means for a
//! run is decided where the processes were watched. One counter file is in memory at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use go_coverage::{Error, Merger, MetaDataHash, Profile};
use podcov_agent_protocol::{
    LATEST_DIRECTORY, OWN_FILES_DIRECTORY, is_coverage_file_name, is_metadata_file_name,
    is_process_record_name,
};

use crate::error::CommandError;
use crate::run_directory::{TESTS, TESTS_RECORD};

/// Go names a file so until it is whole.
pub const UNFINISHED_PREFIX: &str = "tmp.cov";
/// Meta-data has some dozen bytes for each statement, counters a few; nothing real comes near this.
pub const LARGEST_FILE: u64 = 1 << 28;
/// A line for each block, of some hundred bytes; many may be in one file, one after the other.
pub const LARGEST_TEXT_PROFILE: u64 = 1 << 30;

/// A directory that holds coverage data itself, not only below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CovdataDirectory {
    pub path: PathBuf,
    /// `covmeta.*`: one for each program that started.
    pub metadata: Vec<PathBuf>,
    /// `covcounters.*`: one for each process that ended in a way that lets Go write it.
    pub counters: Vec<PathBuf>,
    /// `tmp.cov*`: what a process could not complete.
    pub unfinished: Vec<PathBuf>,
    /// `process.*`: how each supervised process was read.
    pub records: Vec<PathBuf>,
    pub bytes: u64,
}

/// All that was found below some paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Sorted by path. None is in it twice, however it was reached.
    pub directories: Vec<CovdataDirectory>,
    /// Directories that were looked into.
    pub directories_searched: usize,
    /// Files that are no coverage data.
    pub other_files: usize,
    /// Links are not followed: they could lead anywhere, and to the same data twice.
    pub links: Vec<PathBuf>,
    /// What could not be looked into, and why.
    pub unreadable: Vec<Refused>,
}

/// A file that is not part of the figures, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refused {
    pub path: PathBuf,
    pub reason: String,
}

/// Directories whose figures are shown together, such as those of a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub label: String,
    pub directories: Vec<CovdataDirectory>,
}

/// What the merge of some groups gave. Profiles are one for each counter mode.
#[derive(Clone, Debug, Default)]
pub struct Merged {
    pub total: Vec<Profile>,
    /// In the order of the groups.
    pub groups: Vec<(String, Vec<Profile>)>,
    pub set_aside: Vec<Refused>,
}

impl CovdataDirectory {
    /// Programs that started here and of which no process left counters here: they run on, or were killed.
    pub fn unheard(&self) -> BTreeSet<String> {
        let counted = hashes(&self.counters);
        hashes(&self.metadata).into_iter().filter(|hash| !counted.contains(hash)).collect()
    }

    /// Programs whose counters are here, but not their meta-data.
    pub fn orphaned(&self) -> BTreeSet<String> {
        let known = hashes(&self.metadata);
        hashes(&self.counters).into_iter().filter(|hash| !known.contains(hash)).collect()
    }
}

/// Looks for coverage data in `root` and below it.
pub fn find(root: &Path) -> Result<Found, CommandError> {
    find_all([root])
}

/// Looks for coverage data in all of `roots` and below them.
pub fn find_all<'a>(roots: impl IntoIterator<Item = &'a Path>) -> Result<Found, CommandError> {
    let mut found = Found::default();
    let mut seen = BTreeSet::new();
    for root in roots {
        let unreadable = |error: std::io::Error| {
            CommandError::failure(format!("cannot read {}", root.display())).caused_by(error)
        };
        let metadata = fs::metadata(root).map_err(unreadable)?;
        if !metadata.is_dir() {
            return Err(CommandError::failure(format!("{} is not a directory", root.display()))
                .hint("name the directory that GOCOVERDIR was set to, or one above it"));
        }
        fs::read_dir(root).map_err(unreadable)?;
        let mut pending = vec![root.to_owned()];
        while let Some(directory) = pending.pop() {
            let identity = fs::canonicalize(&directory).unwrap_or_else(|_| directory.clone());
            if seen.insert(identity) {
                look_into(&directory, &mut found, &mut pending);
            }
        }
    }
    found.directories.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

fn look_into(directory: &Path, found: &mut Found, pending: &mut Vec<PathBuf>) {
    recover(directory);
    let mut covdata = CovdataDirectory { path: directory.to_owned(), ..CovdataDirectory::default() };
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            found.unreadable.push(Refused { path: directory.to_owned(), reason: error.to_string() });
            return;
        }
    };
    found.directories_searched += 1;
    for entry in entries {
        // The type is the entry's own, not that of what a link leads to.
        let (path, kind) = match entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))) {
            Ok(entry) => entry,
            Err(error) => {
                found.unreadable.push(Refused { path: directory.to_owned(), reason: error.to_string() });
                continue;
            }
        };
        let name = file_name(&path);
        if kind.is_symlink() {
            found.links.push(path);
        } else if kind.is_dir() {
            // What is there is of processes that still run.
            // What each test ran is a part of what is elsewhere in its run.
            let is_of_tests = name == TESTS && directory.join(TESTS_RECORD).is_file();
            if ![OWN_FILES_DIRECTORY, LATEST_DIRECTORY].contains(&name) && !is_of_tests {
                pending.push(path);
            }
        } else if !kind.is_file() {
            // A pipe would keep its reader waiting for ever.
            found.other_files += 1;
        } else if is_coverage_file_name(name) {
            covdata.bytes += fs::symlink_metadata(&path).map_or(0, |metadata| metadata.len());
            if is_metadata_file_name(name) { &mut covdata.metadata } else { &mut covdata.counters }
                .push(path);
        } else if name.starts_with(UNFINISHED_PREFIX) {
            covdata.unfinished.push(path);
        } else if is_process_record_name(name) {
            covdata.records.push(path);
        } else {
            found.other_files += 1;
        }
    }
    for files in [&mut covdata.metadata, &mut covdata.counters, &mut covdata.unfinished, &mut covdata.records]
    {
        files.sort();
    }
    let CovdataDirectory { metadata, counters, unfinished, records, .. } = &covdata;
    if [metadata, counters, unfinished, records].iter().any(|files| !files.is_empty()) {
        found.directories.push(covdata);
    }
}

/// Uses what a supervision that was killed has left.
#[cfg(target_os = "linux")]
fn recover(directory: &Path) {
    podcov_supervised_capture::recover(directory);
}

/// Nothing is supervised.
#[cfg(not(target_os = "linux"))]
fn recover(_directory: &Path) {}

/// Adds everything up: in all, and for each group. What cannot be used is named, and the rest goes on.
pub fn merge(groups: &[Group]) -> Merged {
    let mut set_aside = BTreeMap::new();
    let mut total = Addition::default();
    for group in groups {
        total.add_all_metadata(group, &mut set_aside);
    }
    let metadata = std::mem::take(&mut total.metadata);
    let mut merged_groups = Vec::with_capacity(groups.len());
    for group in groups {
        let mut own = Addition::default();
        // The one group is the total: it need not be added up twice.
        let apart = groups.len() > 1;
        if apart {
            own.add_all_metadata(group, &mut set_aside);
        }
        for path in group.directories.iter().flat_map(|directory| &directory.counters) {
            let added = read_file(path).and_then(|bytes| {
                total.merger.add_counters(&bytes).map_err(|error| error.to_string())?;
                if apart { own.add_counters_from(&bytes, &metadata) } else { Ok(()) }
            });
            if let Err(reason) = added {
                set_aside.entry(path.clone()).or_insert(reason);
            }
        }
        if apart {
            merged_groups.push((group.label.clone(), own.merger.finish()));
        }
    }
    let total = total.merger.finish();
    if let [group] = groups {
        merged_groups.push((group.label.clone(), total.clone()));
    }
    let set_aside = set_aside.into_iter().map(|(path, reason)| Refused { path, reason }).collect();
    Merged { total, groups: merged_groups, set_aside }
}

#[derive(Default)]
struct Addition {
    merger: Merger,
    /// Where each program's meta-data was read from.
    metadata: BTreeMap<MetaDataHash, PathBuf>,
    /// Every process rewrites the same file; one of them is enough.
    read: BTreeSet<(String, u64)>,
}

impl Addition {
    fn add_all_metadata(&mut self, group: &Group, set_aside: &mut BTreeMap<PathBuf, String>) {
        for path in group.directories.iter().flat_map(|directory| &directory.metadata) {
            let identity =
                (file_name(path).to_owned(), fs::metadata(path).map_or(0, |metadata| metadata.len()));
            if self.read.contains(&identity) {
                continue;
            }
            let added = read_file(path)
                .and_then(|bytes| self.merger.add_metadata(&bytes).map_err(|error| error.to_string()));
            match added {
                Ok(hash) => {
                    self.read.insert(identity);
                    self.metadata.entry(hash).or_insert_with(|| path.clone());
                }
                Err(reason) => {
                    set_aside.entry(path.clone()).or_insert(reason);
                }
            }
        }
    }

    /// Adds counters whose meta-data may be in another group's directory.
    fn add_counters_from(
        &mut self,
        bytes: &[u8],
        metadata: &BTreeMap<MetaDataHash, PathBuf>,
    ) -> Result<(), String> {
        let mut added = self.merger.add_counters(bytes);
        if let Err(Error::OrphanCounters { hash }) = &added
            && let Some(path) = metadata.get(hash)
        {
            self.merger.add_metadata(&read_file(path)?).map_err(|error| error.to_string())?;
            added = self.merger.add_counters(bytes);
        }
        added.map_err(|error| error.to_string())
    }
}

/// Reads a file of coverage data whole.
pub fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > LARGEST_FILE {
        return Err(format!("{length} bytes are more than any coverage data has"));
    }
    fs::read(path).map_err(|error| error.to_string())
}

fn hashes(files: &[PathBuf]) -> BTreeSet<String> {
    files.iter().filter_map(|path| file_name(path).split('.').nth(1)).map(str::to_owned).collect()
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
