//! Lines that did not run, and which of them are the shortest way to a goal.

use std::fmt;

use go_coverage::{Profile, Unit};
use serde::Serialize;

/// Of the uncovered stretches, this many are named for each gate.
const MOST_NAMED: usize = 5;

/// Lines that follow each other and did not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stretch {
    /// As the coverage data, or the patch, names it.
    pub file: String,
    /// The first.
    pub start_line: u32,
    /// The last.
    pub end_line: u32,
    /// How many statements (or lines, for changed lines) would be won.
    pub gain: u64,
}

impl fmt::Display for Stretch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, start_line, end_line, .. } = self;
        if start_line == end_line {
            return write!(formatter, "{file}:{start_line}");
        }
        write!(formatter, "{file}:{start_line}-{end_line}")
    }
}

/// Stretches of units that did not run, of the selected packages and files.
pub(super) fn gaps(
    profile: &Profile,
    has_package: impl Fn(&str) -> bool,
    has_file: impl Fn(&str) -> bool,
) -> Vec<Stretch> {
    let packages = profile.packages.iter().filter(|package| has_package(&package.import_path));
    let functions =
        packages.flat_map(|package| &package.functions).filter(|function| has_file(&function.file));
    functions.flat_map(|function| gaps_of(&function.file, function.units.clone())).collect()
}

fn gaps_of(file: &str, mut units: Vec<Unit>) -> Vec<Stretch> {
    units.sort_unstable();
    let ran = |unit: &Unit| unit.count > 0;
    let runs = units.chunk_by(|one, next| ran(one) == ran(next));
    runs.filter(|run| !run.iter().any(ran))
        .filter_map(|run| {
            Some(Stretch {
                file: file.to_owned(),
                start_line: run.first()?.start_line,
                end_line: run.iter().map(|unit| unit.end_line).max()?,
                gain: run.iter().map(|unit| u64::from(unit.statements)).sum(),
            })
        })
        .filter(|gap| gap.gain > 0)
        .collect()
}

/// The largest, as many as are needed to reach the goal, or as can be named.
pub(super) fn cheapest(mut gaps: Vec<Stretch>, missing: u64) -> Vec<Stretch> {
    gaps.sort_by(|one, other| {
        let place = |gap: &Stretch| (gap.file.clone(), gap.start_line);
        other.gain.cmp(&one.gain).then_with(|| place(one).cmp(&place(other)))
    });
    let mut won = 0;
    gaps.into_iter()
        .take(MOST_NAMED)
        .take_while(|gap| {
            let needed = won < missing;
            won += gap.gain;
            needed
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_gaps_are_named_than_are_needed() {
        let gap = |file: &str, gain| Stretch { file: file.to_owned(), start_line: 1, end_line: 2, gain };
        let gaps = vec![gap("b", 2), gap("a", 2), gap("c", 9), gap("d", 1)];
        assert_eq!(cheapest(gaps.clone(), 9), [gap("c", 9)]);
        assert_eq!(cheapest(gaps, 10), [gap("c", 9), gap("a", 2)]);
    }
}
