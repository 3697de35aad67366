//! One module per command: its arguments and one function. What commands share lives beside this module.

pub mod collect;
pub mod completions;
pub mod covdata;
pub mod diff;
pub mod doctor;
pub mod eject;
pub mod exec;
pub mod inject;
pub mod man;
pub mod mark;
pub mod report;
pub mod run;
pub mod serve;
pub mod snapshot;

use crate::error::CommandError;

/// Runs a command that waits for other processes or for a cluster.
pub fn block_on<T>(work: impl Future<Output = Result<T, CommandError>>) -> Result<T, CommandError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::failure("cannot start the runtime").caused_by(error))?
        .block_on(work)
}
