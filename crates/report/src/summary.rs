//! The end of a run in a few lines for a terminal.
//!
//! Owns the words and their alignment. Colours and prints nothing.

use std::fmt;

use crate::run::{Capture, Diagnosis, LossReason, Outcome, Way};
use crate::words::{self, Loss};
use crate::{Report, Section, percent};

/// Named side by side up to this many; more get a line each.
const MOST_SIDE_BY_SIDE: usize = 3;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What sort of message it is, for the caller to colour.
    pub mark: Mark,
    /// Without the mark's sign, and without a line break.
    pub text: String,
}

/// What sort of message a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// As it should be.
    Done,
    /// Something is missing.
    Lost,
    /// Worth knowing.
    Note,
    /// Figures, and what belongs to the line before.
    Figures,
}

impl Mark {
    /// Its sign, one column wide.
    #[must_use]
    pub const fn sign(self) -> char {
        match self {
            Self::Done => '✓',
            Self::Lost => '✗',
            Self::Note => '!',
            Self::Figures => ' ',
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.mark.sign(), self.text)
    }
}

/// The end of a run: how complete it is, what was lost and why, and the figures.
#[must_use]
pub fn summary(report: &Report<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    // Names and reasons come from the cluster; a line stays one line, and cannot drive the terminal.
    let mut add = |mark, text: String| {
        lines.push(Line { mark, text: text.replace(char::is_control, " ").trim_end().to_owned() });
    };
    let run = report.run;
    if !run.captures.is_empty() {
        let is_complete = run.completeness().is_complete() && run.set_aside.is_empty();
        let mark = if is_complete { Mark::Done } else { Mark::Lost };
        let bytes = words::bytes(run.captures.iter().map(|capture| capture.bytes).sum());
        add(mark, format!("{:<15}{:<41}{bytes}", "collected", words::completeness(run)));
    }
    for Loss { who, reason, detail, diagnosis } in run.captures.iter().filter_map(Loss::of) {
        let separator = if detail.is_empty() { "" } else { ": " };
        add(Mark::Lost, format!("{who}: {reason}{separator}{detail}"));
        if let Some(Diagnosis { id, cause, fix }) = diagnosis {
            add(Mark::Figures, format!("  {id}: {cause}"));
            for line in fix.lines() {
                add(Mark::Figures, format!("    {line}"));
            }
        }
    }
    for set_aside in &run.set_aside {
        add(Mark::Lost, format!("set aside {}: {}", set_aside.file, set_aside.reason));
    }
    for note in &run.notes {
        add(Mark::Note, note.clone());
    }
    if report.has_data() {
        for figures in figures(report) {
            add(Mark::Figures, figures);
        }
    } else {
        add(Mark::Lost, NO_DATA.to_owned());
        for cause in likely_causes(report) {
            add(Mark::Figures, format!("  {cause}"));
        }
    }
    lines
}

/// Said in place of figures.
const NO_DATA: &str = "no coverage data: nothing is known of what ran, which is not 0 %";

/// What to look at when there is no data.
pub(crate) fn likely_causes(report: &Report<'_>) -> Vec<&'static str> {
    let has_statements = report.sections.iter().any(|section| section.totals().statements > 0);
    if has_statements {
        // Go writes the meta-data at the start and the counters at the end.
        return vec![
            "the programs are built with coverage and started, but no counters came from them",
            "likely: they were killed before they could write them (exit code 137, 143, or 2 with a panic)",
            "or: they still run, as Go writes counters only when a program ends",
        ];
    }
    let is_explained = |capture: &Capture| match &capture.outcome {
        Outcome::Lost { reason, .. } => *reason != LossReason::NoData || capture.way == Way::Attached,
        Outcome::Heard | Outcome::NotInstrumented => false,
    };
    if report.run.captures.iter().any(is_explained) {
        // The evidence stands beside the loss; a guess would only distract from it.
        return Vec::new();
    }
    vec![
        "likely: the program was not built with `go build -cover`",
        "or: -coverpkg leaves out the main package, and then Go writes nothing at all",
        "or: the program that ran is another one than was built (an older image, another container)",
        "or: GOCOVERDIR was not set for it, or is not writable there",
    ]
}

fn figures(report: &Report<'_>) -> Vec<String> {
    let share = |section: &Section| {
        let totals = report.totals(section);
        format!("{:>5} {}", percent(totals), if totals.statements > 0 { '%' } else { ' ' })
    };
    let Some((everything, parts)) = report.sections.split_first() else { return Vec::new() };
    if !report.kinds.is_empty() {
        let name = if report.kinds.len() == 2 { "both" } else { "all" };
        let kinds =
            report.kinds.iter().map(|kind| format!("{}  {:>5} %", kind.label, percent(kind.totals())));
        let shares: Vec<String> =
            kinds.chain([format!("{name}  {}  of statements", share(everything))]).collect();
        return vec![shares.join("      ")];
    }
    if parts.len() < 2 {
        let name = parts.first().map_or("total", |part| short_name(part, parts));
        return vec![format!("{name}  {}  of statements", share(everything))];
    }
    let name_of_all = match (everything.label.as_str(), parts.len()) {
        ("all", 2) => "both",
        (label, _) => label,
    };
    let names: Vec<&str> = parts.iter().map(|part| short_name(part, parts)).collect();
    let side_by_side =
        parts.len() <= MOST_SIDE_BY_SIDE && names.iter().all(|name| name.chars().count() <= 20);
    let widest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let width = if side_by_side { widest } else { widest.max(name_of_all.chars().count()) };
    let part = |(name, part): (&&str, &Section)| format!("{name:<width$}  {}", share(part));
    let mut lines: Vec<String> = names.iter().zip(parts).map(part).collect();
    if side_by_side {
        lines.push(format!("{name_of_all}  {}  of statements", share(everything)));
        return vec![lines.join("      ")];
    }
    lines.push(format!("{name_of_all:<width$}  {}  of statements", share(everything)));
    lines
}

/// `api` for `deployment/api`, unless two would be called so. What stands in brackets is not cut.
fn short_name<'a>(section: &'a Section, all: &[Section]) -> &'a str {
    let name = without_kind(&section.label);
    let called_so = all.iter().filter(|other| without_kind(&other.label) == name);
    if called_so.count() > 1 { &section.label } else { name }
}

fn without_kind(label: &str) -> &str {
    let name = label.split(" (").next().unwrap_or(label);
    name.rfind('/').and_then(|slash| label.get(slash + 1..)).unwrap_or(label)
}
