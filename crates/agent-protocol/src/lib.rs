//! What podcov and its agent in the pod say to each other, and where in the pod things are.
//!
//! Owns the messages, their framing and the pod's layout, as constants that both sides share. It moves no
//! bytes to a socket and knows no Kubernetes.
//!
//! A frame is a little-endian `u32` length followed by that many bytes of one postcard message. Both sides
//! refuse a frame longer than [`MAX_FRAME_LENGTH`] before they allocate for it. The agent speaks first with
//! [`FromAgent::Hello`]; a reader stops there that meets a version which is newer than its own [`PROTOCOL_VERSION`], or older than
//! [`OLDEST_PROTOCOL_VERSION`]. An agent lives as long as its pod, so that older ones are met.

mod examination;
mod frame;
mod layout;
mod message;
mod node_reading;
mod process_record;

pub use examination::{
    Counted, CoverageFiles, Directory, DirectoryState, Examination, GoProgram, ProgramCoverage,
};
pub use frame::{FrameError, MAX_FRAME_LENGTH, decode, encode, read_frame, write_frame};
pub use layout::{
    AGENT_ARGUMENT_ATTACH, AGENT_ARGUMENT_EXAMINE, AGENT_ARGUMENT_KEEP, AGENT_ARGUMENT_SNAPSHOT,
    AGENT_ARGUMENT_SUPERVISE, AGENT_ARGUMENT_WAIT, AGENT_DIRECTORY, AGENT_EXECUTABLE, CONTAINER_DIRECTORY,
    EXIT_DEADLINE, KEEP_DEADLINE_FLAG, LATEST_DIRECTORY, OWN_FILES_DIRECTORY, REQUESTS_DIRECTORY,
    SIDECAR_DATA_DIRECTORY, SOCKET, STATE_DIRECTORY, is_coverage_file_name, is_kept_file_name,
    is_metadata_file_name,
};
pub use message::{
    ContainerEnd, ContainerSnapshot, FILE_CHUNK_LENGTH, FromAgent, OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION,
    SNAPSHOT_PROTOCOL_VERSION, SnapshotOutcome, ToAgent,
};
pub use node_reading::{FromReader, Question, ReadProcess};
pub use process_record::{
    CountersFrom, Moment, ProcessEnding, ProcessRecord, is_process_record_name, process_of_record,
    process_record_name,
};
