//! How a service is started so that it does not outlive podcov, not even one that is killed.
//!
//! Linux tells a process of its parent's end, but only one that asked for it. So podcov starts itself under
//! another name; that asks, and becomes the service. It is told by SIGTERM: the counters can still be written.
//! Elsewhere, services of a podcov that is killed run on.

use tokio::process::Command;

use crate::exit_code::ExitCode;

/// The name by which podcov knows that it is to become a service.
#[cfg(target_os = "linux")]
const LAUNCHER: &str = "podcov-service";

/// The command that becomes the program with its arguments. It is told when the thread that spawns it ends,
/// so that has to be the main thread.
#[cfg(target_os = "linux")]
pub fn command(words: &[String]) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg0(LAUNCHER).arg(std::process::id().to_string()).args(words);
    command
}

/// The command of the program with its arguments.
#[cfg(not(target_os = "linux"))]
pub fn command(words: &[String]) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    command
}

/// Becomes a service, if that is what this process was started for. Returns only when it was not, or when the
/// service cannot be started.
#[cfg(target_os = "linux")]
pub fn become_service() -> Option<ExitCode> {
    use std::os::unix::process::CommandExt;

    let mut arguments = std::env::args_os();
    if arguments.next()? != LAUNCHER {
        return None;
    }
    let parent = arguments.next()?.into_string().ok()?.parse().ok()?;
    let program = arguments.next()?;
    end_with(nix::unistd::Pid::from_raw(parent));
    let error = std::process::Command::new(&program).args(arguments).exec();
    let error =
        crate::error::CommandError::failure(format!("cannot start {}", program.display())).caused_by(error);
    crate::terminal::Terminal::new(true).error(&error);
    Some(ExitCode::CommandNotExecutable)
}

/// Services are started directly.
#[cfg(not(target_os = "linux"))]
pub fn become_service() -> Option<ExitCode> {
    None
}

#[cfg(target_os = "linux")]
fn end_with(parent: nix::unistd::Pid) {
    use nix::sys::signal::{Signal, raise};
    // Where this is refused, the service runs on after a podcov that was killed.
    let _ = nix::sys::prctl::set_pdeathsig(Signal::SIGTERM);
    // It may have ended before it was asked for.
    if nix::unistd::getppid() != parent {
        let _ = raise(Signal::SIGTERM);
    }
}
