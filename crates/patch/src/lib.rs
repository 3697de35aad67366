//! Which lines a patch changed, and how the tests covered them.
//!
//! Owns the reading of unified diffs, the coverage of changed lines, the comparison with an earlier run, and the forms
//! in which both are told. Pure: runs no git, opens no file, prints nothing. What it reads is untrusted: bytes that
//! are no patch give an [`Error`] with the line, never a panic and never an allocation out of proportion to the input.

mod changed;
mod error;
mod forms;
mod line_ranges;
mod lines;
mod name;
mod regression;
mod report;
mod unified;

pub use changed::{ChangedFile, ChangedLines, NotMeasured, without_data};
pub use error::Error;
pub use forms::{github, json, markdown, sarif, text};
pub use line_ranges::LineRanges;
pub use lines::{LineState, lines};
pub use regression::{Comparison, LostFunction, compare};
pub use report::{Against, DiffReport};
pub use unified::{Change, FileChange, Kind, Patch};
