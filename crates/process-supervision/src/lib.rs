//! The parent of one program: transparent to it, and told of every process of its tree.
//!
//! Owns how the program is started, followed and ended: `ptrace`, signals, job control, orphans. Knows nothing of
//! Go or of coverage: an [`Observer`] is called, and reads what it wants of a process while its memory is there.
//!
//! ```no_run
//! use podcov_process_supervision::{Exit, Observer, Options, ProcessId, Signals, Supervisor};
//! use std::process::Command;
//! struct Print;
//! impl Observer for Print {
//!     fn exiting(&mut self, process: ProcessId, exit: Exit) {
//!         println!("{process} ends with {}; /proc/{}/mem can be read", exit.status, exit.memory_of);
//!     }
//! }
//! # fn main() -> Result<(), podcov_process_supervision::Error> {
//! let signals = Signals::take()?; // before any thread is started
//! let supervisor = Supervisor::start(Command::new("./server"), Options::default(), signals, Print)?;
//! let (ending, _) = supervisor.run();
//! ending.imitate()
//! # }
//! ```
//!
//! # How it works
//! One thread is the tracer. Every thread of every process of the tree is attached to it with `PTRACE_SEIZE`, from the
//! first instruction on, and stops when it is created, gets a signal, replaces its program, or ends.
//!
//! A process ends when the last of its threads reaches `PTRACE_EVENT_EXIT`. Until then its first thread and the latest
//! are held there, so that the memory stays. When a thread replaces the program, the kernel ends all others first, and
//! they get to the same stop: so the observer is told of an `execve` while the old memory is still there, without a
//! seccomp filter. A process with one thread has no such moment. All Go programs have several threads.
//!
//! As the first process of a PID namespace, it stands where the program would have stood: to that, signals do nothing that
//! it does not handle. So they are taken away from the program, its own faults excepted.
//!
//! # What cannot be had
//! - A process has one tracer. Well-known debuggers are let go when they start, with all that they start. Others find
//!   that they may not trace.
//! - A program with privileges of its own (setuid, file capabilities) is let go where it would not get them. If its file
//!   may not be read, or if it has 32 bits, that fails: it runs without them.
//! - While the supervisor itself is stopped, the tree is held at its next stop.
//! - Before main, Rust ignores SIGPIPE; whether it was ignored before cannot be known. The program gets the default.
#![cfg(target_os = "linux")]

mod arrivals;
mod doorbell;
mod ending;
mod error;
mod launch;
mod living;
mod observer;
mod privileges;
mod proc_file;
mod process_id;
mod registers;
mod signals;
mod supervisor;
mod system_call;
mod tracer;
mod tree;

pub use ending::Ending;
pub use error::Error;
pub use living::LivingProcesses;
pub use observer::{Descendants, Exit, NotFollowed, Observer};
pub use process_id::{ProcessId, ThreadId};
pub use signals::Signals;
pub use supervisor::{Options, Supervisor};
