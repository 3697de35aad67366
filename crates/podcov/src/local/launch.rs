//! How a program is started so that all it counts is kept, and so that services do not outlive podcov.
//!
//! Whoever reads a process's memory at its end has to be its parent, and the only waiting in its process. So podcov starts
//! itself under another name; that becomes the parent of the program, and ends as the program does. It is told of podcov's
//! own end by SIGTERM, which it hands on.
//!
//! Elsewhere than on Linux, programs are started directly, write their counters themselves, and services of a podcov that
//! is killed run on.

use podcov_report::run::Way;
use tokio::process::Command;

use crate::exit_code::ExitCode;

/// What becomes of a program whose parent is to be podcov under another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It ends with podcov, and lives as long as any of its processes.
    Service,
    /// It is alone with its terminal; what it leaves running stays so.
    Foreground,
}

/// How what a program counts is read, unless it may not be traced.
pub const WAY: Way = if cfg!(target_os = "linux") { Way::Supervised } else { Way::Files };

/// The command that runs the program with its arguments. Its GOCOVERDIR is where what it counts is kept. A service is told
/// when the thread that spawns it ends, so that has to be the main thread.
#[cfg(target_os = "linux")]
pub fn command(role: Role, program: &std::ffi::OsStr, arguments: &[String]) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg0(supervisor::name(role)).arg(std::process::id().to_string()).arg(program).args(arguments);
    command
}

/// The command of the program with its arguments.
#[cfg(not(target_os = "linux"))]
pub fn command(_role: Role, program: &std::ffi::OsStr, arguments: &[String]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// Runs a program, if that is what this process was started for, and ends as the program does. Returns only when it was
/// not, or when the program cannot be started.
#[cfg(target_os = "linux")]
pub fn become_supervisor() -> Option<ExitCode> {
    supervisor::run()
}

/// Programs are started directly.
#[cfg(not(target_os = "linux"))]
pub fn become_supervisor() -> Option<ExitCode> {
    None
}

#[cfg(target_os = "linux")]
mod supervisor {
    use std::error::Error as _;
    use std::path::PathBuf;
    use std::process::Command;
    use std::time::Duration;

    use nix::sys::signal::{Signal, raise};
    use nix::unistd::{Pid, getppid};
    use podcov_supervised_capture::{Descendants, Settings, Signals};

    use super::Role;
    use crate::error::CommandError;
    use crate::exit_code::ExitCode;
    use crate::terminal::Terminal;

    const SERVICE: &str = "podcov-service";
    const FOREGROUND: &str = "podcov-exec";
    /// How old what was counted may be, should this process be killed.
    const INTERVAL: Duration = Duration::from_secs(5);

    pub const fn name(role: Role) -> &'static str {
        match role {
            Role::Service => SERVICE,
            Role::Foreground => FOREGROUND,
        }
    }

    pub fn run() -> Option<ExitCode> {
        let mut arguments = std::env::args_os();
        let name = arguments.next()?;
        let role = [Role::Service, Role::Foreground].into_iter().find(|role| name == self::name(*role))?;
        let parent = Pid::from_raw(arguments.next()?.to_str()?.parse().ok()?);
        let program = arguments.next()?;
        let directory = std::env::var_os("GOCOVERDIR").map(PathBuf::from)?;
        // Before everything else: no signal may be lost.
        let signals = Signals::take();
        if role == Role::Service {
            end_with(parent);
        }
        let settings = Settings {
            directory,
            interval: INTERVAL,
            descendants: match role {
                Role::Service => Descendants::WaitFor,
                Role::Foreground => Descendants::Leave,
            },
            program_ends_with_supervisor: role == Role::Service,
        };
        let mut command = Command::new(&program);
        command.args(arguments);
        let say = |message: &str| Terminal::new(true).warning(message);
        let ended =
            signals.and_then(|signals| podcov_supervised_capture::run(command, settings, signals, say));
        match ended {
            Ok(ending) => ending.imitate(),
            Err(error) => {
                let cause = error.source().map(ToString::to_string).unwrap_or_default();
                let failed = CommandError::failure(error.to_string()).caused_by(std::io::Error::other(cause));
                Terminal::new(true).error(&failed);
                Some(ExitCode::CommandNotExecutable)
            }
        }
    }

    fn end_with(parent: Pid) {
        // Where this is refused, the service runs on after a podcov that was killed.
        let _ = nix::sys::prctl::set_pdeathsig(Signal::SIGTERM);
        // It may have ended before it was asked for.
        if getppid() != parent {
            let _ = raise(Signal::SIGTERM);
        }
    }
}
