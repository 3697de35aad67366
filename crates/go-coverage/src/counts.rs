//! Programs, and what many runs of them count together: one count per unit of each program, whatever the number of
//! runs.
//!
//! Adding the runs up is `adder`'s; which units of different programs are the same is `join`'s.

use crate::{CounterMode, Error, FunctionMetaData, MetaDataFile, MetaDataHash, RunArguments};

/// The programs that counters can be of: a meta-data file each.
#[derive(Debug, Default)]
pub struct Programs {
    /// In the order in which they were added.
    files: Vec<MetaDataFile<'static>>,
}

impl Programs {
    /// Knows no program yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a program known. Adding the same file again changes nothing.
    pub fn add(&mut self, bytes: Vec<u8>) -> Result<MetaDataHash, Error> {
        self.insert(MetaDataFile::parse(bytes)?)
    }

    /// Makes a program known whose meta-data has been decoded already.
    pub fn insert(&mut self, metadata: MetaDataFile<'static>) -> Result<MetaDataHash, Error> {
        let hash = metadata.hash();
        if let Some(known) = self.get(hash) {
            return if known.as_bytes() == metadata.as_bytes() {
                Ok(hash)
            } else {
                Err(Error::ConflictingMetaData { hash })
            };
        }
        let mut same_mode = self.files.iter().filter(|other| other.mode() == metadata.mode());
        if same_mode.any(|other| other.granularity() != metadata.granularity()) {
            return Err(Error::GranularityClash { hash });
        }
        self.files.push(metadata);
        Ok(hash)
    }

    /// The program with this hash.
    #[must_use]
    pub fn get(&self, hash: MetaDataHash) -> Option<&MetaDataFile<'static>> {
        self.files.iter().find(|file| file.hash() == hash)
    }

    /// In the order in which they were added.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &MetaDataFile<'static>> + Clone {
        self.files.iter()
    }

    pub(crate) fn find(&self, hash: MetaDataHash) -> Result<(usize, &MetaDataFile<'static>), Error> {
        let found = self.files.iter().enumerate().find(|(_, file)| file.hash() == hash);
        found.ok_or(Error::OrphanCounters { hash })
    }
}

/// The sum of the runs of some programs, as [`Adder`](crate::Adder) has added them up.
#[derive(Debug, Default)]
pub struct Counts {
    /// Parallel to the programs. None of which no run was added.
    programs: Vec<Option<ProgramCounts>>,
}

impl Counts {
    /// Of no run.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Parallel to the programs.
    pub(crate) const fn of(programs: Vec<Option<ProgramCounts>>) -> Self {
        Self { programs }
    }

    /// Adds what another thread has added up. Both must have been made with the same programs.
    pub fn merge(&mut self, programs: &Programs, other: Self) {
        self.programs.resize(programs.files.len(), None);
        for ((own, added), metadata) in self.programs.iter_mut().zip(other.programs).zip(programs.iter()) {
            match (own, added) {
                (Some(own), Some(added)) => own.merge(metadata.mode(), &added),
                (own, Some(added)) => *own = Some(added),
                (_, None) => {}
            }
        }
    }

    /// The sum of the runs of a program, in the order of the programs; none if it did not run.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&ProgramCounts> {
        self.programs.get(index).and_then(Option::as_ref)
    }
}

/// The sum of the runs of one program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgramCounts {
    /// One per unit of the meta-data, in its order.
    pub(crate) counts: Vec<u32>,
    /// One per function: whether a run had counters for it. They may all be 0, after a subtraction.
    pub(crate) recorded: Vec<bool>,
    /// That in which all runs agree; none of no run.
    pub(crate) arguments: Option<RunArguments>,
}

impl ProgramCounts {
    /// Of a program that did not run.
    #[must_use]
    pub fn zero(metadata: &MetaDataFile<'_>) -> Self {
        Self {
            counts: filled(metadata.unit_count(), 0),
            recorded: filled(metadata.function_count(), false),
            arguments: None,
        }
    }

    /// One per unit, in the order of the meta-data.
    #[must_use]
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// One per unit of a function; none if no run had counters for it.
    #[must_use]
    pub fn of_function(&self, function: &FunctionMetaData<'_>) -> Option<&[u32]> {
        let is_recorded = self.recorded.get(function.index()).copied().unwrap_or_default();
        if is_recorded { self.counts.get(function.unit_range()) } else { None }
    }

    /// How the program was started, as far as all runs agree.
    #[must_use]
    pub const fn arguments(&self) -> Option<&RunArguments> {
        self.arguments.as_ref()
    }

    /// One per function, in the order of the meta-data: whether a run had counters for it.
    #[must_use]
    pub fn recorded(&self) -> &[bool] {
        &self.recorded
    }

    /// Adds counters of a function: one per unit, or none.
    pub(crate) fn add_function(&mut self, metadata: &MetaDataFile<'_>, index: usize, counters: &[u32]) {
        let counts = metadata.unit_range(index).and_then(|units| self.counts.get_mut(units));
        add_slice(metadata.mode(), counts.unwrap_or_default(), counters);
        if let Some(recorded) = self.recorded.get_mut(index) {
            *recorded = true;
        }
    }

    fn merge(&mut self, mode: CounterMode, other: &Self) {
        add_slice(mode, &mut self.counts, &other.counts);
        for (own, other) in self.recorded.iter_mut().zip(&other.recorded) {
            *own |= other;
        }
        RunArguments::agree_on(&mut self.arguments, other.arguments.as_ref());
    }
}

/// Memory that was written to. Of zeros that were only asked for, each page is mapped twice: when it is first read, and anew when
/// it is first written to, for which all threads are stopped.
fn filled<T: Clone>(length: usize, value: T) -> Vec<T> {
    let mut filled = Vec::with_capacity(length);
    filled.resize(length, value);
    filled
}

#[inline]
fn add_slice(mode: CounterMode, counts: &mut [u32], counters: &[u32]) {
    for (count, counter) in counts.iter_mut().zip(counters) {
        *count = mode.add(*count, *counter);
    }
}
