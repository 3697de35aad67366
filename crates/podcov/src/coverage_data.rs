//! Coverage data as Go leaves it on disk: finds it and merges it.
//!
//! Owns what belongs together and what is set aside. Decoding is go-coverage's; what missing data means for a
//! run is decided where the processes were watched. Each thread has one counter file in memory at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use go_coverage::{CounterMode, Counts, Join, MetaDataFile, MetaDataHash, Profile, Programs};
use podcov_agent_protocol::{
    LATEST_DIRECTORY, OWN_FILES_DIRECTORY, is_coverage_file_name, is_metadata_file_name,
    is_process_record_name,
};

use crate::counter_files;
use crate::error::CommandError;
use crate::parallel;
use crate::run_directory::{TESTS, TESTS_RECORD};

/// Go names a file so until it is whole.
pub const UNFINISHED_PREFIX: &str = "tmp.cov";
/// Meta-data has some dozen bytes for each statement, counters a few; nothing real comes near this.
pub const LARGEST_FILE: u64 = 1 << 28;
/// A line for each block, of some hundred bytes; many may be in one file, one after the other.
pub const LARGEST_TEXT_PROFILE: u64 = 1 << 30;
/// Below that, joining packages on another thread takes longer than it saves.
const UNITS_WORTH_A_THREAD: u64 = 10_000;

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
    /// In the order of the groups; empty where the one group is the total.
    pub groups: Vec<(String, Vec<Profile>)>,
    pub set_aside: Vec<Refused>,
}

impl CovdataDirectory {
    /// How large its coverage data is.
    pub fn bytes(&self) -> u64 {
        let size = |path: &PathBuf| fs::symlink_metadata(path).map_or(0, |metadata| metadata.len());
        self.metadata.iter().chain(&self.counters).map(size).sum()
    }

    /// Programs that started here.
    pub fn programs(&self) -> BTreeSet<String> {
        hashes(&self.metadata)
    }

    /// Programs that started here and of which no process left counters here: they run on, or were killed.
    pub fn unheard(&self) -> BTreeSet<String> {
        let counted = hashes(&self.counters);
        self.programs().into_iter().filter(|hash| !counted.contains(hash)).collect()
    }

    /// Programs whose counters are here, but not their meta-data.
    pub fn orphaned(&self) -> BTreeSet<String> {
        let known = self.programs();
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
        let (entry, kind) = match entry.and_then(|entry| entry.file_type().map(|kind| (entry, kind))) {
            Ok(entry) => entry,
            Err(error) => {
                found.unreadable.push(Refused { path: directory.to_owned(), reason: error.to_string() });
                continue;
            }
        };
        let path = entry.path();
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
        // All are in one directory. Paths are compared part by part, which takes much longer.
        files.sort_unstable_by(|one, other| one.as_os_str().cmp(other.as_os_str()));
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

/// What is there, added up for each program.
pub struct AddedUp {
    pub programs: Programs,
    pub counts: Counts,
    /// The programs of each group.
    pub programs_of_groups: Vec<BTreeSet<MetaDataHash>>,
    groups: Vec<(String, Vec<Profile>)>,
    set_aside: Vec<Refused>,
}

impl AddedUp {
    /// Adds everything up: in all, and for each group where there are several. What cannot be used is named, and the rest
    /// goes on.
    pub fn of(groups: &[Group]) -> Self {
        let mut metadata = MetaData::default();
        let own: Vec<BTreeSet<MetaDataHash>> = groups.iter().map(|group| metadata.add_all(group)).collect();
        let MetaData { programs, mut set_aside, .. } = metadata;
        let mut total = Counts::new();
        let mut merged_groups = Vec::new();
        for (group, own) in groups.iter().zip(&own) {
            let files = group.directories.iter().flat_map(|directory| &directory.counters);
            let files: Vec<&Path> = files.map(PathBuf::as_path).collect();
            let (counts, refused) = counter_files::add_up(&programs, &files);
            for Refused { path, reason } in refused {
                set_aside.entry(path).or_insert(reason);
            }
            if groups.len() > 1 {
                merged_groups.push((group.label.clone(), profiles(&programs, &counts, own)));
            }
            total.merge(&programs, counts);
        }
        let set_aside = set_aside.into_iter().map(|(path, reason)| Refused { path, reason }).collect();
        Self { programs, counts: total, programs_of_groups: own, groups: merged_groups, set_aside }
    }

    /// All programs as one.
    pub fn merged(self) -> Merged {
        let all = self.programs.iter().map(MetaDataFile::hash).collect();
        let total = profiles(&self.programs, &self.counts, &all);
        Merged { total, groups: self.groups, set_aside: self.set_aside }
    }
}

/// Adds everything up, all programs as one.
pub fn merge(groups: &[Group]) -> Merged {
    AddedUp::of(groups).merged()
}

/// A profile for each counter mode: of these programs, and of those that have counts.
fn profiles(programs: &Programs, counts: &Counts, own: &BTreeSet<MetaDataHash>) -> Vec<Profile> {
    let of_mode = |mode: CounterMode| {
        let mut members: Vec<_> = programs
            .iter()
            .enumerate()
            .map(|(index, metadata)| (metadata, counts.get(index)))
            .filter(|(metadata, counts)| {
                metadata.mode() == mode && (own.contains(&metadata.hash()) || counts.is_some())
            })
            .collect();
        members.sort_by_key(|(metadata, _)| metadata.hash());
        let _ = members.first()?;
        let join = Join::new(mode, members, |_| true);
        let count = join.package_count();
        let units: usize = (0..count).map(|package| join.unit_count(package)).sum();
        let threads = parallel::threads(units as u64, UNITS_WORTH_A_THREAD);
        let packages = parallel::in_order(count, threads, |package| join.package(package));
        Some(Profile { mode, packages: packages.into_iter().flatten().collect() })
    };
    [CounterMode::Set, CounterMode::Count, CounterMode::Atomic].into_iter().filter_map(of_mode).collect()
}

/// The programs of all groups.
#[derive(Default)]
struct MetaData {
    programs: Programs,
    /// Every process rewrites the same file; one of them is enough.
    read: BTreeMap<(String, u64), MetaDataHash>,
    set_aside: BTreeMap<PathBuf, String>,
}

impl MetaData {
    /// The programs of a group.
    fn add_all(&mut self, group: &Group) -> BTreeSet<MetaDataHash> {
        let mut own = BTreeSet::new();
        for path in group.directories.iter().flat_map(|directory| &directory.metadata) {
            let identity =
                (file_name(path).to_owned(), fs::metadata(path).map_or(0, |metadata| metadata.len()));
            if let Some(hash) = self.read.get(&identity) {
                own.insert(*hash);
                continue;
            }
            let added =
                read_file(path).and_then(|bytes| self.programs.add(bytes).map_err(|error| error.to_string()));
            match added {
                Ok(hash) => {
                    self.read.insert(identity, hash);
                    own.insert(hash);
                }
                Err(reason) => {
                    self.set_aside.entry(path.clone()).or_insert(reason);
                }
            }
        }
        own
    }
}

/// Reads a file of coverage data whole.
pub fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    counter_files::read(path, &mut bytes)?;
    Ok(bytes)
}

fn hashes(files: &[PathBuf]) -> BTreeSet<String> {
    files.iter().filter_map(|path| file_name(path).split('.').nth(1)).map(str::to_owned).collect()
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
