//! What is known of the source of each file that a profile names: where it is in the checkout, whether it is the version
//! that was built, and what it says of itself. Everything that leaves out or names files asks here, so that each is
//! read once.

use std::collections::BTreeMap;

use go_coverage::{Profile, Unit};
use go_source::{Contents, Missing, Sources};

/// The files of some profiles.
#[derive(Clone, Debug, Default)]
pub struct SourceFiles {
    files: BTreeMap<String, FileState>,
}

/// What is known of a source file.
#[derive(Clone, Debug)]
pub enum FileState {
    /// It is here, and the positions of the profile lie in it.
    Found {
        /// Relative to the checkout, with `/` between its parts; absolute if it is outside.
        path: String,
        /// What it says of itself.
        contents: Contents,
    },
    /// It is not here, or is another version than the one that was built.
    Missing(Missing),
}

impl SourceFiles {
    /// Looks for the files of these profiles, and reads each.
    #[must_use]
    pub fn look_up<'a>(sources: &Sources, profiles: impl IntoIterator<Item = &'a Profile>) -> Self {
        let mut units = BTreeMap::<&str, Vec<&[Unit]>>::new();
        for function in profiles.into_iter().flat_map(Profile::functions) {
            units.entry(&function.file).or_default().push(&function.units);
        }
        let files = units.into_iter().map(|(file, units)| {
            let positions = units.iter().copied().flatten().flat_map(ends);
            (file.to_owned(), FileState::of(sources, file, positions))
        });
        Self { files: files.collect() }
    }

    /// What is known of a file, by its name in coverage data.
    #[must_use]
    pub fn get(&self, file: &str) -> Option<&FileState> {
        self.files.get(file)
    }

    /// Where a file is, relative to the checkout; its name in coverage data if that is not known.
    #[must_use]
    pub fn path<'a>(&'a self, file: &'a str) -> &'a str {
        match self.files.get(file) {
            Some(FileState::Found { path, .. }) => path,
            _ => file,
        }
    }

    /// What a file says of itself, if it is here.
    #[must_use]
    pub fn contents(&self, file: &str) -> Option<&Contents> {
        match self.files.get(file)? {
            FileState::Found { contents, .. } => Some(contents),
            FileState::Missing(_) => None,
        }
    }

    /// Those that are not here, or are another version, and why.
    pub fn missing(&self) -> impl Iterator<Item = (&str, &Missing)> {
        self.files.iter().filter_map(|(file, state)| match state {
            FileState::Missing(missing) => Some((file.as_str(), missing)),
            FileState::Found { .. } => None,
        })
    }

    /// How many files there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

impl FileState {
    fn of(sources: &Sources, file: &str, positions: impl Iterator<Item = (u32, u32)>) -> Self {
        let found = sources.find(file).and_then(|source| source.check_positions(positions).map(|()| source));
        match found {
            Ok(source) => {
                Self::Found { path: sources.relative(&source.path), contents: Contents::of(&source.text) }
            }
            Err(missing) => Self::Missing(missing),
        }
    }
}

fn ends(unit: &Unit) -> [(u32, u32); 2] {
    [(unit.start_line, unit.start_column), (unit.end_line, unit.end_column)]
}
