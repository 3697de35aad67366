//! What is known of the source of each file that a profile names: where it is in the checkout, whether it is the version
//! that was built, and what it says of itself. Everything that shows, leaves out or names files asks here, so that each
//! is read once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use go_coverage::{Profile, Unit};
use go_source::{Contents, Missing, SourceFile, Sources};

/// The files of some profiles. The default knows none.
#[derive(Clone, Debug, Default)]
pub struct SourceFiles {
    root: Option<PathBuf>,
    problems: Vec<String>,
    files: BTreeMap<String, FileState>,
}

/// The files that profiles name, to be looked for one by one, or by several threads.
#[derive(Clone, Debug)]
pub struct NamedFiles<'a> {
    sources: &'a Sources,
    files: Vec<(&'a str, Vec<&'a [Unit]>)>,
    /// The same as single builds have it.
    alternatives: BTreeMap<&'a str, Vec<Vec<&'a [Unit]>>>,
}

/// What is known of a source file.
#[derive(Clone, Debug)]
pub struct FileState {
    found: Result<Found, Missing>,
    /// Every position of the profiles lies in it.
    is_whole: bool,
    /// Why it is not the version that was built: a position of the profiles does not lie in it, and no build has all of its
    /// own in it.
    misfit: Option<Missing>,
}

#[derive(Clone, Debug)]
struct Found {
    /// Relative to the checkout, with `/` between its parts; absolute if it is outside.
    path: String,
    source: SourceFile,
    contents: Contents,
}

impl<'a> NamedFiles<'a> {
    /// All files of these profiles.
    #[must_use]
    pub fn of(sources: &'a Sources, profiles: impl IntoIterator<Item = &'a Profile>) -> Self {
        let mut files = BTreeMap::<&str, Vec<&[Unit]>>::new();
        for (file, units) in profiles.into_iter().flat_map(Profile::units_by_file) {
            files.entry(file).or_default().extend(units);
        }
        Self { sources, files: files.into_iter().collect(), alternatives: BTreeMap::new() }
    }

    /// The same such that it is enough if what one of these builds has of a file lies in its source.
    #[must_use]
    pub fn or_of(mut self, builds: impl IntoIterator<Item = &'a Profile>) -> Self {
        for build in builds {
            for (file, units) in build.units_by_file() {
                self.alternatives.entry(file).or_default().push(units);
            }
        }
        self
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Looks for the file with this index, and reads it.
    #[must_use]
    pub fn look_up(&self, index: usize) -> FileState {
        let Some((file, units)) = self.files.get(index) else {
            return FileState { found: Err(Missing::default()), is_whole: false, misfit: None };
        };
        let found = self.sources.find(file).map(|source| Found {
            path: self.sources.relative(&source.path),
            contents: Contents::of(&source.text),
            source,
        });
        let misfit_of = |units: &[&[Unit]]| {
            let positions = units.iter().copied().flatten().flat_map(ends);
            found.as_ref().ok().and_then(|found| found.source.check_positions(positions).err())
        };
        let mut alternatives = self.alternatives.get(file).into_iter().flatten();
        let misfit = misfit_of(units);
        let is_whole = found.is_ok() && misfit.is_none();
        let misfit = misfit.filter(|_| alternatives.all(|units| misfit_of(units).is_some()));
        FileState { found, is_whole, misfit }
    }

    /// With what was found out about each, in order.
    #[must_use]
    pub fn with(self, states: impl IntoIterator<Item = FileState>) -> SourceFiles {
        let names = self.files.into_iter().map(|(file, _)| file.to_owned());
        SourceFiles {
            root: self.sources.root().map(Path::to_owned),
            problems: self.sources.problems().to_vec(),
            files: names.zip(states).collect(),
        }
    }
}

impl SourceFiles {
    /// Looks for the files of these profiles, and reads each.
    #[must_use]
    pub fn look_up<'a>(sources: &'a Sources, profiles: impl IntoIterator<Item = &'a Profile>) -> Self {
        let named = NamedFiles::of(sources, profiles);
        let states: Vec<FileState> = (0..named.len()).map(|index| named.look_up(index)).collect();
        named.with(states)
    }

    /// The checkout; none if none was searched.
    #[must_use]
    pub fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// What of the checkout could not be looked at, one sentence each.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// The source of a file, whatever version it is; none if it was not looked for.
    pub(crate) fn source(&self, file: &str) -> Option<Result<&SourceFile, &Missing>> {
        Some(self.files.get(file)?.found.as_ref().map(|found| &found.source))
    }

    /// Whether every position of the profiles lies in the source of a file.
    pub(crate) fn is_whole(&self, file: &str) -> bool {
        self.files.get(file).is_some_and(|state| state.is_whole)
    }

    /// Where a file is, relative to the checkout; its name in coverage data if that is not known.
    #[must_use]
    pub fn path<'a>(&'a self, file: &'a str) -> &'a str {
        self.fitting(file).map_or(file, |found| &found.path)
    }

    /// What a file says of itself, if it is here.
    #[must_use]
    pub fn contents(&self, file: &str) -> Option<&Contents> {
        Some(&self.fitting(file)?.contents)
    }

    /// The text of a file, if it is here.
    pub(crate) fn text(&self, file: &str) -> Option<&str> {
        Some(&self.fitting(file)?.source.text)
    }

    /// Whether a file is here, but not as it was built.
    pub(crate) fn is_another_version(&self, file: &str) -> bool {
        self.files.get(file).is_some_and(|state| state.misfit.is_some())
    }

    /// Only the version that was built.
    fn fitting(&self, file: &str) -> Option<&Found> {
        let FileState { found, misfit, .. } = self.files.get(file)?;
        found.as_ref().ok().filter(|_| misfit.is_none())
    }

    /// Those that are not here, or are another version, and why.
    pub fn missing(&self) -> impl Iterator<Item = (&str, &Missing)> {
        self.files.iter().filter_map(|(file, state)| {
            let missing = state.misfit.as_ref().or_else(|| state.found.as_ref().err())?;
            Some((file.as_str(), missing))
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

fn ends(unit: &Unit) -> [(u32, u32); 2] {
    [(unit.start_line, unit.start_column), (unit.end_line, unit.end_column)]
}
