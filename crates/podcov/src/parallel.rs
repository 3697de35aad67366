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

/// What both make, at the same time.
pub fn both<A, B: Send>(one: impl FnOnce() -> A, other: impl FnOnce() -> B + Send) -> (A, B) {
    thread::scope(|scope| {
        let other = scope.spawn(other);
        (one(), joined(other))
    })
}

/// The result of a thread. What panicked there goes on here.
fn joined<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
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
        std::iter::once(own).chain(others.into_iter().map(joined)).collect()
    })
}

/// What `work` makes of each index below `count`, in order.
pub fn in_order<T: Send>(count: usize, threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    in_order_with(count, threads, || (), |(), index| work(index))
}

/// The same with something that each thread makes once and uses again.
pub fn in_order_with<S, T: Send>(
    count: usize,
    threads: usize,
    make: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> T + Sync,
) -> Vec<T> {
    let parts = share(count, threads, |indices| {
        let mut own = make();
        indices.map(|index| (index, work(&mut own, index))).collect::<Vec<_>>()
    });
    let mut all: Vec<_> = parts.into_iter().flatten().collect();
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, result)| result).collect()
}
