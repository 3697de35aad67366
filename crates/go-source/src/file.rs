//! One source file: read with bounds, and compared with the positions that coverage data speaks of.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Ten times the largest file of Go's own source. Nothing that people read is larger.
const LARGEST_FILE: u64 = 16 << 20;

/// A source file that was found and read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

/// A source file that was not found, or that cannot be the one that was built.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Missing {
    /// Files that may be meant. None was taken, because more than one fits, or because it is only a guess.
    pub candidates: Vec<PathBuf>,
    /// One sentence for people, without a full stop.
    pub reason: String,
}

impl Missing {
    pub(crate) fn because(reason: impl Into<String>) -> Self {
        Self { candidates: Vec::new(), reason: reason.into() }
    }
}

impl SourceFile {
    /// Reads `path`; none when there is no such file.
    pub(crate) fn read(path: &Path) -> Option<Result<Self, Missing>> {
        let failed =
            |error: &std::io::Error| Missing::because(format!("{} cannot be read: {error}", path.display()));
        let metadata = match std::fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return None;
            }
            Err(error) => return Some(Err(failed(&error))),
        };
        // Opening a pipe would wait for its other end.
        if !metadata.is_file() {
            return None;
        }
        let read = || {
            let length = usize::try_from(metadata.len().min(LARGEST_FILE)).unwrap_or_default();
            // One more, so that its end is seen without room for more text.
            let mut bytes = Vec::with_capacity(length + 1);
            File::open(path)?.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        Some(match read() {
            Err(error) => Err(failed(&error)),
            Ok(bytes) if bytes.len() as u64 > LARGEST_FILE => {
                Err(Missing::because(format!("{} is larger than 16 MiB", path.display())))
            }
            // Columns count bytes, so replacing what is not UTF-8 would shift them.
            Ok(bytes) => String::from_utf8(bytes)
                .map(|text| Self { path: path.to_owned(), text })
                .map_err(|_| Missing::because(format!("{} is not UTF-8 text", path.display()))),
        })
    }

    /// Whether every position lies in the text. If one does not, this is another version of the file than the one
    /// that was built, and showing counts on it would mislead.
    ///
    /// A position is a line and a column in bytes, both from 1; the column after a line's end is in the line.
    pub fn check_positions(&self, positions: impl IntoIterator<Item = (u32, u32)>) -> Result<(), Missing> {
        let lengths = self.line_lengths();
        for (line, column) in positions {
            let length = usize::try_from(line).ok().and_then(|line| lengths.get(line.checked_sub(1)?));
            let in_line = length.is_some_and(|length| column >= 1 && column as usize <= length + 1);
            if !in_line {
                let found = match length {
                    Some(length) => format!("line {line} has {length} columns"),
                    None => format!("it has {} lines", lengths.len()),
                };
                return Err(Missing::because(format!(
                    "{} is not the version that was built: the data speaks of line {line}, column {column}, \
                     and {found}",
                    self.path.display()
                )));
            }
        }
        Ok(())
    }

    fn line_lengths(&self) -> Vec<usize> {
        let ends = memchr::memchr_iter(b'\n', self.text.as_bytes()).chain([self.text.len()]);
        let mut start = 0;
        ends.map(|end| end - std::mem::replace(&mut start, end + 1)).collect()
    }

    /// How many of these ranges, each with its first position and the one after its last, begin or end where no statements
    /// of Go do, as those of another version of the file often do.
    pub fn strange_ranges(&self, ranges: impl IntoIterator<Item = [(u32, u32); 2]>) -> usize {
        let lines: Vec<&str> = self.text.split('\n').collect();
        let split = |(line, column): (u32, u32)| {
            let line = lines.get(usize::try_from(line).ok()?.checked_sub(1)?)?;
            line.split_at_checked(usize::try_from(column).ok()?.checked_sub(1)?)
        };
        let can_begin = |(before, after): (&str, &str)| {
            after.starts_with('{')
                || before.trim_end().is_empty()
                || before.trim_end().ends_with(['{', '}', ':', ';'])
        };
        let can_end = |(before, after): (&str, &str)| {
            let rest = after.trim();
            before.ends_with('}')
                || rest.is_empty()
                || rest.starts_with(['{', '}', ';'])
                || rest.starts_with("//")
        };
        let is_strange = |[start, end]: &[(u32, u32); 2]| {
            !(split(*start).is_some_and(can_begin) && split(*end).is_some_and(can_end))
        };
        ranges.into_iter().filter(is_strange).count()
    }
}
