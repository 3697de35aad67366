//! Why a patch could not be read.

/// Why a patch could not be read. Lines count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The input ends inside of a hunk, or before the first one of a file.
    #[error("the patch ends before what begins in line {line} is complete")]
    Truncated {
        /// Of the file's names, or the hunk's header.
        line: usize,
    },
    /// A line that is not what it has to be there.
    #[error("line {line} of the patch is {reason}")]
    Malformed {
        /// Where.
        line: usize,
        /// What it is instead.
        reason: &'static str,
    },
    /// A merge compared with all its parents.
    #[error("line {line} begins a combined diff, which compares a merge with several commits at once")]
    Combined {
        /// Where.
        line: usize,
    },
    /// Something is there, and nothing of it is a patch.
    #[error("there is no unified diff in it")]
    NotAPatch,
}
