//! Shows what goes on in the cluster, and remembers what the record has to say of it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use podcov_cluster::{Event, Observer};

use crate::terminal::{self, Progress, Terminal};

/// The observer of a cluster command.
pub struct Watching {
    terminal: Terminal,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    progress: Option<Progress>,
    rollouts: BTreeMap<String, (u32, u32)>,
    notes: Vec<String>,
}

impl Watching {
    /// Shows on this terminal.
    pub fn new(terminal: &Terminal) -> Self {
        Self { terminal: terminal.clone(), state: Mutex::default() }
    }

    /// From now on, events update this progress line.
    pub fn begin(&self, word: &str, subject: &str) {
        let progress = self.terminal.progress(word, subject);
        let mut state = self.state();
        state.rollouts.clear();
        state.progress = Some(progress);
    }

    /// The work that the progress line was for is over.
    pub fn end(&self) {
        self.state().progress = None;
    }

    /// A note for the record that is shown as a warning too.
    pub fn note(&self, note: String) {
        self.terminal.warning(&note);
        self.state().notes.push(note);
    }

    /// What was noted so far.
    pub fn notes(&self) -> Vec<String> {
        self.state().notes.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Watching {
    fn event(&self, event: Event) {
        match event {
            Event::Rollout { workload, ready, wanted } => {
                let mut state = self.state();
                state.rollouts.insert(workload, (ready, wanted));
                let parts: Vec<String> = state
                    .rollouts
                    .iter()
                    .map(|(workload, (ready, wanted))| format!("{workload} {ready} of {wanted} ready"))
                    .collect();
                if let Some(progress) = &state.progress {
                    progress.update(parts.join(", "));
                }
            }
            Event::Collection { pods_ended, pods, bytes } => {
                let state = self.state();
                // While pods come up nothing is collected yet, and the line belongs to the rollout.
                if let (Some(progress), true) = (&state.progress, state.rollouts.is_empty()) {
                    progress.update(format!("{pods_ended} of {pods} pods ended, {}", terminal::bytes(bytes)));
                }
            }
            Event::Note(note) => self.note(note),
        }
    }
}
