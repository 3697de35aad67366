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
/// Of a program of a run that did not end.
const NOTHING_LEFT: &str = "nothing that it counted was here when podcov was killed";

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
    let mut captures = captures(inputs, &found.directories, output.path());
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

/// What a run that did not end has left in its directory, as far as that can be told now. The data may have more than the
/// record knows.
pub fn left_by(run: &Run, path: &Path, data: &[CovdataDirectory]) -> Vec<Capture> {
    let (path, record) = (path.to_owned(), Some(run.clone()));
    let input = Input { label: None, path: path.clone(), kind: InputKind::Directory, record };
    captures(&[input], data, &path)
}

/// How to have what pods of a run that did not end still hold: nobody takes it from them any more. A command for each
/// namespace.
pub fn how_to_collect(run: &Run) -> Vec<String> {
    let namespaces: BTreeSet<&str> = run
        .captures
        .iter()
        .filter_map(|capture| match &capture.origin {
            Origin::Pod { namespace, .. } => Some(namespace.as_str()),
            Origin::Local { .. } => None,
        })
        .collect();
    let command = |namespace| {
        let id = &run.id;
        format!(
            "podcov eject -n {namespace} --run {id} puts the workloads back and collects what their pods still have"
        )
    };
    namespaces.into_iter().map(command).collect()
}

/// What the data of all inputs is recorded as, by a record in `output`. Directories of a run keep the names it gave them.
fn captures(inputs: &[Input], data: &[CovdataDirectory], output: &Path) -> Vec<Capture> {
    let runs = inputs.iter().filter_map(|input| Some((&input.path, input.record.as_ref()?)));
    let known: Vec<(PathBuf, &Run, &Capture)> = runs
        .flat_map(|(path, run)| {
            run.captures.iter().map(move |capture| (path.join(&capture.directory), run, capture))
        })
        .collect();
    let paths: Vec<&Path> = known.iter().map(|(path, ..)| path.as_path()).collect();
    let apart = stored_apart(data);
    let (of_known, others): (Vec<_>, Vec<_>) = data.iter().partition(|covdata| {
        paths.iter().any(|path| covdata.path.starts_with(path)) && !is_left_over(covdata, &paths)
    });
    let mut captures: Vec<Capture> = known
        .iter()
        .map(|(path, run, capture)| {
            let capture = Capture { directory: run_directory::relative(output, path), ..(*capture).clone() };
            if run.finished.is_some() {
                return capture;
            }
            let own = of_known.iter().copied().filter(|covdata| covdata.path.starts_with(path));
            looked_at_again(capture, own, &apart)
        })
        .collect();
    for covdata in others {
        let input = inputs
            .iter()
            .filter(|input| covdata.path.starts_with(&input.path))
            .max_by_key(|input| input.path.components().count());
        let Some(input) = input else { continue };
        let origin = Origin::Local { name: label(covdata, input, inputs.len()), command: Vec::new() };
        captures.push(capture(covdata, origin, run_directory::relative(output, &covdata.path), &apart));
    }
    captures
}

/// Of an execution whose podcov did not live to join its data to that of the others.
fn is_left_over(covdata: &CovdataDirectory, known: &[&Path]) -> bool {
    let lacks_an_end = || process_records::loss_in_pod(&process_records::read([covdata]), None).is_some();
    known.iter().all(|path| covdata.path != *path) && (!covdata.unheard().is_empty() || lacks_an_end())
}

/// A part of a run that did not end. What had not been heard of then may have come since.
fn looked_at_again<'a>(
    known: Capture,
    own: impl Iterator<Item = &'a CovdataDirectory>,
    apart: &BTreeSet<String>,
) -> Capture {
    let Outcome::Lost { reason, .. } = &known.outcome else { return known };
    let part = |covdata| capture(covdata, known.origin.clone(), known.directory.clone(), apart);
    let parts: Vec<Capture> = own.map(part).collect();
    let outcomes = parts.iter().map(|part| part.outcome.clone());
    let Some(outcome) = outcomes.max_by_key(|outcome| *outcome != Outcome::Heard) else {
        // Nobody will hear of it.
        let is_over = *reason == LossReason::StillRunning;
        let nothing = Outcome::Lost { reason: LossReason::NoData, detail: NOTHING_LEFT.to_owned() };
        return if is_over { Capture { outcome: nothing, ..known } } else { known };
    };
    Capture {
        processes_started: parts.iter().map(|part| part.processes_started).sum(),
        processes_captured: parts.iter().map(|part| part.processes_captured).sum(),
        bytes: parts.iter().map(|part| part.bytes).sum(),
        way: parts.iter().map(|part| part.way).find(|way| *way != Way::Files).unwrap_or(known.way),
        diagnosis: known.diagnosis.filter(|_| outcome != Outcome::Heard),
        outcome,
        processes: parts.into_iter().flat_map(|part| part.processes).collect(),
        ..known
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
    origin: Origin,
    directory: String,
    apart: &BTreeSet<String>,
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
        origin,
        directory,
        way: process_records::way(&records),
        processes_started: number(captured + missing.max(process_records::without_counters(&records))),
        processes_captured: number(captured),
        bytes: covdata.bytes(),
        outcome: loss.map_or(Outcome::Heard, |(reason, detail)| Outcome::Lost { reason, detail }),
        processes: process_records::processes(&records),
        diagnosis: None,
    }
}

/// Programs whose counters are somewhere without their meta-data: where that is, it lacks no counters.
fn stored_apart(data: &[CovdataDirectory]) -> BTreeSet<String> {
    data.iter().flat_map(CovdataDirectory::orphaned).collect()
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

#[cfg(test)]
mod tests {
    use podcov_agent_protocol::{CountersFrom, Moment, ProcessRecord};

    use super::*;

    const HASH: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn of_pods_of_a_killed_run_it_is_said_what_gave_nothing_how_old_the_rest_is_and_who_has_more() {
        let place = tempfile::tempdir().unwrap();
        let pod = |name: &str| Capture {
            origin: Origin::Pod {
                namespace: "shop".to_owned(),
                workload: "deployment/api".to_owned(),
                pod: name.to_owned(),
                pod_uid: name.to_owned(),
                container: "api".to_owned(),
                restart: 0,
            },
            directory: format!("data/{name}"),
            way: Way::Supervised,
            processes_started: 1,
            processes_captured: 1,
            bytes: 1,
            outcome: Outcome::Lost { reason: LossReason::StillRunning, detail: String::new() },
            processes: Vec::new(),
            diagnosis: None,
        };
        let run = Run { captures: vec![pod("read"), pod("silent")], ..run_directory::new_run() };
        let directory = place.path().join("data/read");
        fs::create_dir_all(&directory).unwrap();
        let record = ProcessRecord {
            process_id: 7,
            started_unix_nanoseconds: 1_767_323_045_000_000_000,
            program: "/app".to_owned(),
            go_version: None,
            counters: CountersFrom::Memory(Moment::Interval { age_milliseconds: 12_000 }),
            ending: None,
        };
        fs::write(directory.join(record.file_name()), record.to_text()).unwrap();
        let data = CovdataDirectory {
            metadata: vec![directory.join(format!("covmeta.{HASH}"))],
            counters: vec![directory.join(format!("covcounters.{HASH}.7.1767323045000000000"))],
            records: vec![directory.join(record.file_name())],
            path: directory,
            ..CovdataDirectory::default()
        };
        let left = left_by(&run, place.path(), &[data]);
        let details: Vec<&str> = left
            .iter()
            .map(|capture| match &capture.outcome {
                Outcome::Lost { detail, .. } => detail.as_str(),
                Outcome::Heard | Outcome::NotInstrumented => "",
            })
            .collect();
        assert_eq!(
            details,
            [
                "process 7 (/app): its end was not seen; its counters are those of 12s after its start, at 2026-01-02 \
                 03:04:17 UTC",
                NOTHING_LEFT
            ]
        );
        let [how] = &how_to_collect(&run)[..] else { panic!("one namespace") };
        assert!(how.starts_with(&format!("podcov eject -n shop --run {} ", run.id)), "{how}");
        assert_eq!(how_to_collect(&run_directory::new_run()), Vec::<String>::new());
    }
}
