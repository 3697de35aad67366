//! Which lines a patch changed, and how the tests covered them.
//!
//! Owns the reading of unified diffs, the coverage of changed lines, the comparison with an earlier run, and the forms
//! in which both are told. Pure: runs no git, opens no file, prints nothing. What it reads is untrusted: bytes that
//! are no patch give an [`Error`] with the line, never a panic and never an allocation out of proportion to the input.

mod error;
mod line_ranges;
mod name;
mod regression;
mod unified;

pub use error::Error;
pub use line_ranges::LineRanges;
pub use regression::{Comparison, LostFunction, compare};
pub use unified::{Change, FileChange, Kind, Patch};
