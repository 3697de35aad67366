//! The end of a run in a few lines for a terminal.
//!
//! Owns the words and their alignment. Colours and prints nothing.

use std::fmt;

use crate::Report;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What sort of message it is, for the caller to colour.
    pub mark: Mark,
    /// Without the mark's sign, and without a line break.
    pub text: String,
}

/// What sort of message a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// As it should be.
    Done,
    /// Something is missing.
    Lost,
    /// Worth knowing.
    Note,
    /// Figures.
    Figures,
}

impl Mark {
    /// Its sign, one column wide.
    #[must_use]
    pub const fn sign(self) -> char {
        match self {
            Self::Done => '✓',
            Self::Lost => '✗',
            Self::Note => '!',
            Self::Figures => ' ',
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.mark.sign(), self.text)
    }
}

/// The end of a run: how complete it is, what was lost and why, and the figures.
#[must_use]
pub fn summary(_report: &Report<'_>) -> Vec<Line> {
    Vec::new()
}
