//! `podcov report`: a report from coverage data that is there, however it came about.

use std::fs;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use clap::parser::ValueSource;
use go_coverage::Profile;

use crate::cli::ReportOptions;
use crate::coverage_data::{self, Found};
use crate::error::CommandError;
use crate::existing_data::{self, Input, InputKind};
use crate::exit_code::ExitCode;
use crate::finish;
use crate::gate::{self, GateOptions};
use crate::run_directory::RunDirectory;
use crate::terminal::Terminal;

const DEFAULT_OUTPUT: &str = "coverage";

const EXAMPLES: &str = "\
Examples:
  podcov report ./coverdata
  podcov report coverage --format markdown --format lcov=coverage.info --format cobertura=coverage.xml
  podcov report --label unit=unit.out --label e2e=coverage -o merged --format table --by file
  podcov report ./from-e2e ./from-integration -o merged --exclude mocks --exclude-generated

A run directory of podcov is refreshed where it is. Of data, nothing is copied and nothing is changed.";

/// Report on coverage data that is there.
///
/// The directories, and everything below them, are searched for what Go writes to GOCOVERDIR. Each part of the
/// data stands under the name of its directory. Text profiles of go test -coverprofile are added to it. Damaged files
/// are named, and the rest is reported.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ReportArgs {
    /// Directories with coverage data, run directories of podcov, or text profiles. By default the `[labels]` of
    /// podcov.toml.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// The same with the kind of test it is of, such as unit=unit.out or e2e=coverage; may be repeated, also with the
    /// same label. One that is not there is missing, and not 0 %.
    #[arg(long = "label", value_name = "LABEL=PATH", value_parser = parse_label)]
    labels: Vec<(String, PathBuf)>,

    #[command(flatten)]
    report: ReportOptions,

    #[command(flatten)]
    gates: GateOptions,

    /// Whether -o, or the settings file, says where the report goes.
    #[arg(skip)]
    output_is_named: bool,
}

impl ReportArgs {
    /// Joins them with the settings file.
    pub fn settle(&mut self, matches: &ArgMatches) -> Result<(), CommandError> {
        self.report.settle(matches)?;
        self.output_is_named = matches.value_source("output_dir") == Some(ValueSource::CommandLine)
            || self.report.output_dir != Path::new(DEFAULT_OUTPUT);
        if self.paths.is_empty() && self.labels.is_empty() {
            self.labels = std::mem::take(&mut self.report.settings.labels);
        }
        if self.paths.is_empty() && self.labels.is_empty() {
            return Err(CommandError::usage("there is nothing to report on")
                .hint("name directories with coverage data, or text profiles: podcov report coverage")
                .hint("or name them in the [labels] of podcov.toml"));
        }
        Ok(())
    }
}

/// Reads `unit=unit.out`.
fn parse_label(text: &str) -> Result<(String, PathBuf), String> {
    let (label, path) = text.split_once('=').unwrap_or_default();
    if label.is_empty() || path.is_empty() || label.contains(char::is_control) {
        return Err("a kind of test and its data, such as unit=unit.out".to_owned());
    }
    Ok((label.to_owned(), PathBuf::from(path)))
}

/// Runs the command.
pub fn run(args: &ReportArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    args.report.check()?;
    let inputs = inputs(args)?;
    let found = find(&inputs, terminal)?;
    existing_data::check_not_empty(&inputs, &found)?;
    let output = args.output_is_named.then_some(args.report.output_dir.as_path());
    let (directory, everything) = match in_place(&inputs, output) {
        Some(path) => refresh(path, &inputs, &found, args, terminal)?,
        None => report(&inputs, &found, args, terminal)?,
    };
    let run = directory.run();
    let code = match &run.summary {
        None => ExitCode::Failure,
        Some(summary) if summary.percent.is_none() => ExitCode::Failure,
        Some(_) if args.report.allow_incomplete || finish::is_complete(run) => ExitCode::Success,
        Some(_) => ExitCode::Incomplete,
    };
    let gates = args.gates.gates(&args.report.settings);
    let code = gate::judge(&gates, everything.as_ref(), run, code, terminal);
    // The process ends now, and gives back all memory at once.
    std::mem::forget(everything);
    Ok(code)
}

fn inputs(args: &ReportArgs) -> Result<Vec<Input>, CommandError> {
    let unlabelled = args.paths.iter().map(|path| (None, path));
    let labelled = args.labels.iter().map(|(label, path)| (Some(label.clone()), path));
    unlabelled.chain(labelled).map(|(label, path)| Input::new(label, path)).collect()
}

/// The data of a run may be outside its directory: a report on other data has that.
fn find(inputs: &[Input], terminal: &Terminal) -> Result<Found, CommandError> {
    let _progress = terminal.progress("searching", "for coverage data");
    let recorded: Vec<PathBuf> = inputs
        .iter()
        .flat_map(|input| {
            input.record.iter().flat_map(|run| &run.captures).map(move |capture| (input, capture))
        })
        .map(|(input, capture)| input.path.join(&capture.directory))
        .filter(|path| path.is_dir())
        .collect();
    let directories =
        inputs.iter().filter(|input| input.kind == InputKind::Directory).map(|input| input.path.as_path());
    // The recorded ones first: a directory keeps the path by which it is found first.
    coverage_data::find_all(recorded.iter().map(PathBuf::as_path).chain(directories))
}

/// The run directory that is the only input, unless the report is wanted elsewhere.
fn in_place<'a>(inputs: &'a [Input], output: Option<&Path>) -> Option<&'a Path> {
    let [Input { path, record: Some(_), label: None, .. }] = inputs else { return None };
    match output {
        Some(output) if resolve(output) != resolve(path) => None,
        _ => Some(path),
    }
}

fn refresh(
    path: &Path,
    inputs: &[Input],
    found: &Found,
    args: &ReportArgs,
    terminal: &Terminal,
) -> Result<(RunDirectory, Option<Profile>), CommandError> {
    let mut directory = RunDirectory::open(path)?
        .ok_or_else(|| CommandError::failure(format!("the run in {} is gone", path.display())))?;
    existing_data::record(inputs, found, &mut directory);
    if directory.run().finished.is_none() {
        let run = directory.run();
        terminal.warning(&format!("the run of {} did not end; this is what it left", run.started));
        for how in existing_data::how_to_collect(run) {
            terminal.hint(&how);
        }
    }
    let everything = finish::refresh(&mut directory, &args.report.settings, args.report.shown(), terminal)?;
    Ok((directory, everything))
}

fn report(
    inputs: &[Input],
    found: &Found,
    args: &ReportArgs,
    terminal: &Terminal,
) -> Result<(RunDirectory, Option<Profile>), CommandError> {
    let output = args.report.output_dir.as_path();
    check_apart(inputs, output)?;
    let mut directory = RunDirectory::create(output, terminal)?;
    existing_data::record(inputs, found, &mut directory);
    let everything = finish::finish(&mut directory, &args.report.settings, args.report.shown(), terminal)?;
    Ok((directory, everything))
}

/// A report replaces what is in its directory, so no data may be in there, and it must not become data.
fn check_apart(inputs: &[Input], output: &Path) -> Result<(), CommandError> {
    let resolved = resolve(output);
    for Input { path, record, .. } in inputs {
        let input = resolve(path);
        if resolved.starts_with(&input) || input.starts_with(&resolved) {
            let error = CommandError::usage(format!(
                "the report would go to {}, among the data in {}",
                output.display(),
                path.display()
            ));
            let error = error.hint("name a directory apart from the data with -o DIR");
            return Err(if record.is_some() {
                error.hint(format!(
                    "or refresh the report of that run alone: podcov report {}",
                    path.display()
                ))
            } else {
                error
            });
        }
    }
    Ok(())
}

/// The path without links and dots, also of what is not there yet.
fn resolve(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let existing = absolute.ancestors().find_map(|ancestor| {
        Some((fs::canonicalize(ancestor).ok()?, absolute.strip_prefix(ancestor).ok()?.to_owned()))
    });
    existing.map_or_else(|| absolute.clone(), |(ancestor, rest)| ancestor.join(rest))
}
