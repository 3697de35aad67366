//! The counters as they are in memory: for each function that ran, the number of its units, package and function, then a
//! counter for each unit. Zeroes are between them, where functions have not run.

use std::collections::HashMap;
use std::ops::Range;

use go_coverage::{CounterGranularity, CounterMode, MetaDataFile};

/// Words before a function's counters.
const HEADER: usize = 3;
/// Words behind them, at most: the next function's begin at a multiple of 32 bytes where they are as long as that
/// (`symalign` in cmd/link).
const MOST_PADDING: u64 = 7;

/// How many counters each function has, and how packages are numbered.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    /// By package and function.
    counters: Vec<Vec<u32>>,
    /// The packages whose numbers are hard-coded.
    hard_coded: HashMap<i32, u32>,
}

/// The counters of all functions at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    words: Vec<u32>,
    records: Vec<Record>,
    strays: usize,
}

impl Counters {
    pub(crate) fn new(words: Vec<u32>, shape: &Shape) -> Self {
        let (records, strays) = shape.records(&words);
        Self { words, records, strays }
    }

    /// Words that belong to no function. Other than 0 means that counters may be missing.
    #[must_use]
    pub const fn stray_words(&self) -> usize {
        self.strays
    }

    /// How much memory they take.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        size_of::<u32>() * self.words.len()
    }

    /// The functions that ran: package and function by their indices in the meta-data, and a counter for each unit.
    pub fn functions(&self) -> impl Iterator<Item = (u32, u32, &[u32])> {
        self.records.iter().filter_map(|record| {
            let counters = self.words.get(record.range())?;
            // The program may have cleared its counters; the headers stay.
            counters.iter().any(|count| *count != 0).then_some((record.package, record.function, counters))
        })
    }

    /// What was counted since. None if these are not the same counters.
    pub(crate) fn since(&self, earlier: &Self, mode: CounterMode) -> Option<Self> {
        let mut words = self.words.clone();
        for record in &self.records {
            let before = earlier.words.get(record.range())?;
            for (count, before) in words.get_mut(record.range())?.iter_mut().zip(before) {
                *count = match mode {
                    CounterMode::Set => u32::from(*count != 0 && *before == 0),
                    CounterMode::Count | CounterMode::Atomic => count.wrapping_sub(*before),
                };
            }
        }
        Some(Self { words, records: self.records.clone(), strays: self.strays + earlier.strays })
    }
}

/// A function that ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record {
    package: u32,
    function: u32,
    /// Which word its first counter is.
    first: u32,
    length: u32,
}

impl Record {
    const fn range(&self) -> Range<usize> {
        let first = self.first as usize;
        first..first + self.length as usize
    }
}

impl Shape {
    pub(crate) fn new(metadata: &MetaDataFile<'_>, hard_coded: HashMap<i32, u32>) -> Self {
        let counters_of = |units: usize| match metadata.granularity() {
            CounterGranularity::PerBlock => u32::try_from(units).unwrap_or(u32::MAX),
            CounterGranularity::PerFunction => 1,
        };
        let counters = metadata
            .packages()
            .map(|package| package.functions().map(|function| counters_of(function.units().len())).collect());
        Self { counters: counters.collect(), hard_coded }
    }

    /// How many words the counters of all functions take at most. The linker leaves out functions that nothing calls.
    pub(crate) fn most_words(&self) -> u64 {
        let functions = self.counters.iter().flatten();
        functions.map(|counters| u64::from(*counters) + HEADER as u64 + MOST_PADDING).sum()
    }

    /// The functions that ran, and how many words are where none should be: the array was read while a function wrote
    /// its header, or is damaged.
    fn records(&self, words: &[u32]) -> (Vec<Record>, usize) {
        let functions = self.counters.iter().map(Vec::len).sum::<usize>();
        let mut records = Vec::with_capacity(functions.min(words.len() / HEADER));
        let mut strays = 0;
        // Functions of a package follow each other.
        let mut package = Package::default();
        let mut at = 0;
        while let Some([word, ..]) = words.get(at..) {
            if *word == 0 {
                at += 1;
            } else if let Some(record) = self.record(words, at, &mut package) {
                at = record.range().end;
                records.push(record);
            } else {
                strays += 1;
                at += 1;
            }
        }
        (records, strays)
    }

    fn record<'a>(&'a self, words: &[u32], at: usize, package: &mut Package<'a>) -> Option<Record> {
        let [length, package_id, function, counters @ ..] = words.get(at..)? else { return None };
        if package.id != *package_id {
            *package = self.package(*package_id)?;
        }
        let expected = package.functions.get(*function as usize)?;
        let first = u32::try_from(at + HEADER).ok()?;
        (expected == length && *length as usize <= counters.len()).then_some(Record {
            package: package.number,
            function: *function,
            first,
            length: *length,
        })
    }

    fn package(&self, id: u32) -> Option<Package<'_>> {
        let number = match id.cast_signed() {
            0 => return None,
            // One is added, so that no number is zero.
            1.. => id - 1,
            hard_coded => *self.hard_coded.get(&hard_coded)?,
        };
        Some(Package { id, number, functions: self.counters.get(number as usize)? })
    }
}

/// A package, as headers name it; id 0 is none.
#[derive(Clone, Copy, Default)]
struct Package<'a> {
    id: u32,
    number: u32,
    functions: &'a [u32],
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape() -> Shape {
        Shape { counters: vec![vec![2, 1], vec![3]], hard_coded: HashMap::from([(-2, 1)]) }
    }

    fn record(package: u32, function: u32, first: u32, length: u32) -> Record {
        Record { package, function, first, length }
    }

    #[test]
    fn functions_that_ran_are_found_between_zeroes() {
        let words = [0, 0, 2, 1, 0, 5, 0, 0, 0, 0, 3, 0xffff_fffe, 0, 7, 8, 9];
        assert_eq!(shape().records(&words), (vec![record(0, 0, 5, 2), record(1, 0, 13, 3)], 0));
    }

    #[test]
    fn a_header_that_is_half_written_hides_no_other_function() {
        let words = [2, 0, 0, 0, 0, 1, 1, 1, 6];
        assert_eq!(shape().records(&words), (vec![record(0, 1, 8, 1)], 1));
    }

    #[test]
    fn what_the_meta_data_do_not_have_is_no_function() {
        for words in [[2, 9, 0, 1, 1], [2, 1, 7, 1, 1], [3, 1, 0, 1, 1], [2, 0xffff_fffd, 0, 1, 1]] {
            let (records, strays) = shape().records(&words);
            assert!(records.is_empty() && strays > 0, "{words:?}: {records:?}");
        }
        let (records, strays) = shape().records(&[2, 1, 0, 1]);
        assert!(records.is_empty() && strays > 0, "the array ends within the counters");
    }

    #[test]
    fn no_words_have_no_functions() {
        assert_eq!(shape().records(&[]), (Vec::new(), 0));
        assert_eq!(shape().records(&[0; 8]), (Vec::new(), 0));
    }
}
