//! Which process a counter file is of, where processes were supervised.
//!
//! Owns what names say. The counters of a process that lives have the time of its start in their name, those that it left
//! at its end the time at which they were written.

use std::path::{Path, PathBuf};

use podcov_agent_protocol::{is_coverage_file_name, is_metadata_file_name, process_of_record};

/// A counter file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessFile {
    pub path: PathBuf,
    /// Of the meta-data.
    pub hash: String,
    /// As the process itself sees it.
    pub process_id: u32,
    /// The time in its name, in unix nanoseconds.
    pub time: u64,
    /// When the program of the process was started, in unix nanoseconds, where that is known.
    pub started: Option<u64>,
}

impl ProcessFile {
    /// The process lived when this was read.
    pub fn is_live(&self) -> bool {
        self.started == Some(self.time)
    }

    /// The name of the file with the meta-data.
    pub fn metadata_name(&self) -> String {
        format!("covmeta.{}", self.hash)
    }
}

/// The counter files in a directory. `records` may be in another one.
pub fn of_directory(directory: &Path, records: &Path) -> Vec<ProcessFile> {
    let records: Vec<(u32, u64)> = names(records).iter().filter_map(|name| process_of_record(name)).collect();
    let names = names(directory).into_iter();
    let counters = names.filter(|name| is_coverage_file_name(name) && !is_metadata_file_name(name));
    counters.filter_map(|name| of_name(directory, &name, &records)).collect()
}

fn of_name(directory: &Path, name: &str, records: &[(u32, u64)]) -> Option<ProcessFile> {
    let mut parts = name.split('.').skip(1);
    let (hash, process_id) = (parts.next()?.to_owned(), parts.next()?.parse().ok()?);
    let time = parts.next()?.parse().ok()?;
    let starts = records.iter().filter(|(process, started)| *process == process_id && *started <= time);
    let started = starts.map(|(_, started)| *started).max();
    Some(ProcessFile { path: directory.join(name), hash, process_id, time, started })
}

/// In the order of their names.
fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_file_is_of_the_last_process_of_its_number_that_had_started() {
        let directory = tempfile::tempdir().unwrap();
        for name in [
            &format!("covcounters.{HASH}.7.150"),
            &format!("covcounters.{HASH}.7.200"),
            &format!("covcounters.{HASH}.8.150"),
            &format!("covmeta.{HASH}"),
            "process.7.100",
            "process.7.200",
            "process.8.160",
        ] {
            std::fs::write(directory.path().join(name), "").unwrap();
        }
        let files = of_directory(directory.path(), directory.path());
        let known: Vec<_> =
            files.iter().map(|file| (file.process_id, file.started, file.is_live())).collect();
        assert_eq!(known, [(7, Some(100), false), (7, Some(200), true), (8, None, false)]);
    }
}
