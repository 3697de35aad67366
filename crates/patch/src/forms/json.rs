//! For programs. The fields are documented in docs/diff.md.

use go_coverage::Totals;
use podcov_report::gates::Verdict;
use serde::Serialize;

use crate::{ChangedFile, DiffReport, LineState, LostFunction};

/// It rises when a field changes its meaning or goes away.
const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    changes: &'a str,
    data: &'a str,
    missing: &'a [String],
    notes: &'a [String],
    lines: Share,
    statements: Share,
    files: Vec<File<'a>>,
    against: Option<Comparison<'a>>,
    gates: &'a [Verdict],
}

/// `percent` is null where there is nothing to cover.
#[derive(Serialize)]
struct Share {
    total: u64,
    covered: u64,
    percent: Option<f64>,
}

#[derive(Serialize)]
struct File<'a> {
    path: &'a str,
    old_path: Option<&'a str>,
    /// `measured`, `nothing_to_measure` or `missing`.
    state: &'static str,
    reason: Option<String>,
    lines: Option<Lines>,
    statements: Option<Share>,
}

#[derive(Serialize)]
struct Lines {
    changed: u64,
    covered: Vec<u32>,
    partial: Vec<u32>,
    not_covered: Vec<u32>,
}

#[derive(Serialize)]
struct Comparison<'a> {
    name: &'a str,
    missing: &'a [String],
    packages_missing: &'a [String],
    functions_compared: usize,
    functions_gone: usize,
    functions_not_comparable: &'a [String],
    statements_lost: u64,
    lost: Vec<Lost<'a>>,
}

#[derive(Serialize)]
struct Lost<'a> {
    package: &'a str,
    function: &'a str,
    file: &'a str,
    statements: u64,
    before: Share,
    after: Share,
    /// First and last line of each block.
    lines: Vec<[u32; 2]>,
}

/// A document, with a line end.
pub fn json(report: &DiffReport) -> Result<String, serde_json::Error> {
    let document = Document {
        schema_version: SCHEMA_VERSION,
        changes: &report.changes,
        data: &report.data,
        missing: &report.missing,
        notes: &report.notes,
        lines: share(report.lines()),
        statements: share(report.statements()),
        files: report.files.iter().map(file).collect(),
        against: report.against.as_ref().map(|against| Comparison {
            name: &against.name,
            missing: &against.missing,
            packages_missing: &against.packages_missing,
            functions_compared: against.comparison.functions_compared,
            functions_gone: against.comparison.functions_gone,
            functions_not_comparable: &against.comparison.not_comparable,
            statements_lost: against.comparison.statements_lost(),
            lost: against.comparison.lost.iter().map(lost).collect(),
        }),
        gates: &report.verdicts,
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn share(totals: Totals) -> Share {
    Share { total: totals.statements, covered: totals.covered, percent: totals.percent() }
}

fn file(file: &ChangedFile) -> File<'_> {
    let state = match &file.coverage {
        Ok(_) => "measured",
        Err(why) if why.is_missing() => "missing",
        Err(_) => "nothing_to_measure",
    };
    let measured = file.coverage.as_ref().ok();
    File {
        path: &file.path,
        old_path: file.old_path.as_deref(),
        state,
        reason: file.coverage.as_ref().err().map(ToString::to_string),
        lines: measured.map(|lines| {
            let of = |wanted| {
                lines.lines.iter().filter(move |(_, state)| **state == wanted).map(|(line, _)| *line)
            };
            Lines {
                changed: lines.changed,
                covered: of(LineState::Covered).collect(),
                partial: of(LineState::Partial).collect(),
                not_covered: of(LineState::NotCovered).collect(),
            }
        }),
        statements: measured.map(|lines| share(lines.statements)),
    }
}

fn lost(lost: &LostFunction) -> Lost<'_> {
    Lost {
        package: &lost.package,
        function: &lost.name,
        file: &lost.file,
        statements: lost.statements(),
        before: share(lost.before),
        after: share(lost.after),
        lines: lost.units.iter().map(|unit| [unit.start_line, unit.end_line]).collect(),
    }
}
