//! From a file as Go coverage data names it to the source file in a checkout.
//!
//! Owns the search: go.mod, go.work, nested and replaced modules, vendor directories, the module cache, and the
//! absolute paths of programs built by file name. Only ever reads; runs no Go toolchain; knows nothing of
//! coverage counts.

mod error;
mod find;
mod gomod;
mod sources;

pub use error::Error;
pub use find::{Missing, SourceFile};
pub use sources::Sources;
