//! Processes that are followed no longer: a debugger, with what it debugs, or a program with privileges of its own. Nobody
//! tells of their end, and they cannot be held at it. Owns that what they counted is kept all the same, as it was last read
//! or as they wrote it themselves, and that one which left nothing is recorded.

use podcov_agent_protocol::Moment;
use podcov_process_capture::{ProcessId, descendants};

use crate::process::Watched;
use crate::recorder::Recorder;

/// A process that was let go, or one that it started.
pub(crate) struct LetGo {
    pub(crate) process: Watched,
    why: String,
}

impl Recorder {
    /// What it runs now is as unknown as that of a process that has just started.
    pub(crate) fn let_go(&mut self, id: ProcessId, why: String) {
        self.let_go.insert(id, LetGo { process: Watched::new(id), why });
    }

    /// Looks at all of them, since nobody tells.
    pub(crate) fn look_after_let_go(&mut self) {
        let roots: Vec<_> = self.let_go.iter().map(|(id, let_go)| (*id, let_go.why.clone())).collect();
        for (root, why) in roots {
            for child in descendants(root).unwrap_or_default() {
                if !self.let_go.contains_key(&child) && !self.processes.contains_key(&child) {
                    self.let_go(child, why.clone());
                }
            }
        }
        let starting = self.let_go.iter_mut().filter(|(_, let_go)| let_go.process.is_starting());
        let started: Vec<_> =
            starting.filter_map(|(id, let_go)| Some((*id, let_go.process.read()?))).collect();
        for (id, snapshot) in started {
            self.announce(id, &snapshot);
        }
        let ended = self.let_go.iter().filter(|(_, let_go)| !let_go.process.is_running());
        for id in ended.map(|(id, _)| *id).collect::<Vec<_>>() {
            if let Some(LetGo { process, why }) =
                self.let_go.remove(&id).filter(|one| one.process.is_announced)
            {
                let reason = format!("its end was not seen, because it was not followed: {why}");
                let counters = self.keep_own(&process, reason);
                self.keep_record(id, &process.record(counters, None));
            }
        }
    }

    /// The last moment to look at those that live.
    pub(crate) fn leave_let_go(&mut self) {
        self.look_after_let_go();
        for (id, LetGo { mut process, why }) in std::mem::take(&mut self.let_go) {
            let counters = match process.read() {
                Some(snapshot) => self.keep_memory(&process, &snapshot, Moment::Left),
                None if process.is_announced => self.keep_own(&process, why),
                None => continue,
            };
            self.keep_record(id, &process.record(counters, None));
        }
    }
}
