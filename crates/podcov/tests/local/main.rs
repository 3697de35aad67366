//! The command line as it is used on one machine: the real podcov, services and programs that real Go toolchains
//! built, and Go's own tools to say what the figures have to be. No cluster.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod builds;
mod command_line;
mod exec;
mod formats;
mod go;
mod interruptions;
mod manifests;
mod oracle;
mod per_test;
mod place;
mod podman;
mod readiness;
mod report;
mod run;
mod serve;
mod snapshot;
mod snapshot_of_containers;
