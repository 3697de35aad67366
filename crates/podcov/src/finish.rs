//! The end of every run: merge, write the results, show the summary, choose the exit code.
//!
//! Owns the order of these, and which data stands under which name. Where the data came from and what is
//! missing is in the record by then.

use std::path::{Path, PathBuf};

use go_coverage::{Profile, write_text};
use go_source::Sources;
use podcov_report::run::{Outcome, Run, SetAside, Summary, WorkloadSummary};
use podcov_report::{Report, Section, SourceFiles, html, name_blocks, summary};

use crate::cli::{OutputFormat, ReportOptions};
use crate::coverage_data::{self, Group, Merged, Refused};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::interrupt::Interrupt;
use crate::kinds::{Kinds, functions_of_several_builds};
use crate::outputs;
use crate::run_directory::RunDirectory;
use crate::settings::Settings;
use crate::terminal::{Terminal, count};

/// The label of the section that holds everything.
const EVERYTHING: &str = "all";
/// Enough to recognise what is meant.
const MOST_CANDIDATES: usize = 3;

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
    settings: &Settings,
    shown: Shown,
    terminal: &Terminal,
) -> Result<(), CommandError> {
    write_results(directory, settings, shown, terminal, RunDirectory::finish)
}

/// The same for a run whose end is not known: the record keeps saying so.
pub fn refresh(
    directory: &mut RunDirectory,
    settings: &Settings,
    shown: Shown,
    terminal: &Terminal,
) -> Result<(), CommandError> {
    write_results(directory, settings, shown, terminal, |directory| directory.save())
}

fn write_results(
    directory: &mut RunDirectory,
    settings: &Settings,
    shown: Shown,
    terminal: &Terminal,
    save: impl FnOnce(&mut RunDirectory) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let progress = terminal.progress("merging", "the captured data");
    let groups = groups(directory)?;
    let inputs = Kinds::read(&directory.run().inputs, directory.path());
    let Merged { mut total, groups: parts, set_aside } = coverage_data::merge(&groups);
    let set_aside = named(directory, set_aside.into_iter().chain(inputs.refused.iter().cloned()));
    directory.run_mut().set_aside.extend(set_aside);
    directory.save()?;

    progress.update("the sources");
    let sources = Sources::discover(&settings.source).unwrap_or_else(|error| {
        terminal.warning(&format!("no sources in the report: {error}"));
        Sources::default()
    });
    let (mut everything, is_mixed) = inputs.everything(&total);
    let files = SourceFiles::look_up(&sources, &everything);
    let only_workload = if let [(label, _)] = parts.as_slice() { Some(label.clone()) } else { None };
    let mut parts = if parts.len() > 1 { parts } else { Vec::new() };
    let mut kinds = inputs.profiles(&groups);
    let of_kinds = kinds.iter_mut().map(|kind| &mut kind.profile);
    everything.iter_mut().chain(of_kinds).for_each(|profile| name_blocks(profile, &files));
    let decisions = everything.as_ref().map(|profile| settings.exclusions.decide(profile, &files));
    if let (Some(everything), Some(decisions)) = (&mut everything, &decisions) {
        directory.run_mut().excluded = decisions.apply(everything);
        let of_parts = parts.iter_mut().flat_map(|(_, profiles)| profiles);
        for profile in of_parts.chain(&mut total).chain(kinds.iter_mut().map(|kind| &mut kind.profile)) {
            decisions.apply(profile);
        }
        decisions.problems().for_each(|problem| terminal.warning(&problem));
    }
    say_what_does_not_fit(everything.as_ref(), &files, &sources, terminal);
    write_profiles(directory, everything.as_ref(), if is_mixed { &total } else { &[] })?;

    let sections = sections(everything, parts);
    directory.run_mut().summary = figures(directory.run(), &sections, &sources, only_workload);
    let run = directory.run().clone();
    let tests = directory.tests().unwrap_or_else(|error| {
        terminal.warning(&format!("no tests in the report: {error}"));
        None
    });
    let report = Report { run: &run, sections, kinds, tests: tests.as_ref(), sources: &sources };
    let page = directory.write_page(|output| html(&report, output).map_err(std::io::Error::other))?;
    save(directory)?;
    drop(progress);
    if is_mixed {
        terminal.warning("the programs count in different modes, which cannot be added: counts say only whether a statement ran");
    }
    outputs::write(&report, &files, settings, terminal)?;

    match shown {
        Shown::AsData(OutputFormat::Json) => {
            terminal.summary_for_people(&summary(&report), &page);
            terminal.data(&directory.record()?)
        }
        Shown::AsData(OutputFormat::Text) if !settings.writes_to_standard_output() => {
            terminal.summary(&summary(&report), &page)
        }
        Shown::AsData(OutputFormat::Text) | Shown::ForPeople => {
            terminal.summary_for_people(&summary(&report), &page);
            Ok(())
        }
    }
}

/// Files whose sources are not here or are of another version, and functions of which the data has two versions.
fn say_what_does_not_fit(
    everything: Option<&Profile>,
    files: &SourceFiles,
    sources: &Sources,
    terminal: &Terminal,
) {
    let missing: Vec<_> = files.missing().collect();
    if let ([(file, first), ..], Some(_)) = (missing.as_slice(), sources.root()) {
        terminal.warning(&format!(
            "no source of {} of {}, such as {file}: {}",
            missing.len(),
            count(files.len(), "file"),
            first.reason
        ));
        let candidates = missing.iter().flat_map(|(_, missing)| &missing.candidates);
        for candidate in candidates.take(MOST_CANDIDATES) {
            terminal.hint(&format!("{} may be meant", candidate.display()));
        }
    }
    let differing = everything.map(functions_of_several_builds).unwrap_or_default();
    if let Some((file, functions)) = differing.first_key_value() {
        terminal.warning(&format!(
            "{} {} of more than one version of the source, such as {} in {file}: statements of each count",
            count(differing.len(), "file"),
            if differing.len() == 1 { "is" } else { "are" },
            functions.first().filter(|name| !name.is_empty()).unwrap_or(&"a block"),
        ));
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
    run.is_complete()
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

fn named(directory: &RunDirectory, refused: impl Iterator<Item = Refused>) -> Vec<SetAside> {
    refused.map(|Refused { path, reason }| SetAside { file: directory.relative(&path), reason }).collect()
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

/// Everything first, then the parts.
fn sections(everything: Option<Profile>, parts: Vec<(String, Vec<Profile>)>) -> Vec<Section> {
    let everything = everything.into_iter().map(|profile| (EVERYTHING.to_owned(), vec![profile]));
    everything
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

/// Go's text format has one counter mode per file: where there are several, each has its own beside that of all.
fn write_profiles(
    directory: &RunDirectory,
    everything: Option<&Profile>,
    of_modes: &[Profile],
) -> Result<(), CommandError> {
    directory.remove_profiles()?;
    if let Some(everything) = everything {
        directory.write_profile(None, |output| write_text(everything, output))?;
    }
    for profile in of_modes {
        directory.write_profile(Some(profile.mode.as_str()), |output| write_text(profile, output))?;
    }
    Ok(())
}
