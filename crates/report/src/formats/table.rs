//! A table for a terminal: the worst first.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::io::Write;

use go_coverage::{Function, Totals};

use super::{Document, printable};
use crate::tree::{FileNode, FunctionNode, Tree, VersionNode};
use crate::{Error, Versions, percent};

/// What a table has a row for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rows {
    /// Each package.
    #[default]
    Packages,
    /// Each source file.
    Files,
    /// Each function.
    Functions,
}

struct Row {
    name: String,
    totals: Totals,
    /// The same of each kind.
    kinds: Vec<Totals>,
    /// The same of each version, if builds have several: which builds, and how much.
    versions: Vec<(String, Totals)>,
}

pub(super) fn write(document: &Document<'_>, output: &mut impl Write) -> Result<(), Error> {
    let tree = document.tree().ok_or(Error::NoData)?;
    let one_version = Versions::default();
    let kinds: Vec<(&str, Tree<'_>)> = document
        .report
        .kinds
        .iter()
        .map(|kind| (kind.label.as_str(), Tree::new(kind.profile(), document.report.files, &one_version)))
        .collect();
    let mut rows = rows(&tree, document.rows);
    for (_, kind) in &kinds {
        let known: std::collections::HashMap<String, Totals> =
            self::rows(kind, document.rows).into_iter().map(|row| (row.name, row.totals)).collect();
        for row in &mut rows {
            row.kinds.push(known.get(&row.name).copied().unwrap_or_default());
        }
    }
    rows.sort_by_cached_key(|row| {
        let Totals { statements, covered } = row.totals;
        // As exact as a share need be, and without statements last.
        let share = (covered * 1_000_000).checked_div(statements).unwrap_or(u64::MAX);
        (share, Reverse(statements - covered), row.name.clone())
    });
    rows.push(Row {
        name: "total".to_owned(),
        totals: tree.totals,
        kinds: kinds.iter().map(|(_, kind)| kind.totals).collect(),
        versions: Vec::new(),
    });
    let digits = tree.totals.statements.to_string().len().max("covered".len());
    let labels: Vec<String> = kinds.iter().map(|(label, _)| printable(label)).collect();
    let mut heading = format!("{:>7}  {:>digits$} {:>digits$}  ", "percent", "covered", "of");
    for label in &labels {
        let _ = write!(heading, "{label:>7}  ");
    }
    writeln!(output, "{heading}{}", document.rows.heading())?;
    for row in rows {
        write!(output, "{}", figures(row.totals, digits))?;
        for (label, totals) in labels.iter().zip(&row.kinds) {
            let width = label.chars().count().max(7);
            write!(output, "{:>width$}  ", share(*totals))?;
        }
        writeln!(output, "{}", row.name)?;
        let width = labels.iter().map(|label| label.chars().count().max(7) + 2).sum();
        for (builds, totals) in &row.versions {
            writeln!(output, "{}{:width$}  as in {builds}", figures(*totals, digits), "")?;
        }
    }
    Ok(())
}

fn figures(totals: Totals, digits: usize) -> String {
    format!("{}  {:>digits$} {:>digits$}  ", share(totals), totals.covered, totals.statements)
}

fn share(totals: Totals) -> String {
    let unit = if totals.statements == 0 { "  " } else { " %" };
    format!("{:>5}{unit}", percent(totals))
}

fn rows(tree: &Tree<'_>, rows: Rows) -> Vec<Row> {
    let row = |name: String, totals| Row { name, totals, kinds: Vec::new(), versions: Vec::new() };
    match rows {
        Rows::Packages => {
            tree.packages.iter().map(|package| row(printable(package.import_path), package.totals)).collect()
        }
        Rows::Files => tree
            .files()
            .map(|file| {
                let versions =
                    file.versions.iter().map(|node| (printable(&node.version.label()), node.totals));
                Row { versions: versions.collect(), ..row(printable(file.path), file.totals) }
            })
            .collect(),
        Rows::Functions => tree
            .files()
            .flat_map(|file| functions(file).map(move |(function, builds)| (file, function, builds)))
            .map(|(file, function, builds)| {
                let name =
                    if function.name.is_empty() { "(blocks of a text profile)" } else { function.name };
                let builds = builds.map_or_else(String::new, |builds| format!("  as in {builds}"));
                row(printable(&format!("{}:{} {name}{builds}", file.path, function.line)), function.totals)
            })
            .collect(),
    }
}

/// Those of all versions, each once, with the builds if not all versions have it.
fn functions<'a>(file: &'a FileNode<'a>) -> impl Iterator<Item = (&'a FunctionNode<'a>, Option<String>)> {
    let of_one = if file.versions.is_empty() { file.functions.as_slice() } else { &[] };
    let of_versions = file.versions.iter().enumerate().flat_map(|(number, node)| {
        let has =
            |node: &VersionNode<'_>, own: &Function| node.functions.iter().any(|other| other.function == own);
        let (before, others) = (file.versions.get(..number).unwrap_or_default(), &file.versions);
        let new = node.functions.iter().filter(move |own| !before.iter().any(|node| has(node, own.function)));
        new.map(move |own| {
            let is_joined = others.iter().all(|node| has(node, own.function));
            (own, (!is_joined).then(|| node.version.label()))
        })
    });
    of_one.iter().map(|function| (function, None)).chain(of_versions)
}

impl Rows {
    const fn heading(self) -> &'static str {
        match self {
            Self::Packages => "package",
            Self::Files => "file",
            Self::Functions => "function",
        }
    }
}
