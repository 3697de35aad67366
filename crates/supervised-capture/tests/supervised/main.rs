//! What is left of real Go programs, also where the supervision itself is killed, may not trace, or finds no room. What
//! has to be left, the programs say themselves.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../../../podcov/tests/endings/counts.rs"]
mod counts;
mod forbidden;
mod killed;
mod let_go;
mod place;
mod processes;
mod requests;
