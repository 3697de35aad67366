//! The messages. Field order and variant order are the wire format: append, never reorder.

use serde::{Deserialize, Serialize};

/// Rises with every change that an older podcov would misread, or that an older agent would not understand.
pub const PROTOCOL_VERSION: u16 = 2;

/// Agents from this version on are understood. What a newer version is needed for is not asked of them.
pub const OLDEST_PROTOCOL_VERSION: u16 = 1;

/// Agents from this version on understand [`ToAgent::Snapshot`]. Older ones end the connection.
pub const SNAPSHOT_PROTOCOL_VERSION: u16 = 2;

/// The most bytes of a file in one [`FromAgent::FileData`].
pub const FILE_CHUNK_LENGTH: usize = 128 * 1024;

/// From the agent in the pod to podcov.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromAgent {
    /// The first message of every connection.
    Hello {
        /// [`PROTOCOL_VERSION`] of the agent.
        protocol_version: u16,
        /// The agent's own version, for messages.
        agent_version: String,
        /// The containers whose files the agent keeps.
        containers: Vec<String>,
    },
    /// A process built with coverage started: it has just written its meta-data file.
    /// Sent for every start since the agent came up, also those before this connection.
    ProcessStarted {
        /// Where it runs.
        container: String,
        /// The meta-data file's name, `covmeta.<hash>`.
        metadata_file: String,
        /// When, by the node's clock, in nanoseconds since 1970.
        unix_nanoseconds: u64,
    },
    /// A complete covmeta or covcounters file follows: data messages, then [`FromAgent::FileEnd`].
    FileBegin {
        /// Whose it is.
        container: String,
        /// Its name as Go chose it.
        name: String,
        /// Its length in bytes: the sum of the data messages.
        length: u64,
    },
    /// The next bytes of the file that was begun; at most [`FILE_CHUNK_LENGTH`].
    FileData {
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// The file that was begun is complete.
    FileEnd,
    /// The file that was begun, or was about to be, cannot be read to its end.
    FileUnreadable {
        /// Whose it is.
        container: String,
        /// Its name.
        name: String,
        /// The system's reason.
        reason: String,
    },
    /// Everything that was there at this moment has been sent. More may follow while the pod lives.
    UpToDate,
    /// Every application container has ended and every file has been sent; nothing follows.
    Ended {
        /// One for each container of [`FromAgent::Hello`].
        containers: Vec<ContainerEnd>,
        /// Free bytes of the data volume.
        volume_free_bytes: u64,
    },
    /// What a process that lives has counted by now, or the record of it: data messages follow as for
    /// [`FromAgent::FileBegin`]. It replaces the one of the same name, is replaced by what the process leaves at its
    /// end, and is not acknowledged.
    LiveFileBegin {
        /// Whose it is.
        container: String,
        /// As for finished files, but the time in the name of counters is that of the start of the process.
        name: String,
        /// Its length in bytes: the sum of the data messages.
        length: u64,
    },
    /// The answer to [`ToAgent::Snapshot`]: everything that was counted before the request has been sent.
    SnapshotTaken {
        /// That of the request.
        number: u32,
        /// One for each container of [`FromAgent::Hello`].
        containers: Vec<ContainerSnapshot>,
    },
}

/// What came of a snapshot in a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerSnapshot {
    /// The container's name.
    pub container: String,
    /// Whether it has everything.
    pub outcome: SnapshotOutcome,
}

/// Whether a snapshot of a container has everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SnapshotOutcome {
    /// All processes that the agent follows were read.
    Taken,
    /// No agent is the parent of its program now: it is not supervised, has not started, or has ended.
    NotSupervised,
    /// The agent of the container could not read or keep it; its log says why.
    Failed,
    /// The agent of the container did not answer in time.
    NoAnswer,
}

/// What the agent found of a container at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerEnd {
    /// The container's name.
    pub container: String,
    /// Files that Go began and did not finish (`tmp.cov*`): a full volume, or a killed process.
    pub unfinished_files: Vec<String>,
}

/// From podcov to the agent in the pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToAgent {
    /// The file is safe on podcov's side: synced to disk under its final name.
    Acknowledge {
        /// Whose it is.
        container: String,
        /// Its name.
        name: String,
    },
    /// The answer to [`FromAgent::Ended`]: everything has arrived, the agent may exit.
    Done,
    /// Nobody wants the data that has not been acknowledged: exit when the containers have ended.
    Discard,
    /// Send what all processes have counted by now.
    Snapshot {
        /// Comes back in the answer.
        number: u32,
    },
}
