//! What is in a data directory: is it all there, does it belong together, and can it be read.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::DataDirectory;
use crate::facts::data_directory::{CountersSeen, Leaf, MetaDataSeen};
use crate::{Diagnosis, Facts, Hop, Id, Severity};

/// So many names are shown; the rest is counted.
const MOST_NAMES: usize = 3;

pub(super) fn find(facts: &Facts) -> Vec<Diagnosis> {
    facts.data_directories.iter().flat_map(of_directory).collect()
}

fn of_directory(directory: &DataDirectory) -> Vec<Diagnosis> {
    let new = |id, severity, sentence: String| {
        Diagnosis::new(id, severity, Hop::Data, &directory.name, sentence).chain(directory.chain.as_deref())
    };
    let mut found: Vec<Diagnosis> = directory
        .unreadable
        .iter()
        .map(|(path, reason)| {
            new(Id::CouldNotLook, Severity::Unknown, format!("{path} could not be read"))
                .evidence(reason, path)
        })
        .collect();
    let all = All::of(directory);
    found.extend(damaged(directory, &new));
    found.extend(unfinished(directory, &all, &new));
    if all.metadata.is_empty() && all.counters.is_empty() {
        if directory.unreadable.is_empty() && !has_damaged(directory) {
            found.push(nothing(directory, &new));
        }
        return found;
    }
    found.extend(counters_missing(directory, &all, &new));
    found.extend(orphans(directory, &all, &new));
    found.extend(modes(directory, &all, &new));
    found.extend(builds(directory, &all, &new));
    found.extend(subdirectories(directory, &new));
    found.extend(cumulative(directory, &new));
    let is_whole = found.iter().all(|one| one.severity > Severity::Unknown);
    if is_whole {
        let sentence = "meta-data and counters are complete and belong together";
        found.push(new(Id::DataComplete, Severity::Ok, sentence.into()).evidence(
            format!("{} programs, {} counter files", all.metadata.len(), all.counters.len()),
            &directory.name,
        ));
    }
    found
}

type New<'a> = dyn Fn(Id, Severity, String) -> Diagnosis + 'a;

/// Everything in all leaves.
struct All<'a> {
    /// By hash.
    metadata: BTreeMap<&'a str, &'a MetaDataSeen>,
    counters: Vec<(&'a Leaf, &'a CountersSeen)>,
}

impl<'a> All<'a> {
    fn of(directory: &'a DataDirectory) -> Self {
        let leaves = || directory.directories.iter();
        Self {
            metadata: leaves()
                .flat_map(|leaf| &leaf.metadata)
                .map(|seen| (seen.hash.as_str(), seen))
                .collect(),
            counters: leaves().flat_map(|leaf| leaf.counters.iter().map(move |seen| (leaf, seen))).collect(),
        }
    }
}

fn path(directory: &DataDirectory, leaf: &Leaf, file: &str) -> String {
    if leaf.path.is_empty() {
        format!("{}/{file}", directory.name)
    } else {
        format!("{}/{}/{file}", directory.name, leaf.path)
    }
}

/// A few names, and how many more.
fn some(names: impl IntoIterator<Item = String>) -> String {
    let names: BTreeSet<String> = names.into_iter().collect();
    let shown: Vec<&str> = names.iter().take(MOST_NAMES).map(String::as_str).collect();
    let more = names.len().saturating_sub(MOST_NAMES);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

fn has_damaged(directory: &DataDirectory) -> bool {
    directory.directories.iter().any(|leaf| !leaf.damaged.is_empty())
}

fn damaged(directory: &DataDirectory, new: &New<'_>) -> Vec<Diagnosis> {
    let files =
        directory.directories.iter().flat_map(|leaf| leaf.damaged.iter().map(move |file| (leaf, file)));
    let finding = |(leaf, (file, reason)): (&Leaf, &(String, String))| {
        new(
            Id::DamagedFile,
            Severity::Error,
            format!("{file} cannot be read; podcov sets it aside, Go's tools stop at it"),
        )
        .evidence(reason, path(directory, leaf, file))
        .fix(format!(
            "mv {} /tmp    # and copy it again from where it comes from",
            path(directory, leaf, file)
        ))
        // Counters whose meta-data is damaged, and meta-data whose counters are.
        .explains(&[Id::OrphanCounters, Id::CountersMissing])
    };
    files.map(finding).collect()
}

fn unfinished(directory: &DataDirectory, all: &All<'_>, new: &New<'_>) -> Option<Diagnosis> {
    let leaves = directory.directories.iter().filter(|leaf| !leaf.unfinished.is_empty());
    let files: Vec<(String, u64)> = leaves
        .flat_map(|leaf| leaf.unfinished.iter().map(|(file, size)| (path(directory, leaf, file), *size)))
        .collect();
    let (first, size) = files.first()?;
    let is_all = all.metadata.is_empty() && all.counters.is_empty();
    let severity = if is_all { Severity::Error } else { Severity::Warning };
    let sentence =
        "files were begun and never completed: the volume was full, or the process was killed while it wrote";
    let found = new(Id::TemporaryFilesLeft, severity, sentence.into())
        .evidence(format!("{} tmp.cov* files, the first of {size} bytes", files.len()), first)
        .fix("df -h DIRECTORY    # in the pod; a larger sizeLimit, or fewer old files");
    Some(found.explains(&[Id::CountersMissing, Id::NoData]))
}

fn nothing(directory: &DataDirectory, new: &New<'_>) -> Diagnosis {
    let sentence = "there is no coverage data: not even the meta-data that a program writes when it starts";
    new(Id::NoData, Severity::Error, sentence.into())
        .evidence(
            format!("no covmeta.* and no covcounters.*, {} other files", directory.other_files),
            &directory.name,
        )
        .fix("podcov doctor BINARY    # was it built with -cover? then the pod: podcov doctor deploy/NAME")
}

fn counters_missing(directory: &DataDirectory, all: &All<'_>, new: &New<'_>) -> Option<Diagnosis> {
    let counted: BTreeSet<&str> = all.counters.iter().map(|(_, seen)| seen.hash.as_str()).collect();
    let unheard: Vec<&MetaDataSeen> =
        all.metadata.values().filter(|seen| !counted.contains(seen.hash.as_str())).copied().collect();
    if unheard.is_empty() {
        return None;
    }
    let sentence = format!(
        "{} started and left no counters: still running, or killed before it could write (this is not 0 %)",
        if unheard.len() == 1 { "a program".to_owned() } else { format!("{} programs", unheard.len()) }
    );
    let programs = some(unheard.iter().map(|seen| program(seen)));
    Some(
        new(Id::CountersMissing, Severity::Error, sentence)
            .evidence(
                format!("{} without counters ({programs})", some(unheard.iter().map(|seen| seen.file.clone()))),
                &directory.name,
            )
            .fix("podcov run …, or podcov snapshot …    # read counters of running processes, and at any ending"),
    )
}

/// What a person calls it: its first package, which is most often near main.
fn program(seen: &MetaDataSeen) -> String {
    let main = seen.packages.iter().find(|package| *package == "main" || package.contains("/cmd/"));
    main.or(seen.packages.last()).cloned().unwrap_or_default()
}

fn orphans(directory: &DataDirectory, all: &All<'_>, new: &New<'_>) -> Option<Diagnosis> {
    let orphans: Vec<String> = all
        .counters
        .iter()
        .filter(|(_, seen)| !all.metadata.contains_key(seen.hash.as_str()))
        .map(|(leaf, seen)| path(directory, leaf, &seen.file))
        .collect();
    let first = orphans.first()?;
    let sentence = "counters without their covmeta.* file: Go's tools drop them and say nothing";
    Some(
        new(Id::OrphanCounters, Severity::Error, sentence.into())
            .evidence(format!("{} counter files whose meta-data is not here", orphans.len()), first)
            .fix("copy covmeta.* from the same directory, too: it is written when the program starts"),
    )
}

fn modes(directory: &DataDirectory, all: &All<'_>, new: &New<'_>) -> Option<Diagnosis> {
    let mut modes: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for seen in all.metadata.values() {
        if let Some(mode) = seen.mode.value() {
            modes.entry(mode.as_str()).or_default().push(seen.file.clone());
        }
    }
    if modes.len() < 2 {
        return None;
    }
    let seen: Vec<String> =
        modes.iter().map(|(mode, files)| format!("{mode}: {}", some(files.clone()))).collect();
    Some(
        new(
            Id::MixedModes,
            Severity::Error,
            "programs of different counter modes: they cannot be in one profile".into(),
        )
        .evidence(seen.join("; "), &directory.name)
        .fix("go build -cover -covermode=atomic …    # the same for every program")
        .explains(&[Id::MixedBuilds]),
    )
}

/// Two programs share packages; two builds of one program share all that matter.
fn builds(directory: &DataDirectory, all: &All<'_>, new: &New<'_>) -> Option<Diagnosis> {
    let mut programs: BTreeMap<Vec<&str>, Vec<&str>> = BTreeMap::new();
    for seen in all.metadata.values() {
        let mut packages: Vec<&str> = seen.packages.iter().map(String::as_str).collect();
        packages.sort_unstable();
        programs.entry(packages).or_default().push(&seen.file);
    }
    let (packages, files) = programs.iter().find(|(_, files)| files.len() > 1)?;
    // Two mains, both called so, are two programs.
    let mains = ["main", "command-line-arguments"];
    if packages.iter().all(|package| mains.contains(package)) {
        return None;
    }
    let sentence = "data of several builds of one program: added up, the percentages are plausible and wrong";
    Some(
        new(Id::MixedBuilds, Severity::Warning, sentence.into())
            .evidence(format!("{} have the same packages", files.join(" and ")), &directory.name)
            .fix("one directory for each build; delete what older builds left"),
    )
}

fn subdirectories(directory: &DataDirectory, new: &New<'_>) -> Option<Diagnosis> {
    let below: Vec<&Leaf> = directory.directories.iter().filter(|leaf| !leaf.path.is_empty()).collect();
    let has_own = directory
        .directories
        .iter()
        .any(|leaf| leaf.path.is_empty() && !(leaf.metadata.is_empty() && leaf.counters.is_empty()));
    let first = below.first()?;
    let names = some(below.iter().map(|leaf| leaf.path.clone()));
    let severity = if has_own { Severity::Warning } else { Severity::Note };
    let inputs: Vec<String> =
        below.iter().take(MOST_NAMES).map(|leaf| format!("{}/{}", directory.name, leaf.path)).collect();
    let more = if below.len() > MOST_NAMES { ",…" } else { "" };
    Some(
        new(
            Id::DataInSubdirectories,
            severity,
            "data is in directories below, where Go's tools do not look (podcov does)".into(),
        )
        .evidence(names, format!("{}/{}", directory.name, first.path))
        .fix(format!(
            "podcov report {}    # or: go tool covdata percent -i={}{more}",
            directory.name,
            inputs.join(",")
        )),
    )
}

/// Two files of one process: cumulative counts, which tools add up. In pods every process is number 1, so that this is
/// certain only of others.
fn cumulative(directory: &DataDirectory, new: &New<'_>) -> Option<Diagnosis> {
    for leaf in &directory.directories {
        let mut processes: BTreeMap<(&str, u64), Vec<&CountersSeen>> = BTreeMap::new();
        for seen in &leaf.counters {
            if let Some(process) = seen.process {
                processes.entry((&seen.hash, process)).or_default().push(seen);
            }
        }
        let Some(((_, process), files)) =
            processes.into_iter().find(|((_, process), files)| *process != 1 && files.len() > 1)
        else {
            continue;
        };
        let mut files: Vec<&&CountersSeen> = files.iter().collect();
        files.sort_by_key(|seen| seen.written);
        let newest = files.last().map(|seen| seen.file.clone()).unwrap_or_default();
        return Some(
            new(
                Id::CumulativeSnapshots,
                Severity::Warning,
                "one process wrote several counter files: each counts from the start, and added up they count twice".into(),
            )
            .evidence(format!("{} files of process {process}", files.len()), path(directory, leaf, &newest))
            .fix(format!("keep only the newest of a process: {newest}")),
        );
    }
    None
}
