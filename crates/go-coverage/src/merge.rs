//! The whole way in one value: files in, profiles out.

use crate::{Adder, CounterMode, Error, Join, MetaDataHash, Profile, Programs};

/// Takes meta-data files and counter files, and makes one profile per counter mode of them.
///
/// The order of the files does not matter, except that a meta-data file comes before its counters. Memory grows with
/// the programs, not with the number of counter files. A file that is refused has changed nothing, and the next can
/// be added.
///
/// ```no_run
/// use go_coverage::{Merger, write_text};
///
/// let mut merger = Merger::new();
/// merger.add_metadata(&std::fs::read("covmeta.9bbf1777f47b3fcacb05c38b035512d6")?)?;
/// merger.add_counters(&std::fs::read("covcounters.9bbf1777f47b3fcacb05c38b035512d6.17.1662138360208416486")?)?;
/// for profile in merger.finish() {
///     write_text(&profile, &mut std::io::stdout())?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// For several threads, and for questions that need no whole profile, there are [`Programs`], [`Adder`] and [`Join`].
#[derive(Debug, Default)]
pub struct Merger {
    programs: Programs,
    adder: Adder,
}

impl Merger {
    /// Knows no program yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a program known. Adding the same file again changes nothing.
    pub fn add_metadata(&mut self, bytes: &[u8]) -> Result<MetaDataHash, Error> {
        self.programs.add(bytes.to_vec())
    }

    /// Adds the counters of a run. The program must be known.
    pub fn add_counters(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.adder.add(&self.programs, bytes)
    }

    /// One profile per counter mode, sorted by mode. Functions that never ran are in it, with counts of 0.
    ///
    /// Counts of different modes mean different things and are never added: Go refuses such a merge.
    #[must_use]
    pub fn finish(self) -> Vec<Profile> {
        let counts = self.adder.finish(&self.programs);
        [CounterMode::Set, CounterMode::Count, CounterMode::Atomic]
            .into_iter()
            .filter_map(|mode| {
                let mut members: Vec<_> = self
                    .programs
                    .iter()
                    .enumerate()
                    .filter(|(_, metadata)| metadata.mode() == mode)
                    .map(|(index, metadata)| (metadata, counts.get(index)))
                    .collect();
                members.sort_by_key(|(metadata, _)| metadata.hash());
                let _ = members.first()?;
                Some(Join::new(mode, members, |_| true).profile())
            })
            .collect()
    }
}
