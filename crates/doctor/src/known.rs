//! What is known of one thing. Never a default in place of what could not be seen.

use serde::Serialize;

/// A fact that may be missing: seen somewhere, not there, or not to be seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Known<T> {
    /// It was seen.
    Found {
        /// What it is.
        value: T,
        /// Where it was read, as a person would look it up: `api:/proc/1/environ`, `Dockerfile:12`.
        read_from: String,
    },
    /// It was looked for, and is not there.
    Absent {
        /// Where it would be.
        read_from: String,
    },
    /// It could not be looked at.
    Unknown {
        /// Why.
        reason: String,
    },
}

impl<T> Known<T> {
    /// It was seen there.
    pub fn found(value: T, read_from: impl Into<String>) -> Self {
        Self::Found { value, read_from: read_from.into() }
    }

    /// It is not where it would be.
    pub fn absent(read_from: impl Into<String>) -> Self {
        Self::Absent { read_from: read_from.into() }
    }

    /// It could not be looked at.
    pub fn unknown(reason: impl Into<String>) -> Self {
        Self::Unknown { reason: reason.into() }
    }

    /// What was looked for and seen, or not.
    pub fn from_option(value: Option<T>, read_from: impl Into<String>) -> Self {
        match value {
            Some(value) => Self::found(value, read_from),
            None => Self::absent(read_from),
        }
    }

    /// The value, if it was seen.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Found { value, .. } => Some(value),
            Self::Absent { .. } | Self::Unknown { .. } => None,
        }
    }

    /// Whether it is known not to be there. Not so if it could not be looked at.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent { .. })
    }

    /// Where it was read, or would be.
    pub fn read_from(&self) -> Option<&str> {
        match self {
            Self::Found { read_from, .. } | Self::Absent { read_from } => Some(read_from),
            Self::Unknown { .. } => None,
        }
    }
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self::unknown("not looked at")
    }
}
