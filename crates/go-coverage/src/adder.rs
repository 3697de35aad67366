//! Adds up the runs of programs.
//!
//! Owns what a counter file must agree on with its meta-data, and that a refused file changes nothing.

use crate::counters::{ArgumentTables, FunctionHeader, Header, Visitor};
use crate::course::{Course, HEADER};
use crate::cursor::{Cursor, length};
use crate::uleb128::decode_all;
use crate::{Arguments, Counts, Error, MetaDataFile, ProgramCounts, Programs, RunArguments};

/// Adds up the runs of some programs.
///
/// Several threads can each add a part of the files with an adder of their own, whose results are then
/// [merged](Counts::merge).
#[derive(Debug, Default)]
pub struct Adder {
    /// Parallel to the programs. None of which no run was added.
    programs: Vec<Option<Sum>>,
    /// The numbers of the file that is being added; kept for the memory.
    numbers: Vec<u32>,
}

impl Adder {
    /// Has added nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the counters of a run. Its program must be known, and must stay so. A file that is refused has changed
    /// nothing.
    pub fn add(&mut self, programs: &Programs, bytes: &[u8]) -> Result<(), Error> {
        let header = Header::read(bytes)?;
        let (index, metadata) = programs.find(header.hash)?;
        if self.programs.len() <= index {
            self.programs.resize_with(index + 1, || None);
        }
        // The index was made to exist just now.
        let known = &mut self.programs[index];
        let mut new = None;
        let sum = match known {
            Some(sum) => sum,
            None => new.insert(Sum::new(metadata)),
        };
        if sum.add_at_once(&header, metadata, &mut self.numbers).is_none() {
            sum.add_exactly(&header, metadata, &mut self.numbers)?;
        }
        if new.is_some() {
            *known = new;
        }
        Ok(())
    }

    /// All that was added, given the same programs.
    #[must_use]
    pub fn finish(self, programs: &Programs) -> Counts {
        let sums = programs.iter().zip(self.programs);
        let counts = sums.map(|(metadata, sum)| sum.map(|sum| sum.finish(metadata)));
        Counts::of(counts.collect())
    }
}

/// The sum of the runs of a program.
#[derive(Debug)]
struct Sum {
    /// The first files, and then what `course` does not take.
    counts: ProgramCounts,
    order: Order,
    /// Later files.
    course: Option<Course>,
}

/// After so many files, their order is taken for that of all.
const FILES_THAT_TELL_THE_ORDER: usize = 12;

impl Sum {
    fn new(metadata: &MetaDataFile<'_>) -> Self {
        Self { counts: ProgramCounts::zero(metadata), order: Order::default(), course: None }
    }

    fn finish(self, metadata: &MetaDataFile<'_>) -> ProgramCounts {
        let mut counts = self.counts;
        if let Some(course) = self.course {
            course.add_to(metadata, &mut counts);
        }
        counts
    }

    /// Adds the one segment that Go writes, all its numbers at once. None, and nothing is changed, if anything is not as
    /// it is usually.
    fn add_at_once(
        &mut self,
        header: &Header<'_>,
        metadata: &MetaDataFile<'_>,
        numbers: &mut Vec<u32>,
    ) -> Option<()> {
        let segment = header.only_uleb128_segment()?;
        let arguments = Arguments::read(segment.arguments).ok()?;
        let count = decode_all(segment.functions, numbers)?;
        let numbers = numbers.get(..count)?;
        if let Some(course) = &mut self.course {
            course.add(metadata, numbers, segment.function_count)?;
        } else {
            if count_functions(metadata, numbers)? != segment.function_count {
                return None;
            }
            self.add_one_by_one(metadata, numbers);
            if self.order.files == FILES_THAT_TELL_THE_ORDER {
                self.course = Some(Course::new(metadata, self.order.functions()));
            }
        }
        agree(&mut self.counts.arguments, &arguments);
        Some(())
    }

    /// The numbers were checked.
    fn add_one_by_one(&mut self, metadata: &MetaDataFile<'_>, numbers: &[u32]) {
        self.order.begin_file(metadata);
        for (index, counters) in functions(metadata, numbers) {
            self.order.follow(index);
            self.counts.add_function(metadata, index, counters);
        }
    }

    /// Adds a file with several segments, or raw numbers, or finds out exactly what is wrong.
    fn add_exactly(
        &mut self,
        header: &Header<'_>,
        metadata: &MetaDataFile<'_>,
        numbers: &mut Vec<u32>,
    ) -> Result<(), Error> {
        numbers.clear();
        let mut reading = Reading { metadata, numbers, arguments: None };
        header.visit(&mut reading)?;
        for (index, counters) in functions(metadata, reading.numbers) {
            self.counts.add_function(metadata, index, counters);
        }
        RunArguments::agree_on(&mut self.counts.arguments, reading.arguments.as_ref());
        Ok(())
    }
}

/// The functions of a file, and their counters. They are those of the program, or there is no more.
fn functions<'n>(
    metadata: &MetaDataFile<'_>,
    mut numbers: &'n [u32],
) -> impl Iterator<Item = (usize, &'n [u32])> {
    std::iter::from_fn(move || {
        let ([counters, package, function], rest) = numbers.split_first_chunk()?;
        let index = metadata.function_index(*package, *function)?;
        let (counters, rest) = rest.split_at_checked(length(*counters))?;
        numbers = rest;
        Some((index, counters))
    })
}

/// None if numbers are anything but functions of the program.
fn count_functions(metadata: &MetaDataFile<'_>, numbers: &[u32]) -> Option<u64> {
    let (mut count, mut end) = (0, 0);
    for (index, counters) in functions(metadata, numbers) {
        if metadata.unit_range(index)?.len() != counters.len() {
            return None;
        }
        count += 1;
        end += HEADER + counters.len();
    }
    (end == numbers.len()).then_some(count)
}

/// In which order the first files have the functions.
#[derive(Debug, Default)]
struct Order {
    files: usize,
    /// For each function, the next, or [`NO_FUNCTION`]; that of the first function is at last.
    next: Vec<u32>,
    /// Whether a function is among them.
    is_known: Vec<bool>,
    previous: usize,
}

const NO_FUNCTION: u32 = u32::MAX;

impl Order {
    fn begin_file(&mut self, metadata: &MetaDataFile<'_>) {
        if self.files == 0 {
            self.next = vec![NO_FUNCTION; metadata.function_count() + 1];
            self.is_known = vec![false; metadata.function_count()];
        }
        self.files += 1;
        self.previous = metadata.function_count();
    }

    /// The function comes next in the file: if it is new, directly after the one before it.
    fn follow(&mut self, index: usize) {
        if let (Some(is_known @ false), Ok(function)) = (self.is_known.get_mut(index), u32::try_from(index)) {
            *is_known = true;
            let next = self
                .next
                .get_mut(self.previous)
                .map_or(NO_FUNCTION, |next| std::mem::replace(next, function));
            if let Some(own) = self.next.get_mut(index) {
                *own = next;
            }
        }
        self.previous = index;
    }

    fn functions(&self) -> impl Iterator<Item = usize> {
        let next =
            |index: usize| self.next.get(index).copied().filter(|next| *next != NO_FUNCTION).map(length);
        std::iter::successors(next(self.next.len().wrapping_sub(1)), move |index| next(*index))
    }
}

fn agree(own: &mut Option<RunArguments>, arguments: &Arguments<'_>) {
    match own {
        Some(own) => own.agree(arguments),
        None => *own = Some(arguments.to_run_arguments()),
    }
}

/// Checks a file function by function, and collects its numbers.
struct Reading<'m> {
    metadata: &'m MetaDataFile<'m>,
    /// A header and the counters for each function.
    numbers: &'m mut Vec<u32>,
    arguments: Option<RunArguments>,
}

impl<'a> Visitor<'a> for Reading<'_> {
    fn segment(&mut self, arguments: ArgumentTables<'a>, _: Cursor<'a>) -> Result<(), Error> {
        agree(&mut self.arguments, &Arguments::read(arguments)?);
        Ok(())
    }

    fn function(&mut self, at: FunctionHeader) -> Result<(), Error> {
        let FunctionHeader { offset, package, function, .. } = at;
        let unknown = Error::UnknownFunction { offset, hash: self.metadata.hash(), package, function };
        let index = self.metadata.function_index(package, function).ok_or(unknown)?;
        let units = self.metadata.unit_range(index).unwrap_or_default().len();
        let (counters, Ok(length)) = (at.counters(), u32::try_from(at.counters())) else {
            return Err(Error::Malformed { offset, reason: "more than 4 GiB of counters" });
        };
        if counters != units {
            return Err(Error::CounterCount { offset, package, function, counters, units });
        }
        self.numbers.extend([length, package, function]);
        Ok(())
    }

    fn counter(&mut self, count: u32) {
        self.numbers.push(count);
    }
}
