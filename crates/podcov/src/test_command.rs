//! The command after `--`: checked before anything is touched, run with podcov's own standard streams.
//!
//! Owns its process, and that it hears of every interruption exactly once. What its exit code means for
//! podcov's is decided in [`crate::finish`].

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use podcov_report::run;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::mpsc;

use crate::error::{CommandError, ErrorKind};
use crate::interrupt::{Interrupt, Signal};
use crate::local;
use crate::per_test::Message;
use crate::terminal::Terminal;

const READ_LENGTH: usize = 64 * 1024;
/// Longer ones are nothing that says that a test begins.
const LONGEST_LINE: usize = 64 * 1024;
/// After the end of the tests.
const LAST_OUTPUT: Duration = Duration::from_secs(5);

/// A command that can be started.
#[derive(Clone, Debug)]
pub struct TestCommand {
    words: Vec<String>,
    program: PathBuf,
}

/// Where the standard output of the tests goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestOutput {
    /// To podcov's own.
    Inherited,
    /// To podcov's standard error: standard output is for a document that a program reads.
    StandardError,
}

/// How the tests ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Tests {
    /// For `run.json`.
    pub record: run::Tests,
    /// The code that a shell would report: 128 + n for signal n.
    pub exit_code: u8,
}

/// Finds the program of `words` on PATH or at its path; nothing is started.
pub fn check(words: &[String]) -> Result<TestCommand, CommandError> {
    let Some(name) = words.first().filter(|name| !name.is_empty()) else {
        return Err(CommandError::usage("there is no command after `--`"));
    };
    let program = find_program(name)?;
    Ok(TestCommand { words: words.to_vec(), program })
}

/// The executable that `name` stands for, as the shell finds it.
pub fn find_program(name: &str) -> Result<PathBuf, CommandError> {
    let Err(error) = which::which(name) else {
        // The path is kept as it was written: programs look at argv[0].
        return Ok(PathBuf::from(name));
    };
    let path = Path::new(name);
    if path.components().count() < 2 {
        return Err(CommandError::new(ErrorKind::CommandNotFound, format!("there is no `{name}` on PATH"))
            .hint("name a program on PATH, or its path, such as ./run-tests.sh"));
    }
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => {
            Err(CommandError::new(ErrorKind::CommandNotExecutable, format!("`{name}` is a directory")))
        }
        Ok(_) => {
            Err(CommandError::new(ErrorKind::CommandNotExecutable, format!("`{name}` is not executable"))
                .caused_by(error)
                .hint(format!("run chmod +x {name}, or name its interpreter before it")))
        }
        Err(error) => Err(CommandError::new(ErrorKind::CommandNotFound, format!("there is no `{name}`"))
            .caused_by(error)
            .hint("paths are relative to the directory that podcov is started in")),
    }
}

/// What a program is called in a run: its file's name.
pub fn program_name(program: &str) -> String {
    let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy();
    name.strip_suffix(std::env::consts::EXE_SUFFIX).unwrap_or(&name).to_owned()
}

impl TestCommand {
    /// Program and arguments.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// What the program is called in a run.
    pub fn name(&self) -> String {
        program_name(&self.words[0])
    }

    /// Runs the tests to their end. The first interruption reaches them as the signal it is; a further one
    /// kills them.
    pub async fn run(
        &self,
        environment: &[(OsString, OsString)],
        output: TestOutput,
        interrupt: &Interrupt,
    ) -> Result<Tests, CommandError> {
        let mut command = self.command(environment);
        if output == TestOutput::StandardError {
            command.stdout(Stdio::from(std::io::stderr()));
        }
        let started = Instant::now();
        let mut child = command.spawn().map_err(|error| self.not_started(error))?;
        let status = wait(&mut child, interrupt)
            .await
            .map_err(|error| CommandError::failure("cannot wait for the tests").caused_by(error))?;
        Ok(self.tests(status, started, interrupt))
    }

    /// The same, with every line of their standard output told as well. It goes where it would have gone, byte for byte.
    pub async fn run_watched(
        &self,
        environment: &[(OsString, OsString)],
        output: TestOutput,
        interrupt: &Interrupt,
        lines: &mpsc::UnboundedSender<Message>,
        terminal: &Terminal,
    ) -> Result<Tests, CommandError> {
        let mut command = self.command(environment);
        command.stdout(Stdio::piped());
        let started = Instant::now();
        let mut child = command.spawn().map_err(|error| self.not_started(error))?;
        let stdout = child.stdout.take();
        let copied = async {
            if let Some(stdout) = stdout {
                copy_lines(stdout, output, lines, terminal).await;
            }
        };
        tokio::pin!(copied);
        let status = tokio::select! {
            status = wait(&mut child, interrupt) => Some(status),
            () = &mut copied => None,
        };
        let status = match status {
            Some(status) => {
                // What they left running may hold the pipe open.
                let _ = tokio::time::timeout(LAST_OUTPUT, copied).await;
                status
            }
            None => wait(&mut child, interrupt).await,
        };
        let status =
            status.map_err(|error| CommandError::failure("cannot wait for the tests").caused_by(error))?;
        Ok(self.tests(status, started, interrupt))
    }

    fn tests(&self, status: ExitStatus, started: Instant, interrupt: &Interrupt) -> Tests {
        Tests {
            record: run::Tests {
                command: self.words.clone(),
                exit_code: status.code(),
                seconds: started.elapsed().as_secs_f64(),
                interrupted: interrupt.is_requested(),
            },
            exit_code: shell_exit_code(status),
        }
    }

    /// Runs the program to its end as if it were started directly: every signal is its own to answer.
    pub async fn execute(
        &self,
        environment: &[(OsString, OsString)],
        interrupt: &Interrupt,
    ) -> Result<ExitStatus, CommandError> {
        let mut command = local::command(local::Role::Foreground, self.program.as_os_str(), &self.words[1..]);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let mut child = command.spawn().map_err(|error| self.not_started(error))?;
        wait_forwarding(&mut child, interrupt).await.map_err(|error| {
            CommandError::failure(format!("cannot wait for {}", self.program.display())).caused_by(error)
        })
    }

    fn command(&self, environment: &[(OsString, OsString)]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.words[1..]).envs(environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn not_started(&self, error: std::io::Error) -> CommandError {
        let name = self.program.display();
        CommandError::new(ErrorKind::CommandNotExecutable, format!("cannot start `{name}`"))
            .caused_by(error)
            .hint("is it built for this machine, and is the interpreter in its first line there?")
    }
}

/// Hands on what comes, at once, and tells the lines.
async fn copy_lines(
    mut from: ChildStdout,
    output: TestOutput,
    lines: &mpsc::UnboundedSender<Message>,
    terminal: &Terminal,
) {
    let mut buffer = vec![0; READ_LENGTH];
    let mut line = Vec::new();
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let bytes = buffer.get(..length).unwrap_or_default();
        // Who does not read it any more does not end the tests.
        let _ = match output {
            TestOutput::Inherited => terminal.verbatim(bytes),
            TestOutput::StandardError => terminal.verbatim_for_people(bytes),
        };
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = LONGEST_LINE.saturating_sub(line.len());
            line.extend_from_slice(piece.get(..room.min(piece.len())).unwrap_or_default());
            if piece.ends_with(b"\n") {
                let text = String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned();
                let _ = lines.send(Message::Line(text, Instant::now()));
                line.clear();
            }
        }
    }
}

/// Waits for a child in the foreground. It is asked to end by the first interruption, and made to by a second.
async fn wait(child: &mut Child, interrupt: &Interrupt) -> std::io::Result<ExitStatus> {
    let signal = tokio::select! {
        status = child.wait() => return status,
        signal = interrupt.requested() => signal,
    };
    if !terminal_reaches_children(signal) {
        send(child, signal);
    }
    tokio::select! {
        status = child.wait() => status,
        _ = interrupt.request(1) => {
            child.start_kill()?;
            child.wait().await
        }
    }
}

/// Waits for a child that decides itself what a signal means: it gets them all.
async fn wait_forwarding(child: &mut Child, interrupt: &Interrupt) -> std::io::Result<ExitStatus> {
    let mut forwarded = 0;
    loop {
        tokio::select! {
            status = child.wait() => return status,
            signal = interrupt.request(forwarded) => {
                forwarded += 1;
                if !terminal_reaches_children(signal) {
                    send(child, signal);
                }
            }
        }
    }
}

/// What a shell puts into `$?`.
pub fn shell_exit_code(status: ExitStatus) -> u8 {
    match status.code() {
        // Windows has 32 bits; the code must not turn into success when they are cut.
        Some(code) => u8::try_from(code).unwrap_or(u8::MAX),
        None => signal_of(status).map_or(u8::MAX, |signal| signal.saturating_add(128)),
    }
}

#[cfg(unix)]
fn signal_of(status: ExitStatus) -> Option<u8> {
    use std::os::unix::process::ExitStatusExt;
    status.signal().and_then(|signal| u8::try_from(signal).ok())
}

#[cfg(windows)]
fn signal_of(_status: ExitStatus) -> Option<u8> {
    None
}

// A key press reaches every process of the terminal's foreground group. Sending it once more would be a
// second Ctrl-C to the tests, on which Ginkgo leaves its clean-up out.
#[cfg(unix)]
fn terminal_reaches_children(signal: Signal) -> bool {
    let in_foreground = || {
        let terminal = std::fs::File::open("/dev/tty").ok()?;
        Some(nix::unistd::tcgetpgrp(&terminal).ok()? == nix::unistd::getpgrp())
    };
    matches!(signal, Signal::Interrupt | Signal::Quit) && in_foreground() == Some(true)
}

#[cfg(windows)]
fn terminal_reaches_children(_signal: Signal) -> bool {
    true
}

#[cfg(unix)]
fn send(child: &Child, signal: Signal) {
    use nix::sys::signal::{Signal as Number, kill};
    let number = match signal {
        Signal::Hangup => Number::SIGHUP,
        Signal::Interrupt => Number::SIGINT,
        Signal::Quit => Number::SIGQUIT,
        Signal::Terminate => Number::SIGTERM,
    };
    // A child that has just ended needs no signal.
    if let Some(process) = child.id().and_then(|id| i32::try_from(id).ok()) {
        let _ = kill(nix::unistd::Pid::from_raw(process), number);
    }
}

#[cfg(windows)]
fn send(_child: &Child, _signal: Signal) {}
