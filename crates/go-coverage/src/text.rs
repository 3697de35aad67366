//! Writes Go's text profile, the format of `go test -coverprofile` and `go tool covdata textfmt`.

use std::collections::BTreeMap;
use std::io;

use crate::{CounterMode, Function, Package, Profile, Unit};

/// Writes the bytes that `go tool covdata textfmt` writes for the same files.
///
/// Where two functions of a file have a unit at the same place (two builds between which a function was renamed), Go
/// writes their lines in an order that changes from run to run. Here it is the order of the profile.
pub fn write_text(profile: &Profile, out: &mut impl io::Write) -> io::Result<()> {
    out.write_all(text_header(profile.mode).as_bytes())?;
    for package in &profile.packages {
        out.write_all(package_text(package).as_bytes())?;
    }
    Ok(())
}

/// The first line of a text profile.
#[must_use]
pub fn text_header(mode: CounterMode) -> String {
    format!("mode: {}\n", mode.as_str())
}

/// The lines of a text profile that are about one package. Packages follow each other in the order of their import
/// paths.
#[must_use]
pub fn package_text(package: &Package) -> String {
    let units = package.units_in_text_order();
    // A line is the name and six numbers, which together rarely have more digits than this.
    let lengths = units.iter().map(|(function, _)| function.file.len() + 24);
    let mut text = String::with_capacity(lengths.sum());
    let mut digits = itoa::Buffer::new();
    for (function, unit) in units {
        text.push_str(&function.file);
        for (separator, number) in [
            (':', unit.start_line),
            ('.', unit.start_column),
            (',', unit.end_line),
            ('.', unit.end_column),
            (' ', unit.statements),
            (' ', unit.count),
        ] {
            text.push(separator);
            text.push_str(digits.format(number));
        }
        text.push('\n');
    }
    text
}

fn place((_, unit): &(&Function, &Unit)) -> [u32; 5] {
    [unit.start_line, unit.end_line, unit.start_column, unit.end_column, unit.statements]
}

impl Package {
    /// All units by file and place, each with its function. Go compares the end line before the start column.
    #[must_use]
    pub fn units_in_text_order(&self) -> Vec<(&Function, &Unit)> {
        let mut files = BTreeMap::<&str, Vec<(&Function, &Unit)>>::new();
        for functions in self.functions_by_file() {
            let Some(first) = functions.first() else { continue };
            let units = files.entry(&first.file).or_default();
            for function in functions {
                let first = units.len();
                units.extend(function.units.iter().map(|unit| (function, unit)));
                // Functions mostly follow each other in the file: then nothing else is out of order.
                units.get_mut(first..).unwrap_or_default().sort_by_key(place);
            }
        }
        for units in files.values_mut() {
            units.sort_by_key(place);
        }
        files.into_values().flatten().collect()
    }
}
