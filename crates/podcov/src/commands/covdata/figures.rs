//! `percent`, `func`, `pkglist` and `textfmt`: one line for each package, function or unit.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use go_coverage::{Join, Totals, package_text, text_header};
use podcov_report::formats::{function_rows, function_table};
use serde_json::json;

use super::merged::Merged;
use super::{FuncArgs, InputArgs, PercentArgs, TextfmtArgs};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::parallel;
use crate::terminal::Terminal;

/// Below that, starting another thread takes longer than it saves.
const UNITS_WORTH_A_THREAD: u64 = 20_000;
/// How many units are formatted before they are written.
const UNITS_AT_ONCE: usize = 400_000;

/// `podcov covdata percent`
pub fn percent(args: &PercentArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    let merged = Merged::read(&args.input)?;
    let join = merged.join();
    let packages: Vec<(&str, Totals)> =
        join.import_paths().zip(each_package(&join, |index| join.totals(index))).collect();
    let total: Totals = packages.iter().map(|(_, totals)| *totals).sum();
    let text = if args.json {
        let entry = |name: &str, totals: Totals| json!({"importPath": name, "totals": totals_json(totals)});
        let packages: Vec<_> = packages.iter().map(|(name, totals)| entry(name, *totals)).collect();
        format!("{:#}\n", json!({"packages": packages, "total": totals_json(total)}))
    } else {
        percent_lines(&packages, args.total.then_some(total))
    };
    if let Some(file) = &args.output {
        write_text_profile(&merged, &join, file, terminal)?;
    }
    terminal.verbatim(text.as_bytes())?;
    Ok(merged.conclude(terminal))
}

fn percent_lines(packages: &[(&str, Totals)], total: Option<Totals>) -> String {
    let mut text = String::new();
    for (import_path, totals) in packages {
        let _ = write!(text, "\t{import_path}\t\t");
        // Without statements, Go does not end the line.
        if let Some(percent) = totals.percent() {
            let _ = writeln!(text, "coverage: {percent:.1}% of statements");
        }
    }
    if let Some(total) = total {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        let _ = match total.percent() {
            Some(percent) => writeln!(text, "total\t\tcoverage: {percent:.1}% of statements"),
            None => writeln!(text, "total\t\tno statements"),
        };
    }
    text
}

fn totals_json(totals: Totals) -> serde_json::Value {
    json!({"statements": totals.statements, "covered": totals.covered, "percent": totals.percent()})
}

/// `podcov covdata pkglist`
pub fn pkglist(args: &InputArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    let merged = Merged::read(args)?;
    let text: String = merged.join().import_paths().flat_map(|path| [path, "\n"]).collect();
    terminal.verbatim(text.as_bytes())?;
    Ok(merged.conclude(terminal))
}

/// `podcov covdata textfmt`
pub fn textfmt(args: &TextfmtArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    let merged = Merged::read(&args.input)?;
    write_text_profile(&merged, &merged.join(), &args.output, terminal)?;
    Ok(merged.conclude(terminal))
}

fn write_text_profile(
    merged: &Merged,
    join: &Join<'_>,
    path: &Path,
    terminal: &Terminal,
) -> Result<(), CommandError> {
    if merged.mode().is_none() {
        terminal.warning(
            "the programs count in different modes, which cannot be added: the profile says only whether a \
             statement ran (mode: set)",
        );
    }
    if path.as_os_str() == "-" {
        let mut write = |bytes: &[u8]| terminal.verbatim(bytes);
        return text_profile(join, &mut write);
    }
    let failed =
        |error: io::Error| CommandError::failure(format!("cannot write {}", path.display())).caused_by(error);
    let mut file = File::create(path).map_err(failed)?;
    text_profile(join, &mut |bytes| file.write_all(bytes).map_err(failed))
}

/// Formats as many packages at once as memory is meant to be taken for.
fn text_profile(
    join: &Join<'_>,
    write: &mut dyn FnMut(&[u8]) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    write(text_header(join.mode()).as_bytes())?;
    let mut first = 0;
    while first < join.package_count() {
        let mut units = 0;
        let mut end = first;
        while end < join.package_count() && units < UNITS_AT_ONCE {
            units += join.unit_count(end);
            end += 1;
        }
        let threads = parallel::threads(units as u64, UNITS_WORTH_A_THREAD);
        let texts = parallel::in_order(end - first, threads, |index| {
            join.package(first + index).map(|package| package_text(&package)).unwrap_or_default()
        });
        texts.iter().try_for_each(|text| write(text.as_bytes()))?;
        first = end;
    }
    Ok(())
}

/// `work` is done for each package, given by its index.
fn each_package<T: Send>(join: &Join<'_>, work: impl Fn(usize) -> Option<T> + Sync) -> Vec<T> {
    let units: usize = (0..join.package_count()).map(|index| join.unit_count(index)).sum();
    let threads = parallel::threads(units as u64, UNITS_WORTH_A_THREAD);
    let results = parallel::in_order(join.package_count(), threads, work);
    results.into_iter().flatten().collect()
}

/// `podcov covdata func`
pub fn func(args: &FuncArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    let merged = Merged::read(&args.input)?;
    let join = merged.join();
    let rows = each_package(&join, |index| {
        let package = join.package(index)?;
        Some((function_rows(&package), package.totals()))
    });
    let total: Totals = rows.iter().map(|(_, totals)| *totals).sum();
    let text = if args.json {
        let functions: Vec<_> = rows
            .iter()
            .zip(join.import_paths())
            .flat_map(|((rows, _), import_path)| rows.iter().map(move |row| (row, import_path)))
            .map(|(row, import_path)| {
                let (file, line) = row.place.trim_end_matches(':').rsplit_once(':').unwrap_or_default();
                let line: Option<u32> = line.parse().ok();
                json!({
                    "importPath": import_path, "file": file, "line": line, "name": row.name,
                    "totals": totals_json(row.totals),
                })
            })
            .collect();
        format!("{:#}\n", json!({"functions": functions, "total": totals_json(total)}))
    } else {
        function_table(&rows.iter().flat_map(|(rows, _)| rows).collect::<Vec<_>>(), total)
    };
    terminal.verbatim(text.as_bytes())?;
    Ok(merged.conclude(terminal))
}
