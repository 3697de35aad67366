//! Coverage counters out of a running Linux process, without stopping or changing it.
//!
//! Go keeps the counters of a program that was built with `-cover` in one array, and a list of its packages' meta-data.
//! [`Process::attach`] finds out where; [`Process::snapshot`] then is two reads of the process's memory, and gives the
//! bytes that the process itself would write: the meta-data file is the same, byte for byte.
//!
//! Owns reading, checking and subtracting. When to read, and what to do with the files, is the caller's affair: a
//! snapshot may also be taken of a process that is stopped at its exit (`PTRACE_EVENT_EXIT`), from any thread.
//!
//! A process may say anything in its memory. Everything is checked before it is used, and lengths have limits: what is
//! wrong gives an [`Error`].
//!
//! Not read: the counters of plugins, which have module data of their own.
#![cfg(target_os = "linux")]

mod address;
mod container;
mod counters;
mod denial;
mod error;
mod examination;
mod executable;
mod meta_data_list;
mod module;
mod proc_files;
mod process;
mod process_memory;
mod process_tree;
mod program;
mod snapshot;
mod starting;

pub use address::{LiveAddress, LoadBias, Memory};
pub use container::{is_of_container, processes_in_cgroups_of, processes_of_container};
pub use counters::Counters;
pub use denial::Denial;
pub use error::{Error, Reason};
pub use examination::examine;
pub use executable::FileSource;
pub use module::{ListPlace, Module, find_module};
pub use proc_files::{ProcessId, StartOfStack, StartTime};
pub use process::Process;
pub use process_tree::{descendants, start_time};
pub use program::{Program, read_program};
pub use snapshot::{ProcessKey, Snapshot};
pub use starting::read_when_started;
