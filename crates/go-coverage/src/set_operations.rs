//! Takes the runs of one program from those of another, or keeps what both have. Counts only: which files belong to
//! which side is the caller's.

use crate::{CounterMode, MetaDataFile, ProgramCounts};

impl ProgramCounts {
    /// What one process counted since `earlier`: in the modes count and atomic how often, also where a counter went past
    /// its largest number; in the mode set, what had not run before. None if counters were cleared in between.
    #[must_use]
    pub fn since(&self, mode: CounterMode, earlier: &Self) -> Option<Self> {
        // What a program does once, such as to start, it does not do again.
        let cleared = self.counts.iter().zip(&earlier.counts).any(|(now, before)| *now == 0 && *before != 0);
        if cleared || self.counts.len() != earlier.counts.len() {
            return None;
        }
        let count = |(now, before): (&u32, &u32)| match mode {
            CounterMode::Set => u32::from(*now != 0 && *before == 0),
            // Threads that count at once without a lock may set a counter back a little.
            CounterMode::Count if now < before && before - now < 1 << 31 => 0,
            CounterMode::Count | CounterMode::Atomic => now.wrapping_sub(*before),
        };
        let counts = self.counts.iter().zip(&earlier.counts).map(count).collect();
        Some(Self { counts, ..self.clone() })
    }

    /// Sets to 0 what ran in `other`. Functions keep their record, with counts of 0 where nothing is left of them.
    pub fn subtract(&mut self, other: &Self) {
        for (count, other) in self.counts.iter_mut().zip(&other.counts) {
            if *other != 0 {
                *count = 0;
            }
        }
    }

    /// Sets to 0 what did not run in `other`, as far as that has records of the functions.
    pub fn keep_where_recorded(&mut self, metadata: &MetaDataFile<'_>, other: &Self) {
        self.for_each_function(metadata, |function, counts, _| {
            let Some(units) = metadata.unit_range(function) else { return };
            if other.recorded.get(function) == Some(&true) {
                for (count, other) in counts.iter_mut().zip(other.counts.get(units).unwrap_or_default()) {
                    if *other == 0 {
                        *count = 0;
                    }
                }
            }
        });
    }

    /// Forgets functions that `other` has no record of.
    pub fn keep_functions(&mut self, metadata: &MetaDataFile<'_>, other: &Self) {
        self.for_each_function(metadata, |function, counts, recorded| {
            if other.recorded.get(function) != Some(&true) {
                counts.fill(0);
                *recorded = false;
            }
        });
    }

    /// How many units ran.
    #[must_use]
    pub fn units_that_ran(&self) -> usize {
        self.counts.iter().filter(|count| **count != 0).count()
    }

    fn for_each_function(
        &mut self,
        metadata: &MetaDataFile<'_>,
        mut action: impl FnMut(usize, &mut [u32], &mut bool),
    ) {
        for (function, recorded) in self.recorded.iter_mut().enumerate() {
            let counts = metadata.unit_range(function).and_then(|units| self.counts.get_mut(units));
            action(function, counts.unwrap_or_default(), recorded);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(counts: &[u32]) -> ProgramCounts {
        ProgramCounts { counts: counts.to_vec(), ..ProgramCounts::default() }
    }

    fn since(mode: CounterMode, now: &[u32], earlier: &[u32]) -> Option<Vec<u32>> {
        Some(counts(now).since(mode, &counts(earlier))?.counts)
    }

    #[test]
    fn what_ran_in_between_is_the_difference() {
        for mode in [CounterMode::Count, CounterMode::Atomic] {
            assert_eq!(since(mode, &[7, 1, 0, 3], &[5, 1, 0, 0]), Some(vec![2, 0, 0, 3]));
            assert_eq!(since(mode, &[2], &[u32::MAX]), Some(vec![3]), "past the largest number");
        }
        assert_eq!(since(CounterMode::Set, &[1, 1, 0], &[1, 0, 0]), Some(vec![0, 1, 0]));
        assert_eq!(since(CounterMode::Count, &[4], &[5]), Some(vec![0]), "set back by another thread");
    }

    #[test]
    fn counters_that_were_cleared_have_no_difference() {
        for mode in [CounterMode::Set, CounterMode::Count, CounterMode::Atomic] {
            assert_eq!(since(mode, &[0, 3], &[1, 1]), None);
        }
        assert_eq!(since(CounterMode::Atomic, &[1, 1], &[1]), None, "of another program");
    }
}
