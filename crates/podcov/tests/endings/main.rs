//! The table of endings: however a program ends, and however it was built, podcov has what it counted, and it ends as it
//! would have ended without podcov. On this machine by `podcov exec`, in containers by the agent as their main process.
//!
//! What the counts have to be, the program itself says, which keeps a ledger beside its coverage. `docs/endings.md` is
//! what the long test saw; it writes the file where `PODCOV_WRITE_ENDINGS` is set.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod builds;
mod container;
mod counts;
mod document;
mod endings;
mod local;
mod machine;
#[path = "../local/place.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod place;
mod seen;
mod table;

/// For people.
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/endings.md");
