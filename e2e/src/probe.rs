//! What the probe counted, as Go's own tools read the data.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{cluster, counter_files, output, repository, workload::request};

/// How often `worked` of the probe ran in the processes whose counters are below a directory.
pub fn runs_of_worked(directory: &Path) -> u64 {
    let files = counter_files(directory);
    let mut directories: Vec<&Path> = files.iter().filter_map(|file| file.parent()).collect();
    directories.dedup();
    if directories.is_empty() {
        return 0;
    }
    let directories: Vec<String> = directories.iter().map(|path| path.display().to_string()).collect();
    let profile = tempfile::NamedTempFile::new().expect("a file");
    let (input, profile_flag) =
        (format!("-i={}", directories.join(",")), format!("-o={}", profile.path().display()));
    output(Command::new("go").args(["tool", "covdata", "textfmt", &input, &profile_flag]));
    let source = std::fs::read_to_string(repository().join("e2e/probe/main.go")).expect("the probe's source");
    let line = source.lines().position(|line| line.starts_with("func worked()")).expect("it is there") + 1;
    let text = std::fs::read_to_string(profile.path()).expect("a profile");
    let block = text.lines().find(|block| block.contains(&format!("main.go:{line}."))).expect("its block");
    block.rsplit(' ').next().and_then(|count| count.parse().ok()).expect("a count")
}

/// The directory of one start of a container, by its name.
pub fn directory_of_start(run_directory: &Path, container: &str) -> PathBuf {
    let files = counter_files(run_directory);
    let mut directories = files.iter().filter_map(|file| file.parent());
    directories.find(|directory| directory.ends_with(container)).expect("its data").to_owned()
}

/// Lets a probe work so often, through the API server.
pub fn work(namespace: &str, service: &str, times: usize) {
    let words = request(namespace, service, "work");
    let arguments: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    for _ in 0..times {
        cluster::run(&arguments);
    }
}
