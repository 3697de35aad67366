//! What a run directory has of each test. Owns its paths, and `tests.json` on the disk.

use std::fs;
use std::io::ErrorKind as IoErrorKind;
use std::path::{Path, PathBuf};

use podcov_report::tests::TestMapping;

use super::{RunDirectory, as_component, cannot, write_file};
use crate::error::CommandError;

/// What each test ran, and below it their directories.
pub const TESTS: &str = "tests";
/// Which tests ran what.
pub const TESTS_RECORD: &str = "tests.json";
/// Any file system takes names of this length.
const LONGEST_NAME: usize = 100;
/// Thousands of tests of a large program.
const LARGEST_TESTS_RECORD: u64 = 1 << 28;

impl RunDirectory {
    /// Creates the covdata directory of a test, which nothing else in the run has.
    pub fn test_directory(&self, name: &str, number: usize) -> Result<PathBuf, CommandError> {
        let name: String = as_component(name).chars().take(LONGEST_NAME).collect();
        let taken = self.path.join(TESTS).join(&name).exists();
        self.directory(&[TESTS, &if taken { format!("{name}-{number}") } else { name }])
    }

    /// Writes which tests ran what.
    pub fn write_tests(&self, tests: &TestMapping) -> Result<(), CommandError> {
        let text = serde_json::to_string(tests)
            .map_err(|error| CommandError::failure("cannot write which tests ran what").caused_by(error))?;
        write_file(&self.path, TESTS_RECORD, format!("{text}\n").as_bytes())
    }
}

/// Which tests ran what in the run at `directory`, where that was recorded.
pub fn read_tests(directory: &Path) -> Result<Option<TestMapping>, CommandError> {
    let path = directory.join(TESTS_RECORD);
    let unusable =
        |cause: String| CommandError::failure(format!("cannot read {}", path.display())).caused_by(cause);
    match fs::metadata(&path) {
        Err(error) if error.kind() == IoErrorKind::NotFound => return Ok(None),
        Ok(metadata) if metadata.len() > LARGEST_TESTS_RECORD => {
            return Err(unusable(format!("{} bytes are too many", metadata.len())));
        }
        _ => {}
    }
    let text = fs::read(&path).map_err(|error| cannot("read", &path, error))?;
    serde_json::from_slice(&text).map(Some).map_err(|error| unusable(error.to_string()))
}
