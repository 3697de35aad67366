//! The signals that this process gets, and what it does with its own ones. Owns the mask of the process that starts a
//! program; whether the program gets a signal as well is for [`crate::arrivals`].

use std::os::fd::{AsFd, BorrowedFd};

use nix::libc::{self, c_int};
use nix::sys::signal::{SigSet, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::{Pid, getpgrp, getpid, getsid};

use crate::error::Error;
use crate::process_id::ProcessId;
use crate::system_call;

/// All signals of this process, taken over to be forwarded to a program. Dropped, they are given back to the thread
/// that drops it.
#[derive(Debug)]
pub struct Signals {
    arriving: SignalFd,
    mask_before: SigSet,
    child_was_ignored: bool,
}

/// A signal that this process got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub signal: c_int,
    pub origin: Origin,
}

/// Who sent a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The kernel: a key on the terminal, its new size, a limit. Everybody concerned was told.
    Kernel,
    /// The kernel told only this process, as the leader of its session, that the terminal is gone.
    KernelToLeader,
    /// A process. Number 0 is one outside of this PID namespace.
    Process(ProcessId),
    /// A timer, a queue, another way.
    Other,
}

impl Signals {
    /// Takes over all signals. To be called before any thread is started: threads inherit what is decided here, and one
    /// that was there before may still be interrupted by a signal that then is not forwarded.
    pub fn take() -> Result<Self, Error> {
        let prepare = || {
            let mask_before = SigSet::thread_get_mask()?;
            SigSet::all().thread_block()?;
            let child_was_ignored = system_call::take_child_signal()?;
            let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
            let mut forwarded = SigSet::all();
            forwarded.remove(Signal::SIGCHLD);
            let arriving = SignalFd::with_flags(&forwarded, flags)?;
            Ok(Self { arriving, mask_before, child_was_ignored })
        };
        prepare().map_err(|error: nix::Error| Error::Signals(error.into()))
    }

    /// The mask with which the program has to start.
    pub(crate) fn mask_before(&self) -> SigSet {
        self.mask_before
    }

    /// Whether the program has to ignore SIGCHLD when it starts.
    pub(crate) fn child_was_ignored(&self) -> bool {
        self.child_was_ignored
    }

    /// The next signal that has arrived, if one has.
    pub(crate) fn next(&self) -> Option<Arrival> {
        let information = self.arriving.read_signal().ok()??;
        let signal = c_int::try_from(information.ssi_signo).ok()?;
        Some(Arrival { signal, origin: origin(signal, information.ssi_code, information.ssi_pid) })
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        let _ = if self.child_was_ignored {
            system_call::ignore(Signal::SIGCHLD)
        } else {
            system_call::set_default_action(Signal::SIGCHLD).map(drop)
        };
        let _ = self.mask_before.thread_set_mask();
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.arriving.as_fd()
    }
}

fn origin(signal: c_int, code: c_int, sender: u32) -> Origin {
    match code {
        libc::SI_KERNEL if signal == libc::SIGHUP && getsid(None) == Ok(getpid()) => Origin::KernelToLeader,
        libc::SI_KERNEL => Origin::Kernel,
        libc::SI_USER => i32::try_from(sender).map_or(Origin::Other, |id| Origin::Process(ProcessId(id))),
        _ => Origin::Other,
    }
}

/// Whether a process is in the same process group as this one, so that whoever signals the group reaches both.
pub fn is_in_own_group(process: ProcessId) -> bool {
    nix::unistd::getpgid(Some(Pid::from_raw(process.0))) == Ok(getpgrp())
}

/// Stops this process as a signal of job control would; returns when it is continued. PID 1 cannot be stopped.
pub fn stop_oneself(signal: Signal) {
    let mut only = SigSet::empty();
    only.add(signal);
    let _ = raise(signal);
    let _ = only.thread_unblock();
    let _ = only.thread_block();
}
