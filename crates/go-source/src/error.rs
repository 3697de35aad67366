//! Why a checkout cannot be searched at all. A single file that is not found is no error: see
//! [`Missing`](crate::Missing).

use std::path::PathBuf;

/// Why a checkout cannot be searched.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory to search is not there, or may not be entered.
    #[error("source directory {} cannot be read", path.display())]
    Root {
        /// As it was given.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The directory to search is something else.
    #[error("source directory {} is not a directory", path.display())]
    NotADirectory {
        /// As it was given.
        path: PathBuf,
    },
}
