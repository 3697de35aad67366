//! Work on several threads, and its results in order.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// How many threads work of this size is worth.
pub fn threads(size: u64, worth_a_thread: u64) -> usize {
    let available = thread::available_parallelism().map_or(1, NonZero::get);
    let useful = usize::try_from(size / worth_a_thread).unwrap_or(usize::MAX);
    available.min(useful).max(1)
}

/// Lets each thread take one index after the other, until none below `count` is left, and returns what the threads
/// made of them.
pub fn share<T: Send>(
    count: usize,
    threads: usize,
    work: impl Fn(&mut dyn Iterator<Item = usize>) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let one_thread = || {
        let take = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|index| *index < count);
        work(&mut std::iter::from_fn(take))
    };
    if threads < 2 {
        return vec![one_thread()];
    }
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(one_thread)).collect();
        let own = one_thread();
        let joined = others.into_iter().map(|other| match other.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        std::iter::once(own).chain(joined).collect()
    })
}

/// What `work` makes of each index below `count`, in order.
pub fn in_order<T: Send>(count: usize, threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let parts =
        share(count, threads, |indices| indices.map(|index| (index, work(index))).collect::<Vec<_>>());
    let mut all: Vec<_> = parts.into_iter().flatten().collect();
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, result)| result).collect()
}
