//! What ran, line by line. Go counts blocks; editors, lcov, Cobertura and SonarQube count lines.
//!
//! # How lines follow from blocks
//!
//! A block reaches from a line and column to another, and has one count. A line is *executable* when a block covers a
//! part of it, its *hits* are the largest count of its blocks, and it is *partial* when some of them ran and others did
//! not, as in `if err != nil {` with a body that never ran. So a line is executable where `go tool cover -html` colours
//! it, and partial where that page shows both colours in it.
//!
//! The usual converters (gcov2lcov, gocover-cobertura) call the same lines executable: from the first line of each block
//! to its last, with the comments and empty lines in between. They differ in lines with several blocks: a sum of counts
//! that belong together says more runs than there were, and the last block's count hides the others.
//!
//! A block's end is the first column after it, so one that ends in column 1 does not cover that line, and one that ends
//! where it begins, as of an empty `case`, covers none. What no source
//! file has is left out: a range that runs backwards, as `//line` directives make it, and lines beyond [`MOST_LINES`].

use std::collections::BTreeMap;

use go_coverage::{Function, Profile, Unit};

/// More lines than any source file has: damaged data must not become gigabytes of report.
pub const MOST_LINES: u32 = 1 << 22;

/// An executable line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// From 1.
    pub number: u32,
    /// How often it ran: the largest count of its blocks.
    pub hits: u32,
    /// It ran, but not all of it.
    pub is_partial: bool,
}

/// The executable lines of a file. Neighbours with the same counts are one stretch, so that this is small.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// By line; they do not overlap.
    stretches: Vec<LineStretch>,
}

/// Executable lines that follow each other and have the same counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineStretch {
    /// Its first line, from 1.
    pub first: u32,
    /// Its last line.
    pub last: u32,
    /// How often each of them ran.
    pub hits: u32,
    /// Each of them ran, but not all of it.
    pub is_partial: bool,
}

/// Executable lines in all, and those that ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineTotals {
    /// All executable lines.
    pub lines: u64,
    /// Those that ran, partial ones among them.
    pub covered: u64,
    /// Those that ran in part.
    pub partial: u64,
}

/// The lines of each file of a profile, sorted by file.
#[must_use]
pub fn lines_by_file(profile: &Profile) -> impl ExactSizeIterator<Item = (&str, Lines)> {
    let mut files = BTreeMap::<&str, Vec<&Function>>::new();
    for function in profile.functions() {
        files.entry(&function.file).or_default().push(function);
    }
    files
        .into_iter()
        .map(|(file, functions)| (file, Lines::of(functions.iter().flat_map(|function| &function.units))))
}

impl Lines {
    /// The lines of the blocks of one file. Blocks may overlap, and one may be there several times.
    #[must_use]
    pub fn of<'a>(units: impl IntoIterator<Item = &'a Unit>) -> Self {
        let mut changes: Vec<(u32, Change)> = Vec::new();
        for unit in units {
            if let Some((first, last)) = covered_lines(unit) {
                changes.push((first, Change::Begins(unit.count)));
                changes.push((last + 1, Change::Ends(unit.count)));
            }
        }
        changes.sort_unstable();
        let mut lines = Self::default();
        // The counts of the blocks on a line, and how many blocks have each.
        let mut counts = BTreeMap::<u32, usize>::new();
        let mut rest = changes.as_slice();
        while let [(line, _), ..] = rest {
            let here = rest.iter().take_while(|(other, _)| other == line).count();
            let (now, later) = rest.split_at(here);
            for (_, change) in now {
                change.apply(&mut counts);
            }
            if let (Some((least, _)), Some((most, _)), [(next, _), ..]) =
                (counts.first_key_value(), counts.last_key_value(), later)
            {
                lines.push(LineStretch {
                    first: *line,
                    last: next - 1,
                    hits: *most,
                    is_partial: *least == 0 && *most > 0,
                });
            }
            rest = later;
        }
        lines
    }

    fn push(&mut self, stretch: LineStretch) {
        match self.stretches.last_mut() {
            Some(last)
                if last.last + 1 == stretch.first
                    && (last.hits, last.is_partial) == (stretch.hits, stretch.is_partial) =>
            {
                last.last = stretch.last;
            }
            _ => self.stretches.push(stretch),
        }
    }

    /// Every executable line, in order.
    pub fn iter(&self) -> impl Iterator<Item = Line> {
        self.stretches
            .iter()
            .flat_map(|stretch| (stretch.first..=stretch.last).map(|line| stretch.line(line)))
    }

    /// The same in stretches: a few numbers also for many lines.
    #[must_use]
    pub fn stretches(&self) -> &[LineStretch] {
        &self.stretches
    }

    /// The line with this number; none if it is not executable.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<Line> {
        let index = self.stretches.partition_point(|stretch| stretch.last < number);
        let stretch = self.stretches.get(index).filter(|stretch| stretch.first <= number)?;
        Some(stretch.line(number))
    }

    /// Counts them.
    #[must_use]
    pub fn totals(&self) -> LineTotals {
        let count = |is_counted: fn(&LineStretch) -> bool| {
            let counted = self.stretches.iter().filter(|stretch| is_counted(stretch));
            counted.map(|stretch| u64::from(stretch.last - stretch.first) + 1).sum()
        };
        LineTotals {
            lines: count(|_| true),
            covered: count(|stretch| stretch.hits > 0),
            partial: count(|stretch| stretch.is_partial),
        }
    }

    /// The last executable line; none if there is none.
    #[must_use]
    pub fn last_line(&self) -> Option<u32> {
        self.stretches.last().map(|stretch| stretch.last)
    }
}

impl LineStretch {
    const fn line(&self, number: u32) -> Line {
        Line { number, hits: self.hits, is_partial: self.is_partial }
    }
}

impl std::iter::Sum for LineTotals {
    fn sum<I: Iterator<Item = Self>>(totals: I) -> Self {
        totals.fold(Self::default(), |sum, next| Self {
            lines: sum.lines + next.lines,
            covered: sum.covered + next.covered,
            partial: sum.partial + next.partial,
        })
    }
}

/// With its count, how the blocks of a line differ from those of the line before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Begins(u32),
    Ends(u32),
}

impl Change {
    fn apply(self, counts: &mut BTreeMap<u32, usize>) {
        match self {
            Self::Begins(count) => *counts.entry(count).or_default() += 1,
            Self::Ends(count) => {
                if let Some(blocks) = counts.get_mut(&count) {
                    *blocks -= 1;
                    if *blocks == 0 {
                        counts.remove(&count);
                    }
                }
            }
        }
    }
}

/// The first and the last line of which it covers a part; none if its range makes no sense.
fn covered_lines(unit: &Unit) -> Option<(u32, u32)> {
    if (unit.start_line, unit.start_column) == (unit.end_line, unit.end_column) {
        return None;
    }
    let ends_before = u32::from(unit.end_column <= 1 && unit.end_line > unit.start_line);
    let last = (unit.end_line - ends_before).min(MOST_LINES);
    (unit.start_line >= 1 && unit.start_line <= last).then_some((unit.start_line, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(range: [u32; 4], count: u32) -> Unit {
        let [start_line, start_column, end_line, end_column] = range;
        Unit { start_line, start_column, end_line, end_column, statements: 1, count }
    }

    fn shown(units: &[Unit]) -> Vec<(u32, u32, bool)> {
        Lines::of(units).iter().map(|line| (line.number, line.hits, line.is_partial)).collect()
    }

    #[test]
    fn a_line_whose_blocks_differ_is_partial_and_has_the_hits_of_the_one_that_ran_most() {
        // func F(x int) int {
        //     if x > 0 {
        //         return 1
        //     }
        //
        //     return 0
        // }
        let units = [unit([1, 19, 2, 11], 4), unit([2, 11, 4, 3], 0), unit([6, 2, 6, 10], 4)];
        assert_eq!(shown(&units), [(1, 4, false), (2, 4, true), (3, 0, false), (4, 0, false), (6, 4, false)]);
        let totals = Lines::of(&units).totals();
        assert_eq!(totals, LineTotals { lines: 5, covered: 3, partial: 1 });
    }

    #[test]
    fn blocks_that_all_ran_are_not_partial_however_often_each_did() {
        assert_eq!(shown(&[unit([1, 1, 1, 5], 9), unit([1, 5, 1, 9], 1)]), [(1, 9, false)]);
    }

    #[test]
    fn the_same_block_of_two_functions_counts_once() {
        let twice = [unit([1, 1, 2, 5], 3), unit([1, 1, 2, 5], 3)];
        assert_eq!(shown(&twice), [(1, 3, false), (2, 3, false)]);
    }

    #[test]
    fn a_block_that_ends_before_the_first_column_does_not_reach_its_last_line() {
        assert_eq!(shown(&[unit([1, 1, 3, 1], 1)]), [(1, 1, false), (2, 1, false)]);
    }

    #[test]
    fn a_block_without_extent_covers_no_line() {
        assert_eq!(shown(&[unit([3, 9, 3, 9], 1)]), []);
    }

    #[test]
    fn a_range_that_no_file_has_is_left_out_or_cut() {
        assert_eq!(shown(&[unit([5, 1, 3, 9], 1), unit([0, 1, 0, 9], 1)]), []);
        let beyond = Lines::of(&[unit([MOST_LINES - 1, 1, u32::MAX, 9], 1)]);
        assert_eq!(beyond.last_line(), Some(MOST_LINES));
        assert_eq!(beyond.totals().lines, 2);
        assert_eq!(shown(&[unit([u32::MAX, 1, u32::MAX, 9], 1)]), []);
    }

    #[test]
    fn a_line_is_found_by_its_number() {
        let lines = Lines::of(&[unit([3, 1, 5, 2], 2), unit([9, 1, 9, 2], 0)]);
        let hits: Vec<_> = (2..=10).map(|number| lines.get(number).map(|line| line.hits)).collect();
        assert_eq!(hits, [None, Some(2), Some(2), Some(2), None, None, None, Some(0), None]);
    }
}
