//! Why a program could not be started under supervision.

use std::io;

/// The program does not run, and nothing of it is left.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It could not be executed: not found, not executable, no memory.
    #[error("cannot start {program}")]
    Start {
        /// As it was named.
        program: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Signals could not be taken over.
    #[error("cannot receive signals")]
    Signals(#[source] io::Error),
    /// The thread that follows the program could not be prepared.
    #[error("cannot start the thread that follows {program}")]
    Tracer {
        /// As it was named.
        program: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}
