//! What is in a directory or an archive of coverage data.

use go_coverage::{CounterFile, CounterMode, MetaDataFile};

use crate::Known;

/// A directory, or an archive of one, looked through to its leaves.
#[derive(Clone, Debug, Default)]
pub struct DataDirectory {
    /// As it was named.
    pub name: String,
    /// Which workload or program it belongs to, if known.
    pub chain: Option<String>,
    /// Directories in it that have data, `""` for itself.
    pub directories: Vec<Leaf>,
    /// Files that are no coverage data.
    pub other_files: usize,
    /// What could not be looked into, and why.
    pub unreadable: Vec<(String, String)>,
}

/// A directory that has data itself.
#[derive(Clone, Debug, Default)]
pub struct Leaf {
    /// Relative to what was named.
    pub path: String,
    /// `covmeta.*`.
    pub metadata: Vec<MetaDataSeen>,
    /// `covcounters.*`.
    pub counters: Vec<CountersSeen>,
    /// `tmp.cov*`, with their sizes.
    pub unfinished: Vec<(String, u64)>,
    /// Files that are not what their name says, and why.
    pub damaged: Vec<(String, String)>,
    /// Whether processes were read from outside, which says that one file is one process.
    pub has_process_records: bool,
}

/// A meta-data file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetaDataSeen {
    /// Its name.
    pub file: String,
    /// What its counters have, too.
    pub hash: String,
    /// `set`, `count`, `atomic`.
    pub mode: Known<CounterMode>,
    /// Import paths.
    pub packages: Vec<String>,
}

/// A counter file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountersSeen {
    /// Its name.
    pub file: String,
    /// What its meta-data have, too.
    pub hash: String,
    /// The process, from the name.
    pub process: Option<u64>,
    /// When it was written, in nanoseconds since 1970, from the name.
    pub written: Option<u128>,
}

impl Leaf {
    /// Adds a file by its name and its bytes. Names that are not Go's are the caller's affair.
    pub fn add(&mut self, name: &str, bytes: &[u8]) {
        if name.starts_with("covmeta.") {
            self.add_metadata(name, bytes);
        } else {
            self.add_counters(name, bytes);
        }
    }

    fn add_metadata(&mut self, name: &str, bytes: &[u8]) {
        match MetaDataFile::parse(bytes) {
            Ok(file) => {
                self.metadata.push(MetaDataSeen {
                    file: name.to_owned(),
                    hash: file.hash().to_string(),
                    mode: Known::found(file.mode(), name),
                    packages: file.packages().map(|package| package.import_path().to_owned()).collect(),
                });
            }
            Err(error) => self.damaged.push((name.to_owned(), error.to_string())),
        }
    }

    fn add_counters(&mut self, name: &str, bytes: &[u8]) {
        match CounterFile::parse(bytes) {
            Ok(file) => {
                let mut parts = name.split('.').skip(2);
                self.counters.push(CountersSeen {
                    file: name.to_owned(),
                    hash: file.hash().to_string(),
                    process: parts.next().and_then(|part| part.parse().ok()),
                    written: parts.next().and_then(|part| part.parse().ok()),
                });
            }
            Err(error) => self.damaged.push((name.to_owned(), error.to_string())),
        }
    }
}
