//! The end of every run: merge, write the results, show the summary, choose the exit code.
//!
//! Owns the order of these, and which data stands under which name. Where the data came from and what is
//! missing is in the record by then.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use go_coverage::{Profile, package_text, text_header};
use podcov_report::run::{Outcome, Run};
use podcov_report::{Page, Report, Section, summary};

use crate::cli::{OutputFormat, ReportOptions};
use crate::content::{Content, EVERYTHING};
use crate::coverage_data::{self, Group};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::interrupt::Interrupt;
use crate::outputs;
use crate::page;
use crate::parallel;
use crate::run_directory::{self, RunDirectory};
use crate::settings::Settings;
use crate::terminal::Terminal;

/// Below that, writing packages on another thread takes longer than it saves.
const PACKAGES_WORTH_A_THREAD: u64 = 20;

/// Where the summary goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// To standard output: it is what the command is for.
    AsData(OutputFormat),
    /// To standard error, unless --quiet: standard output is the program's.
    ForPeople,
}

/// Reports on everything in the run directory, marks the run as ended, and returns what the figures are of: none if no
/// counters came. What the record says of files that were set aside before stays.
pub fn finish(
    directory: &mut RunDirectory,
    settings: &Settings,
    shown: Shown,
    terminal: &Terminal,
) -> Result<Option<Profile>, CommandError> {
    write_results(directory, settings, shown, terminal, RunDirectory::finish)
}

/// The same for a run whose end is not known: the record keeps saying so.
pub fn refresh(
    directory: &mut RunDirectory,
    settings: &Settings,
    shown: Shown,
    terminal: &Terminal,
) -> Result<Option<Profile>, CommandError> {
    write_results(directory, settings, shown, terminal, |directory| directory.save())
}

fn write_results(
    directory: &mut RunDirectory,
    settings: &Settings,
    shown: Shown,
    terminal: &Terminal,
    save: impl FnOnce(&mut RunDirectory) -> Result<(), CommandError>,
) -> Result<Option<Profile>, CommandError> {
    let progress = terminal.progress("merging", "the captured data");
    let groups = groups(directory)?;
    let mut run = directory.run().clone();
    let Content { sections, kinds, files, versions, of_modes, is_mixed } =
        Content::of_run(&mut run, directory.path(), &groups, settings, terminal);
    *directory.run_mut() = run.clone();
    let tests = run_directory::read_tests(directory.path()).unwrap_or_else(|error| {
        terminal.warning(&format!("no tests in the report: {error}"));
        None
    });
    let report =
        Report { run: &run, sections, kinds, tests: tests.as_ref(), files: &files, versions: &versions };
    let (page, profiles) = parallel::both(
        || directory.write_page(|output| page::write(&Page::new(&report), output).map_err(io::Error::other)),
        || {
            directory.save()?;
            write_profiles(directory, report.sections.first().map(Section::profile), &of_modes)
        },
    );
    let (page, ()) = (page?, profiles?);
    save(directory)?;
    drop(progress);
    if is_mixed {
        terminal.warning("the programs count in different modes, which cannot be added: counts say only whether a statement ran");
    }
    outputs::write(&report, settings, terminal)?;

    match shown {
        Shown::AsData(OutputFormat::Json) => {
            terminal.summary_for_people(&summary(&report), &page);
            terminal.data(&directory.record()?)?;
        }
        Shown::AsData(OutputFormat::Text) if !settings.writes_to_standard_output() => {
            terminal.summary(&summary(&report), &page)?;
        }
        Shown::AsData(OutputFormat::Text) | Shown::ForPeople => {
            terminal.summary_for_people(&summary(&report), &page);
        }
    }
    let has_figures = run.summary.as_ref().is_some_and(|summary| summary.percent.is_some());
    let everything = report.sections.into_iter().next().map(Section::into_profile);
    // The process ends with its report, and gives back all memory at once.
    std::mem::forget(files);
    Ok(everything.filter(|_| has_figures))
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
    groups_in(directory.path(), directory.run())
}

/// The same of a run directory that another podcov may be writing to.
pub fn groups_in(path: &Path, run: &Run) -> Result<Vec<Group>, CommandError> {
    let known: Vec<(PathBuf, &str)> = run
        .captures
        .iter()
        .filter(|capture| capture.outcome != Outcome::NotInstrumented)
        .map(|capture| (path.join(&capture.directory), capture.origin.workload()))
        .collect();
    let data = run_directory::data_directory_of(path);
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

/// Go's text format has one counter mode per file: data that counts in several modes has a profile for each.
fn write_profiles(
    directory: &RunDirectory,
    everything: Option<&Profile>,
    of_modes: &[Profile],
) -> Result<(), CommandError> {
    directory.remove_profiles()?;
    if !of_modes.is_empty() {
        for profile in of_modes {
            directory.write_profile(Some(profile.mode.as_str()), |output| write_profile(profile, output))?;
        }
    } else if let Some(everything) = everything {
        directory.write_profile(None, |output| write_profile(everything, output))?;
    }
    Ok(())
}

/// What `write_text` writes, made on several threads.
fn write_profile(profile: &Profile, output: &mut (impl Write + Send)) -> io::Result<()> {
    output.write_all(text_header(profile.mode).as_bytes())?;
    let threads = parallel::threads(profile.packages.len() as u64, PACKAGES_WORTH_A_THREAD);
    let package = |(): &mut (), index: usize| profile.packages.get(index).map(package_text);
    parallel::hand_over_in_order(
        profile.packages.len(),
        threads,
        || (),
        package,
        |text| output.write_all(text.unwrap_or_default().as_bytes()),
    )
}
