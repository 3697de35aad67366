//! What `/proc` says of a process or a thread. Everything may have ended meanwhile: then there is no answer.

use std::fs;
use std::io::ErrorKind;

use nix::libc::{self, c_int, c_long};

use crate::process_id::{ProcessId, ThreadId};

/// The process that a thread belongs to.
pub fn process_of(thread: ThreadId) -> Option<ProcessId> {
    status_field(thread, "Tgid:")?.parse().ok().map(ProcessId)
}

/// The signals that wait to be delivered to a process now.
pub fn pending(process: ProcessId) -> impl Fn(c_int) -> bool {
    let mask = mask(process, "ShdPnd:").unwrap_or_default();
    move |signal| has(mask, signal)
}

/// Whether a process has a handler for a signal.
pub fn handles(process: ProcessId, signal: c_int) -> Option<bool> {
    Some(has(mask(process, "SigCgt:")?, signal))
}

fn mask(process: ProcessId, name: &str) -> Option<u64> {
    u64::from_str_radix(&status_field(process.first_thread(), name)?, 16).ok()
}

fn has(mask: u64, signal: c_int) -> bool {
    let bit = u32::try_from(signal).ok().and_then(|signal| signal.checked_sub(1));
    bit.is_some_and(|bit| mask.checked_shr(bit).unwrap_or_default() & 1 == 1)
}

/// Whether a process is being written to a core file.
pub fn dumps_core(process: ProcessId) -> bool {
    status_field(process.first_thread(), "CoreDumping:").is_some_and(|dumps| dumps == "1")
}

/// Whether a seccomp filter holds for this process.
pub fn has_seccomp_filter() -> bool {
    const FILTER: &str = "2";
    field("/proc/self/status", "Seccomp:").is_some_and(|mode| mode == FILTER)
}

/// Whether this process may trace whatever it is allowed to see.
pub fn may_trace_privileged() -> bool {
    const CAP_SYS_PTRACE: u32 = 19;
    let effective = field("/proc/self/status", "CapEff:");
    let effective = effective.and_then(|mask| u64::from_str_radix(&mask, 16).ok()).unwrap_or_default();
    effective >> CAP_SYS_PTRACE & 1 == 1
}

/// The name of the program that a process executes, without directories.
pub fn program_name(process: ProcessId) -> Option<String> {
    let executable = fs::read_link(format!("/proc/{process}/exe")).ok()?;
    Some(executable.file_name()?.to_string_lossy().into_owned())
}

/// Whether a thread is within `execve`, waiting for the others of its process to end.
pub fn is_in_exec(process: ProcessId, thread: ThreadId) -> bool {
    let number: Option<c_long> = match fs::read_to_string(format!("/proc/{process}/task/{thread}/syscall")) {
        Ok(line) => line.split_ascii_whitespace().next().and_then(|number| number.parse().ok()),
        // It hides what it does, but not that it can only be woken up by what it waits for.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            return state(process, thread) == Some('D');
        }
        Err(_) => None,
    };
    matches!(number, Some(libc::SYS_execve | libc::SYS_execveat))
}

/// Whether a thread has ended.
pub fn is_dead(process: ProcessId, thread: ThreadId) -> bool {
    state(process, thread).is_none_or(|state| matches!(state, 'Z' | 'X'))
}

fn state(process: ProcessId, thread: ThreadId) -> Option<char> {
    let line = fs::read_to_string(format!("/proc/{process}/task/{thread}/stat")).ok()?;
    // Behind the name, which may contain anything.
    line.rsplit_once(") ")?.1.chars().next()
}

fn status_field(thread: ThreadId, name: &str) -> Option<String> {
    field(&format!("/proc/{thread}/status"), name)
}

fn field(file: &str, name: &str) -> Option<String> {
    let status = fs::read_to_string(file).ok()?;
    status.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
}
