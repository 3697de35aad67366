//! What is kept of each process, and when.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use podcov_agent_protocol::{CountersFrom, Moment, ProcessEnding, ProcessRecord};
use podcov_process_capture::{ProcessId, Snapshot};
use podcov_process_supervision::{Descendants, Exit, NotFollowed, Observer, ThreadId};

use crate::directory::Directory;
use crate::let_go::LetGo;
use crate::process::{Watched, now};
use crate::requests::Requests;
use crate::reserve::Reserve;

/// When the end is near, reading takes at most this part of the time.
const HURRY: u32 = 10;

/// Follows all processes of a program.
pub(crate) struct Recorder {
    directory: Directory,
    requests: Requests,
    /// They wait until nothing is being killed.
    requested: Vec<PathBuf>,
    interval: Duration,
    descendants: Descendants,
    say: Box<dyn FnMut(&str) + Send>,
    pub(crate) processes: BTreeMap<ProcessId, Watched>,
    /// Followed no longer.
    pub(crate) let_go: BTreeMap<ProcessId, LetGo>,
    reserve: Reserve,
    /// Held at their end, or not yet gone.
    being_killed: BTreeSet<ProcessId>,
    started: Instant,
    all_read: Instant,
    /// How long that took.
    reading: Duration,
    /// Whoever asked the program to end may soon kill everything.
    is_end_near: bool,
    /// There are processes that only their own files tell of.
    some_are_not_followed: bool,
    /// What the last reading of all said that it could not do.
    problems: BTreeSet<String>,
}

impl Recorder {
    pub(crate) fn new(
        directory: Directory,
        interval: Duration,
        descendants: Descendants,
        say: Box<dyn FnMut(&str) + Send>,
    ) -> Self {
        Self {
            requests: Requests::prepare(directory.path()),
            requested: Vec::new(),
            directory,
            interval,
            descendants,
            say,
            processes: BTreeMap::new(),
            let_go: BTreeMap::new(),
            reserve: Reserve::new(),
            being_killed: BTreeSet::new(),
            started: Instant::now(),
            all_read: Instant::now(),
            reading: Duration::ZERO,
            is_end_near: false,
            some_are_not_followed: false,
            problems: BTreeSet::new(),
        }
    }

    /// The supervision has ended.
    pub(crate) fn finish(mut self) {
        self.leave_let_go();
        self.directory.finish();
    }

    /// Keeps the meta-data of a process once it counts, as Go does.
    pub(crate) fn announce(&mut self, id: ProcessId, snapshot: &Snapshot) {
        let let_go = self.let_go.get_mut(&id).map(|let_go| &mut let_go.process);
        let process = self.processes.get_mut(&id).or(let_go);
        let Some(process) = process.filter(|process| !process.is_announced) else { return };
        process.is_announced = true;
        self.reserve.provide_for(snapshot);
        let kept = self.directory.keep(&snapshot.metadata_file_name(), snapshot.metadata_file());
        self.complain(id, kept);
    }

    fn complain(&mut self, process: ProcessId, kept: io::Result<()>) {
        if let Err(error) = kept {
            (self.say)(&format!("cannot keep the coverage of process {process}: {error}"));
        }
    }

    /// Keeps what a process has counted; nothing more is expected of it.
    fn conclude(&mut self, id: ProcessId, through: ThreadId, moment: Moment, ending: Option<ProcessEnding>) {
        let Some(process) = self.processes.get_mut(&id) else { return };
        let snapshot = process.read_through(process_id(through.0).unwrap_or(id));
        if let Some(snapshot) = &snapshot {
            self.announce(id, snapshot);
        }
        let Some(process) = self.processes.remove(&id) else { return };
        let counters = match &snapshot {
            Some(snapshot) => self.keep_memory(&process, snapshot, moment),
            None => match process.obstacle() {
                Some(reason) => self.keep_own(&process, reason),
                // A program that counts nothing leaves nothing.
                None => return,
            },
        };
        self.keep_record(id, &process.record(counters, ending));
    }

    pub(crate) fn keep_record(&mut self, id: ProcessId, record: &ProcessRecord) {
        self.directory.forget_latest(&record.file_name());
        let kept = self.directory.keep(&record.file_name(), record.to_text().as_bytes());
        self.complain(id, kept);
    }

    pub(crate) fn keep_memory(
        &mut self,
        process: &Watched,
        snapshot: &Snapshot,
        moment: Moment,
    ) -> CountersFrom {
        let name = process.counter_file_name(snapshot, now());
        if let Err(error) = self.directory.keep(&name, &snapshot.counter_file()) {
            return self.keep_own(process, format!("its counters could not be kept: {error}"));
        }
        self.directory.forget_latest(&process.counter_file_name(snapshot, process.started()));
        for own in self.directory.own_counters(process.own_id(), process.started()) {
            self.directory.forget_own(&own);
        }
        CountersFrom::Memory(moment)
    }

    /// Keeps what a process wrote itself, or what was last read of it, since there is nothing better.
    pub(crate) fn keep_own(&mut self, process: &Watched, reason: String) -> CountersFrom {
        let mut own = self.directory.own_counters(process.own_id(), process.started());
        // Each file has all that the process had counted by then, so that the last has everything.
        own.sort_by_key(|own| own.written);
        if let Some(latest) = own.pop()
            && self.directory.use_own(&latest).is_ok()
        {
            for earlier in own {
                self.directory.forget_own(&earlier);
            }
            return CountersFrom::OwnFiles(reason);
        }
        (self.say)(&format!("nothing of the end of {}: {reason}", process.program()));
        let latest = self.directory.use_latest(process.own_id(), process.started());
        latest.map_or(CountersFrom::Nowhere(reason), CountersFrom::Memory)
    }

    /// Whether all processes have to be read again. A program that has just started may be killed soon, too, so that the
    /// first times are closer together.
    fn is_reading_due(&self) -> bool {
        let interval = if self.is_end_near {
            HURRY * self.reading
        } else {
            self.interval.min(self.started.elapsed() / 2)
        };
        self.all_read.elapsed() >= interval
    }

    /// Learns which processes count that had only just started.
    fn look_at_starting(&mut self) {
        let starting = self.processes.iter_mut().filter(|(_, process)| process.is_starting());
        let started: Vec<_> = starting.filter_map(|(id, process)| Some((*id, process.read()?))).collect();
        for (id, snapshot) in started {
            self.announce(id, &snapshot);
        }
    }

    /// Reads everything for those who have asked for it.
    fn answer_requests(&mut self) {
        self.requested.extend(self.requests.take());
        if self.requested.is_empty() || !self.being_killed.is_empty() {
            return;
        }
        self.look_at_starting();
        let is_kept = self.read_all();
        Requests::answer(&std::mem::take(&mut self.requested), is_kept);
    }

    /// Reads every process that counts: for the case that nobody sees its end, and for those who ask. Tells whether
    /// everything was read, and is kept.
    fn read_all(&mut self) -> bool {
        let begun = Instant::now();
        let problems = self.keep_all();
        self.all_read = Instant::now();
        self.reading = begun.elapsed();
        // What goes on was said when it began.
        for problem in problems.difference(&self.problems) {
            (self.say)(problem);
        }
        self.problems = problems;
        self.problems.is_empty()
    }

    /// Returns what could not be read, or not be kept.
    fn keep_all(&mut self) -> BTreeSet<String> {
        let mut problems = BTreeSet::new();
        let let_go = self.let_go.values_mut().map(|let_go| &mut let_go.process);
        for process in self.processes.values_mut().chain(let_go).filter(|process| process.is_announced) {
            let Some(snapshot) = process.read() else {
                // One that has just ended is read at its end. Of one that runs, what was read before is older than it should be.
                if process.is_running() {
                    let reason = process.obstacle().unwrap_or_default();
                    let (id, program) = (process.own_id(), process.program());
                    problems.insert(format!("cannot read process {id} ({program}) now: {reason}"));
                }
                continue;
            };
            let age_milliseconds = now().saturating_sub(process.started()) / 1_000_000;
            let record = process.record(CountersFrom::Memory(Moment::Interval { age_milliseconds }), None);
            // First what says that nobody saw the end: counters without it would be taken for final ones.
            let counter_file_name = process.counter_file_name(&snapshot, process.started());
            let kept = self
                .directory
                .keep_latest(&record.file_name(), record.to_text().as_bytes())
                .and_then(|()| self.directory.keep_latest(&counter_file_name, &snapshot.counter_file()));
            if let Err(error) = kept {
                problems.insert(format!("cannot keep what was counted so far: {error}"));
            }
        }
        problems
    }
}

impl Observer for Recorder {
    fn program_image(&mut self, process: podcov_process_supervision::ProcessId) {
        if let Some(id) = process_id(process.0) {
            self.processes.insert(id, Watched::new(id));
        }
    }

    fn about_to_exec(&mut self, process: podcov_process_supervision::ProcessId, memory_of: ThreadId) {
        if let Some(id) = process_id(process.0) {
            self.conclude(id, memory_of, Moment::Exec, None);
        }
    }

    fn about_to_end(&mut self, process: podcov_process_supervision::ProcessId, status: ExitStatus) {
        const KILLED: i32 = 9;
        let known = process_id(process.0).filter(|id| self.processes.contains_key(id));
        if let (Some(KILLED), Some(id)) = (status.signal(), known) {
            self.reserve.spend();
            self.being_killed.insert(id);
        }
    }

    fn end_requested(&mut self) {
        self.is_end_near = true;
    }

    fn exiting(&mut self, process: podcov_process_supervision::ProcessId, exit: Exit) {
        if let Some(id) = process_id(process.0) {
            self.conclude(id, exit.memory_of, Moment::End, Some(ending(exit.status)));
        }
    }

    fn gone(&mut self, process: podcov_process_supervision::ProcessId, status: ExitStatus) {
        let Some(id) = process_id(process.0) else { return };
        self.being_killed.remove(&id);
        // It is there only if its end could not be held. Then what was last read of it is what there is.
        if let Some(process) = self.processes.remove(&id).filter(|process| process.is_announced) {
            let counters = self.keep_own(&process, "it could not be held at its end".to_owned());
            self.keep_record(id, &process.record(counters, Some(ending(status))));
        }
    }

    fn not_followed(&mut self, process: podcov_process_supervision::ProcessId, why: NotFollowed) {
        if let Some(id) = process_id(process.0) {
            self.processes.remove(&id);
            // Of those that never were, nothing may be read either.
            if let NotFollowed::Debugger(_) | NotFollowed::Privileged = why {
                self.let_go(id, why.to_string());
            }
        }
        self.some_are_not_followed = true;
        (self.say)(&format!(
            "process {process} is not followed ({why}): it writes its coverage itself, if it ends well"
        ));
    }

    fn program_ended(
        &mut self,
        _status: ExitStatus,
        _living: &[podcov_process_supervision::ProcessId],
    ) -> Descendants {
        self.descendants
    }

    fn left(&mut self, process: podcov_process_supervision::ProcessId) {
        if let Some(id) = process_id(process.0) {
            self.conclude(id, ThreadId(process.0), Moment::Left, None);
        }
    }

    fn wake_source(&self) -> Option<BorrowedFd<'_>> {
        self.requests.source()
    }

    fn woken(&mut self) {
        self.answer_requests();
    }

    fn tick(&mut self) {
        self.answer_requests();
        // Whatever takes memory may have to wait until they have ended.
        if !self.being_killed.is_empty() {
            return;
        }
        self.look_at_starting();
        self.look_after_let_go();
        self.reserve.fill();
        if self.is_reading_due() {
            self.read_all();
        }
        if self.some_are_not_followed && self.processes.is_empty() && self.let_go.is_empty() {
            self.directory.use_all_own();
        }
    }
}

fn process_id(number: i32) -> Option<ProcessId> {
    u32::try_from(number).ok().and_then(ProcessId::new)
}

fn ending(status: ExitStatus) -> ProcessEnding {
    match status.signal() {
        Some(signal) => ProcessEnding::Killed(signal),
        None => ProcessEnding::Exited(status.code().unwrap_or_default()),
    }
}
