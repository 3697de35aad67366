//! A set of line numbers, as ranges: one whole new file is one range.

use std::ops::RangeInclusive;

/// Line numbers from 1, sorted, in ranges that do not touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineRanges(Vec<RangeInclusive<u32>>);

impl LineRanges {
    /// The lines from 1 to `count`.
    #[must_use]
    pub fn first(count: u32) -> Self {
        if count == 0 { Self::default() } else { Self(vec![1..=count]) }
    }

    /// Whether no line is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the line is in it.
    #[must_use]
    pub fn contains(&self, line: u32) -> bool {
        let at = self.0.partition_point(|range| *range.end() < line);
        self.0.get(at).is_some_and(|range| range.contains(&line))
    }

    /// Whether one of these lines is in it.
    #[must_use]
    pub fn touches(&self, lines: &RangeInclusive<u32>) -> bool {
        let at = self.0.partition_point(|range| range.end() < lines.start());
        self.0.get(at).is_some_and(|range| range.start() <= lines.end())
    }

    /// How many lines are in it.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.0.iter().map(|range| u64::from(range.end() - range.start()) + 1).sum()
    }

    /// The ranges, in order.
    pub fn ranges(&self) -> impl Iterator<Item = &RangeInclusive<u32>> {
        self.0.iter()
    }

    /// Adds the line after all others; whether it is one.
    pub(crate) fn push(&mut self, line: u32) -> bool {
        match self.0.last_mut() {
            Some(last) if line <= *last.end() => return false,
            Some(last) if line == last.end() + 1 => *last = *last.start()..=line,
            _ => self.0.push(line..=line),
        }
        true
    }
}

impl FromIterator<u32> for LineRanges {
    fn from_iter<I: IntoIterator<Item = u32>>(lines: I) -> Self {
        let mut lines: Vec<u32> = lines.into_iter().collect();
        lines.sort_unstable();
        let mut ranges = Self::default();
        for line in lines {
            ranges.push(line);
        }
        ranges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_follow_each_other_are_one_range() {
        let lines: LineRanges = [7, 1, 2, 3, 7, 9].into_iter().collect();
        assert_eq!(lines.ranges().cloned().collect::<Vec<_>>(), [1..=3, 7..=7, 9..=9]);
        assert_eq!(lines.len(), 5);
        assert!(lines.contains(3) && !lines.contains(4) && lines.contains(9) && !lines.contains(10));
        assert!(lines.touches(&(4..=7)) && !lines.touches(&(4..=6)) && !lines.touches(&(10..=99)));
        assert!(LineRanges::first(0).is_empty());
        assert_eq!(LineRanges::first(4).len(), 4);
    }
}
