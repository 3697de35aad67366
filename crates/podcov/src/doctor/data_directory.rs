//! Directories and archives of coverage data. Reads every file, one at a time, and changes none.

use std::fs::{self, File};
use std::io::{Cursor, Read};
use std::path::Path;

use podcov_agent_protocol::{is_coverage_file_name, is_process_record_name};
use podcov_doctor::facts::DataDirectory;
use podcov_doctor::facts::data_directory::Leaf;
use podcov_doctor::{Facts, Hop};

use crate::commands::covdata::archive::{Archive, Compression};
use crate::coverage_data::{LARGEST_FILE, UNFINISHED_PREFIX};

/// A tree that is deeper is no directory of coverage data.
const DEEPEST: usize = 32;

pub(super) fn look(path: &Path, facts: &mut Facts) {
    if path.is_dir() {
        facts.data_directories.push(of_tree(path));
        return;
    }
    match extract(path) {
        Ok(archive) => facts.data_directories.push(of_archive(path, &archive)),
        Err(reason) => facts.not_seen.push(super::not_seen(path, Hop::Data, reason)),
    }
}

fn extract(path: &Path) -> Result<Archive, String> {
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    let mut beginning = Vec::new();
    file.by_ref().take(512).read_to_end(&mut beginning).map_err(|error| error.to_string())?;
    let compression = Compression::of(&beginning);
    let mut whole = Cursor::new(beginning).chain(file);
    Archive::extract(&path.display().to_string(), compression, &mut whole).map_err(|error| error.to_string())
}

fn of_tree(root: &Path) -> DataDirectory {
    let mut directory = DataDirectory { name: shown(root), ..DataDirectory::default() };
    let mut pending = vec![(root.to_owned(), 0)];
    while let Some((path, depth)) = pending.pop() {
        let entries = match super::entries(&path) {
            Ok(entries) => entries,
            Err(reason) => {
                directory.unreadable.push((shown(&path), reason));
                continue;
            }
        };
        let below = path.strip_prefix(root).unwrap_or(&path);
        let mut leaf = Leaf { path: shown(below), ..Leaf::default() };
        for (entry, kind) in entries {
            if kind.is_dir() && depth < DEEPEST {
                pending.push((entry, depth + 1));
            } else if !kind.is_file() || !add(&mut leaf, &entry) {
                directory.other_files += 1;
            }
        }
        keep(&mut directory, leaf);
    }
    directory.directories.sort_by(|one, other| one.path.cmp(&other.path));
    directory
}

fn of_archive(path: &Path, archive: &Archive) -> DataDirectory {
    let name = shown(path);
    let mut inside = of_tree(archive.path());
    for leaf in &mut inside.directories {
        let place = archive.shown(&archive.path().join(&leaf.path)).unwrap_or_default();
        let within = place.strip_prefix(&format!("{name}:")).unwrap_or(&place);
        within.trim_end_matches('/').clone_into(&mut leaf.path);
    }
    // An archive of a directory has its name before everything.
    let common = common_directory(&inside.directories);
    for leaf in &mut inside.directories {
        leaf.path = leaf.path.get(common..).unwrap_or_default().trim_start_matches('/').to_owned();
    }
    inside.unreadable.extend(archive.refused.iter().map(|one| (shown(&one.path), one.reason.clone())));
    DataDirectory { name, ..inside }
}

/// The length of the path that all have in common.
fn common_directory(leaves: &[Leaf]) -> usize {
    let Some((first, others)) = leaves.split_first() else { return 0 };
    let ends = first.path.match_indices('/').map(|(at, _)| at).chain([first.path.len()]);
    let is_common = |end: &usize| {
        let directory = first.path.get(..*end).unwrap_or_default();
        let below = |path: &str| {
            path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        others.iter().all(|leaf| below(&leaf.path))
    };
    ends.filter(is_common).max().unwrap_or_default()
}

/// Whether it is a file of coverage data.
fn add(leaf: &mut Leaf, path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let size = fs::metadata(path).map_or(0, |metadata| metadata.len());
    if is_process_record_name(name) {
        leaf.has_process_records = true;
    } else if name.starts_with(UNFINISHED_PREFIX) {
        leaf.unfinished.push((name.to_owned(), size));
    } else if is_coverage_file_name(name) {
        if size > LARGEST_FILE {
            leaf.damaged.push((name.to_owned(), format!("{size} bytes are more than any coverage data has")));
            return true;
        }
        match fs::read(path) {
            Ok(bytes) => leaf.add(name, &bytes),
            Err(error) => leaf.damaged.push((name.to_owned(), error.to_string())),
        }
    } else {
        return false;
    }
    true
}

fn keep(directory: &mut DataDirectory, leaf: Leaf) {
    let Leaf { metadata, counters, unfinished, damaged, .. } = &leaf;
    if !(metadata.is_empty() && counters.is_empty() && unfinished.is_empty() && damaged.is_empty()) {
        directory.directories.push(leaf);
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string().trim_end_matches('/').to_owned()
}
