//! What a report shows: the data of a run merged, its sources looked up, and what is not to count left out.
//!
//! Owns the order of these, for the end of a run and for a page that follows one. Writes nothing.

use std::path::Path;

use go_coverage::{CounterMode, Profile, block_totals};
use go_source::Sources;
use podcov_report::run::{Run, SetAside, Summary, WorkloadSummary};
use podcov_report::{NamedFiles, Section, SourceFiles, Versions, name_blocks};

use crate::builds::{self, Build};
use crate::coverage_data::{AddedUp, Group, Merged, Refused};
use crate::kinds::{Joined, Kinds};
use crate::parallel;
use crate::run_directory;
use crate::settings::Settings;
use crate::terminal::{Terminal, count, printable};

/// The label of the section that holds everything.
pub const EVERYTHING: &str = "all";
/// Below that, looking for files or counting them on another thread takes longer than it saves.
const FILES_WORTH_A_THREAD: u64 = 50;
/// Enough to recognise what is meant.
const MOST_CANDIDATES: usize = 3;
const MOST_VERSIONS: usize = 3;

/// The data of a run, ready to be shown.
pub struct Content {
    /// Everything, then the parts where there are several, and the builds that differ.
    pub sections: Vec<Section>,
    /// By label; empty unless the input is labelled.
    pub kinds: Vec<Section>,
    /// The files that the data names.
    pub files: SourceFiles,
    /// Those of which builds differ.
    pub versions: Versions,
    /// Where programs count in several modes, a profile for each.
    pub of_modes: Vec<Profile>,
    /// Counts of different modes became 0 and 1.
    pub is_mixed: bool,
}

impl Content {
    /// Merges the groups, which are the data of the run in the directory. The record gets the figures, what was left out and
    /// what was set aside.
    pub fn of_run(
        run: &mut Run,
        directory: &Path,
        groups: &[Group],
        settings: &Settings,
        terminal: &Terminal,
    ) -> Self {
        let inputs = Kinds::read(&run.inputs, directory);
        let discover = || Sources::discover(&settings.source);
        let (added, sources) = parallel::both(|| AddedUp::of(groups), discover);
        let mut builds = builds::candidates(&added, groups, &inputs);
        let Merged { total, groups: mut parts, set_aside } = added.merged();
        run.set_aside.extend(named(directory, set_aside.into_iter().chain(inputs.refused.iter().cloned())));

        let sources = sources.unwrap_or_else(|error| {
            terminal.warning(&format!("no sources in the report: {error}"));
            Sources::default()
        });
        let Joined { mut everything, mut of_modes, is_mixed } = inputs.everything(total);
        let of_builds = builds.iter().map(|build| &build.profile);
        let files = look_up(NamedFiles::of(&sources, &everything).or_of(of_builds));
        let only_workload = if let [group] = groups { Some(group.label.clone()) } else { None };
        let mut kinds = inputs.profiles(groups);
        let of_kinds = kinds.iter_mut().map(|(_, profile)| profile);
        let of_builds = builds.iter_mut().map(|build| &mut build.profile);
        everything
            .iter_mut()
            .chain(of_kinds)
            .chain(of_builds)
            .for_each(|profile| name_blocks(profile, &files));
        let decisions = everything.as_ref().map(|profile| settings.exclusions.decide(profile, &files));
        if let (Some(everything), Some(decisions)) = (&mut everything, &decisions) {
            run.excluded = decisions.apply(everything);
            let of_parts = parts.iter_mut().flat_map(|(_, profiles)| profiles);
            let of_kinds = kinds.iter_mut().map(|(_, profile)| profile);
            let of_builds = builds.iter_mut().map(|build| &mut build.profile);
            for profile in of_parts.chain(&mut of_modes).chain(of_kinds).chain(of_builds) {
                decisions.apply(profile);
            }
            decisions.problems().for_each(|problem| terminal.warning(&problem));
        }
        let mode = everything.as_ref().map_or(CounterMode::Set, |everything| everything.mode);
        let of_builds = builds.iter().map(|Build { label, profile, .. }| (label.as_str(), profile));
        let versions = Versions::of(mode, of_builds, &files);
        say_what_is_not_here(&files, settings, terminal);
        say_what_differs(&versions, terminal);
        let mut sections = sections(everything, parts);
        let builds = builds::to_be_shown(builds, &versions);
        sections.extend(builds.map(|(label, profile)| section(label, profile)));
        run.summary = figures(run, &sections, only_workload);
        let kinds = kinds.into_iter().map(|(label, profile)| section(label, profile)).collect();
        Self { sections, kinds, files, versions, of_modes, is_mixed }
    }
}

/// Looks for all of them.
pub fn look_up(named: NamedFiles<'_>) -> SourceFiles {
    let threads = parallel::threads(named.len() as u64, FILES_WORTH_A_THREAD);
    let states = parallel::in_order(named.len(), threads, |index| named.look_up(index));
    named.with(states)
}

fn named(directory: &Path, refused: impl Iterator<Item = Refused>) -> Vec<SetAside> {
    refused
        .map(|Refused { path, reason }| SetAside { file: run_directory::relative(directory, &path), reason })
        .collect()
}

/// Files whose sources are not here or are of another version.
fn say_what_is_not_here(files: &SourceFiles, settings: &Settings, terminal: &Terminal) {
    let missing: Vec<_> = files.missing().collect();
    // Where none is here, this is not the checkout: only formats that name files need it, and the page says so.
    let matters = missing.len() < files.len() || !settings.outputs.is_empty();
    if let ([(file, first), ..], true) = (missing.as_slice(), matters) {
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
}

/// Files of which builds have several versions.
fn say_what_differs(versions: &Versions, terminal: &Terminal) {
    let Some((file, of_file)) = versions.iter().next() else { return };
    let differing = count(versions.iter().len(), "file");
    terminal.warning(&format!(
        "builds have different versions of {differing}, such as {file}: each version is shown apart, and all of them count"
    ));
    for version in of_file.iter().take(MOST_VERSIONS) {
        let here = if version.fits { "" } else { ", which does not fit the source that is here" };
        // Directories may be called anything.
        let builds = printable(&version.label());
        terminal.hint(&format!("a version of it is that of {builds}{here}"));
    }
}

/// For the record, which has the figures of every workload; the report repeats none that is everything.
fn figures(run: &Run, sections: &[Section], only_workload: Option<String>) -> Option<Summary> {
    if sections.is_empty() {
        return None;
    }
    let mut figures = podcov_report::figures(run, sections);
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
                section(label, profile)
            })
        })
        .collect()
}

/// Counts the statements of its files on several threads.
fn section(label: String, profile: Profile) -> Section {
    let files: Vec<_> = profile.units_by_file().into_iter().collect();
    let threads = parallel::threads(files.len() as u64, FILES_WORTH_A_THREAD);
    let file = |index: usize| files.get(index).map(|(file, units)| ((*file).to_owned(), block_totals(units)));
    let totals = parallel::in_order(files.len(), threads, file).into_iter().flatten().collect();
    Section::with_totals(label, profile, totals)
}
