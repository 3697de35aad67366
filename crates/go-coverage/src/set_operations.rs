//! Takes the runs of one program from those of another, or keeps what both have. Counts only: which files belong to
//! which side is the caller's.

use crate::{MetaDataFile, ProgramCounts};

impl ProgramCounts {
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
