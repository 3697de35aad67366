//! `agent supervise -- PROGRAM ARGUMENT…`: a container's main process, which runs what would have been that.
//!
//! Owns where the program's coverage goes, and how the agent ends. Everything else is `podcov-supervised-capture`'s.

use std::error::Error as _;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use podcov_agent_protocol::CONTAINER_DIRECTORY;
use podcov_supervised_capture::{Descendants, Error, Settings, Signals};

use crate::terminal::say;

/// How old what was counted may be, should the agent be killed together with the container.
const INTERVAL: Duration = Duration::from_secs(5);
/// As shells have it.
const EXIT_NOT_FOUND: u8 = 127;
const EXIT_NOT_EXECUTABLE: u8 = 126;

/// Runs the program, and ends as it does. Returns only if it cannot be started.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    // Before everything else: as PID 1, a signal that nobody takes is lost.
    let signals = Signals::take();
    let mut words = words.into_iter();
    let Some(program) = words.next() else {
        say("supervise: the program is missing");
        return ExitCode::from(EXIT_NOT_FOUND);
    };
    let mut command = Command::new(program);
    command.args(words);
    let settings = Settings {
        directory: PathBuf::from(CONTAINER_DIRECTORY),
        interval: INTERVAL,
        // The kernel ends them together with PID 1.
        descendants: Descendants::Leave,
        program_ends_with_supervisor: false,
    };
    let ended = signals.and_then(|signals| {
        podcov_supervised_capture::run(command, settings, signals, |message| say(message))
    });
    match ended {
        Ok(ending) => ending.imitate(),
        Err(error) => {
            let cause = error.source().map(ToString::to_string).unwrap_or_default();
            say(format_args!("{error}: {cause}"));
            ExitCode::from(match error {
                Error::Start { source, .. } if source.kind() == ErrorKind::NotFound => EXIT_NOT_FOUND,
                _ => EXIT_NOT_EXECUTABLE,
            })
        }
    }
}
