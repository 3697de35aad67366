//! The page of a run directory as it is now, also while another podcov writes to it.
//!
//! Owns what is read of processes that still run. Takes no lock: files are replaced whole, so that one that is read is
//! never half of one.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use podcov_agent_protocol::{
    LATEST_DIRECTORY, is_coverage_file_name, is_process_record_name, process_record_name,
};
use podcov_report::run::Run;
use podcov_report::{Page, Report, SourceFiles, Versions};

use crate::content::Content;
use crate::coverage_data::{self, CovdataDirectory, Group};
use crate::error::CommandError;
use crate::finish;
use crate::page;
use crate::process_files::{self, ProcessFile};
use crate::run_directory;
use crate::settings::Settings;
use crate::terminal::Terminal;

/// What is in a directory, as far as names, sizes and times tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    fingerprint: u64,
    /// A podcov writes to it.
    pub is_written_to: bool,
    /// When the newest file of coverage data was written.
    pub newest: Option<SystemTime>,
}

impl State {
    /// Looks at the directory; one that is not there is empty.
    pub fn of(path: &Path) -> Self {
        let mut hasher = DefaultHasher::new();
        let mut newest = None;
        let mut pending = vec![path.to_owned()];
        while let Some(directory) = pending.pop() {
            let mut entries: Vec<_> = std::fs::read_dir(directory).into_iter().flatten().flatten().collect();
            entries.sort_by_key(std::fs::DirEntry::file_name);
            for entry in entries {
                // Of the entry itself, so that no link leads out.
                let Ok(metadata) = entry.metadata() else { continue };
                if metadata.is_dir() {
                    pending.push(entry.path());
                } else if is_input(&entry.file_name().to_string_lossy()) {
                    let modified = metadata.modified().ok();
                    (entry.path(), metadata.len(), modified).hash(&mut hasher);
                    newest = newest.max(modified);
                }
            }
        }
        Self { fingerprint: hasher.finish(), is_written_to: run_directory::is_written_to(path), newest }
    }
}

/// Logs and finished reports change as well, and are not what the page is made from.
fn is_input(name: &str) -> bool {
    name == "run.json" || is_coverage_file_name(name) || is_process_record_name(name)
}

/// The page, and whether the record says that the run has ended; none where there is no run.
pub fn render(
    path: &Path,
    settings: &Settings,
    version: u64,
) -> Result<Option<(Vec<u8>, bool)>, CommandError> {
    let Some(mut run) = run_directory::read_record(path)? else { return Ok(None) };
    let mut groups = finish::groups_in(path, &run)?;
    add_living(path, &mut groups)?;
    // Meta-data alone says what there is and nothing of what ran: it would read as 0 %.
    groups.retain(|group| group.directories.iter().any(|directory| !directory.counters.is_empty()));
    let has_ended = run.finished.is_some();
    let recorded = run.set_aside.len();
    let silent = Terminal::silent();
    let content = Content::of_run(&mut run, path, &groups, settings, &silent);
    if has_ended {
        // The record of a run that has ended names them already.
        run.set_aside.truncate(recorded);
    }
    let tests = run_directory::read_tests(path)?;
    let Content { sections, kinds, files, versions, .. } = content;
    let report =
        Report { run: &run, sections, kinds, tests: tests.as_ref(), files: &files, versions: &versions };
    Ok(Some((page(&report, version)?, has_ended)))
}

/// The page as long as there is nothing to show.
pub fn render_empty(version: u64) -> Result<Vec<u8>, CommandError> {
    let run: Run = run_directory::new_run();
    page(
        &Report {
            run: &run,
            sections: Vec::new(),
            kinds: Vec::new(),
            files: &SourceFiles::default(),
            versions: &Versions::default(),
            tests: None,
        },
        version,
    )
}

fn page(report: &Report<'_>, version: u64) -> Result<Vec<u8>, CommandError> {
    let mut page = Vec::new();
    page::write(&Page::new(report).live(version), &mut page)
        .map_err(|error| CommandError::failure("cannot make the page").caused_by(error))?;
    Ok(page)
}

/// Adds what was last read of processes that have not ended, which reports on a run leave out until its end.
fn add_living(path: &Path, groups: &mut Vec<Group>) -> Result<(), CommandError> {
    let data = run_directory::data_directory_of(path);
    for latest in latest_directories(&data) {
        let Some(owner) = latest.parent() else { continue };
        let left = process_files::of_directory(owner, owner);
        let mut read = process_files::of_directory(&latest, &latest);
        read.retain(|living| !has_ended(owner, &left, living));
        for mut living in coverage_data::find(&latest)?.directories {
            living.counters.retain(|counters| read.iter().any(|file| file.path == *counters));
            let label = finish::first_component(owner, &data);
            add(groups, label, living);
        }
    }
    Ok(())
}

fn add(groups: &mut Vec<Group>, label: String, directory: CovdataDirectory) {
    match groups.iter_mut().find(|group| group.label == label) {
        Some(group) => group.directories.push(directory),
        None => groups.push(Group { label, directories: vec![directory] }),
    }
}

fn latest_directories(data: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![data.to_owned()];
    while let Some(directory) = pending.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            if entry.file_name() == LATEST_DIRECTORY { &mut found } else { &mut pending }.push(entry.path());
        }
    }
    found.sort();
    found
}

/// A living process has the time of its start in the name of its counters, and what it left in the directory of its owner
/// at its end a later one.
fn has_ended(owner: &Path, left: &[ProcessFile], living: &ProcessFile) -> bool {
    owner.join(process_record_name(living.process_id, living.time)).exists()
        || left.iter().any(|file| file.process_id == living.process_id && file.time > living.time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_left_its_counters_does_not_live() {
        const HASH: &str = "0123456789abcdef0123456789abcdef";
        let directory = tempfile::tempdir().unwrap();
        let owner = directory.path();
        let counters = |process: u32, time: u64| format!("covcounters.{HASH}.{process}.{time}");
        let latest = owner.join(LATEST_DIRECTORY);
        std::fs::create_dir(&latest).unwrap();
        std::fs::write(latest.join(counters(7, 100)), "").unwrap();
        let [living] = process_files::of_directory(&latest, &latest).try_into().unwrap();
        let ended = || has_ended(owner, &process_files::of_directory(owner, owner), &living);
        std::fs::write(owner.join(counters(8, 150)), "").unwrap();
        std::fs::write(owner.join(counters(7, 90)), "").unwrap();
        assert!(!ended());
        std::fs::write(owner.join(counters(7, 150)), "").unwrap();
        assert!(ended());
    }

    #[test]
    fn what_the_page_is_made_from_changes_the_state_and_a_log_does_not() {
        let directory = tempfile::tempdir().unwrap();
        let empty = State::of(directory.path());
        assert_eq!(empty, State::of(&directory.path().join("not-there")));
        std::fs::write(directory.path().join("api.log"), "x").unwrap();
        assert_eq!(State::of(directory.path()), empty);
        std::fs::create_dir(directory.path().join("data")).unwrap();
        std::fs::write(directory.path().join("data/covcounters.0123456789abcdef0123456789abcdef.7.90"), "x")
            .unwrap();
        let with_data = State::of(directory.path());
        assert_ne!(with_data, empty);
        assert!(with_data.newest.is_some());
    }
}
