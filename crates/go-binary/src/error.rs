//! Why a file cannot be described.

use std::io;

/// Why a file was refused. Offsets are in bytes from the beginning of the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes could not be read.
    #[error("cannot read {length} bytes at offset {offset:#x}")]
    Read {
        /// Where they begin.
        offset: u64,
        /// How many they are.
        length: usize,
        /// What the source says.
        #[source]
        source: io::Error,
    },
    /// Not an executable of Linux or a BSD.
    #[error("not an ELF file but {format}")]
    NotElf {
        /// What it looks like instead.
        format: &'static str,
    },
    /// An ELF file that is neither an executable nor a shared object, such as an object file or a core dump.
    #[error("an ELF file of type {kind}, not an executable")]
    NotExecutable {
        /// The number of its type.
        kind: u16,
    },
    /// Coverage is read on amd64 and arm64 only.
    #[error("ELF machine {machine} is not supported, only amd64 (62) and arm64 (183), both little-endian")]
    UnsupportedMachine {
        /// The machine's number.
        machine: u16,
    },
    /// The file ends too early: it was cut off while it was built or copied.
    #[error("the file ends at offset {length:#x}, within {what}, which ends at {end:#x}")]
    Truncated {
        /// Where the file ends.
        length: u64,
        /// What is not all there.
        what: &'static str,
        /// Where it would end.
        end: u64,
    },
    /// A table is larger than any that a linker writes.
    #[error("{what}: {count} entries or bytes, more than the {limit} that are read")]
    TooLarge {
        /// The table.
        what: &'static str,
        /// What the file says.
        count: u64,
        /// What is accepted.
        limit: u64,
    },
    /// The bytes contradict the format or each other.
    #[error("{reason} at offset {offset:#x}")]
    Malformed {
        /// Where the contradiction was seen.
        offset: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// The build information has the format of Go 1.17 and older, which have no coverage of executables.
    #[error("build information at offset {offset:#x} in the format of Go 1.17 or older")]
    OldBuildInfo {
        /// Where it is.
        offset: u64,
    },
}
