//! Adds up the counters of many runs: one count per unit of each program, whatever the number of runs.
//!
//! Owns what a counter file must agree on with its meta-data, and that a refused file changes nothing. Which units of
//! different programs are the same is `join`'s.

#[cfg(target_arch = "x86_64")]
use crate::avx2::Avx2;
use crate::counters::{ArgumentTables, FunctionHeader, Header, Visitor};
use crate::cursor::{self, Cursor};
use crate::uleb128::decode_all;
use crate::{Arguments, CounterMode, Error, FunctionMetaData, MetaDataFile, MetaDataHash, RunArguments};

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

    fn find(&self, hash: MetaDataHash) -> Result<(usize, &MetaDataFile<'static>), Error> {
        let found = self.files.iter().enumerate().find(|(_, file)| file.hash() == hash);
        found.ok_or(Error::OrphanCounters { hash })
    }
}

/// The sum of the runs of some programs.
///
/// Several threads can each add a part of the files to counts of their own, which are then [merged](Self::merge).
#[derive(Debug, Default)]
pub struct Counts {
    /// Parallel to the programs. None of which no run was added.
    programs: Vec<Option<ProgramCounts>>,
    /// Decoded counters of the file that is being added; kept for the next file.
    staged: Staged,
}

impl Counts {
    /// Of no run yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the counters of a run. Its program must be known. A file that is refused has changed nothing.
    pub fn add(&mut self, programs: &Programs, bytes: &[u8]) -> Result<(), Error> {
        let header = Header::read(bytes)?;
        let (index, metadata) = programs.find(header.hash)?;
        self.staged.read(&header, metadata)?;
        let counts = self.of_program(index, metadata);
        // Taken out of `self` for the loop: the two are borrowed apart.
        let (mut own, staged) = (std::mem::take(counts), std::mem::take(&mut self.staged));
        own.add_all(metadata.mode(), &staged);
        *self.of_program(index, metadata) = own;
        self.staged = staged;
        Ok(())
    }

    /// Adds what another thread has added up. Both must have been made with the same programs.
    pub fn merge(&mut self, programs: &Programs, other: Self) {
        for ((index, metadata), added) in programs.iter().enumerate().zip(other.programs) {
            if let Some(added) = added {
                let own = self.programs.get_mut(index).and_then(Option::as_mut);
                match own {
                    Some(own) => own.merge(metadata.mode(), &added),
                    None => *self.of_program(index, metadata) = added,
                }
            }
        }
    }

    /// The sum of the runs of a program, in the order of the programs; none if it did not run.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&ProgramCounts> {
        self.programs.get(index).and_then(Option::as_ref)
    }

    fn of_program(&mut self, index: usize, metadata: &MetaDataFile<'_>) -> &mut ProgramCounts {
        if self.programs.len() <= index {
            self.programs.resize_with(index + 1, || None);
        }
        // The index was made to exist just now.
        self.programs[index].get_or_insert_with(|| ProgramCounts::zero(metadata))
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
    arguments: Option<RunArguments>,
}

impl ProgramCounts {
    /// Of a program that did not run.
    #[must_use]
    pub fn zero(metadata: &MetaDataFile<'_>) -> Self {
        Self {
            counts: vec![0; metadata.unit_count()],
            recorded: vec![false; metadata.function_count()],
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

    fn add_all(&mut self, mode: CounterMode, staged: &Staged) {
        self.agree(staged.arguments.as_ref());
        add_records(mode, &staged.records, &staged.counters, &mut self.counts);
        for Record { function, .. } in &staged.records {
            if let Some(recorded) = self.recorded.get_mut(cursor::length(*function)) {
                *recorded = true;
            }
        }
    }

    fn merge(&mut self, mode: CounterMode, other: &Self) {
        add_slice(mode, &mut self.counts, &other.counts);
        for (own, other) in self.recorded.iter_mut().zip(&other.recorded) {
            *own |= other;
        }
        self.agree(other.arguments.as_ref());
    }

    fn agree(&mut self, arguments: Option<&RunArguments>) {
        match (&mut self.arguments, arguments) {
            (Some(own), Some(other)) => own.agree_with(other),
            (own @ None, Some(other)) => *own = Some(other.clone()),
            (_, None) => {}
        }
    }
}

/// Adds the staged counters of all records to the counts of their units.
fn add_records(mode: CounterMode, records: &[Record], staged: &[u32], counts: &mut [u32]) {
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = Avx2::detect() {
        avx2.add_records(mode, records, staged, counts);
        return;
    }
    add_records_inlined(mode, records, staged, counts);
}

/// What `add_records` does, to be compiled for the instructions of whoever calls it.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must be compiled with the features of its caller")]
pub(crate) fn add_records_inlined(mode: CounterMode, records: &[Record], staged: &[u32], counts: &mut [u32]) {
    match mode {
        CounterMode::Set => {
            add_records_by(|count, counter| count | u32::from(counter != 0), records, staged, counts);
        }
        CounterMode::Count | CounterMode::Atomic => {
            add_records_by(u32::saturating_add, records, staged, counts);
        }
    }
}

/// So many counters are added at once.
const LANES: usize = 8;

/// `add` must change nothing where it adds 0.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must be compiled with the features of its caller")]
fn add_records_by(add: impl Fn(u32, u32) -> u32, records: &[Record], staged: &[u32], counts: &mut [u32]) {
    for Record { first_unit, at, length, .. } in records {
        let (mut unit, mut at, mut left) =
            (cursor::length(*first_unit), cursor::length(*at), cursor::length(*length));
        // Most functions have fewer units than lanes: then this is done once, and no branch depends on how many.
        while let Some(counts) = counts.get_mut(unit..).and_then(|rest| rest.first_chunk_mut::<LANES>())
            && let Some(counters) = staged.get(at..).and_then(|rest| rest.first_chunk::<LANES>())
        {
            let mask = &MASKS[left.min(LANES)];
            for ((count, counter), mask) in counts.iter_mut().zip(counters).zip(mask) {
                *count = add(*count, counter & mask);
            }
            left = left.saturating_sub(LANES);
            if left == 0 {
                break;
            }
            (unit, at) = (unit + LANES, at + LANES);
        }
        let rest = counts.get_mut(unit..).into_iter().flatten().zip(staged.get(at..).into_iter().flatten());
        for (count, counter) in rest.take(left) {
            *count = add(*count, *counter);
        }
    }
}

/// For a number of lanes: all bits of those, and none of the others.
static MASKS: [[u32; LANES]; LANES + 1] = {
    let mut masks = [[0; LANES]; LANES + 1];
    let mut count = 0;
    while count <= LANES {
        let mut lane = 0;
        while lane < count {
            masks[count][lane] = u32::MAX;
            lane += 1;
        }
        count += 1;
    }
    masks
};

#[inline]
fn add_slice(mode: CounterMode, counts: &mut [u32], counters: &[u32]) {
    for (count, counter) in counts.iter_mut().zip(counters) {
        *count = mode.add(*count, *counter);
    }
}

/// A file's counters, before the file is known to be sound to its end.
#[derive(Debug, Default)]
struct Staged {
    records: Vec<Record>,
    /// As long as that of the largest file so far.
    counters: Vec<u32>,
    arguments: Option<RunArguments>,
}

/// The counters of a function. Small, because there are millions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    /// Among the functions of all packages.
    function: u32,
    first_unit: u32,
    /// Where they begin among the staged numbers.
    at: u32,
    length: u32,
}

impl Staged {
    fn read(&mut self, header: &Header<'_>, metadata: &MetaDataFile<'_>) -> Result<(), Error> {
        self.clear();
        if self.read_at_once(header, metadata).is_some() {
            return Ok(());
        }
        // Several segments, raw numbers, or something is wrong: that is found out exactly, and slower.
        self.clear();
        self.counters.clear();
        header.visit(&mut Staging { metadata, staged: self })
    }

    fn clear(&mut self) {
        self.records.clear();
        self.arguments = None;
    }

    fn agree(&mut self, arguments: &Arguments<'_>) {
        match &mut self.arguments {
            Some(own) => own.agree(arguments),
            None => self.arguments = Some(arguments.to_run_arguments()),
        }
    }

    /// Reads the one segment that Go writes, all its numbers first. None if anything is not as it is usually.
    fn read_at_once(&mut self, header: &Header<'_>, metadata: &MetaDataFile<'_>) -> Option<()> {
        let segment = header.only_uleb128_segment()?;
        self.agree(&Arguments::read(segment.arguments).ok()?);
        let count = decode_all(segment.functions, &mut self.counters)?;
        let (first_functions, first_units) = metadata.firsts();
        let mut rest = self.counters.get(..count)?;
        let mut at = 0;
        while let [length, package, function, counters @ ..] = rest {
            let [first, end] = first_functions.get(cursor::length(*package)..)?.first_chunk()?;
            let function = first.checked_add(*function).filter(|function| function < end)?;
            let [first_unit, end_unit] = *first_units.get(cursor::length(function)..)?.first_chunk()?;
            if end_unit - first_unit != *length {
                return None;
            }
            rest = counters.get(cursor::length(*length)..)?;
            self.records.push(Record { function, first_unit, at: at + 3, length: *length });
            // A file of 4 GiB is left to the slow way.
            at = at.checked_add(*length)?.checked_add(3)?;
        }
        (rest.is_empty() && self.records.len() as u64 == segment.function_count).then_some(())
    }
}

struct Staging<'m> {
    metadata: &'m MetaDataFile<'m>,
    staged: &'m mut Staged,
}

impl<'a> Visitor<'a> for Staging<'_> {
    fn segment(&mut self, arguments: ArgumentTables<'a>, _: Cursor<'a>) -> Result<(), Error> {
        self.staged.agree(&Arguments::read(arguments)?);
        Ok(())
    }

    fn counter(&mut self, count: u32) {
        self.staged.counters.push(count);
    }

    fn function(&mut self, at: FunctionHeader) -> Result<(), Error> {
        let FunctionHeader { offset, package, function, .. } = at;
        let unknown = Error::UnknownFunction { offset, hash: self.metadata.hash(), package, function };
        let index = self.metadata.function_index(package, function).ok_or(unknown)?;
        let units = self.metadata.unit_range(index).unwrap_or_default();
        if at.counters() != units.len() {
            return Err(Error::CounterCount {
                offset,
                package,
                function,
                counters: at.counters(),
                units: units.len(),
            });
        }
        let as_u32 = |number: usize| {
            u32::try_from(number)
                .map_err(|_| Error::Malformed { offset, reason: "more than 4 GiB of counters" })
        };
        self.staged.records.push(Record {
            function: as_u32(index)?,
            first_unit: as_u32(units.start)?,
            at: as_u32(self.staged.counters.len() - units.len())?,
            length: as_u32(units.len())?,
        });
        Ok(())
    }
}
