//! The sum of the runs of one program, kept in the order in which its counter files have the functions.
//!
//! Go writes the functions that ran in the order of the linker, which is the same for every run, and runs of a program
//! have most of their functions in common. So what one file has in a row is compared and added in a row, without a look
//! at each function. Owns that order. What a function is, and where the first files go, is `adder`'s.

#[cfg(target_arch = "x86_64")]
use crate::avx2::Avx2;
use crate::cursor::length;
use crate::{CounterMode, MetaDataFile, ProgramCounts};

/// How many numbers stand before a function's counters: how many those are, the package, the function.
pub(crate) const HEADER: usize = 3;
/// So many numbers are compared or added at once.
pub(crate) const LANES: usize = 8;
/// Stands for a counter among the expected numbers. No header has it: there are fewer packages and functions.
pub(crate) const ANY: u32 = u32::MAX;
/// The place of a function that is not expected.
const NOWHERE: u32 = u32::MAX;

/// The sum of runs.
#[derive(Debug)]
pub(crate) struct Course {
    /// Functions as files have them: a header, and [`ANY`] for each counter. Each has counters.
    expected: Vec<u32>,
    /// Parallel. What stands at headers means nothing.
    sums: Vec<u32>,
    /// For each function of the program, where its header is among the expected.
    places: Vec<u32>,
    /// Of the file that is being added; kept for the memory.
    stretches: Vec<Stretch>,
}

/// Whole functions that follow each other both in a file and among the expected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    /// Index among the file's numbers.
    numbers: usize,
    /// Index among the sums.
    sums: usize,
    length: usize,
}

/// How far numbers are as expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Agreement {
    /// How many.
    pub(crate) numbers: usize,
    /// How many of these are counters.
    pub(crate) counters: usize,
}

impl Course {
    /// Expects functions, given by their index, in this order.
    pub(crate) fn new(metadata: &MetaDataFile<'_>, order: impl Iterator<Item = usize>) -> Self {
        let mut course = Self {
            expected: Vec::new(),
            sums: Vec::new(),
            places: vec![NOWHERE; metadata.function_count()],
            stretches: Vec::new(),
        };
        let headers: Vec<_> = order.filter_map(|index| metadata.counter_header(index)).collect();
        for header in headers {
            let _ = course.expect(metadata, header);
        }
        course
    }

    /// Adds a run: the numbers of all its functions, headers included. None, and no sum is changed, if they are not so
    /// many functions of the program, each with counters.
    pub(crate) fn add(
        &mut self,
        metadata: &MetaDataFile<'_>,
        numbers: &[u32],
        function_count: u64,
    ) -> Option<()> {
        let known = self.expected.len();
        if self.find_stretches(metadata, numbers) != Some(function_count) {
            self.forget_after(metadata, known);
            return None;
        }
        self.add_stretches(metadata.mode(), numbers);
        Some(())
    }

    fn find_stretches(&mut self, metadata: &MetaDataFile<'_>, numbers: &[u32]) -> Option<u64> {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = Avx2::detect() {
            return avx2.find_stretches(self, metadata, numbers);
        }
        self.find_stretches_by(agreement, metadata, numbers)
    }

    /// Finds every function of a file, and returns how many they are. Functions that are new are expected from now on.
    ///
    /// It is compiled for the instructions of whoever calls it, and `agreement` does what [`agreement`] does.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "it must be compiled with the features of its caller")]
    pub(crate) fn find_stretches_by(
        &mut self,
        agreement: impl Fn(&[u32], &[u32]) -> Agreement,
        metadata: &MetaDataFile<'_>,
        numbers: &[u32],
    ) -> Option<u64> {
        self.stretches.clear();
        let (mut functions, mut at) = (0, 0);
        while let Some(rest) = numbers.get(at..).filter(|rest| !rest.is_empty()) {
            let sums = self.place(metadata, *rest.first_chunk()?)?;
            let Agreement { numbers: agreed, counters } = agreement(rest, self.expected.get(sums..)?);
            let end = sums + agreed;
            // The file ends among the counters of a function.
            if self.expected.get(end) == Some(&ANY) {
                return None;
            }
            // A part of a header may have agreed: each function ends with a counter, so that this finds where it begins.
            let is_counter = |before: usize| self.expected.get(end.wrapping_sub(before)) == Some(&ANY);
            let length = agreed - if is_counter(1) { 0 } else { 2 - usize::from(is_counter(2)) };
            self.stretches.push(Stretch { numbers: at, sums, length });
            functions += ((length - counters) / HEADER) as u64;
            at += length;
        }
        Some(functions)
    }

    /// Where the function with this header is expected, from now on if it was not.
    #[inline]
    fn place(&mut self, metadata: &MetaDataFile<'_>, header: [u32; HEADER]) -> Option<usize> {
        let [counters, package, function] = header;
        let index = metadata.function_index(package, function)?;
        let place = *self.places.get(index)?;
        if place == NOWHERE {
            let known = metadata.counter_header(index)?;
            return if known == header { self.expect(metadata, header) } else { None };
        }
        let place = length(place);
        (self.expected.get(place) == Some(&counters)).then_some(place)
    }

    #[cold]
    fn expect(&mut self, metadata: &MetaDataFile<'_>, header: [u32; HEADER]) -> Option<usize> {
        let [counters, package, function] = header;
        let place = self.places.get_mut(metadata.function_index(package, function)?)?;
        // The meta-data of so many units would have 4 GiB, and is refused.
        let at = self.expected.len();
        *place = u32::try_from(at).ok()?;
        self.expected.extend(header);
        self.expected.resize(self.expected.len() + length(counters), ANY);
        self.sums.resize(self.expected.len(), 0);
        Some(at)
    }

    /// Expects no longer what a file has added that was refused.
    fn forget_after(&mut self, metadata: &MetaDataFile<'_>, known: usize) {
        for (_, [_, package, function]) in headers(&self.expected, known) {
            let index = metadata.function_index(package, function);
            if let Some(place) = index.and_then(|index| self.places.get_mut(index)) {
                *place = NOWHERE;
            }
        }
        self.expected.truncate(known);
        self.sums.truncate(known);
    }

    /// Adds the sums to counts, which are in the order of the meta-data.
    pub(crate) fn add_to(&self, metadata: &MetaDataFile<'_>, counts: &mut ProgramCounts) {
        for (at, [counters, package, function]) in headers(&self.expected, 0) {
            let sums = self.sums.get(at + HEADER..).unwrap_or_default();
            let sums = sums.get(..length(counters)).unwrap_or_default();
            if let Some(index) = metadata.function_index(package, function) {
                counts.add_function(metadata, index, sums);
            }
        }
    }
}

/// The headers of functions from one on, and where they are.
fn headers(expected: &[u32], mut at: usize) -> impl Iterator<Item = (usize, [u32; HEADER])> {
    std::iter::from_fn(move || {
        let header = *expected.get(at..)?.first_chunk::<HEADER>()?;
        let found = (at, header);
        at += HEADER + length(header[0]);
        Some(found)
    })
}

/// How far numbers are as expected: up to the first that is not, or the end of either. What is counted as counters goes
/// only up to there.
pub(crate) fn agreement(numbers: &[u32], expected: &[u32]) -> Agreement {
    let mut agreement = Agreement::default();
    for (number, expected) in numbers.iter().zip(expected) {
        if *expected == ANY {
            agreement.counters += 1;
        } else if number != expected {
            break;
        }
        agreement.numbers += 1;
    }
    agreement
}

impl Course {
    fn add_stretches(&mut self, mode: CounterMode, numbers: &[u32]) {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = Avx2::detect() {
            return avx2.add_stretches(self, mode, numbers);
        }
        self.add_stretches_inlined(mode, numbers);
    }

    /// What `add_stretches` does, to be compiled for the instructions of whoever calls it.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "it must be compiled with the features of its caller")]
    pub(crate) fn add_stretches_inlined(&mut self, mode: CounterMode, numbers: &[u32]) {
        match mode {
            CounterMode::Set => {
                self.add_stretches_by(|sum, number| sum | u32::from(number != 0), numbers);
            }
            CounterMode::Count | CounterMode::Atomic => {
                self.add_stretches_by(u32::saturating_add, numbers);
            }
        }
    }

    /// `add` must change nothing where it adds 0.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "it must be compiled with the features of its caller")]
    fn add_stretches_by(&mut self, add: impl Fn(u32, u32) -> u32, numbers: &[u32]) {
        for stretch in &self.stretches {
            let numbers = numbers.get(stretch.numbers..).unwrap_or_default();
            let sums = self.sums.get_mut(stretch.sums..).unwrap_or_default();
            let (mut done, mut left) = (0, stretch.length);
            while let Some(sums) = sums.get_mut(done..).and_then(|rest| rest.first_chunk_mut::<LANES>())
                && let Some(numbers) = numbers.get(done..).and_then(|rest| rest.first_chunk::<LANES>())
                && let Some(mask) =
                    MASK.get(LANES - left.min(LANES)..).and_then(|rest| rest.first_chunk::<LANES>())
            {
                // At the end of the stretch no branch depends on how many numbers are left.
                *sums = std::array::from_fn(|lane| add(sums[lane], numbers[lane] & mask[lane]));
                left = left.saturating_sub(LANES);
                if left == 0 {
                    break;
                }
                done += LANES;
            }
            let rest =
                sums.get_mut(done..).into_iter().flatten().zip(numbers.get(done..).into_iter().flatten());
            for (sum, number) in rest.take(left) {
                *sum = add(*sum, *number);
            }
        }
    }
}

/// All bits of some numbers, and then none of as many.
static MASK: [u32; 2 * LANES] = {
    let mut mask = [0; 2 * LANES];
    let mut lane = 0;
    while lane < LANES {
        mask[lane] = u32::MAX;
        lane += 1;
    }
    mask
};
