//! The coverage of what was changed: finds the changed lines and the data, and brings them together.
//!
//! Owns which file of the data is which file of the patch. What a patch says, and what the lines of it come to, is
//! podcov-patch's.

pub mod changes;
pub mod data;
mod git;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use go_coverage::{Profile, Unit};
use go_source::{SourceFile, Sources};
use podcov_patch::{Against, ChangedFile, ChangedLines, FileChange, NotMeasured, compare, without_data};

use crate::error::CommandError;
use changes::Changes;
use data::Data;

/// What is known of every changed file.
pub fn coverage(changes: &Changes, data: &Data, sources: &Sources) -> Result<Vec<ChangedFile>, CommandError> {
    let empty = Profile { mode: go_coverage::CounterMode::Set, packages: Vec::new() };
    let profile = data.profile.as_ref().unwrap_or(&empty);
    let files = Files::find(changes, profile, &data.excluded, sources);
    changes
        .files
        .iter()
        .filter_map(|change| Some((change, change.new_path.clone()?)))
        .map(|(change, path)| {
            let coverage = match without_data(change, &path) {
                Some(why) => Err(why),
                None => files.coverage(change, &path, changes)?,
            };
            let old_path = change.old_path.clone().filter(|old| *old != path && change.is_of_git);
            Ok(ChangedFile { path, old_path, coverage })
        })
        .collect()
}

/// What code that was not touched has lost since an earlier run.
pub fn against(earlier: &Data, data: &Data, changes: &Changes, sources: &Sources) -> Against {
    let empty = Profile { mode: go_coverage::CounterMode::Set, packages: Vec::new() };
    let (before, after) =
        (earlier.profile.as_ref().unwrap_or(&empty), data.profile.as_ref().unwrap_or(&empty));
    let files = Files::find(changes, after, &data.excluded, sources);
    let changes_of: HashMap<&str, &FileChange> = files.changed(changes);
    let comparison = compare(before, after, |file, unit| {
        changes_of.get(file).is_some_and(|change| {
            change.lines.touches(&(unit.start_line..=unit.end_line.max(unit.start_line)))
        })
    });
    // A package that the checkout no longer has was removed; of another, the data is missing.
    let is_there = |(package, file): &(String, String)| sources.find(file).is_ok().then(|| package.clone());
    let packages_missing = comparison.packages_gone.iter().filter_map(is_there).collect();
    let mut missing = earlier.missing.clone();
    if earlier.profile.is_none() {
        missing.push("it has no counters: nothing is known of what ran".to_owned());
    }
    Against { name: earlier.name.clone(), comparison, packages_missing, missing }
}

/// The files of the data that the patch may mean.
struct Files<'a> {
    /// By path from the root of the repository.
    by_path: BTreeMap<String, Vec<Measured<'a>>>,
    /// Directories of which the data has a package, from the root.
    directories: BTreeSet<String>,
    /// Files that the settings leave out, by path from the root, and why.
    excluded: BTreeMap<String, String>,
}

struct Measured<'a> {
    /// As the data names it.
    file: &'a str,
    units: Vec<Unit>,
    source: SourceFile,
}

impl<'a> Files<'a> {
    /// Only files that have the name of a changed one are looked for, and a file of each package.
    fn find(
        changes: &Changes,
        profile: &'a Profile,
        excluded: &BTreeMap<String, String>,
        sources: &Sources,
    ) -> Self {
        let paths = changes.files.iter().filter_map(|change| change.new_path.as_deref());
        let names: BTreeSet<&str> = paths.map(base_name).collect();
        let mut units = BTreeMap::<&str, Vec<Unit>>::new();
        for function in profile.functions() {
            units.entry(&function.file).or_default().extend(&function.units);
        }
        let path_of = |file: &str| relative(&sources.find(file).ok()?.path, &changes.root);
        let excluded = excluded.iter().filter(|(file, _)| names.contains(base_name(file)));
        let excluded = excluded.filter_map(|(file, reason)| Some((path_of(file)?, reason.clone()))).collect();
        let mut files = Self { by_path: BTreeMap::new(), directories: BTreeSet::new(), excluded };
        let mut packages = BTreeSet::new();
        for (file, units) in units {
            let is_named = names.contains(base_name(file));
            let directory = file.rsplit_once('/').map_or("", |(directory, _)| directory);
            if !is_named && packages.contains(directory) {
                continue;
            }
            let Ok(source) = sources.find(file) else { continue };
            let Some(path) = relative(&source.path, &changes.root) else { continue };
            packages.insert(directory);
            files.directories.insert(path.rsplit_once('/').map_or("", |(directory, _)| directory).to_owned());
            if is_named {
                files.by_path.entry(path).or_default().push(Measured { file, units, source });
            }
        }
        files
    }

    /// The changes of the files of the data, by their names there.
    fn changed<'c>(&'c self, changes: &'c Changes) -> HashMap<&'c str, &'c FileChange> {
        let measured = changes.files.iter().filter_map(|change| {
            let files = self.by_path.get(change.new_path.as_deref()?)?;
            Some(files.iter().map(move |measured| (measured.file, change)))
        });
        measured.flatten().collect()
    }

    fn coverage(
        &self,
        change: &FileChange,
        path: &str,
        changes: &Changes,
    ) -> Result<Result<ChangedLines, NotMeasured>, CommandError> {
        let Some(measured) = self.by_path.get(path) else {
            return Ok(Err(self.why_not_measured(path, changes)?));
        };
        let units: Vec<Unit> = measured.iter().flat_map(|measured| measured.units.iter().copied()).collect();
        let Some(first) = measured.first() else { return Ok(Err(NotMeasured::NotInData)) };
        let source = if changes.is_checked_out() {
            first.source.clone()
        } else {
            match changes.text(path)? {
                Some(text) => SourceFile { path: first.source.path.clone(), text },
                None => {
                    return Ok(Err(NotMeasured::OtherVersion(
                        "its text in that commit cannot be read".to_owned(),
                    )));
                }
            }
        };
        let ends = units.iter().map(|unit| (unit.end_line, unit.end_column));
        let positions = units.iter().map(|unit| (unit.start_line, unit.start_column)).chain(ends);
        Ok(match source.check_positions(positions) {
            Ok(()) => Ok(ChangedLines::of(change, &units, &source.text)),
            Err(missing) => Err(NotMeasured::OtherVersion(missing.to_string())),
        })
    }

    fn why_not_measured(&self, path: &str, changes: &Changes) -> Result<NotMeasured, CommandError> {
        if let Some(reason) = self.excluded.get(path) {
            return Ok(NotMeasured::Excluded(reason.clone()));
        }
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        if self.directories.contains(directory) {
            return Ok(NotMeasured::NoStatements);
        }
        // Of a file that cannot be read, it is not known whether it has functions.
        let has_functions = changes.text(path)?.is_none_or(|text| text.contains("func"));
        Ok(if has_functions { NotMeasured::NotInData } else { NotMeasured::NoStatements })
    }
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// `path` from the root, with `/` between its parts.
fn relative(path: &Path, root: &Path) -> Option<String> {
    let canonical = path.canonicalize().ok()?;
    let below = canonical.strip_prefix(root).ok()?;
    Some(below.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/"))
}
