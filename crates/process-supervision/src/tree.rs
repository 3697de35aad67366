//! The processes of the tree and their threads, as far as they were seen. Owns what is known; calls nobody.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Instant;

use nix::libc::c_int;

use crate::process_id::{ProcessId, ThreadId};

/// All that are followed.
#[derive(Debug, Default)]
pub struct Tree {
    processes: HashMap<ProcessId, Process>,
    /// Threads that have not reached their end.
    threads: HashMap<ThreadId, ProcessId>,
    /// Processes with threads that are held.
    holding: BTreeSet<ProcessId>,
}

/// What the observer knows of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reported {
    /// Nothing: it has not executed a program itself.
    #[default]
    Nothing,
    /// Its program.
    Image,
    /// That it ends, or that its program does.
    End,
}

/// A process.
#[derive(Debug, Default)]
struct Process {
    reported: Reported,
    /// Threads that have not reached their end. One that was created right now may be missing: it has not run yet.
    running: HashSet<ThreadId>,
    /// Whether its first thread is held at its end.
    held_first: bool,
    /// Another thread that is.
    held_latest: Option<ThreadId>,
    /// How long the others are waited for, and the status that is known meanwhile.
    deadline: Option<(Instant, c_int)>,
}

impl Tree {
    /// The process of a thread that is known.
    pub fn process_of(&self, thread: ThreadId) -> Option<ProcessId> {
        self.threads.get(&thread).copied()
    }

    pub fn is_empty(&self) -> bool {
        self.processes.is_empty()
    }

    pub fn contains(&self, process: ProcessId) -> bool {
        self.processes.contains_key(&process)
    }

    /// A thread is there.
    pub fn add(&mut self, process: ProcessId, thread: ThreadId) {
        self.threads.insert(thread, process);
        self.processes.entry(process).or_default().running.insert(thread);
    }

    /// A process executes a program: it is left with its first thread. Whatever ran as `former` goes on as that.
    pub fn executes(&mut self, process: ProcessId, former: ThreadId) {
        self.threads.remove(&former);
        let known = self.processes.entry(process).or_default();
        for thread in known.running.drain() {
            self.threads.remove(&thread);
        }
        *known = Process { reported: Reported::Image, ..Process::default() };
        self.holding.remove(&process);
        self.add(process, process.first_thread());
    }

    /// A process is followed no longer.
    pub fn remove(&mut self, process: ProcessId) {
        if let Some(known) = self.processes.remove(&process) {
            for thread in known.running {
                self.threads.remove(&thread);
            }
        }
        self.holding.remove(&process);
    }

    pub fn reported(&self, process: ProcessId) -> Reported {
        self.processes.get(&process).map(|known| known.reported).unwrap_or_default()
    }

    /// The observer is told of the end, if it knows the process and was not told yet.
    pub fn report_end(&mut self, process: ProcessId) -> bool {
        match self.processes.get_mut(&process) {
            Some(known) if known.reported == Reported::Image => {
                known.reported = Reported::End;
                true
            }
            _ => false,
        }
    }

    /// A thread runs no code of its process any more.
    pub fn reaches_end(&mut self, process: ProcessId, thread: ThreadId) {
        self.threads.remove(&thread);
        self.processes.entry(process).or_default().running.remove(&thread);
    }

    /// A thread has vanished, and may not have been seen reaching its end.
    pub fn vanishes(&mut self, thread: ThreadId) {
        if let Some(process) = self.process_of(thread) {
            self.reaches_end(process, thread);
        }
    }

    /// A thread is held at its end. The whole process has to reach its end until the deadline that was set first. Of
    /// threads that are not their process' first, the latest is enough: the one before it is returned.
    pub fn hold(
        &mut self,
        process: ProcessId,
        thread: ThreadId,
        deadline: Instant,
        status: c_int,
    ) -> Option<ThreadId> {
        self.holding.insert(process);
        let known = self.processes.entry(process).or_default();
        known.deadline.get_or_insert((deadline, status));
        if thread == process.first_thread() {
            known.held_first = true;
            None
        } else {
            known.held_latest.replace(thread)
        }
    }

    /// A thread of a process that is held.
    pub fn held(&self, process: ProcessId) -> Option<ThreadId> {
        let known = self.processes.get(&process)?;
        known.held_first.then(|| process.first_thread()).or(known.held_latest)
    }

    /// The threads that were held.
    pub fn release(&mut self, process: ProcessId) -> impl Iterator<Item = ThreadId> + use<> {
        self.holding.remove(&process);
        let mut held = [None, None];
        if let Some(known) = self.processes.get_mut(&process) {
            known.deadline = None;
            let first = std::mem::take(&mut known.held_first).then(|| process.first_thread());
            held = [first, known.held_latest.take()];
        }
        held.into_iter().flatten()
    }

    /// Processes with threads that are held.
    pub fn holding(&self) -> Vec<ProcessId> {
        self.holding.iter().copied().collect()
    }

    /// The threads of a process that have not reached their end.
    pub fn running(&self, process: ProcessId) -> Vec<ThreadId> {
        self.processes.get(&process).map(|known| known.running.iter().copied().collect()).unwrap_or_default()
    }

    /// How long the other threads of a process are waited for, and with which status it ends.
    pub fn deadline(&self, process: ProcessId) -> Option<(Instant, c_int)> {
        self.processes.get(&process)?.deadline
    }
}
