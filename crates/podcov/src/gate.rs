//! Gates on the command line: their flags, and what is shown of their judgement.
//!
//! What a gate asks for and how it is judged is podcov-report's.

use podcov_report::gates::{Gates, Goal, Verdict};

use crate::exit_code::ExitCode;

/// What a pipeline asks of the figures of a run.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Gates")]
pub struct GateOptions {
    /// Fail (exit code 4) if less than this share of all statements ran.
    #[arg(long, value_name = "PERCENT")]
    pub fail_under: Option<Goal>,

    /// Fail if less than this share of the statements of a package ran, of each that matches the pattern; may be
    /// repeated. `...` stands for any string.
    #[arg(long, value_name = "PATTERN=PERCENT", value_parser = pattern_and_goal)]
    pub fail_under_package: Vec<(String, Goal)>,

    /// The same for each file that matches the pattern. Files are called by import path and name.
    #[arg(long, value_name = "PATTERN=PERCENT", value_parser = pattern_and_goal)]
    pub fail_under_file: Vec<(String, Goal)>,

    /// Fail if data that was expected is missing, also with --allow-incomplete.
    #[arg(long)]
    pub fail_on_incomplete: bool,
}

impl GateOptions {
    /// The gates that are asked for.
    pub fn gates(&self) -> Gates {
        Gates {
            total: self.fail_under,
            packages: self.fail_under_package.iter().cloned().collect(),
            files: self.fail_under_file.iter().cloned().collect(),
            complete: self.fail_on_incomplete,
            ..Gates::default()
        }
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
