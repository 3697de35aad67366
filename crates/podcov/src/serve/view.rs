//! The page of a run directory as it is now, also while another podcov writes to it.
//!
//! Takes no lock: files are replaced whole, so that one that is read is never half of one.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::time::SystemTime;

use podcov_agent_protocol::{is_coverage_file_name, is_process_record_name};
use podcov_report::run::Run;
use podcov_report::{Page, Report, SourceFiles, Versions};

use crate::content::Content;
use crate::coverage_data::CovdataDirectory;
use crate::error::CommandError;
use crate::existing_data;
use crate::finish;
use crate::living;
use crate::page;
use crate::run_directory;
use crate::settings::Settings;
use crate::terminal::Terminal;

/// What is in a directory, as far as names, sizes and times tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    fingerprint: u64,
    writers: Writers,
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
                    continue;
                }
                let name = entry.file_name();
                let name = name.to_string_lossy();
                if is_input(&name) {
                    let modified = metadata.modified().ok();
                    (entry.path(), metadata.len(), modified).hash(&mut hasher);
                    if is_coverage_file_name(&name) {
                        newest = newest.max(modified);
                    }
                }
            }
        }
        Self { fingerprint: hasher.finish(), writers: Writers::of(path), newest }
    }
}

/// What other podcovs do with a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Writers {
    /// One writes to it.
    write: bool,
    /// Some run a program that they will add.
    add: bool,
}

impl Writers {
    fn of(path: &Path) -> Self {
        Self { write: run_directory::is_written_to(path), add: run_directory::is_added_to(path) }
    }
}

/// Logs and finished reports change as well, and are not what the page is made from.
fn is_input(name: &str) -> bool {
    name == "run.json" || is_coverage_file_name(name) || is_process_record_name(name)
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A podcov writes to it, or will add to it.
    Running,
    /// Its record says so.
    Ended,
    /// Nobody writes to it, and it has not ended.
    Killed,
}

/// The page, and how far its run has come; none where there is no run.
pub fn render(
    path: &Path,
    settings: &Settings,
    version: u64,
    state: State,
) -> Result<Option<(Vec<u8>, Progress)>, CommandError> {
    let Some(mut run) = run_directory::read_record(path)? else { return Ok(None) };
    // One that has ended since it was looked at changes the state.
    let (then, now) = (state.writers, Writers::of(path));
    let progress = if then.add || now.add {
        Progress::Running
    } else if run.finished.is_some() {
        Progress::Ended
    } else if then.write || now.write {
        Progress::Running
    } else {
        Progress::Killed
    };
    let mut groups = finish::groups_in(path, &run)?;
    groups.iter_mut().flat_map(|group| &mut group.directories).for_each(living::add);
    if progress == Progress::Killed {
        let data: Vec<CovdataDirectory> =
            groups.iter().flat_map(|group| &group.directories).cloned().collect();
        run.captures = existing_data::left_by(&run, path, &data);
        run.notes.extend(existing_data::how_to_collect(&run));
    }
    // Meta-data alone says what there is and nothing of what ran: it would read as 0 %.
    groups.retain(|group| group.directories.iter().any(|directory| !directory.counters.is_empty()));
    let recorded = run.set_aside.len();
    let silent = Terminal::silent();
    let content = Content::of_run(&mut run, path, &groups, settings, &silent);
    if progress == Progress::Ended {
        // The record of a run that has ended names them already.
        run.set_aside.truncate(recorded);
    }
    let tests = run_directory::read_tests(path)?;
    let Content { sections, kinds, files, versions, .. } = content;
    let report =
        Report { run: &run, sections, kinds, tests: tests.as_ref(), files: &files, versions: &versions };
    Ok(Some((page(&report, version, progress == Progress::Running)?, progress)))
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
        true,
    )
}

fn page(report: &Report<'_>, version: u64, is_early: bool) -> Result<Vec<u8>, CommandError> {
    let mut page = Vec::new();
    page::write(&Page::new(report).live(version, is_early), &mut page)
        .map_err(|error| CommandError::failure("cannot make the page").caused_by(error))?;
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

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
