//! Finds the files that a command reads, in the order in which `go tool covdata` reads them.
//!
//! Owns what is a data file. Nothing but the beginnings of archives and text profiles is read here.

use std::fs;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use go_coverage::TextProfile;

use super::InputArgs;
use super::archive::{self, Archive, Compression};
use crate::coverage_data::{LARGEST_FILE, Refused, UNFINISHED_PREFIX};
use crate::error::CommandError;

/// A file with data, by the input that it was found in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DataFile {
    /// Index among the inputs.
    pub origin: usize,
    /// Cleaned as Go's `filepath.Join` does.
    pub path: PathBuf,
}

/// What was found in all inputs.
#[derive(Debug, Default)]
pub struct Inputs {
    /// `covmeta.*`, by input and name.
    pub metadata: Vec<DataFile>,
    /// `covcounters.*`, by input and path.
    pub counters: Vec<DataFile>,
    pub texts: Vec<TextProfile>,
    /// `tmp.cov*`: what processes could not complete.
    pub unfinished: Vec<PathBuf>,
    /// Directories below the inputs that were not looked into.
    pub skipped: Vec<PathBuf>,
    pub refused: Vec<Refused>,
    /// Taken out of archives for as long as this lives.
    archives: Vec<Archive>,
}

const STANDARD_INPUT: &str = "-";

impl Inputs {
    /// Looks through all inputs.
    pub fn find(args: &InputArgs) -> Result<Self, CommandError> {
        let mut found = Self::default();
        for (origin, input) in args.inputs().enumerate() {
            if input.as_os_str() == STANDARD_INPUT {
                found.stream(origin, "standard input", &mut std::io::stdin().lock())?;
                continue;
            }
            let unreadable = |error: std::io::Error| {
                CommandError::failure(format!("cannot read {}", input.display())).caused_by(error)
            };
            if fs::metadata(&input).map_err(unreadable)?.is_dir() {
                found.directory(origin, &clean(&input), args.recursive).map_err(unreadable)?;
            } else {
                let mut file = fs::File::open(&input).map_err(unreadable)?;
                found.stream(origin, &input.display().to_string(), &mut file)?;
            }
        }
        found.counters.sort();
        Ok(found)
    }

    /// The name that a file has for the user: in an archive, if it came from one.
    pub fn shown(&self, path: &Path) -> String {
        let inside = |archive: &Archive| archive.shown(path);
        self.archives.iter().find_map(inside).unwrap_or_else(|| path.display().to_string())
    }

    fn stream(&mut self, origin: usize, name: &str, input: &mut dyn Read) -> Result<(), CommandError> {
        let unreadable =
            |error: std::io::Error| CommandError::failure(format!("cannot read {name}")).caused_by(error);
        let mut beginning = Vec::new();
        input.take(512).read_to_end(&mut beginning).map_err(unreadable)?;
        let compression = Compression::of(&beginning);
        let mut whole = std::io::Cursor::new(&beginning).chain(input);
        if compression.is_none() && beginning.starts_with(TextProfile::MAGIC) {
            let mut bytes = Vec::new();
            whole.take(LARGEST_FILE).read_to_end(&mut bytes).map_err(unreadable)?;
            match TextProfile::parse(&bytes) {
                Ok(text) => self.texts.push(text),
                Err(error) => {
                    self.refused.push(Refused { path: name.into(), reason: error.to_string() });
                }
            }
            return Ok(());
        }
        if compression.is_none() && !archive::is_tar(&beginning) {
            let error = format!("{name} is no directory, no archive of one, and no text profile");
            return Err(CommandError::failure(error)
                .hint("name the directory that GOCOVERDIR was set to, or a .tar, .tgz or .tar.zst of it"));
        }
        let archive = Archive::extract(name, compression, &mut whole)?;
        self.refused.extend(archive.refused.iter().cloned());
        self.directory(origin, archive.path(), true).map_err(unreadable)?;
        self.archives.push(archive);
        Ok(())
    }

    fn directory(&mut self, origin: usize, path: &Path, recursive: bool) -> std::io::Result<()> {
        let mut entries = fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let file = join(path, &entry.path());
            let kind = entry.file_type()?;
            if kind.is_dir() {
                if recursive {
                    self.directory(origin, &file, true)?;
                } else {
                    self.skipped.push(file);
                }
                continue;
            }
            let list = if name.starts_with("covmeta.") {
                &mut self.metadata
            } else if name.starts_with("covcounters.") {
                &mut self.counters
            } else {
                if name.starts_with(UNFINISHED_PREFIX) {
                    self.unfinished.push(file);
                }
                continue;
            };
            // Go follows links to files. A pipe would keep its reader waiting for ever.
            if kind.is_file() || fs::metadata(&file).is_ok_and(|metadata| metadata.is_file()) {
                list.push(DataFile { origin, path: file });
            } else {
                self.refused.push(Refused { path: file, reason: "not a file".to_owned() });
            }
        }
        Ok(())
    }
}

/// Go writes `./a/` as `a`, and files in `.` without a directory.
fn join(directory: &Path, entry: &Path) -> PathBuf {
    match entry.file_name() {
        Some(name) if directory == Path::new(".") => name.into(),
        _ => entry.to_owned(),
    }
}

fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(clean.components().next_back(), Some(Component::Normal(_))) => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    if clean.as_os_str().is_empty() { ".".into() } else { clean }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_as_go_does() {
        for (path, expected) in [
            ("./a/", "a"),
            ("a//b/./c", "a/b/c"),
            ("a/../b", "b"),
            ("../a", "../a"),
            ("./", "."),
            ("/a/..", "/"),
        ] {
            assert_eq!(clean(Path::new(path)), Path::new(expected), "{path}");
        }
    }
}
