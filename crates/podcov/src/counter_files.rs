//! Counter files read and added up on several threads.
//!
//! Owns how a file of coverage data is read, and that its name and its contents are of the same program. Which files
//! belong together is the caller's.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use go_coverage::{Adder, CounterFile, Counts, MetaDataHash, Programs};

use crate::coverage_data::{LARGEST_FILE, Refused};
use crate::parallel;

/// Below that, starting another thread takes longer than it saves.
const BYTES_WORTH_A_THREAD: u64 = 1 << 20;
/// So many files tell how large they are.
const SAMPLE: usize = 16;

/// Adds up the counters of files, and names those that cannot be used.
pub fn add_up(programs: &Programs, files: &[&Path]) -> (Counts, Vec<Refused>) {
    let size = |file: &&Path| std::fs::metadata(file).map_or(0, |metadata| metadata.len());
    let sample: u64 = files.iter().take(SAMPLE).map(size).sum();
    let total = sample / SAMPLE.min(files.len().max(1)) as u64 * files.len() as u64;
    let threads = parallel::threads(total, BYTES_WORTH_A_THREAD);
    let parts = parallel::share(files.len(), threads, |indices| {
        let mut part = Part::default();
        indices.filter_map(|index| files.get(index)).for_each(|file| part.add(programs, file));
        (part.adder.finish(programs), part.refused)
    });
    let (mut sum, mut refused) = (Counts::new(), Vec::new());
    for (counts, refused_by_one) in parts {
        sum.merge(programs, counts);
        refused.extend(refused_by_one);
    }
    (sum, refused)
}

/// What one thread adds up.
#[derive(Default)]
struct Part {
    adder: Adder,
    refused: Vec<Refused>,
    bytes: Vec<u8>,
}

impl Part {
    fn add(&mut self, programs: &Programs, path: &Path) {
        let added = read(path, &mut self.bytes).and_then(|()| {
            check_name(path, &self.bytes)?;
            self.adder.add(programs, &self.bytes).map_err(|error| error.to_string())
        });
        if let Err(reason) = added {
            self.refused.push(Refused { path: path.to_owned(), reason });
        }
    }
}

/// Go believes the name; the contents know better.
fn check_name(path: &Path, bytes: &[u8]) -> Result<(), String> {
    match (hash_in_name(path), CounterFile::hash_of(bytes)) {
        (Some(name), Some(contents)) if name != contents => Err(another_program(name, contents)),
        _ => Ok(()),
    }
}

/// What is wrong with a file whose name and contents differ.
pub fn another_program(name: MetaDataHash, contents: MetaDataHash) -> String {
    format!("named after the program {name}, but it is of {contents}")
}

/// The program that a file is named after.
pub fn hash_in_name(path: &Path) -> Option<MetaDataHash> {
    path.file_name()?.to_str()?.split('.').nth(1)?.parse().ok()
}

/// Reads a whole file into `bytes`, whose memory is used again. The error is a sentence for people.
pub fn read(path: &Path, bytes: &mut Vec<u8>) -> Result<(), String> {
    let describe = |error: std::io::Error| error.to_string();
    let mut file = File::open(path).map_err(describe)?;
    let length = file.metadata().map_err(describe)?.len();
    if length > LARGEST_FILE {
        return Err(format!("{length} bytes are more than any coverage data has"));
    }
    bytes.resize(usize::try_from(length).unwrap_or(0), 0);
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest).map_err(describe)? {
            0 => break,
            count => filled += count,
        }
    }
    bytes.truncate(filled);
    Ok(())
}
