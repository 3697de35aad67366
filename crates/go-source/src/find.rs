//! What comes of looking for one file.

use std::path::PathBuf;

/// A source file that was found and read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

/// A source file that was not found.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Missing {
    /// Files that may be meant. None was taken, because more than one fits, or because it is only a guess.
    pub candidates: Vec<PathBuf>,
    /// One sentence for people, without a full stop.
    pub reason: String,
}
