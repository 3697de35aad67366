//! The system calls that nix has no safe or no complete form of: it has neither real-time signals nor statuses with
//! them. The only unsafe code of this crate; each function is one call, and decides nothing.
#![expect(unsafe_code, reason = "ptrace, wait and sigaction with all of Linux' signals")]

use std::ffi::{CStr, CString};
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::errno::Errno;
use nix::libc::{self, c_int, c_long, c_uint, c_ulong, pid_t};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use crate::process_id::{ProcessId, ThreadId};

type Result<T> = nix::Result<T>;

/// Attaches a thread without stopping it.
pub fn seize(thread: ThreadId, options: c_int) -> Result<()> {
    ptrace(libc::PTRACE_SEIZE, thread, 0, c_ulong::try_from(options).unwrap_or_default()).map(drop)
}

/// Lets a stopped thread go on, with a signal or with 0.
pub fn go_on(thread: ThreadId, signal: c_int) -> Result<()> {
    ptrace(libc::PTRACE_CONT, thread, 0, c_ulong::try_from(signal).unwrap_or_default()).map(drop)
}

/// Leaves a thread stopped as job control has it, and open to SIGCONT.
pub fn stay_stopped(thread: ThreadId) -> Result<()> {
    ptrace(libc::PTRACE_LISTEN, thread, 0, 0).map(drop)
}

/// Ends the tracing of a stopped thread, which goes on.
pub fn detach(thread: ThreadId) -> Result<()> {
    ptrace(libc::PTRACE_DETACH, thread, 0, 0).map(drop)
}

/// What a `PTRACE_EVENT` stop says more: an exit status, the number of a thread.
pub fn event_message(thread: ThreadId) -> Result<c_ulong> {
    let mut message: c_ulong = 0;
    ptrace(libc::PTRACE_GETEVENTMSG, thread, 0, (&raw mut message).expose_provenance() as c_ulong)?;
    Ok(message)
}

/// The process that sent the signal at which a thread is stopped, if a process did.
pub fn sender(thread: ThreadId) -> Result<Option<ProcessId>> {
    let information = signal_information(thread)?;
    // SAFETY: Signals with this code have the member.
    Ok((information.si_code == libc::SI_USER).then(|| ProcessId(unsafe { information.si_pid() })))
}

/// Whether the signal at which a thread is stopped comes from the kernel, and not from a process.
pub fn is_from_kernel(thread: ThreadId) -> Result<bool> {
    Ok(signal_information(thread)?.si_code > 0)
}

fn signal_information(thread: ThreadId) -> Result<libc::siginfo_t> {
    let mut information = MaybeUninit::<libc::siginfo_t>::zeroed();
    ptrace(libc::PTRACE_GETSIGINFO, thread, 0, information.as_mut_ptr().expose_provenance() as c_ulong)?;
    // SAFETY: The call succeeded, so the kernel filled it in; all zeros would be valid, too.
    Ok(unsafe { information.assume_init() })
}

/// Whether this process may call ptrace at all; the answer may also be its death by SIGSYS.
pub fn try_ptrace() -> Result<()> {
    match ptrace(libc::PTRACE_SEIZE, ThreadId(0), 0, 0) {
        Ok(_) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(error),
    }
}

fn ptrace(request: c_uint, thread: ThreadId, address: c_ulong, data: c_ulong) -> Result<c_long> {
    // SAFETY: `data` is a number, or the address of what the callers above own and what the request fills in.
    Errno::result(unsafe { libc::syscall(libc::SYS_ptrace, c_long::from(request), thread.0, address, data) })
}

/// Waits until something happens to a child or to a traced thread: its number and its status. `ECHILD` if there is
/// neither, `EINTR` after a signal.
pub fn wait() -> Result<(ThreadId, c_int)> {
    wait_for_any(0)
}

/// What has happened, without waiting for it: see [`wait`].
pub fn wait_no_longer() -> Result<Option<(ThreadId, c_int)>> {
    wait_for_any(libc::WNOHANG).map(|event| (event.0.0 != 0).then_some(event))
}

fn wait_for_any(options: c_int) -> Result<(ThreadId, c_int)> {
    let mut status: c_int = 0;
    let options = options | libc::__WALL | libc::WUNTRACED;
    // SAFETY: `status` is ours to be written.
    let thread = Errno::result(unsafe { libc::waitpid(-1, &raw mut status, options) })?;
    Ok((ThreadId(thread), status))
}

/// How a traced process has stopped, without waiting and without taking its end away: see [`wait`], one byte further.
pub fn next_stop(process: ProcessId) -> Result<Option<c_int>> {
    let Ok(number) = libc::id_t::try_from(process.0) else { return Err(Errno::ECHILD) };
    let mut information = MaybeUninit::<libc::siginfo_t>::zeroed();
    let options = libc::__WALL | libc::WNOHANG | libc::WSTOPPED;
    // SAFETY: `information` is ours to be written.
    Errno::result(unsafe { libc::waitid(libc::P_PID, number, information.as_mut_ptr(), options) })?;
    // SAFETY: The call succeeded, so it was filled in, or left as zeros.
    let information = unsafe { information.assume_init() };
    // SAFETY: Both members are there for children; zeros are numbers, too.
    let (stopped, status) = unsafe { (information.si_pid(), information.si_status()) };
    Ok((stopped == process.0).then_some(status))
}

/// Sends a signal of any number to a process.
pub fn send(process: ProcessId, signal: c_int) -> Result<()> {
    let process: pid_t = process.0;
    // SAFETY: It takes numbers.
    Errno::result(unsafe { libc::kill(process, signal) }).map(drop)
}

/// Sends a signal to a thread of this process.
pub fn send_to_thread(thread: ThreadId, signal: Signal) -> Result<()> {
    // SAFETY: It takes numbers.
    Errno::result(unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread.0, signal as c_int) })
        .map(drop)
}

/// Sets what a signal does to this process to the default. Tells whether it was ignored.
pub fn set_default_action(signal: Signal) -> Result<bool> {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: No handler is installed.
    let previous = unsafe { sigaction(signal, &default) }?;
    Ok(matches!(previous.handler(), SigHandler::SigIgn))
}

/// Lets SIGCHLD end a system call that waits, and no more. It is not sent when a child stops. Tells whether it was ignored,
/// with which children would vanish without a status.
pub fn take_child_signal() -> Result<bool> {
    extern "C" fn nothing(_: c_int) {}
    let action = SigAction::new(SigHandler::Handler(nothing), SaFlags::SA_NOCLDSTOP, SigSet::empty());
    // SAFETY: The handler does nothing, which it may at any moment.
    let previous = unsafe { sigaction(Signal::SIGCHLD, &action) }?;
    Ok(matches!(previous.handler(), SigHandler::SigIgn))
}

/// Lets this process ignore a signal.
pub fn ignore(signal: Signal) -> Result<()> {
    let ignored = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
    // SAFETY: No handler is installed.
    unsafe { sigaction(signal, &ignored) }.map(drop)
}

/// Whether a file has an extended attribute.
pub fn has_attribute(file: &Path, name: &CStr) -> bool {
    let Ok(file) = CString::new(file.as_os_str().as_bytes()) else { return false };
    // SAFETY: Both are strings that end with 0, and no value is asked for.
    let length = unsafe { libc::getxattr(file.as_ptr(), name.as_ptr(), std::ptr::null_mut(), 0) };
    length >= 0
}

/// Lets the child that a command starts call `prepare` last of all before it executes its program.
///
/// `prepare` runs in a copy of this process that has one thread only: it must not allocate or lock.
pub fn before_exec(command: &mut Command, prepare: impl FnMut() -> io::Result<()> + Send + Sync + 'static) {
    // SAFETY: The callers in `launch` make system calls only, on values that were made before.
    unsafe { command.pre_exec(prepare) };
}
