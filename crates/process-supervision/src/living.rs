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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_that_live_are_looked_at() {
        let (processes, process) = (LivingProcesses::default(), ProcessId(7));
        processes.add(process);
        assert_eq!(processes.list(), [process]);
        assert_eq!(processes.while_alive(process, || 1), Some(1));
        processes.remove(process);
        assert_eq!(processes.while_alive(process, || 1), None);
    }
}
