//! Which tests ran which code, `tests.json`: the tests, and for each block of statements those that ran it.
//!
//! Owns the model and its JSON form (documented for users in docs/run-directory.md). Writes no file; the
//! command line does.

use serde::{Deserialize, Serialize};

/// The version of the JSON form. It rises when a field changes its meaning or goes away.
pub const TESTS_SCHEMA_VERSION: u32 = 1;

/// The document `tests.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestMapping {
    /// [`TESTS_SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// In the order in which they ended first. Others refer to them by their position.
    pub tests: Vec<Test>,
    /// Files of which a test ran something, by name.
    pub files: Vec<FileTests>,
}

/// A test, or several that ran at the same time and cannot be told apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// What it is called, unique in the run: `TestCheckout`, or for a group `TestCheckout + TestRefund`.
    pub name: String,
    /// The tests of a group. Empty for a test alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// Its coverage data, relative to the run directory, with `/` as separator. None if it ran nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// How long it ran, in seconds.
    pub seconds: f64,
    /// What a reader should know, such as that a part of the data is missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// One source file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileTests {
    /// As coverage data names it: `example.com/shop/cart/cart.go`.
    pub file: String,
    /// Blocks that some test ran, by position.
    pub blocks: Vec<BlockTests>,
}

/// A block of statements, by its position in the source: lines and columns from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockTests {
    /// The line where it begins.
    pub start_line: u32,
    /// The column where it begins.
    pub start_column: u32,
    /// The line where it ends.
    pub end_line: u32,
    /// The column where it ends.
    pub end_column: u32,
    /// Positions in [`TestMapping::tests`] of those that ran it, rising.
    pub tests: Vec<u32>,
}

impl Test {
    /// It stands for several tests that ran at the same time.
    #[must_use]
    pub fn is_group(&self) -> bool {
        !self.members.is_empty()
    }
}

impl TestMapping {
    /// The blocks of a source file, as coverage data names it.
    #[must_use]
    pub fn blocks(&self, file: &str) -> &[BlockTests] {
        let found = self.files.iter().find(|known| known.file == file);
        found.map_or(&[], |known| &known.blocks)
    }

    /// The tests that ran a block, by its position: start line and column, end line and column.
    pub fn tests_of(&self, file: &str, position: (u32, u32, u32, u32)) -> impl Iterator<Item = &Test> {
        let at = |block: &&BlockTests| {
            (block.start_line, block.start_column, block.end_line, block.end_column) == position
        };
        let tests = self.blocks(file).iter().find(at).map_or(&[][..], |block| &block.tests);
        tests.iter().filter_map(|test| self.tests.get(usize::try_from(*test).ok()?))
    }
}

#[cfg(test)]
mod mapping_tests {
    use super::*;

    const TEXT: &str = r#"{
      "schema_version": 1,
      "tests": [
        {"name": "TestCheckout", "directory": "tests/TestCheckout", "seconds": 1.5},
        {"name": "TestA + TestB", "members": ["TestA", "TestB"], "seconds": 0.25}
      ],
      "files": [{"file": "example.com/shop/cart.go", "blocks": [
        {"start_line": 3, "start_column": 1, "end_line": 5, "end_column": 2, "tests": [0, 1, 7]}
      ]}]
    }"#;

    #[test]
    fn a_block_names_its_tests() {
        let mapping: TestMapping = serde_json::from_str(TEXT).unwrap();
        let names = |file, position| {
            let tests = mapping.tests_of(file, position);
            tests.map(|test| (test.name.as_str(), test.is_group())).collect::<Vec<_>>()
        };
        // 7 stands for nothing: the document may be anybody's.
        let expected = [("TestCheckout", false), ("TestA + TestB", true)];
        assert_eq!(names("example.com/shop/cart.go", (3, 1, 5, 2)), expected);
        assert_eq!(names("example.com/shop/cart.go", (3, 1, 5, 3)), []);
        assert_eq!(names("example.com/shop/other.go", (3, 1, 5, 2)), []);
    }
}
