//! A scenario: coverage data, and what Go's tools say about it. Owns where that is.

use std::fs;
use std::path::{Path, PathBuf};

use crate::calls::{Answer, Call, calls};

/// These are for covdata: they hold what cannot be one profile, or files that covdata looks past.
const UNUSUAL: [&str; 2] = ["mixed-modes", "with-other-files"];

/// Functions of different names have their blocks at the same place here. The order in which Go writes the lines of
/// such blocks changes from run to run.
const WITH_COMMON_BLOCKS: [&str; 2] = ["line-directives", "renamed-function"];

/// Coverage data of real programs, and what Go's tools print for it.
pub struct Scenario {
    /// What is special about it.
    pub name: String,
    directory: PathBuf,
}

impl Scenario {
    pub(crate) fn at(directory: PathBuf) -> Self {
        Self { name: directory.file_name().unwrap().display().to_string(), directory }
    }

    /// Where covdata was called, so that what it prints has no absolute paths.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The directories with data.
    #[must_use]
    pub fn directories(&self) -> Vec<PathBuf> {
        let mut directories: Vec<_> =
            fs::read_dir(self.directory.join("data")).unwrap().map(|entry| entry.unwrap().path()).collect();
        directories.sort();
        directories
    }

    /// The directories with data, as they are given to covdata.
    #[must_use]
    pub fn inputs(&self) -> Vec<String> {
        let name =
            |directory: &PathBuf| directory.strip_prefix(&self.directory).unwrap().display().to_string();
        self.directories().iter().map(name).collect()
    }

    /// Whether all of its files belong together in one profile.
    #[must_use]
    pub fn is_one_profile(&self) -> bool {
        !UNUSUAL.contains(&&*self.name)
    }

    /// Whether functions of different names have blocks in common.
    #[must_use]
    pub fn has_common_blocks(&self) -> bool {
        WITH_COMMON_BLOCKS.contains(&&*self.name)
    }

    /// What a tool printed: `textfmt`, `percent`, `func` and `pkglist` of covdata, `cover-func`.
    /// None if it cannot read the data.
    #[must_use]
    pub fn printed(&self, tool: &str) -> Option<String> {
        let file = match tool {
            "cover-func" => tool.to_owned(),
            "textfmt" => format!("covdata/{tool}/files/profile"),
            _ => format!("covdata/{tool}/stdout"),
        };
        fs::read_to_string(self.directory.join(file)).ok()
    }

    /// What covdata was asked about this data, and what it answered.
    #[must_use]
    pub fn answers(&self) -> Vec<(Call, Answer)> {
        calls(&self.inputs())
            .into_iter()
            .filter_map(|call| {
                let kept = self.answer_directory(&call.name);
                kept.exists().then(|| (call, Answer::load(&kept)))
            })
            .collect()
    }

    pub(crate) fn answer_directory(&self, call: &str) -> PathBuf {
        self.directory.join("covdata").join(call)
    }
}
