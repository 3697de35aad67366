//! Which of the signals that the supervisor gets the program has to get from it.
//!
//! Whoever signals a whole process group (a shell's `kill %1`, `timeout`, the program itself) reaches both, and one more
//! from the supervisor would be one too many: a second SIGTERM often means "at once". So a signal from a process waits a
//! moment, and is dropped when the program got the same one from the same process. Owns the decision; sends nothing.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use nix::libc::c_int;

use crate::process_id::ProcessId;
use crate::signals::{Arrival, Origin};

/// A group is signalled at once, but the program may have to be woken up to be seen getting its signal.
const PATIENCE: Duration = Duration::from_millis(10);
/// A signal that has not arrived here so long after the program got it is not its twin.
const MEMORY: Duration = Duration::from_millis(100);
const MOST_REMEMBERED: usize = 64;

/// Signals on their way.
#[derive(Debug, Default)]
pub struct Arrivals {
    waiting: VecDeque<(Arrival, Instant)>,
    /// What the program got, and until when the twin of that can arrive.
    delivered: VecDeque<(c_int, ProcessId, Instant)>,
}

impl Arrivals {
    /// Takes a signal. `may_have_twin` says whether the program can have got it, too, and can be seen getting it.
    /// Returns it if it is to be forwarded right now.
    pub fn arrive(&mut self, arrival: Arrival, may_have_twin: bool, now: Instant) -> Option<c_int> {
        match arrival.origin {
            Origin::Kernel => return None,
            Origin::Process(_) if may_have_twin => {}
            // Signals stay in their order.
            _ if self.waiting.is_empty() => return Some(arrival.signal),
            _ => {}
        }
        if !self.take_twin(arrival) {
            self.waiting.push_back((arrival, now + PATIENCE));
        }
        None
    }

    /// The program gets a signal from a process.
    pub fn delivered(&mut self, signal: c_int, sender: ProcessId, now: Instant) {
        if self.delivered.len() == MOST_REMEMBERED {
            self.delivered.pop_front();
        }
        self.delivered.push_back((signal, sender, now + MEMORY));
    }

    /// When the next decision is due.
    pub fn due(&self) -> Option<Instant> {
        self.waiting.front().map(|(_, due)| *due)
    }

    /// When everything that has arrived has to be taken, since what the program got is forgotten then.
    pub fn forgets(&self) -> Option<Instant> {
        self.delivered.front().map(|(_, _, until)| *until)
    }

    /// Everything that had arrived at this moment was taken. By that moment, and not when it is taken, since this process
    /// may be late.
    pub fn forget(&mut self, then: Instant) {
        self.delivered.retain(|(_, _, until)| then < *until);
    }

    /// The next signal to be forwarded. `was_pending` says whether the program had it already without having seen it.
    pub fn forward(&mut self, now: Instant, was_pending: impl Fn(c_int) -> bool) -> Option<c_int> {
        while self.due().is_some_and(|due| due <= now) {
            let (arrival, _) = self.waiting.pop_front()?;
            if !self.take_twin(arrival) && !was_pending(arrival.signal) {
                return Some(arrival.signal);
            }
        }
        None
    }

    /// Whether the program got the same signal from the same process. Each is the twin of one.
    pub fn take_twin(&mut self, arrival: Arrival) -> bool {
        let twin = self.delivered.iter().position(|(signal, sender, _)| {
            *signal == arrival.signal && arrival.origin == Origin::Process(*sender)
        });
        twin.and_then(|twin| self.delivered.remove(twin)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use nix::libc::{SIGINT, SIGTERM};

    use super::*;

    const SHELL: ProcessId = ProcessId(7);

    fn from(sender: ProcessId) -> Arrival {
        Arrival { signal: SIGTERM, origin: Origin::Process(sender) }
    }

    #[test]
    fn a_signal_to_the_supervisor_alone_is_forwarded_after_a_moment() {
        let (mut arrivals, now) = (Arrivals::default(), Instant::now());
        assert_eq!(arrivals.arrive(from(SHELL), true, now), None);
        assert_eq!(arrivals.forward(now, |_| false), None);
        assert_eq!(arrivals.forward(now + PATIENCE, |_| false), Some(SIGTERM));
        assert_eq!(arrivals.forward(now + PATIENCE, |_| false), None);
    }

    #[test]
    fn a_signal_to_the_whole_group_is_not_sent_again() {
        let (mut arrivals, now) = (Arrivals::default(), Instant::now());
        for sender in [SHELL, SHELL] {
            arrivals.arrive(from(sender), true, now);
        }
        arrivals.delivered(SIGTERM, SHELL, now);
        // One of the two was for the group; the other one was not.
        assert_eq!(arrivals.forward(now + PATIENCE, |_| false), Some(SIGTERM));
        assert_eq!(arrivals.forward(now + PATIENCE, |_| false), None);
    }

    #[test]
    fn a_signal_that_the_program_has_not_seen_yet_is_not_sent_again() {
        let (mut arrivals, now) = (Arrivals::default(), Instant::now());
        arrivals.arrive(from(SHELL), true, now);
        assert_eq!(arrivals.forward(now + PATIENCE, |signal| signal == SIGTERM), None);
    }

    #[test]
    fn a_signal_that_the_program_got_is_known_however_late_its_twin_is_taken() {
        let (mut arrivals, now) = (Arrivals::default(), Instant::now());
        arrivals.delivered(SIGTERM, SHELL, now);
        let late = now + MEMORY * 10;
        assert_eq!(arrivals.arrive(from(SHELL), true, late), None);
        assert_eq!(arrivals.forward(late + PATIENCE, |_| false), None);
    }

    #[test]
    fn a_signal_that_arrives_long_after_the_program_got_another_is_forwarded() {
        let (mut arrivals, now) = (Arrivals::default(), Instant::now());
        arrivals.delivered(SIGTERM, SHELL, now);
        let forgets = arrivals.forgets().unwrap();
        arrivals.forget(forgets);
        assert_eq!(arrivals.arrive(from(SHELL), true, forgets), None);
        assert_eq!(arrivals.forward(forgets + PATIENCE, |_| false), Some(SIGTERM));
    }

    #[test]
    fn another_senders_signal_is_another_one() {
        let (mut arrivals, now) = (Arrivals::default(), Instant::now());
        arrivals.arrive(from(SHELL), true, now);
        arrivals.delivered(SIGTERM, ProcessId(8), now);
        assert_eq!(arrivals.forward(now + PATIENCE, |_| false), Some(SIGTERM));
    }

    #[test]
    fn keys_on_the_terminal_are_not_forwarded() {
        let (mut arrivals, now) = (Arrivals::default(), Instant::now());
        let key = Arrival { signal: SIGINT, origin: Origin::Kernel };
        assert_eq!(arrivals.arrive(key, true, now), None);
        assert_eq!(arrivals.due(), None);
    }

    #[test]
    fn without_a_common_group_nothing_waits() {
        let (mut arrivals, now) = (Arrivals::default(), Instant::now());
        assert_eq!(arrivals.arrive(from(SHELL), false, now), Some(SIGTERM));
        let hang_up = Arrival { signal: SIGINT, origin: Origin::KernelToLeader };
        assert_eq!(arrivals.arrive(hang_up, true, now), Some(SIGINT));
    }
}
