//! From a file as Go coverage data names it to the source file in a checkout.
//!
//! Also what that source says of itself: that it is generated, or what of it is to be ignored.
//!
//! Owns the search: go.mod, go.work, nested and replaced modules, vendor directories, the module cache, and the
//! absolute paths of programs built by file name. Only ever reads; runs no Go toolchain; knows nothing of
//! coverage counts.
//!
//! Names in coverage data come from whoever built or sent it, so none is trusted: a name with `..` in it is
//! refused, only regular files whose names end in `.go` are opened, and a huge one is not read.

mod contents;
mod discover;
mod error;
mod file;
mod functions;
mod gomod;
mod module_cache;
mod scanner;
mod sources;

pub use contents::{Contents, Ignored};
pub use error::Error;
pub use file::{Missing, SourceFile};
pub use functions::{DeclaredFunction, declared_functions};
pub use sources::Sources;
