//! The end of every run: merge, write the results, show the summary, choose the exit code.
//!
//! Owns the order of these, and which data stands under which name. Where the data came from and what is
//! missing is in the record by then.

use std::path::{Path, PathBuf};

use go_coverage::{Profile, write_text};
use go_source::Sources;
use podcov_report::run::{Outcome, Run, SetAside, Summary, WorkloadSummary};
use podcov_report::{Report, Section, html, summary};

use crate::cli::{OutputFormat, ReportOptions};
use crate::coverage_data::{self, Group, Merged, Refused};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::interrupt::Interrupt;
use crate::run_directory::RunDirectory;
use crate::terminal::Terminal;

/// The label of the section that holds everything.
const EVERYTHING: &str = "all";

/// Where the summary goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// To standard output: it is what the command is for.
    AsData(OutputFormat),
    /// To standard error, unless --quiet: standard output is the program's.
    ForPeople,
}

/// Reports on everything in the run directory and marks the run as ended. What the record says of files that
/// were set aside before stays.
pub fn finish(
    directory: &mut RunDirectory,
    source: &Path,
    shown: Shown,
    terminal: &Terminal,
) -> Result<(), CommandError> {
    write_results(directory, source, shown, terminal, RunDirectory::finish)
}

/// The same for a run whose end is not known: the record keeps saying so.
pub fn refresh(
    directory: &mut RunDirectory,
    source: &Path,
    shown: Shown,
    terminal: &Terminal,
) -> Result<(), CommandError> {
    write_results(directory, source, shown, terminal, |directory| directory.save())
}

fn write_results(
    directory: &mut RunDirectory,
    source: &Path,
    shown: Shown,
    terminal: &Terminal,
    save: impl FnOnce(&mut RunDirectory) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let progress = terminal.progress("merging", "the captured data");
    let groups = groups(directory)?;
    let Merged { total, groups, set_aside } = coverage_data::merge(&groups);
    let set_aside = named(directory, set_aside);
    directory.run_mut().set_aside.extend(set_aside);
    directory.save()?;
    write_profiles(directory, &total)?;

    progress.update("the sources");
    let sources = Sources::discover(source).unwrap_or_else(|error| {
        terminal.warning(&format!("no sources in the report: {error}"));
        Sources::default()
    });
    let only_workload = if let [(label, _)] = groups.as_slice() { Some(label.clone()) } else { None };
    let sections = sections(total, groups);
    directory.run_mut().summary = figures(directory.run(), &sections, &sources, only_workload);
    let run = directory.run().clone();
    let tests = directory.tests().unwrap_or_else(|error| {
        terminal.warning(&format!("no tests in the report: {error}"));
        None
    });
    let report = Report { run: &run, sections, kinds: Vec::new(), tests: tests.as_ref(), sources: &sources };
    let page = directory.write_page(|output| html(&report, output).map_err(std::io::Error::other))?;
    save(directory)?;
    drop(progress);

    match shown {
        Shown::AsData(OutputFormat::Json) => {
            terminal.summary_for_people(&summary(&report), &page);
            terminal.data(&directory.record()?)
        }
        Shown::AsData(OutputFormat::Text) => terminal.summary(&summary(&report), &page),
        Shown::ForPeople => {
            terminal.summary_for_people(&summary(&report), &page);
            Ok(())
        }
    }
}

/// The code that a run ends with: the user's wish to stop, else the tests' own, else whether data is missing.
pub fn exit_code(run: &Run, tests: u8, interrupt: &Interrupt, allow_incomplete: bool) -> ExitCode {
    match interrupt.signal() {
        Some(signal) => ExitCode::Interrupted(signal),
        None if tests != 0 => ExitCode::Command(tests),
        None if allow_incomplete || is_complete(run) => ExitCode::Success,
        None => ExitCode::Incomplete,
    }
}

/// Everything that was expected is here and in the figures.
pub fn is_complete(run: &Run) -> bool {
    run.completeness().is_complete() && run.set_aside.is_empty()
}

impl ReportOptions {
    /// What must be right before anything is touched.
    pub fn check(&self) -> Result<(), CommandError> {
        check_source(&self.source)
    }

    /// Where the result goes.
    pub fn shown(&self) -> Shown {
        Shown::AsData(self.output)
    }
}

/// The sources are needed last; that they are not there is better said first.
pub fn check_source(source: &Path) -> Result<(), CommandError> {
    if source.is_dir() {
        return Ok(());
    }
    Err(CommandError::usage(format!("--source {} is not a directory", source.display())))
}

/// All data of the run: that of each workload under its name, in the order of the record. What no capture
/// speaks of, as after a podcov that was killed, stands under the name of its directory.
pub fn groups(directory: &RunDirectory) -> Result<Vec<Group>, CommandError> {
    let captures = &directory.run().captures;
    let known: Vec<(PathBuf, &str)> = captures
        .iter()
        .filter(|capture| capture.outcome != Outcome::NotInstrumented)
        .map(|capture| (directory.path().join(&capture.directory), capture.origin.workload()))
        .collect();
    let data = directory.data_directory();
    let roots = known.iter().map(|(path, _)| path.as_path()).chain([data.as_path()]);
    let found = coverage_data::find_all(roots.filter(|path| path.is_dir()))?;

    let mut groups: Vec<Group> = Vec::new();
    for (_, label) in &known {
        if !groups.iter().any(|group| group.label == *label) {
            groups.push(Group { label: (*label).to_owned(), directories: Vec::new() });
        }
    }
    for covdata in found.directories {
        let owner = known
            .iter()
            .filter(|(path, _)| covdata.path.starts_with(path))
            .max_by_key(|(path, _)| path.components().count());
        let label = match owner {
            Some((_, label)) => (*label).to_owned(),
            None => first_component(&covdata.path, &data),
        };
        match groups.iter_mut().find(|group| group.label == label) {
            Some(group) => group.directories.push(covdata),
            None => groups.push(Group { label, directories: vec![covdata] }),
        }
    }
    groups.retain(|group| !group.directories.is_empty());
    Ok(groups)
}

/// The name of the directory in `root` that `path` is in; that of `root` itself for `root`.
pub fn first_component(path: &Path, root: &Path) -> String {
    let below = path.strip_prefix(root).ok().and_then(|below| below.components().next());
    let absolute = std::path::absolute(root);
    let name = match (&below, &absolute) {
        (Some(component), _) => Some(component.as_os_str()),
        (None, Ok(root)) => root.file_name(),
        (None, Err(_)) => None,
    };
    name.map_or_else(|| EVERYTHING.to_owned(), |name| name.to_string_lossy().into_owned())
}

fn named(directory: &RunDirectory, refused: Vec<Refused>) -> Vec<SetAside> {
    refused
        .into_iter()
        .map(|Refused { path, reason }| SetAside { file: directory.relative(&path), reason })
        .collect()
}

/// For the record, which has the figures of every workload; the report repeats none that is everything.
fn figures(
    run: &Run,
    sections: &[Section],
    sources: &Sources,
    only_workload: Option<String>,
) -> Option<Summary> {
    if sections.is_empty() {
        return None;
    }
    let mut figures =
        Report { run, sections: sections.to_vec(), kinds: Vec::new(), tests: None, sources }.figures();
    figures.workloads.extend(only_workload.map(|workload| WorkloadSummary {
        workload,
        statements: figures.statements,
        covered: figures.covered,
        percent: figures.percent,
    }));
    Some(figures)
}

/// Everything first, then the parts where there is more than one.
fn sections(total: Vec<Profile>, groups: Vec<(String, Vec<Profile>)>) -> Vec<Section> {
    let parts = if groups.len() > 1 { groups } else { Vec::new() };
    std::iter::once((EVERYTHING.to_owned(), total))
        .chain(parts)
        .flat_map(|(label, profiles)| {
            let mixed = profiles.len() > 1;
            profiles.into_iter().map(move |profile| {
                let mode = profile.mode.as_str();
                let label = if mixed { format!("{label} ({mode})") } else { label.clone() };
                Section { label, profile }
            })
        })
        .collect()
}

/// Go's text format has one counter mode per file, and Go refuses to mix them.
fn write_profiles(directory: &RunDirectory, total: &[Profile]) -> Result<(), CommandError> {
    directory.remove_profiles()?;
    for profile in total {
        let mode = (total.len() > 1).then(|| profile.mode.as_str());
        directory.write_profile(mode, |output| write_text(profile, output))?;
    }
    Ok(())
}
