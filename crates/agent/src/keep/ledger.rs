//! What the keeper knows: starts, files, which of them are taken, and who is connected.
//!
//! Shared by the watching thread, which adds, and the connections, which read and acknowledge. It touches no
//! file and no socket, so that nobody waits for either under its lock.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use podcov_agent_protocol::{ContainerEnd, FromAgent};

use crate::terminal::say;

/// An application must not be able to fill the sidecar's memory by renaming files.
const MOST_RECORDS: usize = 200_000;

/// How long readers that have everything may take to hang up, so that their exec ends before its container.
const HANG_UP_PATIENCE: Duration = Duration::from_secs(1);

/// A container whose files are kept.
pub struct Container {
    /// Its name in the pod.
    pub name: String,
    /// Where its files are.
    pub directory: PathBuf,
}

/// Position of a container in the ledger.
pub type ContainerIndex = usize;
/// Position of a file in the ledger.
pub type FileIndex = usize;
/// Number of a connection, never used twice.
pub type ConnectionNumber = u64;

/// See the module.
pub struct Ledger {
    containers: Vec<Container>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    starts: Vec<FromAgent>,
    files: Vec<File>,
    file_by_name: BTreeMap<(ContainerIndex, String), FileIndex>,
    /// Files in the order in which to send them. One that could not be read is here again when it came anew.
    offers: Vec<FileIndex>,
    full: bool,
    ended: Option<FromAgent>,
    discarded: bool,
    connections: BTreeMap<ConnectionNumber, Connection>,
    next_connection: ConnectionNumber,
}

struct File {
    container: ContainerIndex,
    name: Arc<str>,
    taken: bool,
    unreadable: bool,
}

#[derive(Clone, Copy, Default)]
struct Connection {
    told_end: bool,
    hearing: Hearing,
    /// The number of the latest snapshot that was asked for, unless it is being taken.
    snapshot: Option<u32>,
}

/// What can still come from a connection's other side.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Hearing {
    /// Anything.
    #[default]
    Open,
    /// Nothing more, but it still listens.
    Ended,
    /// It has everything.
    Done,
    /// The connection is broken, or was misused.
    Broken,
}

/// How far one connection has come.
#[derive(Default)]
pub struct Cursor {
    starts: usize,
    offers: usize,
    up_to_date: bool,
}

/// What a connection has to do next.
pub enum Step {
    /// Send this.
    Send(FromAgent),
    /// Send this file, unless it has already been sent.
    SendFile(FileIndex),
    /// Take a snapshot, and send it.
    Snapshot(u32),
    /// End.
    Close,
}

impl Ledger {
    /// A ledger with nothing in it.
    pub fn new(containers: Vec<Container>) -> Self {
        Self { containers, state: Mutex::default(), changed: Condvar::new() }
    }

    /// The containers whose files are kept.
    pub fn containers(&self) -> &[Container] {
        &self.containers
    }

    /// A process has started and written this meta-data file.
    pub fn add_start(&self, container: ContainerIndex, metadata_file: &str, unix_nanoseconds: u64) {
        let mut state = self.lock();
        if state.has_room() {
            state.starts.push(FromAgent::ProcessStarted {
                container: self.container_name(container),
                metadata_file: metadata_file.to_owned(),
                unix_nanoseconds,
            });
            self.changed.notify_all();
        }
    }

    /// A file is there. Known ones count anew only if they could not be read before.
    pub fn add_file(&self, container: ContainerIndex, name: &str) {
        let mut state = self.lock();
        if !state.has_room() {
            return;
        }
        let known = state.file_by_name.get(&(container, name.to_owned())).copied();
        let index = known.unwrap_or(state.files.len());
        if let Some(file) = state.files.get_mut(index) {
            if !std::mem::take(&mut file.unreadable) {
                return;
            }
        } else {
            state.files.push(File { container, name: name.into(), taken: false, unreadable: false });
            state.file_by_name.insert((container, name.to_owned()), index);
        }
        state.offers.push(index);
        self.changed.notify_all();
    }

    /// Container and name of a file.
    pub fn file(&self, index: FileIndex) -> Option<(&Container, Arc<str>)> {
        let state = self.lock();
        let file = state.files.get(index)?;
        Some((self.containers.get(file.container)?, Arc::clone(&file.name)))
    }

    /// Files that nobody has taken yet.
    pub fn not_taken(&self) -> Vec<FileIndex> {
        let state = self.lock();
        state.files.iter().enumerate().filter(|(_, file)| !file.taken).map(|(index, _)| index).collect()
    }

    /// A file has been read as damaged or not at all.
    pub fn set_unreadable(&self, index: FileIndex) {
        if let Some(file) = self.lock().files.get_mut(index) {
            file.unreadable = true;
        }
    }

    /// A file need not be waited for: somebody has it, or there is nothing to have.
    pub fn set_taken(&self, index: FileIndex) {
        if let Some(file) = self.lock().files.get_mut(index) {
            file.taken = true;
        }
        self.changed.notify_all();
    }

    /// Somebody has this file. A name that was never offered says nothing.
    pub fn acknowledge(&self, container: &str, name: &str) {
        let Some(container) = self.containers.iter().position(|kept| kept.name == container) else { return };
        let index = self.lock().file_by_name.get(&(container, name.to_owned())).copied();
        if let Some(index) = index {
            self.set_taken(index);
        }
    }

    /// Nobody wants what has not been acknowledged.
    pub fn discard(&self) {
        self.lock().discarded = true;
        self.changed.notify_all();
    }

    /// Nothing will be added any more.
    pub fn end(&self, containers: Vec<ContainerEnd>, volume_free_bytes: u64) {
        self.lock().ended = Some(FromAgent::Ended { containers, volume_free_bytes });
        self.changed.notify_all();
    }

    /// Waits until nobody can want anything any more. At the deadline: containers and names of what is left.
    pub fn wait_until_taken(&self, deadline: Instant) -> Vec<(String, String)> {
        let state = self.lock();
        let patience = deadline.saturating_duration_since(Instant::now());
        let (state, _) = self
            .changed
            .wait_timeout_while(state, patience, |state| !state.nothing_is_wanted())
            .unwrap_or_else(PoisonError::into_inner);
        if state.nothing_is_wanted() {
            let _hung_up = self.changed.wait_timeout_while(state, HANG_UP_PATIENCE, |state| {
                !state.discarded
                    && state.connections.values().any(|connection| connection.hearing == Hearing::Done)
            });
            return Vec::new();
        }
        let left = state.files.iter().filter(|file| !file.taken);
        left.map(|file| (self.container_name(file.container), file.name.to_string())).collect()
    }

    /// A connection has come.
    pub fn connect(&self) -> ConnectionNumber {
        let mut state = self.lock();
        let number = state.next_connection;
        state.next_connection += 1;
        state.connections.insert(number, Connection::default());
        number
    }

    /// A connection has gone.
    pub fn disconnect(&self, number: ConnectionNumber) {
        self.lock().connections.remove(&number);
        self.changed.notify_all();
    }

    /// Nothing more comes from the other side.
    pub fn set_hearing(&self, number: ConnectionNumber, hearing: Hearing) {
        if let Some(connection) = self.lock().connections.get_mut(&number) {
            connection.hearing = hearing;
        }
        self.changed.notify_all();
    }

    /// What can still come from the other side.
    pub fn hearing(&self, number: ConnectionNumber) -> Hearing {
        self.lock().connections.get(&number).map_or(Hearing::Broken, |connection| connection.hearing)
    }

    /// The other side says that it has everything. False if it cannot: it has not been told the end.
    pub fn done(&self, number: ConnectionNumber) -> bool {
        let mut state = self.lock();
        match state.connections.get_mut(&number) {
            Some(connection) if connection.told_end => connection.hearing = Hearing::Done,
            _ => return false,
        }
        for file in &mut state.files {
            file.taken = true;
        }
        self.changed.notify_all();
        true
    }

    /// The other side wants a snapshot. An earlier one that was not begun is none that it waits for any more.
    pub fn request_snapshot(&self, number: ConnectionNumber, snapshot: u32) {
        if let Some(connection) = self.lock().connections.get_mut(&number) {
            connection.snapshot = Some(snapshot);
        }
        self.changed.notify_all();
    }

    /// What a connection has not been told yet of what is known, without waiting.
    pub fn next_known(&self, cursor: &mut Cursor) -> Option<Step> {
        self.lock().next_known(cursor)
    }

    /// Waits for what a connection has to do next.
    pub fn next_step(&self, number: ConnectionNumber, cursor: &mut Cursor) -> Step {
        let mut state = self.lock();
        loop {
            let Some(connection) = state.connections.get(&number).copied() else { return Step::Close };
            if matches!(connection.hearing, Hearing::Done | Hearing::Broken) {
                return Step::Close;
            }
            if let Some(step) = state.next_known(cursor) {
                return step;
            }
            if let Some(snapshot) = connection.snapshot {
                if let Some(connection) = state.connections.get_mut(&number) {
                    connection.snapshot = None;
                }
                return Step::Snapshot(snapshot);
            }
            if !cursor.up_to_date {
                cursor.up_to_date = true;
                return Step::Send(FromAgent::UpToDate);
            }
            if let Some(ended) = state.ended.clone().filter(|_| !connection.told_end) {
                if let Some(connection) = state.connections.get_mut(&number) {
                    connection.told_end = true;
                }
                return Step::Send(ended);
            }
            // A reader that can no longer acknowledge gets what there is now, and need not be followed.
            if connection.hearing == Hearing::Ended {
                return Step::Close;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn container_name(&self, index: ContainerIndex) -> String {
        self.containers.get(index).map(|container| container.name.clone()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next_known(&self, cursor: &mut Cursor) -> Option<Step> {
        let step = if let Some(start) = self.starts.get(cursor.starts) {
            cursor.starts += 1;
            Step::Send(start.clone())
        } else {
            let file = *self.offers.get(cursor.offers)?;
            cursor.offers += 1;
            Step::SendFile(file)
        };
        cursor.up_to_date = false;
        Some(step)
    }

    fn has_room(&mut self) -> bool {
        let room = self.starts.len() + self.offers.len() < MOST_RECORDS;
        if !room && !self.full {
            self.full = true;
            say(format_args!("more than {MOST_RECORDS} starts and files: the rest is not kept track of"));
        }
        room
    }

    fn nothing_is_wanted(&self) -> bool {
        self.discarded
            || (self.files.iter().all(|file| file.taken)
                && self.connections.values().all(|connection| connection.hearing == Hearing::Done))
    }
}
