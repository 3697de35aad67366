//! What the cluster tests share: the cluster, images of real Go programs, namespaces, and podcov as users start it.
//!
//! Needs the cluster of `script/cluster up`, Docker, Go and kubectl. Everything a test makes is in a namespace of
//! its own, which goes away with it.

#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "this is for tests: assertions are called for their panics"
)]

pub mod base;
pub mod cluster;
pub mod datastorage;
pub mod doctor;
pub mod engine;
pub mod image;
pub mod namespace;
#[cfg(target_os = "linux")]
pub mod node;
pub mod podcov;
pub mod probe;
pub mod workload;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

pub use podcov_wait::until_within;

/// The root of the repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("e2e is in the repository")
}

/// Standard output of a command that has to succeed.
pub fn output(command: &mut Command) -> String {
    let result = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        result.status.success(),
        "{command:?}: {}\n{}{}",
        result.status,
        String::from_utf8_lossy(&result.stdout),
        String::from_utf8_lossy(&result.stderr)
    );
    String::from_utf8(result.stdout).expect("the output is UTF-8")
}

/// Every file below a directory.
pub fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// The counter files below a directory.
pub fn counter_files(directory: &Path) -> Vec<PathBuf> {
    let is_counters = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("covcounters."))
    };
    files(directory).into_iter().filter(is_counters).collect()
}
