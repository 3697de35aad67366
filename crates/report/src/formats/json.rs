//! podcov's own document: everything that a program may want to know. Its schema is docs/report.schema.json.

use std::collections::BTreeSet;
use std::io::Write;

use go_coverage::{Totals, Unit};
use serde::Serialize;

use super::Document;
use crate::lines::{LineStretch, LineTotals, lines_by_file};
use crate::run::{Capture, Completeness, SetAside};
use crate::tree::{FileNode, FunctionNode, PackageNode, VersionNode};
use crate::{Error, Excluded, Section};

/// The version of the document. It rises when a field changes its meaning or goes away.
pub const SCHEMA_VERSION: u32 = 1;

/// What the document calls itself.
pub(super) const FORMAT: &str = "podcov-report";

/// First line and column, last line and the column after it, statements, count: as in Go's text format.
pub(super) type Block = [u32; 6];

#[derive(Serialize)]
struct ReportDocument<'a> {
    format: &'static str,
    schema_version: u32,
    podcov_version: &'a str,
    run: RunPart<'a>,
    /// What the counts mean; none if there is no data.
    mode: Option<&'static str>,
    totals: Figures,
    lines: Option<LineFigures>,
    kinds: Vec<KindPart<'a>>,
    parts: Vec<Labelled<'a>>,
    excluded: &'a [Excluded],
    packages: Vec<PackagePart<'a>>,
}

#[derive(Serialize)]
struct RunPart<'a> {
    id: &'a str,
    started: &'a str,
    finished: Option<&'a str>,
    is_complete: bool,
    completeness: Completeness,
    programs: BTreeSet<ProgramPart<'a>>,
    set_aside: &'a [SetAside],
    notes: &'a [String],
}

/// A program that was watched.
#[derive(PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct ProgramPart<'a> {
    part: &'a str,
    program: &'a str,
    /// None where it is not known.
    go_version: Option<&'a str>,
}

#[derive(Serialize)]
struct Figures {
    statements: u64,
    covered: u64,
    /// None where there is no statement: that is not 0 %.
    percent: Option<f64>,
}

#[derive(Serialize)]
struct LineFigures {
    executable: u64,
    covered: u64,
    partial: u64,
}

#[derive(Serialize)]
struct Labelled<'a> {
    label: &'a str,
    totals: Figures,
}

#[derive(Serialize)]
struct KindPart<'a> {
    label: &'a str,
    totals: Figures,
    /// The lines of each file.
    files: Vec<KindFile<'a>>,
}

#[derive(Serialize)]
struct KindFile<'a> {
    name: &'a str,
    lines: Vec<StretchPart>,
}

#[derive(Serialize)]
struct PackagePart<'a> {
    import_path: &'a str,
    totals: Figures,
    lines: LineFigures,
    files: Vec<FilePart<'a>>,
}

#[derive(Serialize)]
struct FilePart<'a> {
    name: &'a str,
    /// None if the source was not found.
    path: Option<&'a str>,
    totals: Figures,
    functions: Vec<FunctionPart<'a>>,
    lines: Vec<StretchPart>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    versions: Vec<VersionPart<'a>>,
}

/// A file as some builds have it.
#[derive(Serialize)]
struct VersionPart<'a> {
    builds: &'a [String],
    fits_source: bool,
    totals: Figures,
    functions: Vec<FunctionPart<'a>>,
    lines: Vec<StretchPart>,
}

#[derive(Serialize)]
struct FunctionPart<'a> {
    name: &'a str,
    is_literal: bool,
    line: u32,
    hits: u32,
    totals: Figures,
    blocks: Vec<Block>,
}

#[derive(Serialize)]
struct StretchPart {
    first: u32,
    last: u32,
    hits: u32,
    partial: bool,
}

pub(super) fn write(document: &Document<'_>, output: &mut impl Write) -> Result<(), Error> {
    let report = document.report;
    let run = report.run;
    let tree = document.tree();
    let completeness = run.completeness();
    let parts = report.sections.iter().skip(1);
    let written = ReportDocument {
        format: FORMAT,
        schema_version: SCHEMA_VERSION,
        podcov_version: &run.podcov_version,
        run: RunPart {
            id: &run.id,
            started: &run.started,
            finished: run.finished.as_deref(),
            is_complete: run.is_complete(),
            completeness,
            programs: run.captures.iter().flat_map(programs).collect(),
            set_aside: &run.set_aside,
            notes: &run.notes,
        },
        mode: document.everything().map(|profile| profile.mode.as_str()),
        totals: figures(tree.as_ref().map(|tree| tree.totals).unwrap_or_default()),
        lines: tree.as_ref().map(|tree| line_figures(tree.lines)),
        kinds: report.kinds.iter().map(kind).collect(),
        parts: parts
            .map(|section| Labelled { label: &section.label, totals: figures(report.totals(section)) })
            .collect(),
        excluded: &run.excluded,
        packages: tree.iter().flat_map(|tree| &tree.packages).map(|node| package(document, node)).collect(),
    };
    serde_json::to_writer(&mut *output, &written)?;
    writeln!(output)?;
    Ok(())
}

fn programs(capture: &Capture) -> impl Iterator<Item = ProgramPart<'_>> {
    capture.processes.iter().map(|process| ProgramPart {
        part: capture.origin.workload(),
        program: &process.program,
        go_version: process.go_version.as_deref(),
    })
}

fn kind(kind: &Section) -> KindPart<'_> {
    let files = lines_by_file(kind.profile())
        .map(|(name, lines)| KindFile { name, lines: lines.stretches().iter().map(stretch).collect() });
    KindPart { label: &kind.label, totals: figures(kind.totals()), files: files.collect() }
}

fn package<'a>(document: &'a Document<'_>, node: &PackageNode<'a>) -> PackagePart<'a> {
    PackagePart {
        import_path: node.import_path,
        totals: figures(node.totals),
        lines: line_figures(node.lines),
        files: node.files.iter().map(|node| file(document, node)).collect(),
    }
}

fn file<'a>(document: &'a Document<'_>, node: &FileNode<'a>) -> FilePart<'a> {
    FilePart {
        name: node.name,
        path: document.report.files.contents(node.name).map(|_| node.path),
        totals: figures(node.totals),
        functions: node.functions.iter().map(function).collect(),
        lines: node.lines.stretches().iter().map(stretch).collect(),
        versions: node.versions.iter().map(version).collect(),
    }
}

fn version<'a>(node: &VersionNode<'a>) -> VersionPart<'a> {
    VersionPart {
        builds: &node.version.builds,
        fits_source: node.version.fits,
        totals: figures(node.totals),
        functions: node.functions.iter().map(function).collect(),
        lines: node.lines.stretches().iter().map(stretch).collect(),
    }
}

fn function<'a>(node: &FunctionNode<'a>) -> FunctionPart<'a> {
    FunctionPart {
        name: node.name,
        is_literal: node.function.is_literal,
        line: node.line,
        hits: node.hits,
        totals: figures(node.totals),
        blocks: node.function.units.iter().map(block).collect(),
    }
}

const fn block(unit: &Unit) -> Block {
    [unit.start_line, unit.start_column, unit.end_line, unit.end_column, unit.statements, unit.count]
}

fn figures(totals: Totals) -> Figures {
    Figures { statements: totals.statements, covered: totals.covered, percent: totals.percent() }
}

const fn line_figures(totals: LineTotals) -> LineFigures {
    LineFigures { executable: totals.lines, covered: totals.covered, partial: totals.partial }
}

const fn stretch(stretch: &LineStretch) -> StretchPart {
    let LineStretch { first, last, hits, is_partial } = *stretch;
    StretchPart { first, last, hits, partial: is_partial }
}
