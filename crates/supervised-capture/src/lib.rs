//! Runs a program, and keeps what its processes count, however they end.
//!
//! Joins supervision, which knows when a process ends, and capture, which reads counters out of its memory. Owns what is
//! left in the directory: for each process that was built with coverage, the files that Go would have written there.
//! `covmeta.*` comes when the process has started, `covcounters.*` when it has ended; and a
//! [`ProcessRecord`](podcov_agent_protocol::ProcessRecord) says how the counters were read, and how it ended. A file that has
//! its name is whole, and is not changed again.
//!
//! Below that directory are three others:
//! - `.own`: what the processes write themselves, since that is their `GOCOVERDIR`. It is used only where memory could not
//!   be read, so that nothing is counted twice.
//! - `.latest`: the counters of processes that live, as they were last read: every few seconds, and more often in the
//!   beginning and once the program is asked to end. They are used only if the supervision itself was killed: [`recover`]; and by who asks for them.
//! - `.requests`: who asks, to have them read now: [`Request`].
//!
//! The program runs as it would have run without all this: `podcov-process-supervision` says what that means. Where it may
//! not be traced, it runs all the same, and its own files are what is kept.
#![cfg(target_os = "linux")]

mod directory;
mod let_go;
mod process;
mod recorder;
mod requests;
mod reserve;

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use podcov_process_supervision::{Options, Supervisor};

pub use directory::{is_supervised, recover};
pub use podcov_process_supervision::{Descendants, Ending, Error, Signals};
pub use requests::{Answer, Request};

use crate::directory::Directory;
use crate::recorder::Recorder;

/// How soon a process that was started is seen to count.
const TICK: Duration = Duration::from_millis(100);

/// What can be chosen.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the files go. It exists.
    pub directory: PathBuf,
    /// How often all processes are read, for the case that the supervision itself is killed.
    pub interval: Duration,
    /// What becomes of processes that outlive the program.
    pub descendants: Descendants,
    /// The program gets SIGTERM when this process is killed.
    pub program_ends_with_supervisor: bool,
}

/// Runs a program to its end. What a user should know is said through `say`, a line at a time.
pub fn run(
    mut command: Command,
    settings: Settings,
    signals: Signals,
    say: impl FnMut(&str) + Send + 'static,
) -> Result<Ending, Error> {
    let Settings { directory, interval, descendants, program_ends_with_supervisor } = settings;
    let directory = Directory::prepare(directory);
    command.env("GOCOVERDIR", directory.own());
    let recorder = Recorder::new(directory, interval, descendants, Box::new(say));
    let options = Options { tick: Some(TICK), program_ends_with_supervisor };
    let (ending, recorder) = Supervisor::start(command, options, signals, recorder)?.run();
    recorder.finish();
    Ok(ending)
}
