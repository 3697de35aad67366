//! `debugdump`: everything, for people to read. Go says of it that it is no stable format.

use std::fmt::Write as _;

use go_coverage::{Arguments, CounterFile, MetaDataFile, MetaDataHash, ProgramCounts, Totals, Unit};

use super::DebugdumpArgs;
use super::merged::Merged;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::terminal::Terminal;

/// `podcov covdata debugdump`
pub fn debugdump(args: &DebugdumpArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    let merged = Merged::read(&args.input)?;
    let command: Vec<_> = std::env::args().skip(1).map(|argument| printable(&argument)).collect();
    let mut text = format!(
        "/* WARNING: the format of this dump is not stable and is\n * expected to change from one Go release to the \
         next.\n *\n * produced by:\n *\tpodcov {}\n */\n",
        command.join(" ")
    );
    let mut totals = Totals::default();
    for (index, program) in merged.programs.iter().enumerate() {
        let _ = writeln!(text, "Cover mode: {}", program.mode().as_str());
        let _ = writeln!(text, "Cover granularity: {}", program.granularity().as_str());
        data_files(&merged, program.hash(), &mut text);
        let dump = Dump { merged: &merged, counts: merged.counts.get(index), live: args.live == Some(true) };
        totals = [totals, dump.packages(program, &mut text)].into_iter().sum();
    }
    let _ = writeln!(text, "totalStmts: {} coveredStmts: {}", totals.statements, totals.covered);
    terminal.verbatim(text.as_bytes())?;
    Ok(merged.conclude(terminal))
}

fn data_files(merged: &Merged, hash: MetaDataHash, text: &mut String) {
    for file in &merged.inputs.counters {
        let is_refused = merged.inputs.refused.iter().any(|refused| refused.path == file.path);
        let Some(bytes) = std::fs::read(&file.path).ok().filter(|_| !is_refused) else { continue };
        if CounterFile::hash_of(&bytes) != Some(hash) {
            continue;
        }
        let Ok(counters) = CounterFile::parse(&bytes) else { continue };
        let _ = write!(text, "data file {}", merged.inputs.shown(&file.path));
        for (name, value) in [
            ("GOOS", counters.arguments().and_then(Arguments::operating_system)),
            ("GOARCH", counters.arguments().and_then(Arguments::architecture)),
        ] {
            if let Some(value) = value {
                let _ = write!(text, " {name}={}", printable(&value));
            }
        }
        let program: Vec<_> = counters.arguments().into_iter().flat_map(Arguments::program).collect();
        if !program.is_empty() {
            let _ = writeln!(text, "  program args: [{}]", printable(&program.join(" ")));
        }
        text.push('\n');
    }
}

struct Dump<'a> {
    merged: &'a Merged,
    counts: Option<&'a ProgramCounts>,
    live: bool,
}

impl Dump<'_> {
    fn packages(&self, program: &MetaDataFile<'_>, text: &mut String) -> Totals {
        let mut totals = Totals::default();
        for package in program.packages().filter(|package| self.merged.selects(package.import_path())) {
            let mut is_named = false;
            for function in package.functions() {
                let counters = self.counts.and_then(|counts| counts.of_function(&function));
                let counts = counters.unwrap_or_default().iter().copied().chain(std::iter::repeat(0));
                let units = function.units().zip(counts).map(|(unit, count)| Unit { count, ..unit });
                totals = [totals, units.clone().map(|unit| unit.totals()).sum()].into_iter().sum();
                if self.live && counters.is_none() {
                    continue;
                }
                if !std::mem::replace(&mut is_named, true) {
                    let _ = writeln!(text, "\nPackage path: {}", package.import_path());
                    let _ = writeln!(text, "Package name: {}", package.name());
                    let _ = writeln!(text, "Module path: {}", package.module_path());
                }
                let _ = writeln!(text, "\nFunc: {}", function.name());
                let _ = writeln!(text, "Srcfile: {}", function.source_file());
                let _ = writeln!(text, "Literal: {}", function.is_literal());
                for (index, unit) in units.enumerate() {
                    let Unit { start_line, start_column, end_line, end_column, statements, count } = unit;
                    let _ = writeln!(
                        text,
                        "{index}: L{start_line}:C{start_column} -- L{end_line}:C{end_column} NS={statements} = {count}"
                    );
                }
            }
        }
        totals
    }
}

/// Arguments of a program may steer a terminal.
fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|one| if one.is_control() { one.escape_default().collect() } else { vec![one] })
        .collect()
}
