//! Adds up the counters of many runs. Owns what is known of each program: its meta-data, and one count per unit.
//! Joining several programs to one profile is `join`'s.

use std::collections::BTreeMap;

use crate::counters::{ArgumentTables, FunctionHeader, Header, Visitor};
use crate::cursor::Cursor;
use crate::{Arguments, CounterMode, Error, MetaDataFile, MetaDataHash, Profile, join};

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
#[derive(Debug, Default)]
pub struct Merger {
    programs: BTreeMap<MetaDataHash, Program>,
    /// Decoded counters of the file that is being added; kept for the next file.
    staged: Staged,
}

/// A program, and the sum of its runs.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) metadata: MetaDataFile,
    /// One per unit of the meta-data, in its order.
    pub(crate) counts: Vec<u32>,
}

impl Merger {
    /// Knows no program yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a program known. Adding the same file again changes nothing.
    pub fn add_metadata(&mut self, bytes: &[u8]) -> Result<MetaDataHash, Error> {
        let metadata = MetaDataFile::parse(bytes)?;
        let hash = metadata.hash();
        if let Some(known) = self.programs.get(&hash) {
            return if known.metadata == metadata {
                Ok(hash)
            } else {
                Err(Error::ConflictingMetaData { hash })
            };
        }
        let mut same_mode =
            self.programs.values().map(|program| &program.metadata).filter(|m| m.mode() == metadata.mode());
        if same_mode.any(|other| other.granularity() != metadata.granularity()) {
            return Err(Error::GranularityClash { hash });
        }
        let counts = vec![0; metadata.units().len()];
        self.programs.insert(hash, Program { metadata, counts });
        Ok(hash)
    }

    /// Adds the counters of a run. The program must be known.
    pub fn add_counters(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let header = Header::read(bytes)?;
        let hash = header.hash;
        let program = self.programs.get_mut(&hash).ok_or(Error::OrphanCounters { hash })?;
        self.staged.functions.clear();
        self.staged.counters.clear();
        header.visit(&mut Staging { metadata: &program.metadata, staged: &mut self.staged })?;

        let mode = program.metadata.mode();
        let mut counters = self.staged.counters.as_slice();
        for first_unit_and_length in &self.staged.functions {
            let (first_unit, length) = *first_unit_and_length;
            let (own, rest) = counters.split_at_checked(length).unwrap_or_default();
            let units = program.counts.get_mut(first_unit..first_unit + length).unwrap_or_default();
            for (count, counter) in units.iter_mut().zip(own) {
                *count = add(mode, *count, *counter);
            }
            counters = rest;
        }
        Ok(())
    }

    /// One profile per counter mode, sorted by mode. Functions that never ran are in it, with counts of 0.
    ///
    /// Counts of different modes mean different things and are never added: Go refuses such a merge.
    #[must_use]
    pub fn finish(self) -> Vec<Profile> {
        [CounterMode::Set, CounterMode::Count, CounterMode::Atomic]
            .into_iter()
            .filter_map(|mode| {
                let programs =
                    || self.programs.values().filter(move |program| program.metadata.mode() == mode);
                programs().next()?;
                Some(join::join(mode, programs()))
            })
            .collect()
    }
}

/// As Go adds: set mode knows 0 and 1, the others stop at the largest number.
pub(crate) const fn add(mode: CounterMode, one: u32, other: u32) -> u32 {
    match mode {
        CounterMode::Set => (one != 0 || other != 0) as u32,
        CounterMode::Count | CounterMode::Atomic => one.saturating_add(other),
    }
}

/// A file's counters, before the file is known to be sound to its end.
#[derive(Debug, Default)]
struct Staged {
    /// First unit and number of units.
    functions: Vec<(usize, usize)>,
    counters: Vec<u32>,
}

struct Staging<'m> {
    metadata: &'m MetaDataFile,
    staged: &'m mut Staged,
}

impl<'a> Visitor<'a> for Staging<'_> {
    fn segment(&mut self, arguments: ArgumentTables<'a>, _: Cursor<'a>) -> Result<(), Error> {
        Arguments::read(arguments).map(drop)
    }

    fn counter(&mut self, count: u32) {
        self.staged.counters.push(count);
    }

    fn function(&mut self, at: FunctionHeader) -> Result<(), Error> {
        let FunctionHeader { offset, package, function, .. } = at;
        let units = self.metadata.unit_range(package, function).ok_or(Error::UnknownFunction {
            offset,
            hash: self.metadata.hash(),
            package,
            function,
        })?;
        if at.counters() != units.len() {
            return Err(Error::CounterCount {
                offset,
                package,
                function,
                counters: at.counters(),
                units: units.len(),
            });
        }
        self.staged.functions.push((units.start, units.len()));
        Ok(())
    }
}
