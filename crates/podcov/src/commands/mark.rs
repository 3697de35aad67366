//! `podcov mark`: a test says that it begins.

use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::per_test::mark;
use crate::terminal::Terminal;

const EXAMPLES: &str = "\
Examples:
  podcov mark TestCheckout
  podcov mark --end
  podcov mark --show
  curl -fsS -d TestCheckout \"$PODCOV_MARK\"

podcov run --per-test sets PODCOV_MARK in the environment of the tests. The command ends when everything
has been read that ran until then.";

/// Say which test begins, for podcov run --per-test.
///
/// What the services run from now on belongs to this test, until the next mark. Once a test was marked, the
/// output of the tests says nothing any more.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct MarkArgs {
    /// The test that begins. One that was marked before goes on.
    #[arg(required_unless_present_any = ["end", "show"])]
    name: Option<String>,

    /// No test begins: what runs from now on belongs to none.
    #[arg(long, conflicts_with = "name")]
    end: bool,

    /// Print which tests are known to run, marked or told by the output, a line for each. What ran before they began
    /// has been read: a test that waits for its own name here is as exact as one that marks.
    #[arg(long, conflicts_with_all = ["name", "end"])]
    show: bool,

    /// Where podcov listens.
    #[arg(long, env = mark::VARIABLE, value_name = "URL", hide = true)]
    address: Option<String>,
}

/// Runs the command.
pub async fn run(args: MarkArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    let Some(address) = args.address else {
        return Err(CommandError::usage(format!("{} is not set", mark::VARIABLE))
            .hint("podcov run --per-test sets it for the tests that it runs"));
    };
    if args.show {
        let tests = mark::ask(&address).await?;
        terminal.data(&if tests.is_empty() { tests } else { tests + "\n" })?;
        return Ok(ExitCode::Success);
    }
    mark::send(&address, args.name.as_deref()).await?;
    Ok(ExitCode::Success)
}
