//! A line for each function, as `go tool covdata func` prints it.

use std::fmt::Write as _;
use std::io::Write;

use go_coverage::{Function, Package, Profile, Totals};

use super::printable;
use crate::Error;

/// A line.
#[derive(Clone, Debug)]
pub struct FunctionRow {
    /// File and line, with the colons around them.
    pub place: String,
    /// The function's.
    pub name: String,
    /// Its statements.
    pub totals: Totals,
}

/// The lines, and the total of `go tool cover -func`.
pub(super) fn write(profile: &Profile, output: &mut impl Write) -> Result<(), Error> {
    let mut rows: Vec<FunctionRow> = profile.packages.iter().flat_map(function_rows).collect();
    for row in &mut rows {
        row.place = printable(&row.place);
        row.name = printable(&row.name);
    }
    output.write_all(function_table(&rows.iter().collect::<Vec<_>>(), profile.totals()).as_bytes())?;
    Ok(())
}

/// The rows of a package. Go goes through the units in their order, and begins a line where the name of the function
/// changes. Literals have no line.
#[must_use]
pub fn function_rows(package: &Package) -> Vec<FunctionRow> {
    let units = package.units_in_text_order();
    let groups = units.chunk_by(|(one, _), (next, _)| one.name == next.name);
    groups
        .filter_map(|group| {
            let (Function { file, name, .. }, first) =
                group.first().filter(|(function, _)| !function.is_literal)?;
            Some(FunctionRow {
                place: format!("{file}:{}:", first.start_line),
                name: name.clone(),
                totals: group.iter().map(|(_, unit)| unit.totals()).sum(),
            })
        })
        .collect()
}

/// Aligned by tabs of 8, as `text/tabwriter` does, with a last line for the total.
#[must_use]
pub fn function_table(rows: &[&FunctionRow], total: Totals) -> String {
    let total = FunctionRow { place: "total".to_owned(), name: "(statements)".to_owned(), totals: total };
    let rows = || rows.iter().copied().chain([&total]);
    let width = |cells: fn(&FunctionRow) -> &str| {
        rows().map(|row| cells(row).chars().count() + 1).max().unwrap_or(0).div_ceil(8)
    };
    let (place_tabs, name_tabs) = (width(|row| &row.place), width(|row| &row.name));
    let mut text = String::new();
    for row in rows() {
        for (cell, tabs) in [(&row.place, place_tabs), (&row.name, name_tabs)] {
            text.push_str(cell);
            text.extend(std::iter::repeat_n('\t', tabs - cell.chars().count() / 8));
        }
        let _ = writeln!(text, "{:.1}%", row.totals.percent().unwrap_or(0.0));
    }
    text
}
