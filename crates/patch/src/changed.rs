//! The coverage of the lines that a patch changed: what is known of each file, and the sums.

use std::collections::BTreeMap;

use go_coverage::{Totals, Unit};
use podcov_report::gates::Stretch;

use crate::lines::Code;
use crate::{FileChange, LineState, lines};

/// Lines that did not run are one stretch if no more than this lies between them, and none of that can run.
const MOST_BETWEEN: u32 = 3;

/// A file of the patch, and what is known of its changed lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedFile {
    /// Relative to the root of the repository.
    pub path: String,
    /// Its former path, where it was renamed or copied.
    pub old_path: Option<String>,
    /// What is known of it.
    pub coverage: Result<ChangedLines, NotMeasured>,
}

/// The changed lines of a file that has coverage data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangedLines {
    /// How many lines were changed, with those that cannot run.
    pub changed: u64,
    /// Those that can run.
    pub lines: BTreeMap<u32, LineState>,
    /// The statements of the units that have code on changed lines.
    pub statements: Totals,
    /// What the lines say that did not run, or not all of it.
    pub sources: BTreeMap<u32, String>,
}

/// Why nothing is known of a changed file. Neither of them is 0 % or 100 %.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotMeasured {
    /// Another language, or no source.
    #[error("not Go")]
    NotGo,
    /// Tests are not what is measured.
    #[error("a test file")]
    TestFile,
    /// Go builds nothing in directories like this one.
    #[error("not part of a package: Go passes over directories called testdata, or that begin with . or _")]
    OutsideOfPackages,
    /// Left out on request.
    #[error("excluded: {0}")]
    Excluded(String),
    /// The package is measured, and this file has nothing that can run in what was built.
    #[error("no statements in what was built: declarations only, or for other build constraints")]
    NoStatements,
    /// A commit of another repository.
    #[error("a submodule: measure it in its own repository")]
    Submodule,
    /// It has code, and no program that was measured has its package.
    #[error("not in the coverage data: no measured program has its package, or -coverpkg leaves it out")]
    NotInData,
    /// The patch does not show its lines.
    #[error("its lines are not in the patch; `diff -N` shows them")]
    NotShown,
    /// What was built is another version than what was changed.
    #[error("{0}")]
    OtherVersion(String),
}

impl NotMeasured {
    /// Whether there are changed lines that may run, of which nothing is known.
    #[must_use]
    pub const fn is_missing(&self) -> bool {
        matches!(self, Self::NotInData | Self::NotShown | Self::OtherVersion(_))
    }
}

/// What can be said of a file of the patch by its name and kind alone.
#[must_use]
pub fn without_data(change: &FileChange, path: &str) -> Option<NotMeasured> {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let is_outside = |part: &str| part == "testdata" || part.starts_with(['.', '_']);
    if change.kind == crate::Kind::Submodule {
        return Some(NotMeasured::Submodule);
    }
    let stem = name.strip_suffix(".go");
    match (stem, change.kind) {
        (None, _) | (_, crate::Kind::Binary) => Some(NotMeasured::NotGo),
        (Some(stem), _) if stem.ends_with("_test") => Some(NotMeasured::TestFile),
        _ if is_outside(name) || directory.split('/').any(is_outside) => Some(NotMeasured::OutsideOfPackages),
        (_, crate::Kind::NotShown) => Some(NotMeasured::NotShown),
        _ => None,
    }
}

impl ChangedLines {
    /// Of a file with this text and these units.
    #[must_use]
    pub fn of(change: &FileChange, units: &[Unit], text: &str) -> Self {
        let lines: BTreeMap<u32, LineState> =
            lines(units, text).into_iter().filter(|(line, _)| change.lines.contains(*line)).collect();
        let code = Code::of(text);
        let mut touched: Vec<Unit> = units
            .iter()
            .filter(|unit| change.lines.touches(&(unit.start_line..=unit.end_line.max(unit.start_line))))
            .filter(|unit| code.lines_of(unit).any(|line| change.lines.contains(line)))
            .copied()
            .collect();
        // One that several programs have counts once, and as covered when one of them ran it: the larger count is last.
        touched.sort_unstable();
        touched.dedup_by(|next, kept| {
            let is_same = Unit { count: kept.count, ..*next } == *kept;
            kept.count = if is_same { kept.count.max(next.count) } else { kept.count };
            is_same
        });
        let sources = text
            .split('\n')
            .zip(1..)
            .filter(|(_, line)| lines.get(line).is_some_and(|state| *state != LineState::Covered))
            .map(|(source, line)| (line, source.trim_end_matches('\r').to_owned()))
            .collect();
        let statements = touched.iter().map(Unit::totals).sum();
        Self { changed: change.lines.len(), lines, statements, sources }
    }

    /// The lines that can run, and those of them of which everything ran.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let covered = self.lines.values().filter(|state| **state == LineState::Covered).count();
        Totals { statements: self.lines.len() as u64, covered: covered as u64 }
    }

    /// How many lines are in this state.
    #[must_use]
    pub fn count(&self, state: LineState) -> usize {
        self.lines.values().filter(|other| **other == state).count()
    }

    /// Lines that did not run, or not all of what is on them, as first and last.
    #[must_use]
    pub fn gaps(&self) -> Vec<(u32, u32)> {
        let mut gaps: Vec<(u32, u32)> = Vec::new();
        let mut goes_on = false;
        for (line, state) in &self.lines {
            if *state == LineState::Covered {
                goes_on = false;
                continue;
            }
            match gaps.last_mut() {
                Some((_, end)) if goes_on && line - *end <= MOST_BETWEEN + 1 => *end = *line,
                _ => gaps.push((*line, *line)),
            }
            goes_on = true;
        }
        gaps
    }
}

impl ChangedFile {
    /// The stretches that did not run, for those who want to make them run.
    #[must_use]
    pub fn stretches(&self) -> Vec<Stretch> {
        let Ok(lines) = &self.coverage else { return Vec::new() };
        let stretch = |(start_line, end_line)| Stretch {
            file: self.path.clone(),
            start_line,
            end_line,
            gain: lines.sources.range(start_line..=end_line).count() as u64,
        };
        lines.gaps().into_iter().map(stretch).collect()
    }
}
