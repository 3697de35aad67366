//! How the program ended, and how this process ends the same way.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigSet, Signal, raise};

use crate::system_call;

/// What a shell adds to the number of a signal.
const SIGNAL_BASE: i32 = 128;

/// How the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// What its parent was told.
    pub status: ExitStatus,
    /// Whether it was followed to its end. If not, the observer knows why.
    pub was_followed: bool,
}

impl Ending {
    /// The exit code that a shell would report: 128 and the signal's number for a program that was killed.
    #[must_use]
    pub fn exit_code(self) -> i32 {
        self.status.code().or_else(|| Some(SIGNAL_BASE + self.status.signal()?)).unwrap_or(SIGNAL_BASE)
    }

    /// Ends this process as the program ended: with its exit code, or killed by the same signal, but without a core
    /// file of its own. Where that signal does nothing (PID 1), with the exit code that a shell would report.
    pub fn imitate(self) -> ! {
        if let Some(signal) = self.status.signal().and_then(|signal| Signal::try_from(signal).ok()) {
            let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
            let _ = system_call::set_default_action(signal);
            let _ = raise(signal);
            let mut only = SigSet::empty();
            only.add(signal);
            let _ = only.thread_unblock();
        }
        std::process::exit(self.exit_code())
    }
}
