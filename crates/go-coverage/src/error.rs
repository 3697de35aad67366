//! Why bytes were refused. Every parser and the merger return this one enum.

use crate::MetaDataHash;

/// Why a file was refused. Offsets are in bytes from the beginning of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes end too early: the file was cut off, or a length in it is wrong.
    #[error("the file ends within {what} at offset {offset}")]
    Truncated {
        /// Where the missing bytes would begin.
        offset: usize,
        /// What was being read.
        what: &'static str,
    },
    /// These bytes are another kind of file.
    #[error("not a {expected} file: wrong magic number at offset {offset}")]
    WrongMagic {
        /// What the bytes should have been.
        expected: &'static str,
        /// Where the magic number should be.
        offset: usize,
    },
    /// A format from the future.
    #[error("{file} file of version {version} at offset 4; version 1 and lower can be read")]
    UnknownVersion {
        /// The kind of file.
        file: &'static str,
        /// What it says its version is.
        version: u32,
    },
    /// A counter mode that no count can be made of: registration only (4), test main (5), or none that Go has.
    #[error("counter mode {mode} at offset {offset} is not set (1), count (2) or atomic (3)")]
    UnusableCounterMode {
        /// The mode's number.
        mode: u8,
        /// Where it stands.
        offset: usize,
    },
    /// The counters are big-endian. No Go release writes that.
    #[error("big-endian counters (offset {offset}) are not supported")]
    BigEndian {
        /// Where the flag stands.
        offset: usize,
    },
    /// The bytes contradict the format or each other.
    #[error("{reason} at offset {offset}")]
    Malformed {
        /// Where the contradiction was seen.
        offset: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// The counters belong to a program whose meta-data has not been added.
    #[error("no meta-data for these counters: covmeta.{hash} is missing")]
    OrphanCounters {
        /// The meta-data they belong to.
        hash: MetaDataHash,
    },
    /// The counters name a function that their meta-data does not have.
    #[error(
        "counters at offset {offset} name function {function} of package {package}, unknown to covmeta.{hash}"
    )]
    UnknownFunction {
        /// Where the function's counters begin.
        offset: usize,
        /// The meta-data that they claim to belong to.
        hash: MetaDataHash,
        /// Index of the package, from 0.
        package: u32,
        /// Index of the function within the package, from 0.
        function: u32,
    },
    /// A function has more or fewer counters than units.
    #[error(
        "{counters} counters at offset {offset} for the {units} units of function {function} of package {package}"
    )]
    CounterCount {
        /// Where the function's counters begin.
        offset: usize,
        /// Index of the package, from 0.
        package: u32,
        /// Index of the function within the package, from 0.
        function: u32,
        /// Counters in the file.
        counters: usize,
        /// Units in the meta-data.
        units: usize,
    },
    /// Two meta-data files with the same hash say different things: one of them is damaged.
    #[error("covmeta.{hash} was already added with other contents")]
    ConflictingMetaData {
        /// The hash they share.
        hash: MetaDataHash,
    },
    /// One file has a counter per unit, another a counter per function. Go refuses the mixture as well.
    #[error("covmeta.{hash} has another counter granularity than the meta-data files before it")]
    GranularityClash {
        /// The file that was refused.
        hash: MetaDataHash,
    },
}
