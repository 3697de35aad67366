//! Work on several threads, and its results in order.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
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
    let parts =
        share(count, threads, |indices| indices.map(|index| (index, work(index))).collect::<Vec<_>>());
    let mut all: Vec<_> = parts.into_iter().flatten().collect();
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, result)| result).collect()
}

/// Hands what `work` makes of each index below `count` to `take`, in order and as soon as it can, so that only what waits
/// for its turn is in memory. An error ends it. Each thread makes something once that it uses again.
pub fn hand_over_in_order<S, T: Send, E: Send>(
    count: usize,
    threads: usize,
    make: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> T + Sync,
    take: impl FnMut(T) -> Result<(), E> + Send,
) -> Result<(), E> {
    let turns = Mutex::new(Turns { next: 0, waiting: BTreeMap::new(), take, outcome: Ok(()) });
    share(count, threads, |indices| {
        let mut own = make();
        for index in indices {
            let result = work(&mut own, index);
            if turns.lock().unwrap_or_else(PoisonError::into_inner).add(index, result).is_break() {
                break;
            }
        }
    });
    turns.into_inner().unwrap_or_else(PoisonError::into_inner).outcome
}

/// Results that are handed over in order.
struct Turns<T, F, E> {
    /// The index whose turn it is.
    next: usize,
    waiting: BTreeMap<usize, T>,
    take: F,
    outcome: Result<(), E>,
}

impl<T, E, F: FnMut(T) -> Result<(), E>> Turns<T, F, E> {
    fn add(&mut self, index: usize, result: T) -> ControlFlow<()> {
        self.waiting.insert(index, result);
        while let (Ok(()), Some(result)) = (&self.outcome, self.waiting.remove(&self.next)) {
            self.next += 1;
            self.outcome = (self.take)(result);
        }
        if self.outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_handed_over_in_order_until_an_error() {
        let taken = |last: usize| {
            let mut taken = Vec::new();
            let take = |number| {
                taken.push(number);
                if number == last { Err(number) } else { Ok(()) }
            };
            let result = hand_over_in_order(100, 4, || (), |(), index| index, take);
            (taken, result)
        };
        assert_eq!(taken(100), ((0..100).collect(), Ok(())));
        assert_eq!(taken(7), ((0..=7).collect(), Err(7)));
    }
}
