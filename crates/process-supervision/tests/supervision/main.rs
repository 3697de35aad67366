//! Real programs below a real supervisor: Go programs, shells, a terminal, a PID namespace. Each ending has to be what
//! it is without supervision.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod endings;
mod job_control;
mod log;
mod permissions;
mod pid_one;
mod program;
mod replaced_programs;
mod signals;
mod supervised;
mod tree;
