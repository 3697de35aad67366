//! A short text for a comment on a change or for the summary of a job.

use std::io::Write;

use askama::Template;
use go_coverage::Totals;

use super::{Document, printable};
use crate::tree::{FileNode, Tree, VersionNode};
use crate::words::{self, Loss};
use crate::{Error, percent, summary};

/// A comment is read when it is short.
const MOST_PACKAGES: usize = 10;
const MOST_LOSSES: usize = 10;
const MOST_VERSIONS: usize = 10;

#[derive(Template)]
#[template(path = "report.md", escape = "none")]
struct Page {
    headline: String,
    has_data: bool,
    likely_causes: Vec<&'static str>,
    statements: String,
    completeness: Option<String>,
    kinds: Vec<Row>,
    parts: Vec<Row>,
    packages_title: &'static str,
    packages: Vec<Row>,
    more_packages: usize,
    has_delta: bool,
    versions: Vec<Row>,
    more_versions: usize,
    losses: Vec<String>,
    more_losses: usize,
    excluded: Vec<String>,
}

struct Row {
    name: String,
    percent: String,
    covered: String,
    delta: String,
}

pub(super) fn write(document: &Document<'_>, output: &mut impl Write) -> Result<(), Error> {
    output.write_all(page(document).render()?.as_bytes())?;
    Ok(())
}

fn page(document: &Document<'_>) -> Page {
    let report = document.report;
    let run = report.run;
    let tree = document.tree();
    let totals = tree.as_ref().map(|tree| tree.totals).unwrap_or_default();
    let baseline = document.baseline;
    let headline = match (tree.is_some(), baseline) {
        (false, _) => "no data".to_owned(),
        (true, None) => share(totals),
        (true, Some(baseline)) => {
            format!("{} ({})", share(totals), delta(totals, Some(baseline.totals.into())))
        }
    };
    let (packages, more_packages) = packages(document);
    let of_file = |file: &FileNode<'_>| {
        let row = |node: &VersionNode<'_>| {
            let name = format!("{} as in {}", code(file.path), code(&node.version.label()));
            Row { name, ..row("", node.totals, String::new()) }
        };
        file.versions.iter().map(row).collect::<Vec<_>>()
    };
    let mut versions: Vec<Row> = tree.iter().flat_map(Tree::files).flat_map(of_file).collect();
    let more_versions = versions.len().saturating_sub(MOST_VERSIONS);
    versions.truncate(MOST_VERSIONS);
    let losses = run.captures.iter().filter_map(Loss::of).map(|loss| text(&loss.sentence()));
    let set_aside =
        run.set_aside.iter().map(|file| text(&format!("set aside {}: {}", file.file, file.reason)));
    let notes = run.notes.iter().map(|note| text(note));
    let mut losses: Vec<String> = losses.chain(set_aside).chain(notes).collect();
    let more_losses = losses.len().saturating_sub(MOST_LOSSES);
    losses.truncate(MOST_LOSSES);
    let excluded = run.excluded.iter().map(|excluded| {
        format!(
            "{} statements in {} files ({})",
            words::number(excluded.statements),
            excluded.files,
            text(&excluded.reason)
        )
    });
    let parts = report.sections.iter().skip(1);
    Page {
        headline,
        has_data: tree.is_some(),
        likely_causes: if tree.is_some() { Vec::new() } else { summary::likely_causes(report) },
        statements: format!(
            "{} of {} statements",
            words::number(totals.covered),
            words::number(totals.statements)
        ),
        completeness: (!run.captures.is_empty()).then(|| words::completeness(run)),
        kinds: report.kinds.iter().map(|kind| row(&kind.label, kind.totals(), String::new())).collect(),
        parts: parts.map(|section| row(&section.label, report.totals(section), String::new())).collect(),
        packages_title: if baseline.is_some() {
            "Packages that changed most"
        } else {
            "Packages with most to cover"
        },
        packages,
        more_packages,
        has_delta: baseline.is_some(),
        versions,
        more_versions,
        losses,
        more_losses,
        excluded: excluded.collect(),
    }
}

/// With a baseline those that changed, the most first; else those in which most statements did not run.
fn packages(document: &Document<'_>) -> (Vec<Row>, usize) {
    let Some(tree) = document.tree() else { return (Vec::new(), 0) };
    let mut rows: Vec<(u64, Row)> = Vec::new();
    for package in &tree.packages {
        let uncovered = package.totals.statements - package.totals.covered;
        let Some(baseline) = document.baseline else {
            if uncovered > 0 {
                rows.push((uncovered, row(package.import_path, package.totals, String::new())));
            }
            continue;
        };
        let before = baseline.packages.iter().find(|before| before.import_path == package.import_path);
        let before = before.map(|before| Totals::from(before.totals));
        let change = before.map_or(1_000, |before| tenths(package.totals).abs_diff(tenths(before)));
        if change > 0 {
            rows.push((change, row(package.import_path, package.totals, delta(package.totals, before))));
        }
    }
    if let Some(baseline) = document.baseline {
        let gone = baseline
            .packages
            .iter()
            .filter(|before| !tree.packages.iter().any(|package| package.import_path == before.import_path));
        rows.extend(gone.map(|before| {
            (1_000, row(&before.import_path, Totals::default(), "not in this report".to_owned()))
        }));
    }
    rows.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    let more = rows.len().saturating_sub(MOST_PACKAGES);
    rows.truncate(MOST_PACKAGES);
    (rows.into_iter().map(|(_, row)| row).collect(), more)
}

fn row(name: &str, totals: Totals, delta: String) -> Row {
    let covered = match totals.statements {
        0 => "–".to_owned(),
        statements => format!("{} / {}", words::number(totals.covered), words::number(statements)),
    };
    Row { name: code(name), percent: share(totals), covered, delta }
}

fn share(totals: Totals) -> String {
    if totals.statements == 0 { "–".to_owned() } else { format!("{} %", percent(totals)) }
}

/// Of what is shown, so that the difference is that of the two numbers.
fn tenths(totals: Totals) -> i64 {
    percent(totals).replace('.', "").parse().unwrap_or(0)
}

fn delta(now: Totals, before: Option<Totals>) -> String {
    match before.filter(|before| before.statements > 0) {
        None => "new".to_owned(),
        Some(before) => {
            let difference = tenths(now) - tenths(before);
            let sign = match difference.signum() {
                1 => "+",
                -1 => "−",
                _ => "±",
            };
            format!("{sign}{}.{}", difference.abs() / 10, difference.abs() % 10)
        }
    }
}

/// As code, in which nothing is markup but the backtick that ends it, and in a table the bar.
fn code(name: &str) -> String {
    format!("`{}`", printable(name).replace('`', "'").replace('|', "¦"))
}

/// As text in which nothing is markup.
fn text(words: &str) -> String {
    let mut escaped = String::with_capacity(words.len());
    for character in printable(words).chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~' => {
                escaped.push('\\');
                escaped.push(character);
            }
            // No name of a person or a team is meant.
            '@' => escaped.push_str("@\u{200b}"),
            _ => escaped.push(character),
        }
    }
    escaped
}
