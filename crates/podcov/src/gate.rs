//! Gates on the command line: their flags, and what is shown of their judgement.
//!
//! What a gate asks for and how it is judged is podcov-report's.

use go_coverage::Profile;
use podcov_report::gates::{Gates, Goal, Verdict, lines};
use podcov_report::missing;
use podcov_report::run::Run;

use crate::exit_code::ExitCode;
use crate::settings::Settings;
use crate::terminal::Terminal;

/// What a pipeline asks of the figures of a run.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Gates")]
pub struct GateOptions {
    /// Fail (exit code 4) if less than this share of all statements ran.
    #[arg(long = "fail-under", value_name = "PERCENT")]
    pub total: Option<Goal>,

    /// Fail if less than this share of the statements of a package ran, of each that matches the pattern; may be
    /// repeated. `...` stands for any string.
    #[arg(long = "fail-under-package", value_name = "PATTERN=PERCENT", value_parser = pattern_and_goal)]
    pub packages: Vec<(String, Goal)>,

    /// The same for each file that matches the pattern. Files are called by import path and name.
    #[arg(long = "fail-under-file", value_name = "PATTERN=PERCENT", value_parser = pattern_and_goal)]
    pub files: Vec<(String, Goal)>,

    /// Fail if data that was expected is missing, also with --allow-incomplete.
    #[arg(long = "fail-on-incomplete")]
    pub complete: bool,
}

impl GateOptions {
    /// The gates that are asked for, here or in the settings file.
    pub fn gates(&self, settings: &Settings) -> Gates {
        let asked = Gates {
            total: self.total,
            packages: self.packages.iter().cloned().collect(),
            files: self.files.iter().cloned().collect(),
            complete: self.complete,
            ..Gates::default()
        };
        asked.or(settings.gates.clone())
    }
}

/// Reads `example.com/shop/...=80`.
fn pattern_and_goal(text: &str) -> Result<(String, Goal), String> {
    let (pattern, goal) =
        text.rsplit_once('=').ok_or("a pattern and a goal, such as example.com/shop/internal/...=80")?;
    Ok((pattern.to_owned(), goal.parse().map_err(|error: podcov_report::gates::NotAGoal| error.to_string())?))
}

/// The code that data and gates end podcov with. Data that is missing comes first: it may be why a gate is missed.
pub fn exit_code(is_complete: bool, verdicts: &[Verdict]) -> ExitCode {
    match (is_complete, verdicts.iter().all(|verdict| verdict.passed)) {
        (false, _) => ExitCode::Incomplete,
        (true, false) => ExitCode::GateMissed,
        (true, true) => ExitCode::Success,
    }
}

/// Judges a run that would end with `code` by what its figures are of, says what came of it, and returns the code that
/// it ends with. What comes before gates, such as tests that failed, stays what it is.
pub fn judge(
    gates: &Gates,
    everything: Option<&Profile>,
    run: &Run,
    code: ExitCode,
    terminal: &Terminal,
) -> ExitCode {
    let is_complete = match code {
        ExitCode::Success => true,
        ExitCode::Incomplete => false,
        _ => return code,
    };
    if gates.is_empty() {
        return code;
    }
    let verdicts = verdicts(gates, everything, &missing(run));
    terminal.lines_for_people(&lines(&verdicts));
    exit_code(is_complete, &verdicts)
}

/// The judgement of everything that needs no change to be judged.
pub fn verdicts(gates: &Gates, everything: Option<&Profile>, missing: &[String]) -> Vec<Verdict> {
    let mut verdicts = gates.judge(everything);
    if gates.complete {
        verdicts.push(Verdict::of_completeness(missing));
    }
    verdicts
}
