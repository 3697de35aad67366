//! The program in the pod: runs the containers' programs, keeps their coverage files, and hands them over. In a pod of its
//! own, it reads what others on the node have counted.
//!
//! Owns what happens inside the pod. It knows no Kubernetes and does not look into the files: the other end,
//! `podcov`, does both. What the two say to each other is `podcov-agent-protocol`.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
mod attach;
#[cfg(target_os = "linux")]
mod command;
#[cfg(target_os = "linux")]
mod keep;
#[cfg(target_os = "linux")]
mod snapshot;
#[cfg(target_os = "linux")]
mod supervise;
#[cfg(target_os = "linux")]
mod terminal;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    command::run(std::env::args_os().skip(1))
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("the agent runs on Linux only");
    ExitCode::from(2)
}
