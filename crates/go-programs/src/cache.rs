//! Keeps what was made with a release, by the contents of what it was made from. Owns the directory that the tests of
//! all crates share, also while they run at the same time.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use crate::recipe::Recipe;
use crate::scenario::Scenario;
use crate::toolchain::{Toolchain, files_under, testdata};

/// How much is made with a release. It takes half a minute or more the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extent {
    /// The three counter modes, type parameters and closures, and tests.
    Selected,
    /// Everything.
    Complete,
}

/// Everything for one release.
pub struct Release {
    /// Its covdata.
    pub covdata: PathBuf,
    /// What was built and run with it, by name.
    pub scenarios: Vec<Scenario>,
}

impl Release {
    /// The scenario of this name.
    #[must_use]
    pub fn scenario(&self, name: &str) -> &Scenario {
        self.scenarios.iter().find(|scenario| scenario.name == name).unwrap()
    }
}

/// Builds and runs the programs with a release and asks its tools, unless the cache has it all.
#[must_use]
pub fn prepare(cache: &Path, release: &'static str, extent: Extent) -> Release {
    let root = cache.join(format!("go-programs-{:016x}", key(release, extent)));
    if !root.exists() {
        let lock = File::create(root.with_extension("lock")).unwrap();
        lock.lock().unwrap();
        // Another process may have done it in the meantime.
        if !root.exists() {
            let work = root.with_extension("work");
            if work.exists() {
                fs::remove_dir_all(&work).unwrap();
            }
            Recipe::new(release, work.clone()).cook(extent);
            fs::rename(work.join("result"), &root).unwrap();
            fs::remove_dir_all(&work).unwrap();
        }
    }
    let mut scenarios: Vec<_> = fs::read_dir(root.join("scenarios"))
        .unwrap()
        .map(|entry| Scenario::at(entry.unwrap().path()))
        .collect();
    scenarios.sort_by(|one, other| one.name.cmp(&other.name));
    Release { covdata: root.join("covdata"), scenarios }
}

fn key(release: &'static str, extent: Extent) -> u64 {
    let mut hasher = DefaultHasher::new();
    let version = Toolchain::new(release, testdata()).go(["env", "GOVERSION"]);
    let made_by = [
        include_str!("cache.rs"),
        include_str!("calls.rs"),
        include_str!("recipe.rs"),
        include_str!("rewriter.rs"),
        include_str!("scenario.rs"),
        include_str!("toolchain.rs"),
    ];
    (version, extent, made_by).hash(&mut hasher);
    for directory in ["programs", "tools"] {
        for file in files_under(&testdata().join(directory)) {
            (&file, fs::read(&file).unwrap()).hash(&mut hasher);
        }
    }
    hasher.finish()
}
