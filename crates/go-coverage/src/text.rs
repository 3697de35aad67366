//! Writes Go's text profile, the format of `go test -coverprofile` and `go tool covdata textfmt`.

use std::collections::BTreeMap;
use std::io;

use crate::{Package, Profile, Unit};

/// Writes the bytes that `go tool covdata textfmt` writes for the same files.
///
/// Where two functions of a file have a unit at the same place (two builds between which a function was renamed), Go
/// writes their lines in an order that changes from run to run. Here it is the order of the profile.
pub fn write_text(profile: &Profile, out: &mut impl io::Write) -> io::Result<()> {
    writeln!(out, "mode: {}", profile.mode.as_str())?;
    let mut units = Vec::new();
    for package in &profile.packages {
        sort_units(package, &mut units);
        for (file, unit) in &units {
            let Unit { start_line, start_column, end_line, end_column, statements, count } = unit;
            writeln!(out, "{file}:{start_line}.{start_column},{end_line}.{end_column} {statements} {count}")?;
        }
    }
    Ok(())
}

/// All units of a package by file and place. Go compares the end line before the start column.
fn sort_units<'a>(package: &'a Package, units: &mut Vec<(&'a str, Unit)>) {
    units.clear();
    let mut files = BTreeMap::<&str, Vec<Unit>>::new();
    for function in &package.functions {
        files.entry(&function.file).or_default().extend(&function.units);
    }
    for (file, mut file_units) in files {
        file_units.sort_by_key(|unit| {
            (unit.start_line, unit.end_line, unit.start_column, unit.end_column, unit.statements)
        });
        units.extend(file_units.into_iter().map(|unit| (file, unit)));
    }
}
