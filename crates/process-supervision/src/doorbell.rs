//! Wakes the tracer, which waits for its children, when there is something else to be done: a signal, a request, a time
//! that has come. Owns the thread that waits for these; what is to be done, the tracer sees itself.
//!
//! Who waits in `waitpid` is woken where the thread that stops is about to sleep, which makes a stop cheap. Who waits in
//! `poll` for the signal about it is woken on another processor, which may be idle and slow to wake, or busy. But of all
//! else only a signal ends `waitpid`, and one that comes just before is lost: so it is sent until it is answered.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc::c_int;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use nix::unistd::gettid;

use crate::process_id::ThreadId;
use crate::system_call;

/// For who was not waiting yet when it rang.
const RING_AGAIN: Duration = Duration::from_millis(1);

/// A time that has passed already. Zero would mean never.
const AT_ONCE: Duration = Duration::from_nanos(1);

/// The tracer's side.
#[derive(Debug)]
pub struct Doorbell {
    line: Arc<Line>,
    listener: Option<JoinHandle<()>>,
    due: Option<Instant>,
}

/// Between the tracer and the thread that rings.
#[derive(Debug)]
struct Line {
    state: Mutex<State>,
    answered: Condvar,
    timer: TimerFd,
}

#[derive(Debug, Default)]
struct State {
    is_rung: bool,
    /// The tracer, while it waits.
    waiting: Option<ThreadId>,
    is_removed: bool,
}

impl Doorbell {
    /// It rings as long as one of these can be read. All signals are blocked in this thread.
    pub fn install(sources: &[BorrowedFd<'_>]) -> io::Result<Self> {
        let timer =
            TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK)?;
        let line = Arc::new(Line { state: Mutex::default(), answered: Condvar::new(), timer });
        let sources: Vec<OwnedFd> =
            sources.iter().map(BorrowedFd::try_clone_to_owned).collect::<io::Result<_>>()?;
        let ringing = Arc::clone(&line);
        let listener =
            thread::Builder::new().name("doorbell".to_owned()).spawn(move || ringing.listen(&sources))?;
        Ok(Self { line, listener: Some(listener), due: None })
    }

    pub fn is_rung(&self) -> bool {
        self.line.lock().is_rung
    }

    /// Everything was looked at. Whatever has come meanwhile rings again.
    pub fn answer(&self) {
        self.line.lock().is_rung = false;
        self.line.answered.notify_one();
    }

    /// Waits for a child to change: its number and its status. None when it rings, or at the time that is due. `ECHILD`
    /// if there are no children.
    pub fn wait_for_child(&mut self, due: Option<Instant>) -> nix::Result<Option<(ThreadId, c_int)>> {
        self.set_timer(due);
        {
            let mut state = self.line.lock();
            if state.is_rung {
                return Ok(None);
            }
            state.waiting = Some(ThreadId(gettid().as_raw()));
        }
        let event = system_call::wait();
        self.line.lock().waiting = None;
        match event {
            Err(Errno::EINTR) => Ok(None),
            event => event.map(Some),
        }
    }

    fn set_timer(&mut self, due: Option<Instant>) {
        if due == self.due {
            return;
        }
        self.due = due;
        // These fail only for what is no timer or no time.
        let _ = match due {
            Some(due) => self.line.ring_after(due.saturating_duration_since(Instant::now())),
            None => self.line.timer.unset(),
        };
    }
}

impl Drop for Doorbell {
    fn drop(&mut self) {
        self.line.lock().is_removed = true;
        self.line.answered.notify_one();
        let _ = self.line.ring_after(AT_ONCE);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

impl Line {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring_after(&self, time: Duration) -> nix::Result<()> {
        let expiration = Expiration::OneShot(TimeSpec::from_duration(time.max(AT_ONCE)));
        self.timer.set(expiration, TimerSetTimeFlags::empty())
    }

    fn listen(&self, sources: &[OwnedFd]) {
        let sources = sources.iter().map(AsFd::as_fd).chain([self.timer.as_fd()]);
        let mut sources: Vec<_> = sources.map(|source| PollFd::new(source, PollFlags::POLLIN)).collect();
        loop {
            // Whatever it says, the tracer looks at everything.
            let _ = poll(&mut sources, PollTimeout::NONE);
            if self.timer_has_expired() && self.lock().is_removed {
                return;
            }
            self.ring();
        }
    }

    fn timer_has_expired(&self) -> bool {
        // It does not block, and takes the expiration away.
        self.timer.wait().is_ok()
    }

    /// Until it is answered.
    fn ring(&self) {
        let mut state = self.lock();
        state.is_rung = true;
        while state.is_rung && !state.is_removed {
            state = match state.waiting {
                Some(tracer) => {
                    let _ = system_call::send_to_thread(tracer, Signal::SIGCHLD);
                    let waited = self.answered.wait_timeout(state, RING_AGAIN);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.answered.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

/// Lets this thread be woken.
pub fn hear() {
    let mut only = SigSet::empty();
    only.add(Signal::SIGCHLD);
    let _ = only.thread_unblock();
}
