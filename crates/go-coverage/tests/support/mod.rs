//! Shared by the tests that need real coverage data.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test uses a part of it; a failed step fails the test"
)]

pub mod writer;

use std::fs;
use std::path::PathBuf;

use go_coverage::{Merger, Profile, write_text};
use podcov_go_programs::files_under;

/// The files of some kind in directories, sorted.
pub fn files(directories: &[PathBuf], prefix: &str) -> Vec<PathBuf> {
    let is_meant = |file: &PathBuf| file.file_name().unwrap().to_string_lossy().starts_with(prefix);
    directories.iter().flat_map(|directory| files_under(directory)).filter(is_meant).collect()
}

/// Reads whole directories, as a user of the crate would.
pub fn merge(directories: &[PathBuf]) -> Vec<Profile> {
    let mut merger = Merger::new();
    for file in files(directories, "covmeta.") {
        merger.add_metadata(&fs::read(file).unwrap()).unwrap();
    }
    for file in files(directories, "covcounters.") {
        merger.add_counters(&fs::read(file).unwrap()).unwrap();
    }
    merger.finish()
}

/// The text of the only profile.
pub fn text(profiles: &[Profile]) -> String {
    let [profile] = profiles else { panic!("{} profiles instead of one", profiles.len()) };
    let mut text = Vec::new();
    write_text(profile, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}
