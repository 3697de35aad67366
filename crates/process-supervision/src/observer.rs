//! What a supervisor tells, and to whom.

use std::io;
use std::os::fd::BorrowedFd;
use std::process::ExitStatus;

use crate::{ProcessId, ThreadId};

/// Is told what happens in the tree of processes. The calls come from one thread, which follows the whole tree:
/// processes that need it wait meanwhile, so calls have to be short.
///
/// A process is reported from the first program on that it executes itself. Until then, its memory is that of its
/// parent (after `vfork`) or a copy of it (after `fork`); a process that ends so is not reported at all.
pub trait Observer: Send + 'static {
    /// The process executes a program: for the first time, or another one. Nothing of it has run yet.
    fn program_image(&mut self, _process: ProcessId) {}

    /// The program of the process is about to be replaced. All of its threads have stopped for good, and its memory
    /// can still be read, through the thread that is named. [`Observer::program_image`] follows, unless the process is killed in between.
    ///
    /// Only for processes with several threads.
    fn about_to_exec(&mut self, _process: ProcessId, _memory_of: ThreadId) {}

    /// The process is about to end: its first thread has. Nothing was looked at yet, so this is the moment to provide for
    /// that. [`Observer::exiting`] follows, or another thread goes on to execute a program.
    fn about_to_end(&mut self, _process: ProcessId, _status: ExitStatus) {}

    /// The process ends, whatever the reason, and is held while this is called. Its memory can be read, at
    /// `/proc/THREAD/mem`, unless the process is killed right now.
    fn exiting(&mut self, _process: ProcessId, _exit: Exit) {}

    /// The process has ended. Without [`Observer::exiting`] before, it could not be held.
    fn gone(&mut self, _process: ProcessId, _status: ExitStatus) {}

    /// The process is not followed, or no longer. Nothing more is told of it, nor of those that it starts. It runs as it
    /// would have run otherwise.
    fn not_followed(&mut self, _process: ProcessId, _why: NotFollowed) {}

    /// The program has ended, and processes of its tree live on. Not asked when there are none.
    fn program_ended(&mut self, _status: ExitStatus, _living: &[ProcessId]) -> Descendants {
        Descendants::WaitFor
    }

    /// The process lives on, and the supervision ends now: the last moment to look at it.
    fn left(&mut self, _process: ProcessId) {}

    /// This process was asked to end, and the program is. Who asked may kill both before the program has ended.
    fn end_requested(&mut self) {}

    /// What the supervision wakes up for besides processes and signals, when it can be read.
    fn wake_source(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// What was asked for may be readable. It is called again until it is not any more.
    fn woken(&mut self) {}

    /// The time that was asked for has passed again.
    fn tick(&mut self) {}
}

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// What its parent will be told.
    pub status: ExitStatus,
    /// Whether all of its threads have stopped for good. If not, one is stuck in the kernel and was not waited for any
    /// longer; it may still change memory.
    pub is_final: bool,
    /// The thread through which memory can be read, at `/proc/THREAD/mem`. Nearly always the first, which has the
    /// number of the process.
    pub memory_of: ThreadId,
}

/// What becomes of the processes that the program leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Descendants {
    /// The supervision goes on until the last has ended, or a signal asks the supervisor to end.
    WaitFor,
    /// The supervision ends. They run on undisturbed; below a supervisor that is PID 1, the kernel kills them.
    Leave,
}

/// Why a process is not followed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotFollowed {
    /// The system does not let it be traced.
    #[error("the system does not permit to trace it")]
    NotPermitted(#[source] io::Error),
    /// A seccomp filter kills who calls ptrace.
    #[error("a seccomp filter forbids ptrace")]
    ForbiddenBySeccomp,
    /// It traces processes itself, and each can have one tracer only.
    #[error("{0} traces processes itself")]
    Debugger(String),
    /// It would not get the privileges that its file gives.
    #[error("it has privileges of its own, which it would not get while it is traced")]
    Privileged,
}
