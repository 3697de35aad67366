//! Which lines count as changed: since a base, between two commits, or by a patch.
//!
//! Owns the meaning of `--base`, `--range` and `--patch`, and where the paths of the patch begin.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use podcov_patch::{Change, Error, FileChange, Kind, LineRanges, Patch};

use super::git::{CommitId, Repository};
use crate::error::CommandError;

const LARGEST_PATCH: u64 = 256 << 20;
const LARGEST_SOURCE: u64 = 16 << 20;

/// What the user wants to have compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The working tree with where it left a branch: the usual one, or this one.
    Base(Option<String>),
    /// Two commits, `A..B` or `A...B`.
    Range(String),
    /// A patch in a file, or on standard input (`-`).
    Patch(PathBuf),
}

/// The changed lines, and where their files are.
#[derive(Debug)]
pub struct Changes {
    /// For people.
    pub description: String,
    /// What they should know besides.
    pub notes: Vec<String>,
    /// The files, without those that the patch removes.
    pub files: Vec<FileChange>,
    /// What paths are relative to; without links.
    pub root: PathBuf,
    /// The new side, if it is not what is on the disk.
    commit: Option<(Repository, CommitId)>,
}

impl Changes {
    /// Finds out what has changed in the checkout `source`.
    pub fn find(wanted: &Wanted, source: &Path) -> Result<Self, CommandError> {
        let changes = match wanted {
            Wanted::Base(base) => since(base.as_deref(), &Repository::around(source)?)?,
            Wanted::Range(range) => between(range, Repository::around(source)?)?,
            Wanted::Patch(patch) => by_patch(patch, source)?,
        };
        changes.with_lines()
    }

    /// What a file of the new side says; none if it is not there, or no text.
    pub fn text(&self, path: &str) -> Result<Option<String>, CommandError> {
        match &self.commit {
            _ if !is_plain(path) => Ok(None),
            Some((repository, commit)) => repository.text(commit, path),
            None => Ok(read_text(&self.root.join(path))),
        }
    }

    /// Whether the new side is what is on the disk.
    pub fn is_checked_out(&self) -> bool {
        self.commit.is_none()
    }

    /// Of what a patch removes, or only renames, no line is new.
    fn with_lines(mut self) -> Result<Self, CommandError> {
        self.files
            .retain(|file| file.new_path.is_some() && (file.kind != Kind::Text || !file.lines.is_empty()));
        let mut seen = BTreeSet::new();
        for path in self.files.iter().filter_map(|file| file.new_path.as_ref()) {
            if !seen.insert(path) {
                return Err(CommandError::failure(format!("the patch changes {path} more than once"))
                    .hint("a series of patches has line numbers for each of them: make one of it, with git diff BASE HEAD"));
            }
        }
        Ok(self)
    }
}

fn since(base: Option<&str>, repository: &Repository) -> Result<Changes, CommandError> {
    let (name, how) = match base {
        Some(base) => (base.to_owned(), ""),
        None => (repository.usual_base()?, ", the base by default"),
    };
    let (base, head) = (repository.commit(&name)?, repository.commit("HEAD")?);
    let fork = repository.merge_base(&base, &head, (&name, "HEAD"))?;
    let mut files = parse(&repository.diff(&fork, None)?)?;
    let untracked = repository.untracked()?;
    let new = untracked
        .into_iter()
        .filter(|path| has_go_extension(path))
        .map(|path| new_file(repository.root(), path));
    files.extend(new);
    Ok(Changes {
        description: format!("since {name} (merge base {}{how}), with what is not committed", fork.short()),
        notes: Vec::new(),
        files,
        root: canonical(repository.root()),
        commit: None,
    })
}

fn between(range: &str, repository: Repository) -> Result<Changes, CommandError> {
    let usage = || {
        CommandError::usage(format!("--range {range} is no range")).hint(
            "name two commits, such as main..HEAD; with three dots, the first is where the second left it",
        )
    };
    let (first, second, is_forked) = match range.split_once("...") {
        Some((first, second)) => (first, second, true),
        None => range.split_once("..").map(|(first, second)| (first, second, false)).ok_or_else(usage)?,
    };
    let named = |name: &str| if name.is_empty() { "HEAD".to_owned() } else { name.to_owned() };
    let (first, second) = (named(first), named(second));
    let (from, to) = (repository.commit(&first)?, repository.commit(&second)?);
    let from = if is_forked { repository.merge_base(&from, &to, (&first, &second))? } else { from };
    let mut notes = Vec::new();
    if repository.commit("HEAD")? != to {
        notes.push(format!(
            "{second} is not what is checked out: files that are in {second} alone are not found in the data"
        ));
    }
    Ok(Changes {
        description: format!("from {} to {} ({range})", from.short(), to.short()),
        notes,
        files: parse(&repository.diff(&from, Some(&to))?)?,
        root: canonical(repository.root()),
        commit: Some((repository, to)),
    })
}

fn by_patch(patch: &Path, source: &Path) -> Result<Changes, CommandError> {
    let (bytes, name) = if patch == Path::new("-") {
        (read(std::io::stdin().lock()), "standard input".to_owned())
    } else {
        (File::open(patch).and_then(read), patch.display().to_string())
    };
    let bytes = bytes.map_err(|error| {
        CommandError::failure(format!("cannot read the patch in {name}")).caused_by(error)
    })?;
    if bytes.len() as u64 > LARGEST_PATCH {
        return Err(CommandError::failure(format!("the patch in {name} is larger than 256 MiB")));
    }
    let mut files = parse(&bytes)?;
    // git need not be there: then its paths begin in the directory that was named.
    let root = Repository::around(source)
        .map_or_else(|_| source.to_owned(), |repository| repository.root().to_owned());
    let root = canonical(&root);
    for file in files.iter_mut().filter(|file| !file.is_of_git) {
        file.new_path = file.new_path.take().map(|path| below(&root, path));
    }
    let description = format!("by the patch in {name}");
    Ok(Changes { description, notes: Vec::new(), files, root, commit: None })
}

fn parse(bytes: &[u8]) -> Result<Vec<FileChange>, CommandError> {
    let patch = Patch::parse(bytes).map_err(|error| {
        let hint = match error {
            Error::Combined { .. } => "compare two commits instead: git diff BASE HEAD",
            _ => "a unified diff is what `git diff` and `diff -ruN OLD NEW` print",
        };
        CommandError::failure("cannot read the patch").caused_by(error).hint(hint)
    })?;
    Ok(patch.files)
}

/// Plain diffs name files from where `diff` was started: without as many directories as it takes to find the file.
fn below(root: &Path, path: String) -> String {
    let mut rest = path.as_str();
    loop {
        if is_plain(rest) && root.join(rest).is_file() {
            return rest.to_owned();
        }
        match rest.split_once('/') {
            Some((_, shorter)) => rest = shorter,
            None => return path,
        }
    }
}

/// A file that git does not know is new as a whole.
fn new_file(root: &Path, path: String) -> FileChange {
    let lines = read_text(&root.join(&path)).map_or(0, |text| text.lines().count());
    FileChange {
        old_path: None,
        new_path: Some(path),
        change: Change::Added,
        kind: Kind::Text,
        lines: LineRanges::first(u32::try_from(lines).unwrap_or(u32::MAX)),
        is_of_git: true,
    }
}

fn has_go_extension(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "go")
}

/// Ordinary names with `/` between them: nothing that leads out of the root.
pub fn is_plain(path: &str) -> bool {
    path.split('/').all(|name| !matches!(name, "" | "." | "..") && !name.contains(['\\', '\0']))
}

/// The text of a regular file of the checkout.
fn read_text(path: &Path) -> Option<String> {
    // A link could lead out of the checkout, and a pipe would keep its reader waiting.
    let metadata = std::fs::symlink_metadata(path).ok()?;
    if !metadata.is_file() || metadata.len() > LARGEST_SOURCE {
        return None;
    }
    std::fs::read_to_string(path).ok()
}

fn read(input: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(LARGEST_PATCH + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
