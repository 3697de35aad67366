//! `podcov diff` as it is used: real repositories, real Go programs, and git and Go to say what the answer has to be.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod changed_lines;
mod comparison;
mod diff_cover;
mod gates;
mod git;
#[path = "../local/place.rs"]
#[allow(dead_code, reason = "these tests use a part of it")]
mod place;
mod project;
