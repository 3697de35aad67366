//! The real agent, real Go programs, and real files between them. No cluster: what is asked here is what the
//! agent does with the files of one pod.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod go_program;
mod hostile;
mod keep;
mod keeper;
mod pod;
mod reader;
mod snapshot;
