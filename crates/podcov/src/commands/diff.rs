//! `podcov diff`: the coverage of what was changed.

use std::path::PathBuf;

use clap::ValueEnum;
use go_source::Sources;
use podcov_patch::{DiffReport, github, json, markdown, sarif, text};
use podcov_report::gates::{Gates, Goal, Verdict};

use crate::diff::changes::{Changes, Wanted};
use crate::diff::data::Data;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::gate::{self, GateOptions};
use crate::settings::Settings;
use crate::terminal::Terminal;
use crate::{diff, finish};

const DEFAULT_DATA: &str = "coverage";

const EXAMPLES: &str = "\
Examples:
  podcov diff
  podcov diff --base origin/release-1.4 --fail-under-changed 90
  podcov diff coverage unit.out --range main..HEAD --format markdown
  podcov diff --against ../main/coverage --fail-on-regression
  git diff main | podcov diff --patch - --format github

The data has to be of the source as it is after the change: build, test, then compare.";

/// Say which changed lines the tests ran.
///
/// Changed is what differs from where the current branch left its base, with what is not committed yet. Data that is
/// missing is named, and is neither 0 % nor 100 %.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct DiffArgs {
    /// Run directories of podcov, directories with coverage data, reports of --format json, or profiles of go test -coverprofile
    /// [default: coverage].
    #[arg(value_name = "DATA")]
    data: Vec<PathBuf>,

    /// The branch or commit that the change is for. By default what origin/HEAD says, else origin/main,
    /// origin/master, main or master.
    #[arg(long, value_name = "REVISION", conflicts_with_all = ["range", "patch"])]
    base: Option<String>,

    /// The lines that differ between two commits, A..B; with A...B, since B left A.
    #[arg(long, value_name = "A..B", conflicts_with = "patch")]
    range: Option<String>,

    /// The lines that a unified diff changes; - reads it from standard input.
    #[arg(long, value_name = "FILE")]
    patch: Option<PathBuf>,

    /// An earlier run directory, report (--format json), other data or a profile: which code that was not changed has lost coverage since?
    /// May be repeated.
    #[arg(long, value_name = "DATA")]
    against: Vec<PathBuf>,

    /// What is printed on standard output.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,

    /// The checkout with the sources of the programs.
    #[arg(long, value_name = "DIR", default_value = ".")]
    source: PathBuf,

    /// Succeed although data is missing or damaged. It is named all the same.
    #[arg(long)]
    allow_incomplete: bool,

    #[command(flatten)]
    gates: GateOptions,

    /// Fail (exit code 4) if less than this share of the changed lines that can run did, or if nothing is known of a
    /// changed file.
    #[arg(long, value_name = "PERCENT", help_heading = "Gates")]
    fail_under_changed: Option<Goal>,

    /// Fail if code that was not changed ran in --against and does not run now.
    #[arg(long, requires = "against", help_heading = "Gates")]
    fail_on_regression: bool,
}

/// Forms of the result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal.
    #[default]
    Text,
    /// For a comment on a pull request, or the summary of a job.
    Markdown,
    /// For programs.
    Json,
    /// Annotations of GitHub Actions.
    Github,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

/// Runs the command.
pub fn run(args: &DiffArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    finish::check_source(&args.source)?;
    let settings = Settings::of_checkout(&args.source)?;
    let changes = Changes::find(&args.wanted(), &args.source)?;
    let default = [PathBuf::from(DEFAULT_DATA)];
    let data = Data::read(if args.data.is_empty() { &default } else { &args.data }, &settings, terminal)?;
    let earlier =
        if args.against.is_empty() { None } else { Some(Data::read(&args.against, &settings, terminal)?) };
    let sources = Sources::discover(&args.source)
        .map_err(|error| CommandError::failure("cannot look for the sources").caused_by(error))?;

    let mut report = DiffReport {
        changes: changes.description.clone(),
        data: described(&data),
        missing: data.missing.clone(),
        notes: [changes.notes.as_slice(), &data.notes].concat(),
        files: diff::coverage(&changes, &data, &sources)?,
        against: earlier.as_ref().map(|earlier| diff::against(earlier, &data, &changes, &sources)),
        verdicts: Vec::new(),
    };
    if data.profile.is_none() {
        report.missing.push("no counters came: nothing is known of what ran, which is not 0 %".to_owned());
    }
    report.verdicts = judge(&args.gates(&settings), &report, &data);
    print(&report, args.format, terminal)?;
    let is_complete = args.allow_incomplete || report.missing.is_empty();
    Ok(if data.profile.is_none() {
        ExitCode::Failure
    } else {
        gate::exit_code(is_complete, &report.verdicts)
    })
}

impl DiffArgs {
    fn wanted(&self) -> Wanted {
        match (&self.range, &self.patch) {
            (Some(range), _) => Wanted::Range(range.clone()),
            (None, Some(patch)) => Wanted::Patch(patch.clone()),
            (None, None) => Wanted::Base(self.base.clone()),
        }
    }

    fn gates(&self, settings: &Settings) -> Gates {
        let gates = self.gates.gates(settings);
        Gates {
            changed_lines: self.fail_under_changed.or(gates.changed_lines),
            no_regression: self.fail_on_regression || gates.no_regression,
            ..gates
        }
    }
}

fn described(data: &Data) -> String {
    if data.completeness.is_empty() {
        data.name.clone()
    } else {
        format!("{} ({})", data.name, data.completeness)
    }
}

fn judge(gates: &Gates, report: &DiffReport, data: &Data) -> Vec<Verdict> {
    let mut verdicts = gate::verdicts(gates, data.profile.as_ref(), &data.missing);
    if let Some(goal) = gates.changed_lines {
        verdicts.push(report.judge_changed_lines(goal));
    }
    if gates.no_regression {
        verdicts.push(report.judge_regression());
    }
    verdicts
}

fn print(report: &DiffReport, format: Format, terminal: &Terminal) -> Result<(), CommandError> {
    let not_encoded =
        |error: serde_json::Error| CommandError::failure("cannot write the result").caused_by(error);
    match format {
        Format::Text => terminal.lines(&text(report)),
        Format::Markdown => terminal.data(&markdown(report)),
        Format::Json => terminal.data(&json(report).map_err(not_encoded)?),
        Format::Github => terminal.data(&github(report)),
        Format::Sarif => terminal.data(&sarif(report, env!("CARGO_PKG_VERSION")).map_err(not_encoded)?),
    }
}
