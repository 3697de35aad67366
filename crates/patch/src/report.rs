//! Everything that is told of a change: its files, what untouched code lost, and the gates.

use go_coverage::Totals;
use podcov_report::gates::{Goal, Stretch, Verdict};

use crate::{ChangedFile, Comparison, NotMeasured};

/// A change and its coverage.
#[derive(Clone, Debug, Default)]
pub struct DiffReport {
    /// Which lines count as changed, such as `since origin/main (merge base 1a2b3c4)`.
    pub changes: String,
    /// What the coverage was made from, such as `coverage (3 of 3 pods, 3 of 3 processes)`.
    pub data: String,
    /// What is missing of it, one sentence each.
    pub missing: Vec<String>,
    /// What a reader should know besides.
    pub notes: Vec<String>,
    /// The files that have new lines, in the order of the patch.
    pub files: Vec<ChangedFile>,
    /// The comparison with an earlier run, where one was asked for.
    pub against: Option<Against>,
    /// The gates that were asked for.
    pub verdicts: Vec<Verdict>,
}

/// A comparison with an earlier run.
#[derive(Clone, Debug, Default)]
pub struct Against {
    /// As the user named it.
    pub name: String,
    /// What untouched code lost.
    pub comparison: Comparison,
    /// Packages of the earlier run that are missing now although the checkout has them.
    pub packages_missing: Vec<String>,
    /// What the earlier run lacked itself, one sentence each.
    pub missing: Vec<String>,
}

impl DiffReport {
    /// The changed lines that can run, and those of them of which everything ran.
    #[must_use]
    pub fn lines(&self) -> Totals {
        self.files
            .iter()
            .filter_map(|file| file.coverage.as_ref().ok())
            .map(crate::ChangedLines::totals)
            .sum()
    }

    /// The statements of the units that have code on changed lines.
    #[must_use]
    pub fn statements(&self) -> Totals {
        self.files.iter().filter_map(|file| file.coverage.as_ref().ok()).map(|lines| lines.statements).sum()
    }

    /// Changed files of which nothing is known, although they may have lines that run.
    pub fn files_missing(&self) -> impl Iterator<Item = (&str, &NotMeasured)> {
        self.files.iter().filter_map(|file| {
            let why = file.coverage.as_ref().err().filter(|why| why.is_missing())?;
            Some((file.path.as_str(), why))
        })
    }

    /// Judges the changed lines. One changed file of which nothing is known is enough not to pass.
    #[must_use]
    pub fn judge_changed_lines(&self, goal: Goal) -> Verdict {
        const GATE: &str = "changed lines";
        let missing: Vec<String> =
            self.files_missing().map(|(path, why)| format!("{path} ({why})")).collect();
        if !missing.is_empty() {
            return Verdict::failed(
                GATE,
                format!("cannot be judged: nothing is known of {}", missing.join(", ")),
            );
        }
        let lines = self.lines();
        if lines.statements == 0 {
            return Verdict::passed(GATE, "no changed line can run");
        }
        let gaps = || -> Vec<Stretch> { self.files.iter().flat_map(ChangedFile::stretches).collect() };
        Verdict::of_share(GATE, goal, lines, "lines", gaps)
    }

    /// Judges what untouched code lost.
    #[must_use]
    pub fn judge_regression(&self) -> Verdict {
        const GATE: &str = "no regression";
        let Some(against) = &self.against else {
            return Verdict::failed(GATE, "cannot be judged: no earlier run was named");
        };
        let mut unknown: Vec<String> = Vec::new();
        if !against.missing.is_empty() {
            unknown.push(format!("{} is not complete", against.name));
        }
        let packages = against.packages_missing.iter();
        unknown.extend(packages.map(|package| format!("nothing is known of package {package} now")));
        let functions = against.comparison.not_comparable.iter();
        unknown.extend(functions.map(|name| format!("{name} has changed too much to be compared")));
        let lost = against.comparison.statements_lost();
        if lost == 0 && unknown.is_empty() {
            let compared = against.comparison.functions_compared;
            return Verdict::passed(
                GATE,
                format!("{compared} functions lost nothing since {}", against.name),
            );
        }
        if lost == 0 {
            return Verdict::failed(GATE, format!("cannot be judged: {}", unknown.join("; ")));
        }
        let gaps = against.comparison.lost.iter().flat_map(crate::LostFunction::stretches);
        let reason = format!(
            "{} in {} ran in {} and {} not run now",
            count(lost, "statement"),
            count(against.comparison.lost.len() as u64, "function"),
            against.name,
            if lost == 1 { "does" } else { "do" }
        );
        Verdict::failed(GATE, reason).with_cheapest(gaps.collect(), lost)
    }
}

/// `1 function`, `2 functions`.
pub(crate) fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
