//! `podcov exec`: one program under coverage collection, otherwise as if started directly.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::{fs, io};

use podcov_agent_protocol::is_kept_file_name;
use podcov_report::run::{Capture, Origin, Outcome};
use tokio::sync::watch;

use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::finish::{self, Shown};
use crate::interrupt::Interrupt;
use crate::live::Targets;
use crate::local::{self, Ending, Program};
use crate::run_directory::RunDirectory;
use crate::settings::Settings;
use crate::terminal::Terminal;
use crate::test_command::{self, TestCommand, shell_exit_code};

const EXAMPLES: &str = "\
Examples:
  podcov exec -- ./bin/migrate --dry-run
  for file in testdata/*; do podcov exec --append -- ./bin/convert \"$file\"; done; podcov report coverage

podcov ends with the exit code of the program. When it is 0 but data is missing, podcov ends with 3.";

/// Run one program and keep what its processes counted.
///
/// Standard input, output and error, signals and the exit code are the program's own.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ExecArgs {
    /// Where the data, the report and run.json go. An earlier run that ended there is replaced.
    #[arg(short, long, value_name = "DIR", default_value = "coverage")]
    output_dir: PathBuf,

    /// Add to the data in the directory, and leave the report to `podcov report`. Any number may run at once.
    #[arg(long)]
    append: bool,

    /// The checkout with the sources of the program.
    #[arg(long, value_name = "DIR", default_value = ".")]
    source: PathBuf,

    /// Succeed although data is missing. It is named all the same.
    #[arg(long)]
    allow_incomplete: bool,

    /// The program and its arguments.
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    program: Vec<String>,
}

/// Runs the command.
pub async fn run(args: ExecArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    let program = test_command::check(&args.program)?;
    finish::check_source(&args.source)?;
    let interrupt = Interrupt::install()?;
    local::adopt_orphans();
    let (code, is_complete) = if args.append {
        append(&args, &program, &interrupt, terminal).await?
    } else {
        run_alone(&args, &program, &interrupt, terminal).await?
    };
    Ok(match code {
        0 if is_complete || args.allow_incomplete => ExitCode::Success,
        0 => ExitCode::Incomplete,
        code => ExitCode::Command(code),
    })
}

/// The program is the whole run.
async fn run_alone(
    args: &ExecArgs,
    program: &TestCommand,
    interrupt: &Interrupt,
    terminal: &Terminal,
) -> Result<(u8, bool), CommandError> {
    let settings = Settings::of_checkout(&args.source)?;
    let mut directory = RunDirectory::create(&args.output_dir, terminal)?;
    let process = Process::new(program, &directory)?;
    let targets = Targets::Local(vec![process.program.clone()]);
    let ended = tokio::select! {
        // It does not wait for the first record.
        biased;
        ended = process.run(interrupt) => ended,
        never = targets.keep_reading(&directory) => match never {},
    };
    let status = match ended {
        Ok(status) => status,
        Err(error) => {
            directory.run_mut().notes.push(error.to_string());
            directory.finish()?;
            return Err(error);
        }
    };
    let capture = process.capture(status, interrupt, &directory)?;
    directory.run_mut().captures.push(capture);
    finish::finish(&mut directory, &settings, Shown::ForPeople, terminal)?;
    Ok((shell_exit_code(status), finish::is_complete(directory.run())))
}

/// The program is one of many. The directory is held only while it is written to, not while the program runs.
async fn append(
    args: &ExecArgs,
    program: &TestCommand,
    interrupt: &Interrupt,
    terminal: &Terminal,
) -> Result<(u8, bool), CommandError> {
    let directory = RunDirectory::append(&args.output_dir)?;
    let (process, adding) = (Process::new(program, &directory)?, directory.adding()?);
    drop(directory);
    let status = process.run(interrupt).await?;
    let mut directory = RunDirectory::append(&args.output_dir)?;
    drop(adding);
    let capture = process.capture(status, interrupt, &directory)?;
    if let Outcome::Lost { detail, .. } = &capture.outcome {
        terminal.loss(process.program.name(), detail);
    }
    let is_complete = capture.outcome == Outcome::Heard;
    let run = directory.run_mut();
    // The figures were those of the data before this.
    run.summary = None;
    match run.captures.iter_mut().find(|known| known.origin.workload() == capture.origin.workload()) {
        Some(known) => add(known, capture),
        None => run.captures.push(capture),
    }
    directory.finish()?;
    Ok((shell_exit_code(status), is_complete))
}

/// One execution of the program. It has a directory to itself while it runs: Go processes that share one can
/// get into each other's way when they start together.
struct Process<'a> {
    command: &'a TestCommand,
    program: Program,
    /// Of all executions of this program.
    shared: PathBuf,
}

impl<'a> Process<'a> {
    fn new(command: &'a TestCommand, directory: &RunDirectory) -> Result<Self, CommandError> {
        let name = command.name();
        let shared = directory.program_directory(&name)?;
        let own = directory.execution_directory(&name)?;
        let origin = Origin::Local { name, command: command.words().to_vec() };
        // Its end is the end of what follows it.
        let (_, status) = watch::channel(None);
        Ok(Self { command, program: Program { origin, directory: own, status }, shared })
    }

    async fn run(&self, interrupt: &Interrupt) -> Result<ExitStatus, CommandError> {
        let directory = std::path::absolute(&self.program.directory);
        let directory = directory.map_err(|error| self.cannot_keep(error))?;
        self.command.execute(&[(OsString::from("GOCOVERDIR"), directory.into())], interrupt).await
    }

    fn capture(
        &self,
        status: ExitStatus,
        interrupt: &Interrupt,
        directory: &RunDirectory,
    ) -> Result<Capture, CommandError> {
        let ending = Ending { status: Some(status), was_asked: interrupt.is_requested(), forced: None };
        let capture = self.program.capture(&ending, None, directory)?;
        // A child that still runs will write to the directory it was given.
        if !local::children_are_left() {
            join(&self.program.directory, &self.shared).map_err(|error| self.cannot_keep(error))?;
        }
        Ok(Capture { directory: directory.relative(&self.shared), ..capture })
    }

    fn cannot_keep(&self, error: io::Error) -> CommandError {
        CommandError::failure(format!("cannot keep the data of {}", self.program.name())).caused_by(error)
    }
}

/// Moves the data of one execution to that of all. Names of counter files hold process id and time.
fn join(own: &Path, shared: &Path) -> io::Result<()> {
    let mut all_moved = true;
    for entry in fs::read_dir(own)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(is_kept_file_name) {
            fs::rename(entry.path(), shared.join(entry.file_name()))?;
        } else {
            all_moved = false;
        }
    }
    if all_moved { fs::remove_dir(own) } else { Ok(()) }
}

fn add(known: &mut Capture, next: Capture) {
    known.processes_started += next.processes_started;
    known.processes_captured += next.processes_captured;
    known.bytes += next.bytes;
    known.processes.extend(next.processes);
    if next.outcome != Outcome::Heard {
        known.outcome = next.outcome;
    }
}
