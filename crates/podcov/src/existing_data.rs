//! Coverage data that is there without a run of podcov having watched it: whose it is, and what it lacks.
//!
//! Owns what can be told from the files alone. That meta-data has no counters says that a process still runs
//! or was killed; which of the two, nobody has seen.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use podcov_report::run::{self, Capture, LossReason, Origin, Outcome, Run, SetAside, Way};

use crate::coverage_data::{CovdataDirectory, Found};
use crate::error::CommandError;
use crate::finish::first_component;
use crate::kinds::is_text_profile;
use crate::process_records;
use crate::run_directory::{self, RunDirectory};
use crate::terminal::count;

/// How the note of links begins.
const LINKS: &str = "not followed:";

/// What the user named.
#[derive(Debug)]
pub struct Input {
    /// What kind of test it is of.
    pub label: Option<String>,
    pub path: PathBuf,
    pub kind: InputKind,
    /// What it says of itself, when it is a run directory.
    pub record: Option<Run>,
}

/// What an input is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// With coverage data in it or below it.
    Directory,
    /// What `go test -coverprofile` writes.
    TextProfile,
    /// It is not there. Only labelled ones may be missing: the report says so.
    Missing,
}

impl Input {
    /// Looks at what is there.
    pub fn new(label: Option<String>, path: &Path) -> Result<Self, CommandError> {
        let kind = match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => InputKind::Directory,
            Ok(_) if is_text_profile(path) => InputKind::TextProfile,
            Ok(_) => {
                let error = format!("{} is neither a directory nor a text profile", path.display());
                return Err(CommandError::failure(error)
                    .hint("name the directory that GOCOVERDIR was set to, or one above it")
                    .hint("or a profile that go test -coverprofile has written: it begins with mode:"));
            }
            Err(error) if label.is_some() && error.kind() == ErrorKind::NotFound => InputKind::Missing,
            Err(error) => {
                return Err(CommandError::failure(format!("cannot read {}", path.display())).caused_by(error));
            }
        };
        let record = if kind == InputKind::Directory { run_directory::read_record(path)? } else { None };
        Ok(Self { label, path: path.to_owned(), kind, record })
    }
}

/// Records the data of all inputs, and what was passed over.
pub fn record(inputs: &[Input], found: &Found, output: &mut RunDirectory) {
    let mut captures = captures(inputs, found, output);
    captures.extend(inputs.iter().filter_map(|input| beside_directories(input, found, output)));
    let named = inputs
        .iter()
        .filter(|input| input.kind != InputKind::Missing)
        .map(|input| run::Input { label: input.label.clone(), path: output.relative(&input.path) });
    let named = named.collect();
    let unreadable = found.unreadable.iter();
    let set_aside = unreadable
        .map(|refused| SetAside { file: output.relative(&refused.path), reason: refused.reason.clone() })
        .collect();
    let run = output.run_mut();
    run.captures = captures;
    if inputs.iter().any(|input| input.label.is_some() || input.kind != InputKind::Directory) {
        run.inputs = named;
    }
    run.set_aside = set_aside;
    run.notes.retain(|note| !note.starts_with(LINKS));
    if let [first, ..] = found.links.as_slice() {
        run.notes.push(format!("{LINKS} {}, such as {}", count(found.links.len(), "link"), first.display()));
    }
}

/// What is recorded of an input that is no directory with data: a text profile, or what should be there and is not.
fn beside_directories(input: &Input, found: &Found, output: &RunDirectory) -> Option<Capture> {
    let path = input.path.display();
    let outcome = match input.kind {
        InputKind::TextProfile => Outcome::Heard,
        InputKind::Missing => {
            Outcome::Lost { reason: LossReason::NoData, detail: format!("{path} is not there") }
        }
        InputKind::Directory if input.label.is_none() => return None,
        InputKind::Directory => {
            if found.directories.iter().any(|covdata| covdata.path.starts_with(&input.path)) {
                return None;
            }
            Outcome::Lost { reason: LossReason::NoData, detail: format!("no coverage data is in {path}") }
        }
    };
    let heard = u32::from(outcome == Outcome::Heard);
    Some(Capture {
        origin: Origin::Local { name: name(input), command: Vec::new() },
        directory: output.relative(&input.path),
        way: Way::Files,
        processes_started: 1,
        processes_captured: heard,
        bytes: if heard > 0 { fs::metadata(&input.path).map_or(0, |metadata| metadata.len()) } else { 0 },
        outcome,
        processes: Vec::new(),
        diagnosis: None,
    })
}

/// What the user calls it.
fn name(input: &Input) -> String {
    let path = || input.path.to_string_lossy().trim_end_matches(['/', '\\']).to_owned();
    input.label.clone().unwrap_or_else(path)
}

/// What the data of all inputs is recorded as. Directories of a run keep the names it gave them.
fn captures(inputs: &[Input], found: &Found, output: &RunDirectory) -> Vec<Capture> {
    let known: Vec<(PathBuf, &Capture)> = inputs
        .iter()
        .filter_map(|input| Some((&input.path, input.record.as_ref()?)))
        .flat_map(|(path, run)| run.captures.iter().map(|capture| (path.join(&capture.directory), capture)))
        .collect();
    let mut captures: Vec<Capture> = known
        .iter()
        .map(|(path, capture)| Capture { directory: output.relative(path), ..(*capture).clone() })
        .collect();
    let apart = stored_apart(found);
    for covdata in &found.directories {
        if known.iter().any(|(path, _)| covdata.path.starts_with(path)) && !is_left_over(covdata, &known) {
            continue;
        }
        let input = inputs
            .iter()
            .filter(|input| covdata.path.starts_with(&input.path))
            .max_by_key(|input| input.path.components().count());
        let Some(input) = input else { continue };
        captures.push(capture(covdata, label(covdata, input, inputs.len()), &apart, output));
    }
    captures
}

/// Of an execution whose podcov did not live to join its data to that of the others.
fn is_left_over(covdata: &CovdataDirectory, known: &[(PathBuf, &Capture)]) -> bool {
    let lacks_an_end = || process_records::loss_in_pod(&process_records::read([covdata]), None).is_some();
    known.iter().all(|(path, _)| covdata.path != *path) && (!covdata.unheard().is_empty() || lacks_an_end())
}

/// Looks again at what a run that did not end had not heard of: it may have come since.
pub fn look_again(run: &mut Run, found: &Found, path: &Path, output: &RunDirectory) {
    let apart = stored_apart(found);
    for known in &mut run.captures {
        let Outcome::Lost { .. } = &known.outcome else { continue };
        let name = known.origin.workload().to_owned();
        let directory = path.join(&known.directory);
        let own = found.directories.iter().filter(|covdata| covdata.path.starts_with(&directory));
        let parts: Vec<Capture> = own.map(|covdata| capture(covdata, name.clone(), &apart, output)).collect();
        let Some(outcome) =
            parts.iter().map(|part| part.outcome.clone()).max_by_key(|outcome| *outcome != Outcome::Heard)
        else {
            continue;
        };
        known.processes_started = parts.iter().map(|part| part.processes_started).sum();
        known.processes_captured = parts.iter().map(|part| part.processes_captured).sum();
        known.bytes = parts.iter().map(|part| part.bytes).sum();
        known.outcome = outcome;
        known.way = parts.iter().map(|part| part.way).find(|way| *way != Way::Files).unwrap_or(known.way);
        known.processes = parts.into_iter().flat_map(|part| part.processes).collect();
    }
}

/// One of several inputs is called what the user called it; in a single one, each directory stands for a part.
fn label(covdata: &CovdataDirectory, input: &Input, inputs: usize) -> String {
    if input.record.is_some() {
        return first_component(&covdata.path, &input.path.join("data"));
    }
    if inputs > 1 || input.label.is_some() {
        return name(input);
    }
    first_component(&covdata.path, &input.path)
}

fn capture(
    covdata: &CovdataDirectory,
    name: String,
    apart: &BTreeSet<String>,
    output: &RunDirectory,
) -> Capture {
    let unheard: Vec<String> = covdata.unheard().into_iter().filter(|hash| !apart.contains(hash)).collect();
    let captured = covdata.counters.len();
    let detail = if let Some(hash) = unheard.first() {
        Some(format!("covmeta.{hash} has no counters: its process still runs, or was killed"))
    } else if captured == 0 && !covdata.unfinished.is_empty() {
        Some("only unfinished tmp.cov* files: the disk was full, or the process was killed".to_owned())
    } else {
        None
    };
    let records = process_records::read([covdata]);
    let loss = detail.map(|detail| (LossReason::Killed, detail)).or_else(|| process_records::loss(&records));
    let missing = unheard.len().max(usize::from(captured == 0 && loss.is_some()));
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Capture {
        origin: Origin::Local { name, command: Vec::new() },
        directory: output.relative(&covdata.path),
        way: process_records::way(&records),
        processes_started: number(captured + missing.max(process_records::without_counters(&records))),
        processes_captured: number(captured),
        bytes: covdata.bytes,
        outcome: loss.map_or(Outcome::Heard, |(reason, detail)| Outcome::Lost { reason, detail }),
        processes: process_records::processes(&records),
        diagnosis: None,
    }
}

/// Programs whose counters are somewhere without their meta-data: where that is, it lacks no counters.
fn stored_apart(found: &Found) -> BTreeSet<String> {
    found.directories.iter().flat_map(CovdataDirectory::orphaned).collect()
}

/// Says why there is nothing to report on; nothing when there is.
pub fn check_not_empty(inputs: &[Input], found: &Found) -> Result<(), CommandError> {
    let sum = |files: fn(&CovdataDirectory) -> &Vec<PathBuf>| {
        found.directories.iter().map(|covdata| files(covdata).len()).sum::<usize>()
    };
    let metadata = sum(|covdata| &covdata.metadata);
    let counters = sum(|covdata| &covdata.counters);
    let unfinished = sum(|covdata| &covdata.unfinished);
    if (metadata > 0 && counters > 0) || inputs.iter().any(|input| input.kind == InputKind::TextProfile) {
        return Ok(());
    }
    let names: Vec<String> = inputs.iter().map(|input| input.path.display().to_string()).collect();
    let names = names.join(", ");
    let error = match (metadata, counters) {
        (0, 0) => CommandError::failure(format!("there is no coverage data in {names}"))
            .hint("Go writes it to the directory in GOCOVERDIR, which must exist, as absolute path and writable")
            .hint("was the program built with go build -cover, and does -coverpkg include its main package?"),
        (0, _) => {
            CommandError::failure(format!("{} in {names}, but no meta-data", count(counters, "counter file")))
                .hint("covmeta.* is written when the program starts, next to the counters: copy it as well")
        }
        _ => CommandError::failure(format!(
            "{} in {names}, but no counters: nothing is known of what ran, which is not 0 %",
            count(metadata, "meta-data file")
        ))
        .hint("Go writes counters when main returns or os.Exit is called: end the processes, with SIGTERM if they handle it")
        .hint("a process that was killed, panicked, or does not handle SIGTERM leaves none"),
    };
    let error = error.caused_by(format!(
        "looked at {} and {}; followed none of {}",
        count(found.directories_searched, "directory"),
        count(found.other_files + metadata + counters + unfinished, "file"),
        count(found.links.len(), "link")
    ));
    let error = match unfinished {
        0 => error,
        _ => error.hint(format!(
            "{} never completed: the disk was full, or the process was killed while it wrote",
            count(unfinished, "tmp.cov* file")
        )),
    };
    let unreadable = found.unreadable.iter();
    Err(unreadable.fold(error, |error, refused| {
        error.hint(format!("{} cannot be read: {}", refused.path.display(), refused.reason))
    }))
}
