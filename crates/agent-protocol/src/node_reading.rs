//! What `agent snapshot` and `agent examine` on a node say to podcov of processes that are not the agent's own. The agent
//! is told everything on its command line, and only answers.
//!
//! Field order and variant order are the wire format: append, never reorder.

use serde::{Deserialize, Serialize};

use crate::{AGENT_ARGUMENT_EXAMINE, AGENT_ARGUMENT_SNAPSHOT, Examination};

/// What the processes of a node are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// What they have counted.
    Counters,
    /// What they are, and what they find where GOCOVERDIR points.
    Processes,
}

impl Question {
    /// The agent's first argument; the IDs of containers follow.
    #[must_use]
    pub const fn argument(self) -> &'static str {
        match self {
            Self::Counters => AGENT_ARGUMENT_SNAPSHOT,
            Self::Processes => AGENT_ARGUMENT_EXAMINE,
        }
    }
}

/// One conversation: [`FromReader::Hello`]; of each container its processes; [`FromReader::End`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromReader {
    /// The first message.
    Hello {
        /// [`PROTOCOL_VERSION`](crate::PROTOCOL_VERSION) of the agent.
        protocol_version: u16,
        /// The agent's own version, for messages.
        agent_version: String,
        /// Which start of the node's system it is: numbers and times of processes are of one.
        boot_id: String,
    },
    /// A container is looked at. What follows is of it, up to the next one.
    Container {
        /// The ID that its runtime gave it.
        container_id: String,
        /// How many processes it has.
        processes: u32,
    },
    /// The meta-data of a program follows. Sent once, before the first process that runs it.
    MetaData {
        /// What joins meta-data and counters.
        hash: [u8; 16],
        /// The length of the file: the sum of the data messages.
        length: u64,
    },
    /// A process was read, and its counter file follows.
    Process(ReadProcess),
    /// The next bytes of the file that was announced; at most [`FILE_CHUNK_LENGTH`](crate::FILE_CHUNK_LENGTH).
    Data {
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// A process was not read.
    NotRead {
        /// As the node sees it.
        process_id: u32,
        /// It counts nothing, or has just ended: nothing is missing.
        has_no_counters: bool,
        /// Why.
        why: String,
    },
    /// Nothing follows.
    End,
    /// A process was looked at.
    Examined(Box<Examination>),
}

/// A process that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadProcess {
    /// As the node sees it.
    pub process_id: u32,
    /// When it was started, in clock ticks since its node was.
    pub start_time: u64,
    /// Where its stack begins, which tells the programs apart that a process has been.
    pub start_of_stack: u64,
    /// Of the meta-data that it counts by.
    pub hash: [u8; 16],
    /// `covcounters.*`, as Go would name it.
    pub counter_file: String,
    /// The length of that file.
    pub length: u64,
    /// Some of it was read while a function was counted for the first time, which may be missing.
    pub is_torn: bool,
}
