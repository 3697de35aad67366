//! Follows the tree: the one thread that may say `ptrace`. Owns what happens at each stop.

mod stop;

use std::collections::HashSet;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use nix::libc::{self, c_int};
use nix::sys::signal::Signal;

use crate::arrivals::Arrivals;
use crate::doorbell::{self, Doorbell};
use crate::ending::Ending;
use crate::launch::Gate;
use crate::living::LivingProcesses;
use crate::observer::{Descendants, NotFollowed, Observer};
use crate::process_id::{ProcessId, ThreadId};
use crate::signals::{Arrival, Origin, Signals, is_in_own_group, stop_oneself};
use crate::tree::{Reported, Tree};
use crate::{privileges, proc_file, system_call};

/// Without `PTRACE_O_EXITKILL`: the tree outlives a supervisor that is killed.
const FOLLOW: c_int = libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACEFORK
    | libc::PTRACE_O_TRACEVFORK
    | libc::PTRACE_O_TRACEEXEC
    | libc::PTRACE_O_TRACEEXIT;

/// Of a program that is busy.
const EVENTS_AT_ONCE: usize = 64;

/// How often to look whether a thread has got into `execve`: it is on its way, and nothing tells when it is there.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

const FIRST_PROCESS: u32 = 1;

/// Exit code 255.
const UNKNOWN_STATUS: c_int = 0xff00;

const ENOUGH_REQUESTS: u8 = 2;

/// The signals that ask a process to end.
const ENDING: [c_int; 4] = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM];

/// What is needed until the program runs.
pub struct Start {
    pub gate: Gate,
    pub obstacle: Option<NotFollowed>,
    /// Whether the program could be executed.
    pub verdict: Receiver<bool>,
    pub tick: Option<Duration>,
}

/// The state of the thread.
pub struct Tracer<O> {
    observer: O,
    living: LivingProcesses,
    signals: Arc<Signals>,
    doorbell: Doorbell,
    arrivals: Arrivals,
    tree: Tree,
    /// 0 until it is known, which no process has.
    program: ProcessId,
    was_followed: bool,
    status: Option<ExitStatus>,
    /// What becomes of the others, once the program has ended.
    descendants: Option<Descendants>,
    /// How urgently this process was asked to end since then.
    requests_to_end: u8,
    are_privileges_withheld: bool,
    /// This process is the first of a PID namespace, which the program would have been.
    is_first_process: bool,
    /// Threads that are to execute their program again, with its privileges.
    again: HashSet<ThreadId>,
    /// The program was stopped by job control, and this process has to stop like it.
    stopped_by: Option<Signal>,
}

impl<O: Observer> Tracer<O> {
    pub fn new(observer: O, living: LivingProcesses, signals: Arc<Signals>, doorbell: Doorbell) -> Self {
        Self {
            observer,
            living,
            signals,
            doorbell,
            arrivals: Arrivals::default(),
            tree: Tree::default(),
            program: ProcessId(0),
            was_followed: false,
            status: None,
            descendants: None,
            requests_to_end: 0,
            are_privileges_withheld: privileges::are_withheld(),
            is_first_process: std::process::id() == FIRST_PROCESS,
            again: HashSet::new(),
            stopped_by: None,
        }
    }

    /// From the program's first instruction to the end of the supervision. Threads that are still attached then are
    /// let go by the kernel when this thread ends, each as it is.
    pub fn run(mut self, start: Start) -> (Ending, O) {
        doorbell::hear();
        if self.begin(start.gate, start.obstacle, &start.verdict) {
            self.follow(start.tick);
        }
        for process in self.living.list() {
            self.observer.left(process);
            self.living.remove(process);
        }
        // It is always learnt, unless something else in this process waits for children, too.
        let status = self.status.unwrap_or_else(|| ExitStatus::from_raw(UNKNOWN_STATUS));
        (Ending { status, was_followed: self.was_followed }, self.observer)
    }

    /// Attaches to the child and lets it become the program. Tells whether it has.
    fn begin(&mut self, mut gate: Gate, obstacle: Option<NotFollowed>, verdict: &Receiver<bool>) -> bool {
        let Some(program) = gate.wait_for_child() else { return false };
        self.program = program;
        let seize = || {
            system_call::seize(program.first_thread(), FOLLOW)
                .map_err(|error| NotFollowed::NotPermitted(error.into()))
        };
        match obstacle.map_or_else(seize, Err) {
            Ok(()) => {
                self.was_followed = true;
                self.tree.add(program, program.first_thread());
            }
            Err(why) => self.observer.not_followed(program, why),
        }
        gate.open();
        // Who starts the program waits for the child itself if that fails, so no ending may be taken away before
        // that is known. But the child must not be left at a stop.
        loop {
            match verdict.recv_timeout(LOOK_AGAIN) {
                Ok(is_started) => return is_started,
                Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.was_followed
                && let Ok(Some(stop)) = system_call::next_stop(program)
            {
                self.stopped(program.first_thread(), stop);
            }
        }
    }

    fn follow(&mut self, tick: Option<Duration>) {
        let mut next_tick = tick.map(|tick| Instant::now() + tick);
        loop {
            let now = Instant::now();
            let forgets = self.arrivals.forgets().is_some_and(|due| due <= now);
            let is_rung = self.doorbell.is_rung();
            if is_rung || forgets {
                self.take_signals();
                self.arrivals.forget(now);
            }
            if is_rung {
                self.observer.woken();
                self.doorbell.answer();
            }
            let now = Instant::now();
            if let (Some(tick), Some(due)) = (tick, next_tick)
                && due <= now
            {
                self.observer.tick();
                next_tick = Some(Instant::now() + tick);
            }
            self.review(now);
            self.forward_due(now);
            if self.is_over() {
                return;
            }
            if let Some(signal) = self.stopped_by.take() {
                stop_oneself(signal);
            }
            let due = [next_tick, self.arrivals.due(), self.arrivals.forgets(), self.next_review()];
            let due = due.into_iter().flatten().min();
            match self.doorbell.wait_for_child(due) {
                Ok(None) => {}
                Ok(Some((thread, status))) => self.changed(thread, status),
                // No children are left.
                Err(_) => return,
            }
        }
    }

    fn changed(&mut self, thread: ThreadId, status: c_int) {
        if libc::WIFSTOPPED(status) {
            self.stopped(thread, status >> 8);
        } else {
            self.ended(thread, ExitStatus::from_raw(status));
        }
    }

    /// A thread, or a child that is not followed, has ended.
    fn ended(&mut self, thread: ThreadId, status: ExitStatus) {
        self.tree.vanishes(thread);
        self.again.remove(&thread);
        let process = ProcessId(thread.0);
        if self.tree.contains(process) {
            let reported = self.tree.reported(process);
            self.tree.remove(process);
            self.living.remove(process);
            if reported != Reported::Nothing {
                self.observer.gone(process, status);
            }
        }
        if process == self.program && self.status.is_none() {
            self.status = Some(status);
        }
    }

    /// Whether the supervision ends.
    fn is_over(&mut self) -> bool {
        let Some(status) = self.status else { return false };
        if self.tree.is_empty() || self.requests_to_end >= ENOUGH_REQUESTS {
            return true;
        }
        let (living, observer) = (&self.living, &mut self.observer);
        let descendants =
            self.descendants.get_or_insert_with(|| observer.program_ended(status, &living.list()));
        *descendants == Descendants::Leave
    }

    fn take_signals(&mut self) {
        while let Some(arrival) = self.signals.next() {
            if ENDING.contains(&arrival.signal) {
                self.observer.end_requested();
            }
            if self.status.is_some() {
                self.arrives_for_oneself(arrival);
                continue;
            }
            let may_have_twin = self.tree.contains(self.program) && is_in_own_group(self.program);
            if let Some(signal) = self.arrivals.arrive(arrival, may_have_twin, Instant::now()) {
                self.forward(signal);
            }
        }
    }

    fn forward_due(&mut self, now: Instant) {
        if self.arrivals.due().is_none_or(|due| now < due) {
            return;
        }
        // What is pending no more is seen below, so that is asked first.
        let was_pending = proc_file::pending(self.program);
        for _ in 0..EVENTS_AT_ONCE {
            let Ok(Some((thread, status))) = system_call::wait_no_longer() else { break };
            self.changed(thread, status);
        }
        while let Some(signal) = self.arrivals.forward(now, &was_pending) {
            self.forward(signal);
        }
    }

    /// A signal when the program has ended.
    fn arrives_for_oneself(&mut self, arrival: Arrival) {
        let by_key = arrival.origin == Origin::Kernel;
        if ENDING.contains(&arrival.signal) {
            // A key tells the descendants, too, as does who signalled the group and so ended the program; the second time,
            // they are not waited for.
            let tells_all = by_key || self.arrivals.take_twin(arrival);
            let weight = if tells_all { 1 } else { ENOUGH_REQUESTS };
            self.requests_to_end = self.requests_to_end.saturating_add(weight);
        } else if by_key {
            self.stopped_by = stop::of_job_control(arrival.signal);
        }
    }

    fn forward(&mut self, signal: c_int) {
        if self.status.is_none() {
            let _ = system_call::send(self.program, signal);
        }
    }
}
