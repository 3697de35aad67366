//! The table of endings in pods: however a program ends, and however it was built, podcov has what it counted, and the
//! container ends as it would have ended without podcov. On a real cluster, under Pod Security `restricted`.
//!
//! The programs, the endings, and what the counts have to be, are those of `crates/podcov/tests/endings`. The default test
//! tries every ending in one build, the long one in all builds of the oldest and the newest Go; it writes
//! `docs/endings.md` where `PODCOV_WRITE_ENDINGS` is set.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../../../crates/podcov/tests/endings/builds.rs"]
mod builds;
mod containers;
#[path = "../../../crates/podcov/tests/endings/counts.rs"]
mod counts;
#[path = "../../../crates/podcov/tests/endings/document.rs"]
mod document;
#[path = "../../../crates/podcov/tests/endings/endings.rs"]
mod endings;
mod image;
mod pods;
#[path = "../../../crates/podcov/tests/endings/seen.rs"]
mod seen;
mod table;

/// For people.
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/endings.md");
