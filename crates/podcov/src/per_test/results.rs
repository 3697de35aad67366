//! What is kept of each test: Go's files in `tests/NAME`, and at the end `tests.json`, which says of each block which tests
//! ran it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use go_coverage::CounterMode;
use podcov_report::tests::{BlockTests, FileTests, TESTS_SCHEMA_VERSION, Test, TestMapping};

use super::differences::Difference;
use super::events::TestName;
use crate::coverage_data::{self, Group};
use crate::error::CommandError;
use crate::run_directory::{self, RunDirectory};
use crate::snapshot::counter_file;

/// Of a group, so many are named.
const MOST_NAMED: usize = 2;
const IN_MODE_SET: &str = "counts in mode set, so that what ran before it does not count again: build with \
                           -covermode=atomic";

/// The tests so far.
#[derive(Default)]
pub struct Results {
    entries: Vec<Entry>,
    files: u64,
}

struct Entry {
    tests: BTreeSet<TestName>,
    seconds: f64,
    directory: Option<std::path::PathBuf>,
    notes: BTreeSet<String>,
}

impl Results {
    /// Adds what was counted in a segment of time to those that ran in it.
    pub fn add(
        &mut self,
        tests: &BTreeSet<TestName>,
        took: Duration,
        differences: &[Difference],
        notes: impl IntoIterator<Item = String>,
        run: &RunDirectory,
    ) -> Result<(), CommandError> {
        // One that had run nothing when it paused for others to start is known by the group.
        self.entries.retain(|entry| {
            entry.directory.is_some()
                || !entry.notes.is_empty()
                || entry.tests == *tests
                || !entry.tests.is_subset(tests)
        });
        // The rest of a test that ran with others.
        let is_known = self.entries.iter().any(|entry| entry.tests.is_superset(tests));
        if differences.is_empty() && is_known && self.position(tests).is_none() {
            return Ok(());
        }
        self.add_to_entry(tests, took, differences, notes, run)
    }

    /// Adds what was counted in segments of all these tests, and read only after the last of them. Each has its time alone.
    pub fn add_late(
        &mut self,
        tests: &BTreeSet<TestName>,
        differences: &[Difference],
        notes: impl IntoIterator<Item = String>,
        run: &RunDirectory,
    ) -> Result<(), CommandError> {
        self.add_to_entry(tests, Duration::ZERO, differences, notes, run)
    }

    fn position(&self, tests: &BTreeSet<TestName>) -> Option<usize> {
        self.entries.iter().position(|entry| entry.tests == *tests)
    }

    fn add_to_entry(
        &mut self,
        tests: &BTreeSet<TestName>,
        took: Duration,
        differences: &[Difference],
        notes: impl IntoIterator<Item = String>,
        run: &RunDirectory,
    ) -> Result<(), CommandError> {
        let position = self.position(tests).unwrap_or_else(|| {
            let (tests, notes) = (tests.clone(), BTreeSet::new());
            self.entries.push(Entry { tests, seconds: 0.0, directory: None, notes });
            self.entries.len() - 1
        });
        let names = self.names();
        let Some((entry, name)) = self.entries.get_mut(position).zip(names.get(position)) else {
            return Ok(());
        };
        entry.seconds += took.as_secs_f64();
        entry.notes.extend(notes);
        if differences.is_empty() {
            return Ok(());
        }
        let directory = match &entry.directory {
            Some(directory) => directory.clone(),
            None => run.test_directory(name, position)?,
        };
        for difference in differences {
            let metadata = &difference.metadata;
            if metadata.mode() == CounterMode::Set {
                entry.notes.insert(IN_MODE_SET.to_owned());
            }
            let metadata_name = format!("covmeta.{}", metadata.hash());
            if !directory.join(&metadata_name).exists() {
                run_directory::write_file(&directory, &metadata_name, metadata.as_bytes())?;
            }
            self.files += 1;
            // The time in a name only has to be another one for each file.
            let name = format!("covcounters.{}.{}.{}", metadata.hash(), difference.process_id, self.files);
            run_directory::write_file(&directory, &name, &counter_file(metadata, &difference.counts))?;
        }
        entry.directory = Some(directory);
        Ok(())
    }

    /// How many tests there are alone, and how many groups.
    pub fn count(&self) -> (usize, usize) {
        let groups = self.entries.iter().filter(|entry| entry.tests.len() > 1).count();
        (self.entries.len() - groups, groups)
    }

    /// What a reader should know of some test.
    pub fn has_mode_set(&self) -> bool {
        self.entries.iter().any(|entry| entry.notes.contains(IN_MODE_SET))
    }

    /// What each is called: by its name alone where no other has the same.
    fn names(&self) -> Vec<String> {
        let all: BTreeSet<&TestName> = self.entries.iter().flat_map(|entry| &entry.tests).collect();
        let name = |test: &TestName| {
            let namesakes = all.iter().filter(|other| other.name == test.name).count();
            if namesakes > 1 { format!("{}.{}", test.package, test.name) } else { test.name.clone() }
        };
        let mut names: Vec<String> = Vec::new();
        for entry in &self.entries {
            let members: Vec<String> = entry.tests.iter().map(name).collect();
            let title = match members.len().saturating_sub(MOST_NAMED) {
                0 => members.join(" + "),
                more => format!(
                    "{} and {more} more",
                    members.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(" + ")
                ),
            };
            let again = names.iter().filter(|known| **known == title).count();
            names.push(if again > 0 { format!("{title} ({})", again + 1) } else { title });
        }
        names
    }

    /// Writes which tests ran what.
    pub fn write(&self, run: &RunDirectory) -> Result<(), CommandError> {
        let names = self.names();
        let mut blocks = BTreeMap::<String, BTreeMap<(u32, u32, u32, u32), BTreeSet<u32>>>::new();
        let mut tests = Vec::new();
        for (index, (entry, name)) in (0..).zip(self.entries.iter().zip(names)) {
            let mut members: Vec<String> = entry.tests.iter().map(|test| test.name.clone()).collect();
            if members.len() < 2 {
                members.clear();
            }
            if let Some(directory) = &entry.directory {
                let directories = coverage_data::find(directory)?.directories;
                let merged = coverage_data::merge(&[Group { label: name.clone(), directories }]);
                let packages = merged.total.iter().flat_map(|profile| &profile.packages);
                for function in packages.flat_map(|package| &package.functions) {
                    for unit in function.units.iter().filter(|unit| unit.count > 0) {
                        let position = (unit.start_line, unit.start_column, unit.end_line, unit.end_column);
                        let of_file = blocks.entry(function.file.clone()).or_default();
                        of_file.entry(position).or_default().insert(index);
                    }
                }
            }
            tests.push(Test {
                name,
                members,
                directory: entry.directory.as_ref().map(|directory| run.relative(directory)),
                seconds: entry.seconds,
                notes: entry.notes.iter().cloned().collect(),
            });
        }
        let block = |((start_line, start_column, end_line, end_column), tests): (_, BTreeSet<u32>)| {
            BlockTests { start_line, start_column, end_line, end_column, tests: tests.into_iter().collect() }
        };
        let files = blocks
            .into_iter()
            .map(|(file, blocks)| FileTests { file, blocks: blocks.into_iter().map(block).collect() });
        run.write_tests(&TestMapping { schema_version: TESTS_SCHEMA_VERSION, tests, files: files.collect() })
    }
}
