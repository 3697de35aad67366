//! `podcov report`: a report from coverage data that is there, however it came about.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::OutputFormat;
use crate::coverage_data::{self, Found};
use crate::error::CommandError;
use crate::existing_data::{self, Input};
use crate::exit_code::ExitCode;
use crate::finish::{self, Shown};
use crate::run_directory::{self, RunDirectory};
use crate::terminal::Terminal;

const DEFAULT_OUTPUT: &str = "coverage";

const EXAMPLES: &str = "\
Examples:
  podcov report ./coverdata
  podcov report ./from-e2e ./from-integration -o merged
  podcov report coverage

A run directory of podcov is refreshed where it is. Of data, nothing is copied and nothing is changed.";

/// Report on coverage data that is there.
///
/// The directories, and everything below them, are searched for what Go writes to GOCOVERDIR. Each part of the
/// data stands under the name of its directory. Damaged files are named, and the rest is reported.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ReportArgs {
    /// Directories with coverage data, or run directories of podcov.
    #[arg(required = true, value_name = "DIR")]
    directories: Vec<PathBuf>,

    /// Where the report and run.json go [default: coverage]. An earlier run that ended there is replaced.
    #[arg(short, long, value_name = "DIR")]
    output_dir: Option<PathBuf>,

    /// What is printed on standard output: a summary, or the document run.json.
    #[arg(long, value_enum, default_value_t)]
    output: OutputFormat,

    /// The checkout with the sources of the programs.
    #[arg(long, value_name = "DIR", default_value = ".")]
    source: PathBuf,

    /// Succeed although data is missing or damaged. It is named all the same.
    #[arg(long)]
    allow_incomplete: bool,
}

/// Runs the command.
pub fn run(args: &ReportArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    finish::check_source(&args.source)?;
    let inputs = inputs(&args.directories)?;
    let found = find(&inputs, terminal)?;
    existing_data::check_not_empty(&inputs, &found)?;
    let directory = match in_place(&inputs, args.output_dir.as_deref()) {
        Some(path) => refresh(path, &inputs, &found, args, terminal)?,
        None => report(&inputs, &found, args, terminal)?,
    };
    let run = directory.run();
    Ok(match &run.summary {
        None => ExitCode::Failure,
        Some(summary) if summary.percent.is_none() => ExitCode::Failure,
        Some(_) if args.allow_incomplete || finish::is_complete(run) => ExitCode::Success,
        Some(_) => ExitCode::Incomplete,
    })
}

fn inputs(directories: &[PathBuf]) -> Result<Vec<Input>, CommandError> {
    let input = |path: &PathBuf| {
        let record = run_directory::read_record(path)?;
        Ok(Input { path: path.clone(), record })
    };
    directories.iter().map(input).collect()
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
    // The recorded ones first: a directory keeps the path by which it is found first.
    coverage_data::find_all(
        recorded.iter().map(PathBuf::as_path).chain(inputs.iter().map(|input| input.path.as_path())),
    )
}

/// The run directory that is the only input, unless the report is wanted elsewhere.
fn in_place<'a>(inputs: &'a [Input], output: Option<&Path>) -> Option<&'a Path> {
    let [Input { path, record: Some(_) }] = inputs else { return None };
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
) -> Result<RunDirectory, CommandError> {
    let mut directory = RunDirectory::open(path)?
        .ok_or_else(|| CommandError::failure(format!("the run in {} is gone", path.display())))?;
    existing_data::record(inputs, found, &mut directory);
    if directory.run().finished.is_none() {
        let mut run = directory.run().clone();
        existing_data::look_again(&mut run, found, path, &directory);
        *directory.run_mut() = run;
        let started = &directory.run().started;
        terminal.warning(&format!("the run of {started} did not end; this is what it left"));
    }
    finish::refresh(&mut directory, &args.source, Shown::AsData(args.output), terminal)?;
    Ok(directory)
}

fn report(
    inputs: &[Input],
    found: &Found,
    args: &ReportArgs,
    terminal: &Terminal,
) -> Result<RunDirectory, CommandError> {
    let output = args.output_dir.as_deref().unwrap_or(Path::new(DEFAULT_OUTPUT));
    check_apart(inputs, output)?;
    let mut directory = RunDirectory::create(output, terminal)?;
    existing_data::record(inputs, found, &mut directory);
    finish::finish(&mut directory, &args.source, Shown::AsData(args.output), terminal)?;
    Ok(directory)
}

/// A report replaces what is in its directory, so no data may be in there, and it must not become data.
fn check_apart(inputs: &[Input], output: &Path) -> Result<(), CommandError> {
    let resolved = resolve(output);
    for Input { path, record } in inputs {
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
