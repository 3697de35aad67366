//! The frame of the page: what is said of the run, and the page's style and script.

use askama::Template;
use go_coverage::Totals;

use super::Live;
use super::embed::content_security_hash;
use crate::run::{Capture, Ending, LossReason, Outcome, Run};
use crate::words::{self, Loss};
use crate::{Excluded, Report, Section, percent, summary};

const STYLE: &str = concat!(
    include_str!("../../templates/report.css"),
    include_str!("../../templates/overview.css"),
    include_str!("../../templates/source.css"),
);

/// The page's script, with what follows a run or without.
macro_rules! script {
    ($($last:literal),*) => {
        concat!(
            include_str!("../../templates/script/data.js"),
            include_str!("../../templates/script/tree.js"),
            include_str!("../../templates/script/rows.js"),
            include_str!("../../templates/script/treemap.js"),
            include_str!("../../templates/script/kinds.js"),
            include_str!("../../templates/script/overview.js"),
            include_str!("../../templates/script/lexer.js"),
            include_str!("../../templates/script/lines.js"),
            include_str!("../../templates/script/source.js"),
            include_str!("../../templates/script/line-details.js"),
            include_str!("../../templates/script/dialogs.js"),
            include_str!("../../templates/script/theme.js"),
            include_str!("../../templates/script/main.js"),
            $(include_str!($last)),*
        )
    };
}

const SCRIPT: &str = script!();
const LIVE_SCRIPT: &str = script!("../../templates/script/live.js");

/// The tree marks the others.
const MOST_VERSIONS: usize = 5;

#[derive(Template)]
#[template(path = "report.html")]
pub(super) struct Frame<'a> {
    style: &'static str,
    style_hash: String,
    script: &'static str,
    script_hash: String,
    run: &'a Run,
    cards: Vec<Card<'a>>,
    kinds: Vec<Card<'a>>,
    /// Files of which builds have several versions.
    versions: Vec<String>,
    more_versions: usize,
    has_data: bool,
    /// What `go tool cover -func` prints as its total, where that is another number.
    func_percent: Option<String>,
    completeness: Option<String>,
    so_far: Option<String>,
    is_complete: bool,
    started: String,
    finished: Option<String>,
    losses: Vec<Loss>,
    likely_causes: Vec<&'static str>,
    tests: Option<Tests>,
    captures: Vec<CaptureRow>,
    bytes: String,
    processes: Vec<ProcessRow<'a>>,
    excluded: Vec<ExcludedRow<'a>>,
    source_problems: &'a [String],
    /// The page follows a run: which state of its data this is.
    live: Option<u64>,
    /// It has not begun, or goes on.
    is_early: bool,
}

/// A section's figures.
struct Card<'a> {
    label: &'a str,
    mode: &'static str,
    percent: String,
    statements: String,
    covered: String,
}

struct Tests {
    command: String,
    ending: String,
    passed: bool,
    duration: String,
}

struct CaptureRow {
    who: String,
    workload: String,
    processes: String,
    way: &'static str,
    bytes: String,
    outcome: String,
}

struct ProcessRow<'a> {
    who: String,
    id: u32,
    program: &'a str,
    go_version: String,
    ending: String,
    ended_well: bool,
    reading: String,
    detail: &'a str,
}

struct ExcludedRow<'a> {
    reason: &'a str,
    files: String,
    statements: String,
}

impl<'a> Frame<'a> {
    pub(super) fn new(report: &'a Report<'_>, live: Option<Live>) -> Self {
        let script = if live.is_some() { LIVE_SCRIPT } else { SCRIPT };
        let run = report.run;
        let has_data = report.has_data();
        // Nothing is wrong with a run that has just begun.
        let is_early = live.is_some_and(|live| live.is_early);
        let cards = report.sections.iter().map(|section| card(section, report.totals(section))).collect();
        let func_percent = report.sections.first().and_then(|everything| {
            let (own, declared) = (report.totals(everything), everything.profile().totals());
            (own.statements > declared.statements).then(|| percent(declared))
        });
        Self {
            style: STYLE,
            style_hash: content_security_hash(STYLE),
            script,
            script_hash: content_security_hash(script),
            run,
            cards,
            kinds: report.kinds.iter().map(|kind| card(kind, kind.totals())).collect(),
            versions: report.versions.iter().map(|(file, _)| file.to_owned()).take(MOST_VERSIONS).collect(),
            more_versions: report.versions.iter().len().saturating_sub(MOST_VERSIONS),
            has_data,
            func_percent,
            completeness: (!run.captures.is_empty() && !is_early).then(|| words::completeness(run)),
            so_far: (!run.captures.is_empty() && is_early).then(|| words::so_far(run)),
            is_complete: run.is_complete(),
            started: words::time(&run.started),
            finished: run.finished.as_deref().map(words::time),
            losses: run
                .captures
                .iter()
                .filter(|capture| !is_early || !is_running(capture))
                .filter_map(Loss::of)
                .collect(),
            likely_causes: if has_data || is_early { Vec::new() } else { summary::likely_causes(report) },
            tests: run.tests.as_ref().map(tests),
            captures: run.captures.iter().map(capture_row).collect(),
            bytes: words::bytes(run.captures.iter().map(|capture| capture.bytes).sum()),
            processes: run.captures.iter().flat_map(process_rows).collect(),
            excluded: run.excluded.iter().map(excluded_row).collect(),
            source_problems: report.files.problems(),
            live: live.map(|live| live.version),
            is_early,
        }
    }
}

fn card(section: &Section, totals: Totals) -> Card<'_> {
    Card {
        label: &section.label,
        mode: section.profile().mode.as_str(),
        percent: percent(totals),
        statements: words::number(totals.statements),
        covered: words::number(totals.covered),
    }
}

fn is_running(capture: &Capture) -> bool {
    matches!(capture.outcome, Outcome::Lost { reason: LossReason::StillRunning, .. })
}

fn tests(tests: &crate::run::Tests) -> Tests {
    let ending = match (tests.interrupted, tests.exit_code) {
        (true, _) => "interrupted".to_owned(),
        (false, Some(0)) => "passed".to_owned(),
        (false, Some(code)) => format!("failed with exit code {code}"),
        (false, None) => "ended without an exit code".to_owned(),
    };
    Tests {
        command: words::command(&tests.command),
        ending,
        passed: !tests.interrupted && tests.exit_code == Some(0),
        duration: words::duration(tests.seconds),
    }
}

fn capture_row(capture: &Capture) -> CaptureRow {
    CaptureRow {
        who: words::origin(&capture.origin),
        workload: capture.origin.workload().to_owned(),
        processes: format!("{} of {}", capture.processes_captured, capture.processes_started),
        way: words::way(capture.way),
        bytes: words::bytes(capture.bytes),
        outcome: words::outcome(capture),
    }
}

fn process_rows(capture: &Capture) -> impl Iterator<Item = ProcessRow<'_>> {
    capture.processes.iter().map(|process| ProcessRow {
        who: words::origin(&capture.origin),
        id: process.process_id,
        program: &process.program,
        go_version: process.go_version.as_deref().map_or_else(|| "not known".to_owned(), words::go_version),
        ending: words::ending(process),
        ended_well: process.ending == Some(Ending::ExitCode(0)),
        reading: words::reading(process),
        detail: process.detail.as_deref().unwrap_or_default(),
    })
}

fn excluded_row(excluded: &Excluded) -> ExcludedRow<'_> {
    ExcludedRow {
        reason: &excluded.reason,
        files: words::number(excluded.files),
        statements: words::number(excluded.statements),
    }
}
