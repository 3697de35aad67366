//! What a cell of the table is: where a program ran, and what is left of it.

use crate::counts::Kept;
use crate::endings::{self, Ending};

/// What is left of a program that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    pub kept: Kept,
    /// 128 and the number of a signal.
    pub code: i32,
}

/// Where programs run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Local,
    Container,
    Pod,
    Arm64,
}

impl Place {
    /// Those that are tried there.
    pub fn endings(self) -> impl Iterator<Item = Ending> {
        endings::ALL
            .into_iter()
            .filter(move |ending| !matches!(self, Self::Local | Self::Arm64) || ending.places.are_local())
    }
}
