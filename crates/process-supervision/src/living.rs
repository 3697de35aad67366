//! Which processes live, for other threads than the tracer's.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ProcessId;

/// The processes that live and were reported, shared with the tracer.
#[derive(Clone, Debug, Default)]
pub struct LivingProcesses(Arc<Mutex<BTreeSet<ProcessId>>>);

impl LivingProcesses {
    /// All of them at this moment.
    #[must_use]
    pub fn list(&self) -> Vec<ProcessId> {
        self.lock().iter().copied().collect()
    }

    /// Calls `look` while the process surely is the one that was reported, and its memory is there: nothing of the tree
    /// comes to its end meanwhile, so `look` has to be short. None if it has ended.
    pub fn while_alive<T>(&self, process: ProcessId, look: impl FnOnce() -> T) -> Option<T> {
        let processes = self.lock();
        processes.contains(&process).then(look)
    }

    pub(crate) fn add(&self, process: ProcessId) {
        self.lock().insert(process);
    }

    pub(crate) fn remove(&self, process: ProcessId) {
        self.lock().remove(&process);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<ProcessId>> {
        // A set stays whole whatever panics in `look`.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
