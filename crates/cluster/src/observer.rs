//! What goes on, told to whoever shows it. Nothing here is needed for the work itself.

/// Something a person may want to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Pods of a workload that are as wanted, of those wanted.
    Rollout {
        /// Kind and name.
        workload: String,
        /// Pods as wanted and ready.
        ready: u32,
        /// Pods wanted.
        wanted: u32,
    },
    /// Data arrived, or a pod finished.
    Collection {
        /// Prepared pods that ended and whose data is here.
        pods_ended: u32,
        /// Prepared pods in all.
        pods: u32,
        /// Bytes received so far.
        bytes: u64,
    },
    /// Something that a user should know and that stops nothing.
    Note(String),
}

/// Shows events.
pub trait Observer: Send + Sync {
    /// Called from any task; must not block.
    fn event(&self, event: Event);
}
