//! Starts the program, held before its first instruction until its tracer is attached.
//!
//! Two threads take part: the one that starts the program, and the tracer. The child says who it is and waits; the
//! tracer attaches and lets it go on; it executes the program.

use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use nix::libc;
use nix::sys::prctl;
use nix::sys::signal::{Signal, raise};
use nix::unistd::{Pid, close, getpid, getppid};

use crate::observer::NotFollowed;
use crate::process_id::ProcessId;
use crate::signals::Signals;
use crate::{proc_file, system_call};

/// The tracer's end of the line to the child.
#[derive(Debug)]
pub struct Gate(UnixStream);

impl Gate {
    /// The number of the child, once it is there. None if it never will be.
    pub fn wait_for_child(&mut self) -> Option<ProcessId> {
        let mut number = [0; size_of::<i32>()];
        self.0.read_exact(&mut number).ok()?;
        Some(ProcessId(i32::from_ne_bytes(number)))
    }

    /// Lets the child go on.
    pub fn open(mut self) {
        // It fails when the child was killed, which is learnt elsewhere.
        let _ = self.0.write_all(&[1]);
    }
}

/// Prepares a command so that its child waits at the gate.
pub fn prepare(command: &mut Command, signals: &Signals, ends_with_parent: bool) -> io::Result<Gate> {
    let (outer, inner) = UnixStream::pair()?;
    let copy_of_outer = outer.as_raw_fd();
    let mask = signals.mask_before();
    let ignores_child = signals.child_was_ignored();
    let parent = getpid();
    system_call::before_exec(command, move || {
        // Else it would wait for itself when its parent is killed now.
        let _ = close(copy_of_outer);
        (&inner).write_all(&getpid().as_raw().to_ne_bytes())?;
        (&inner).read_exact(&mut [0])?;
        if ends_with_parent {
            end_with(parent)?;
        }
        if ignores_child {
            system_call::ignore(Signal::SIGCHLD)?;
        }
        Ok(mask.thread_set_mask()?)
    });
    Ok(Gate(outer))
}

/// Has this process terminated when its parent is killed.
fn end_with(parent: Pid) -> io::Result<()> {
    prctl::set_pdeathsig(Signal::SIGTERM)?;
    // It may have ended before it was asked for.
    if getppid() != parent {
        raise(Signal::SIGTERM)?;
    }
    Ok(())
}

/// The reason not to trace the program that cannot be learnt by trying.
pub fn obstacle() -> Option<NotFollowed> {
    (proc_file::has_seccomp_filter() && is_ptrace_deadly()).then_some(NotFollowed::ForbiddenBySeccomp)
}

/// Whether who calls ptrace is killed: a child tries.
fn is_ptrace_deadly() -> bool {
    let mut command = Command::new("/proc/self/exe");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    system_call::before_exec(&mut command, || {
        let _ = system_call::try_ptrace();
        // It is not to become a program.
        Err(io::ErrorKind::Other.into())
    });
    // A child that is killed before it can tell anything looks started.
    let Ok(mut child) = command.spawn() else { return false };
    child.wait().is_ok_and(|status| status.signal() == Some(libc::SIGSYS))
}
