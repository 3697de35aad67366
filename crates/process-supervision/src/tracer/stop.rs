//! What is done about each kind of stop. A failing `ptrace` call means that the thread was killed meanwhile: its end is
//! reported in its own time, so such errors say nothing new.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use nix::libc::{self, c_int, c_long};
use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::{LOOK_AGAIN, Tracer};
use crate::observer::{Exit, NotFollowed, Observer};
use crate::process_id::{ProcessId, ThreadId};
use crate::signals::is_in_own_group;
use crate::{privileges, proc_file, registers, system_call};

/// How long the other threads of a process that ends may take. They are killed already, so only one that is stuck in
/// the kernel takes longer.
const PATIENCE: Duration = Duration::from_secs(2);

/// So many threads are looked at one by one.
const FEW: usize = 2;

/// Programs that trace others. A process that is traced already cannot be traced by them.
const DEBUGGERS: [&str; 9] =
    ["dlv", "gdb", "gdbserver", "lldb", "lldb-server", "ltrace", "rr", "strace", "uftrace"];

/// What a process does to itself, if they come from the kernel.
const FAULTS: [c_int; 6] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGSYS];

/// The signal of job control with this number, of those that a terminal sends.
pub fn of_job_control(signal: c_int) -> Option<Signal> {
    Signal::try_from(signal)
        .ok()
        .filter(|signal| matches!(signal, Signal::SIGTSTP | Signal::SIGTTIN | Signal::SIGTTOU))
}

impl<O: Observer> Tracer<O> {
    /// A thread has stopped: the signal in the low byte, the event above.
    pub(super) fn stopped(&mut self, thread: ThreadId, stop: c_int) {
        const NO_EVENT: c_int = 0;
        let signal = stop & 0xff;
        match stop >> 8 {
            NO_EVENT if self.again.remove(&thread) => self.executes_again(thread),
            NO_EVENT => self.gets_signal(thread, signal),
            libc::PTRACE_EVENT_STOP => self.is_new_or_stopped(thread, signal),
            libc::PTRACE_EVENT_EXEC => self.executes(thread),
            libc::PTRACE_EVENT_EXIT => self.exits(thread),
            // Of fork, vfork and clone the child itself tells.
            _ => go_on(thread, 0),
        }
    }

    fn gets_signal(&mut self, thread: ThreadId, signal: c_int) {
        let Some(process) = self.tree.process_of(thread) else {
            // Not traced: stopped by job control.
            self.stop_with_program(thread, signal);
            return;
        };
        // Go interrupts its own threads with SIGURG, often.
        if process == self.program
            && signal != libc::SIGURG
            && let Ok(Some(sender)) = system_call::sender(thread)
        {
            self.arrivals.delivered(signal, sender, Instant::now());
        }
        let is_lost = process == self.program && self.is_first_process && never_reaches_first(thread, signal);
        go_on(thread, if is_lost { 0 } else { signal });
    }

    fn is_new_or_stopped(&mut self, thread: ThreadId, signal: c_int) {
        if self.tree.process_of(thread).is_none()
            && let Some(process) = proc_file::process_of(thread)
        {
            self.tree.add(process, thread);
        }
        match signal {
            libc::SIGSTOP | libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU => {
                let _ = system_call::stay_stopped(thread);
                self.stop_with_program(thread, signal);
            }
            _ => go_on(thread, 0),
        }
    }

    /// Whoever waits for this process, a shell, has to see it stop when the program does. Only what a terminal stops:
    /// from that, a shell continues the whole group.
    fn stop_with_program(&mut self, thread: ThreadId, signal: c_int) {
        if thread == self.program.first_thread() && is_in_own_group(self.program) {
            self.stopped_by = of_job_control(signal);
        }
    }

    /// A process executes another program. It is left with one thread, which has the number of the process now.
    fn executes(&mut self, thread: ThreadId) {
        let process = ProcessId(thread.0);
        let former = system_call::event_message(thread).ok().and_then(|number| i32::try_from(number).ok());
        self.tree.executes(process, former.map_or(thread, ThreadId));
        if self.are_privileges_withheld
            && privileges::has_own(process)
            && privileges::finish_exec(thread).is_ok()
        {
            self.again.insert(thread);
            return;
        }
        self.begins(process);
    }

    /// The `execve` is done that is to be done again without a tracer.
    fn executes_again(&mut self, thread: ThreadId) {
        let process = ProcessId(thread.0);
        if privileges::prepare_again(thread).is_ok() {
            self.let_go(process, NotFollowed::Privileged);
        } else {
            self.begins(process);
        }
    }

    /// A program is about to run.
    fn begins(&mut self, process: ProcessId) {
        let name = proc_file::program_name(process).unwrap_or_default();
        if DEBUGGERS.contains(&name.as_str()) {
            self.let_go(process, NotFollowed::Debugger(name));
        } else {
            self.living.add(process);
            self.observer.program_image(process);
            go_on(process.first_thread(), 0);
        }
    }

    /// Ends the tracing of a process, which has one thread.
    fn let_go(&mut self, process: ProcessId, why: NotFollowed) {
        let _ = system_call::detach(process.first_thread());
        self.tree.remove(process);
        self.living.remove(process);
        self.was_followed &= process != self.program;
        self.observer.not_followed(process, why);
    }

    /// A thread has run for the last time.
    fn exits(&mut self, thread: ThreadId) {
        let status = system_call::event_message(thread).ok().and_then(|status| c_int::try_from(status).ok());
        let process = self.tree.process_of(thread).or_else(|| proc_file::process_of(thread));
        let (Some(status), Some(process)) = (status, process) else {
            go_on(thread, 0);
            return;
        };
        self.tree.reaches_end(process, thread);
        // Else it was killed with all others, or ends them.
        let ends_alone = system_call_of(thread) == Some(libc::SYS_exit);
        if ends_alone && !self.tree.running(process).is_empty() {
            go_on(thread, 0);
            return;
        }
        if self.tree.held(process).is_none() {
            self.observer.about_to_end(process, ExitStatus::from_raw(status));
        }
        if let Some(former) = self.tree.hold(process, thread, Instant::now() + PATIENCE, status) {
            go_on(former, 0);
        }
        if self.tree.running(process).is_empty() {
            self.report_exit(process, status, true);
        }
    }

    /// Lets go what need not be held any longer.
    ///
    /// A thread that is killed right when it goes on from another stop passes its end unseen, so a thread that is not
    /// known to have got there may have. The last one may be one of these, or be within `execve`.
    pub(super) fn review(&mut self, now: Instant) {
        for process in self.tree.holding() {
            let Some((deadline, status)) = self.tree.deadline(process) else { continue };
            let mut running = self.tree.running(process);
            if running.len() <= FEW {
                running.retain(|thread| !proc_file::is_dead(process, *thread));
            }
            match running[..] {
                [] => self.report_exit(process, status, true),
                [last] if status == 0 && proc_file::is_in_exec(process, last) => {
                    if self.tree.report_end(process) {
                        self.observer.about_to_exec(process, last);
                    }
                    self.release(process);
                }
                // Before Linux 5.16, it waits for those that are held.
                [_] if proc_file::dumps_core(process) => self.report_exit(process, status, true),
                _ if deadline <= now => self.report_exit(process, status, false),
                _ => {}
            }
        }
    }

    /// When that has to be looked at again. Whatever else happens is an event.
    pub(super) fn next_review(&self) -> Option<Instant> {
        let next = |process| {
            let (deadline, _) = self.tree.deadline(process)?;
            let are_few = self.tree.running(process).len() <= FEW;
            Some(if are_few { deadline.min(Instant::now() + LOOK_AGAIN) } else { deadline })
        };
        self.tree.holding().into_iter().filter_map(next).min()
    }

    fn report_exit(&mut self, process: ProcessId, status: c_int, is_final: bool) {
        if let Some(memory_of) = self.tree.held(process)
            && self.tree.report_end(process)
        {
            let status = ExitStatus::from_raw(status);
            self.observer.exiting(process, Exit { status, is_final, memory_of });
        }
        self.living.remove(process);
        self.release(process);
    }

    fn release(&mut self, process: ProcessId) {
        for thread in self.tree.release(process) {
            go_on(thread, 0);
        }
    }
}

/// Whether a signal has no effect on the first process of a PID namespace, which the program would have been: those that
/// it does not handle, unless they are its own faults.
fn never_reaches_first(thread: ThreadId, signal: c_int) -> bool {
    if matches!(signal, libc::SIGURG | libc::SIGSTOP) {
        return false;
    }
    let is_fault = FAULTS.contains(&signal) && system_call::is_from_kernel(thread) != Ok(false);
    let handles = proc_file::process_of(thread).and_then(|process| proc_file::handles(process, signal));
    !is_fault && handles == Some(false)
}

/// The system call in which a stopped thread is.
fn system_call_of(thread: ThreadId) -> Option<c_long> {
    let registers = ptrace::getregs(Pid::from_raw(thread.0)).ok()?;
    registers::system_call(&registers)
}

fn go_on(thread: ThreadId, signal: c_int) {
    let _ = system_call::go_on(thread, signal);
}
