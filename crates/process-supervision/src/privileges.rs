//! Programs with privileges of their own: setuid, setgid, file capabilities. The kernel withholds these from a process
//! that is traced without privilege. So such a process is let go, and executes its program again.
//!
//! Owns how a process is brought to that. When it has just executed its program, nothing of it has run, and its stack
//! holds all that `execve` was given.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::ptr::without_provenance_mut;

use nix::errno::Errno;
use nix::libc::c_long;
use nix::sys::{prctl, ptrace};
use nix::unistd::{Pid, getegid, geteuid};

use crate::process_id::{ProcessId, ThreadId};
use crate::{proc_file, registers, system_call};

type Result<T> = nix::Result<T>;

const WORD: u64 = size_of::<c_long>() as u64;
/// More arguments and variables than this are not looked through.
const MOST_WORDS: u64 = 1 << 18;
/// The entry of the auxiliary vector that names the file.
const AT_EXECFN: u64 = 31;

/// Whether privileges are withheld from processes that this one traces: not if it may trace everybody, nor if nobody
/// can gain any.
pub fn are_withheld() -> bool {
    !proc_file::may_trace_privileged() && !prctl::get_no_new_privs().unwrap_or_default()
}

/// Whether the program that a process executes gives it privileges.
pub fn has_own(process: ProcessId) -> bool {
    const SET_USER_ID: u32 = 0o4000;
    const SET_GROUP_ID: u32 = 0o2000;
    let link = format!("/proc/{process}/exe");
    let Ok(file) = fs::metadata(&link) else { return false };
    let mode = file.permissions().mode();
    (mode & SET_USER_ID != 0 && file.uid() != geteuid().as_raw())
        || (mode & SET_GROUP_ID != 0 && file.gid() != getegid().as_raw())
        || system_call::has_attribute(Path::new(&link), c"security.capability")
}

/// Lets a process go on to the end of the `execve` in which it is: only there do its registers count.
pub fn finish_exec(thread: ThreadId) -> Result<()> {
    ptrace::syscall(Pid::from_raw(thread.0), None)
}

/// Has a process execute its program again as soon as it goes on.
pub fn prepare_again(thread: ThreadId) -> Result<()> {
    let process = Process(Pid::from_raw(thread.0));
    let mut registers = ptrace::getregs(process.0)?;
    let stack = registers::stack(&registers).ok_or(Errno::ENOEXEC)?;
    // The stack: number of arguments, arguments, 0, variables, 0, auxiliary vector.
    let arguments = stack + WORD;
    let variables =
        arguments.checked_add((process.word(stack)?.min(MOST_WORDS) + 1) * WORD).ok_or(Errno::EFAULT)?;
    let end_of_variables = process.find(variables, WORD, |word| word == 0)?;
    let file = process.find(end_of_variables + WORD, 2 * WORD, |key| key == AT_EXECFN)?;
    let file = process.word(file + WORD)?;
    // The name of an open file, which may have been closed.
    if process.word(file)? == u64::from_ne_bytes(*b"/dev/fd/") {
        return Err(Errno::ENOENT);
    }
    // A copy of the page is written to. It is gone with the program.
    let code = registers::prepare_execve(&mut registers, [file, arguments, variables]);
    ptrace::write(process.0, without_provenance_mut(address(code)?), registers::SYSTEM_CALL_INSTRUCTION)?;
    ptrace::setregs(process.0, registers)
}

struct Process(Pid);

impl Process {
    fn word(&self, at: u64) -> Result<u64> {
        ptrace::read(self.0, without_provenance_mut(address(at)?)).map(c_long::cast_unsigned)
    }

    /// The address of the first word that is wanted, of those at a distance of `step`.
    fn find(&self, from: u64, step: u64, is_wanted: impl Fn(u64) -> bool) -> Result<u64> {
        for number in 0..MOST_WORDS {
            let at = from.checked_add(number * step).ok_or(Errno::EFAULT)?;
            if is_wanted(self.word(at)?) {
                return Ok(at);
            }
        }
        Err(Errno::E2BIG)
    }
}

fn address(number: u64) -> Result<usize> {
    usize::try_from(number).map_err(|_| Errno::EFAULT)
}
