//! A table for a terminal: the worst first.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::io::Write;

use go_coverage::Totals;

use super::{Document, printable};
use crate::tree::Tree;
use crate::{Error, percent};

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
}

pub(super) fn write(document: &Document<'_>, output: &mut impl Write) -> Result<(), Error> {
    let tree = document.tree().ok_or(Error::NoData)?;
    let kinds: Vec<(&str, Tree<'_>)> = document
        .report
        .kinds
        .iter()
        .map(|kind| (kind.label.as_str(), Tree::new(kind.profile(), document.report.files)))
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
    });
    let digits = tree.totals.statements.to_string().len().max("covered".len());
    let labels: Vec<String> = kinds.iter().map(|(label, _)| printable(label)).collect();
    let mut heading = format!("{:>7}  {:>digits$} {:>digits$}  ", "percent", "covered", "of");
    for label in &labels {
        let _ = write!(heading, "{label:>7}  ");
    }
    writeln!(output, "{heading}{}", document.rows.heading())?;
    for row in rows {
        write!(
            output,
            "{}  {:>digits$} {:>digits$}  ",
            share(row.totals),
            row.totals.covered,
            row.totals.statements
        )?;
        for (label, totals) in labels.iter().zip(&row.kinds) {
            let width = label.chars().count().max(7);
            write!(output, "{:>width$}  ", share(*totals))?;
        }
        writeln!(output, "{}", row.name)?;
    }
    Ok(())
}

fn share(totals: Totals) -> String {
    let unit = if totals.statements == 0 { "  " } else { " %" };
    format!("{:>5}{unit}", percent(totals))
}

fn rows(tree: &Tree<'_>, rows: Rows) -> Vec<Row> {
    let row = |name: String, totals| Row { name, totals, kinds: Vec::new() };
    match rows {
        Rows::Packages => {
            tree.packages.iter().map(|package| row(printable(package.import_path), package.totals)).collect()
        }
        Rows::Files => tree.files().map(|file| row(printable(file.path), file.totals)).collect(),
        Rows::Functions => tree
            .files()
            .flat_map(|file| file.functions.iter().map(move |function| (file, function)))
            .map(|(file, function)| {
                let name =
                    if function.name.is_empty() { "(blocks of a text profile)" } else { function.name };
                row(printable(&format!("{}:{} {name}", file.path, function.line)), function.totals)
            })
            .collect(),
    }
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
