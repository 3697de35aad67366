//! Gates: what the figures have to be for a pipeline to go on.
//!
//! Owns the goals and their judgement. Where they are set (flags, `podcov.toml`) and what a missed one ends podcov with
//! is the command line's. A gate that cannot be judged is not passed, and says why.

mod stretches;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use go_coverage::{PackagePattern, Profile, Totals};
use serde::{Deserialize, Serialize};

pub use stretches::Stretch;

use crate::{Line, Mark};
use stretches::{cheapest, gaps};

/// What has to be reached. The default asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Gates {
    /// Of all statements.
    pub total: Option<Goal>,
    /// Of the statements of each package that matches the pattern.
    pub packages: BTreeMap<String, Goal>,
    /// Of the statements of each file that matches the pattern.
    pub files: BTreeMap<String, Goal>,
    /// Of the changed lines that can run.
    pub changed_lines: Option<Goal>,
    /// Code that ran in an earlier run and has not changed has to run.
    pub no_regression: bool,
    /// Nothing that was expected may be missing.
    pub complete: bool,
}

/// A share in percent that has to be reached, to three decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "f64")]
pub struct Goal(u32);

const THOUSANDTHS: u32 = 1000;

/// Why a number is no goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a goal is a percentage from 0 to 100, such as 80 or 72.5")]
pub struct NotAGoal;

impl TryFrom<f64> for Goal {
    type Error = NotAGoal;

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked before"
    )]
    fn try_from(percent: f64) -> Result<Self, NotAGoal> {
        let in_range = (0.0..=100.0).contains(&percent);
        in_range.then(|| Self((percent * f64::from(THOUSANDTHS)).round() as u32)).ok_or(NotAGoal)
    }
}

impl FromStr for Goal {
    type Err = NotAGoal;

    fn from_str(text: &str) -> Result<Self, NotAGoal> {
        text.strip_suffix('%').unwrap_or(text).trim().parse::<f64>().map_err(|_| NotAGoal)?.try_into()
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:03}", self.0 / THOUSANDTHS, self.0 % THOUSANDTHS);
        write!(formatter, "{} %", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl Goal {
    /// How many more have to be covered; 0 where it is reached.
    #[must_use]
    pub fn missing(self, totals: Totals) -> u64 {
        let whole = 100 * u128::from(THOUSANDTHS);
        let needed = (u128::from(self.0) * u128::from(totals.statements)).div_ceil(whole);
        u64::try_from(needed.saturating_sub(u128::from(totals.covered))).unwrap_or(u64::MAX)
    }
}

/// How one gate was judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Which one, such as `total` or `package example.com/shop/cart`.
    pub gate: String,
    /// Whether the pipeline may go on.
    pub passed: bool,
    /// One sentence: what was reached, what was asked for, what is missing. Or why it cannot be judged.
    pub reason: String,
    /// Where the least work reaches the most, largest first.
    pub cheapest: Vec<Stretch>,
}

impl Gates {
    /// Whether anything is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// These gates, and what `others` ask for besides: flags over a settings file.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        // Of two goals of one pattern, the one that is inserted last stays.
        let joined = |own: BTreeMap<String, Goal>, mut others: BTreeMap<String, Goal>| {
            others.extend(own);
            others
        };
        Self {
            total: self.total.or(others.total),
            packages: joined(self.packages, others.packages),
            files: joined(self.files, others.files),
            changed_lines: self.changed_lines.or(others.changed_lines),
            no_regression: self.no_regression || others.no_regression,
            complete: self.complete || others.complete,
        }
    }

    /// Judges everything that a profile shows. None is a profile without data, of which nothing is known.
    #[must_use]
    pub fn judge(&self, profile: Option<&Profile>) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        if let Some(goal) = self.total {
            verdicts.push(profile.map_or_else(|| no_data("total"), |profile| of_total(goal, profile)));
        }
        for (pattern, goal) in &self.packages {
            match profile {
                Some(profile) => verdicts.extend(of_packages(pattern, *goal, profile)),
                None => verdicts.push(no_data(&format!("packages {pattern}"))),
            }
        }
        for (pattern, goal) in &self.files {
            match profile {
                Some(profile) => verdicts.extend(of_files(pattern, *goal, profile)),
                None => verdicts.push(no_data(&format!("files {pattern}"))),
            }
        }
        verdicts
    }
}

impl Verdict {
    /// A gate that is met.
    #[must_use]
    pub fn passed(gate: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { gate: gate.into(), passed: true, reason: reason.into(), cheapest: Vec::new() }
    }

    /// A gate that is missed, or cannot be judged.
    #[must_use]
    pub fn failed(gate: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { passed: false, ..Self::passed(gate, reason) }
    }

    /// Where the least work reaches the most: `the most is in cart.go:41-58 (12)`. None where nothing is to be done.
    #[must_use]
    pub fn cheapest_in_words(&self) -> Option<String> {
        let named: Vec<String> = self.cheapest.iter().map(|gap| format!("{gap} ({})", gap.gain)).collect();
        (!named.is_empty()).then(|| format!("the most is in {}", named.join(", ")))
    }

    /// Whether nothing is missing.
    #[must_use]
    pub fn of_completeness(missing: &[String]) -> Self {
        const GATE: &str = "complete";
        match missing {
            [] => Self::passed(GATE, "nothing that was expected is missing"),
            [only] => Self::failed(GATE, format!("data is missing: {only}")),
            [first, others @ ..] => {
                Self::failed(GATE, format!("data is missing: {first}; and {} more", others.len()))
            }
        }
    }

    /// Whether a share reaches its goal. `unit` is what is counted: statements, or lines.
    #[must_use]
    pub fn of_share(
        gate: impl Into<String>,
        goal: Goal,
        totals: Totals,
        unit: &str,
        gaps: impl FnOnce() -> Vec<Stretch>,
    ) -> Self {
        let Totals { statements: all, covered } = totals;
        let missing = goal.missing(totals);
        if missing == 0 {
            let reached = format!("{} % of {all} {unit}, {goal} asked for", crate::percent(totals));
            return Self::passed(gate, reached);
        }
        let reason = format!(
            "{} % of {all} {unit}, {goal} asked for: {missing} more of the {} that did not run",
            below(goal, totals),
            all - covered.min(all)
        );
        Self::failed(gate, reason).with_cheapest(gaps(), missing)
    }

    /// The same, with those of the gaps that are the shortest way to win what is missing.
    #[must_use]
    pub fn with_cheapest(self, gaps: Vec<Stretch>, missing: u64) -> Self {
        Self { cheapest: cheapest(gaps, missing), ..self }
    }
}

/// What a terminal shows of some verdicts.
#[must_use]
pub fn lines(verdicts: &[Verdict]) -> Vec<Line> {
    let mut lines = Vec::new();
    // Names come from coverage data: a line stays one line, and cannot drive the terminal.
    let mut add = |mark, text: String| lines.push(Line { mark, text: text.replace(char::is_control, " ") });
    for verdict in verdicts {
        let mark = if verdict.passed { Mark::Done } else { Mark::Lost };
        add(mark, format!("gate {}: {}", verdict.gate, verdict.reason));
        if let Some(cheapest) = verdict.cheapest_in_words() {
            add(Mark::Figures, format!("  {cheapest}"));
        }
    }
    lines
}

/// As everywhere else, but never rounded up to the goal that was missed.
fn below(goal: Goal, totals: Totals) -> String {
    let shown = crate::percent(totals);
    if shown.parse().is_ok_and(|shown: Goal| shown < goal) {
        return shown;
    }
    let Totals { statements, covered } = totals;
    let tenths = (u128::from(covered) * 1000).checked_div(u128::from(statements)).unwrap_or(0);
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn no_data(gate: &str) -> Verdict {
    Verdict::failed(gate, "cannot be judged: there is no coverage data, which is not 0 %")
}

fn of_total(goal: Goal, profile: &Profile) -> Verdict {
    let totals = profile.totals_with_literals();
    if totals.statements == 0 {
        return no_data("total");
    }
    Verdict::of_share("total", goal, totals, "statements", || gaps(profile, |_| true, |_| true))
}

fn of_packages(pattern: &str, goal: Goal, profile: &Profile) -> Vec<Verdict> {
    let wanted = PackagePattern::new(pattern);
    let matching = profile.packages.iter().filter(|package| wanted.matches(&package.import_path));
    let verdicts: Vec<Verdict> = matching
        .filter(|package| package.totals().statements > 0)
        .map(|package| {
            let path = package.import_path.as_str();
            let gaps = || gaps(profile, |other| other == path, |_| true);
            Verdict::of_share(format!("package {path}"), goal, package.totals(), "statements", gaps)
        })
        .collect();
    or_none_matches(verdicts, "packages", pattern)
}

fn of_files(pattern: &str, goal: Goal, profile: &Profile) -> Vec<Verdict> {
    let wanted = PackagePattern::new(pattern);
    let matching = profile.files().filter(|(file, totals)| wanted.matches(file) && totals.statements > 0);
    let verdicts: Vec<Verdict> = matching
        .map(|(file, totals)| {
            let gaps = || gaps(profile, |_| true, |other| other == file);
            Verdict::of_share(format!("file {file}"), goal, totals, "statements", gaps)
        })
        .collect();
    or_none_matches(verdicts, "files", pattern)
}

fn or_none_matches(verdicts: Vec<Verdict>, what: &str, pattern: &str) -> Vec<Verdict> {
    if !verdicts.is_empty() {
        return verdicts;
    }
    let reason = format!("cannot be judged: the data has none of the {what} that are meant");
    vec![Verdict::failed(format!("{what} {pattern}"), reason)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(covered: u64, statements: u64) -> Totals {
        Totals { statements, covered }
    }

    #[test]
    fn a_goal_is_reached_exactly_or_not_at_all() {
        let goal: Goal = "66.7".parse().unwrap();
        assert_eq!(goal.missing(totals(2, 3)), 1, "66.66 % is not 66.7 %, however it is rounded");
        assert_eq!(Goal::from_str("66.666").unwrap().missing(totals(2, 3)), 0);
        assert_eq!(Goal::from_str("80%").unwrap().missing(totals(75, 100)), 5);
        assert_eq!(Goal::from_str("100").unwrap().missing(totals(u64::MAX - 1, u64::MAX)), 1);
        assert_eq!(Goal::from_str("0").unwrap().missing(totals(0, 5)), 0);
        for wrong in ["101", "-1", "NaN", "inf", "", "x", "80 percent"] {
            assert_eq!(Goal::from_str(wrong), Err(NotAGoal), "{wrong}");
        }
        assert_eq!(Goal::from_str("72.50").unwrap().to_string(), "72.5 %");
        assert_eq!(Goal::from_str("100").unwrap().to_string(), "100 %");
    }

    #[test]
    fn gates_are_read_from_settings_and_flags_go_over_them() {
        let settings =
            r#"{"total": 80, "changed-lines": 92.5, "packages": {"a/...": 60, "b": 70}, "complete": true}"#;
        let settings: Gates = serde_json::from_str(settings).unwrap();
        let goal = |text: &str| text.parse::<Goal>().unwrap();
        let flags = Gates {
            total: Some(goal("85")),
            packages: [("b".to_owned(), goal("75"))].into(),
            ..Gates::default()
        };
        let joined = flags.or(settings);
        assert_eq!(joined.total, Some(goal("85")));
        assert_eq!(joined.changed_lines, Some(goal("92.5")));
        assert_eq!(joined.packages, [("a/...".to_owned(), goal("60")), ("b".to_owned(), goal("75"))].into());
        assert!(joined.complete && !joined.no_regression && joined.files.is_empty());
        for wrong in [r#"{"totals": 80}"#, r#"{"total": 101}"#, r#"{"total": "high"}"#] {
            assert!(serde_json::from_str::<Gates>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_missed_goal_is_never_shown_as_reached() {
        let verdict =
            Verdict::of_share("total", "80".parse().unwrap(), totals(7_999, 10_000), "statements", Vec::new);
        assert_eq!(
            verdict.reason,
            "79.9 % of 10000 statements, 80 % asked for: 1 more of the 2001 that did not run"
        );
        assert!(!verdict.passed);
    }
}
