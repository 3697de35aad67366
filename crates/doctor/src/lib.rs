//! Why there is no coverage data: facts in, diagnoses out.
//!
//! Pure. [`facts`] say what was seen at each hop from the build to the data, and where; what could not be looked at is
//! a fact, too. [`rules`] turn them into [`Diagnosis`]es, each with its evidence and what to do. [`examine`] puts them
//! together: a cause explains its consequences, which are then folded under it.
//!
//! Gathers nothing: opening files, asking engines and clusters is the work of who calls.

mod diagnosis;
pub mod dockerfile;
mod examination;
pub mod facts;
mod id;
mod known;
pub mod rules;
pub mod runtime_log;
pub mod shell;

pub use diagnosis::{Diagnosis, Evidence, Hop, Severity};
pub use examination::{Examination, examine};
pub use facts::Facts;
pub use id::Id;
pub use known::Known;
