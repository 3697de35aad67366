//! Evidence: a value, and where it was read.

use std::fmt;

/// An address as the linker assigned it. In a process of a position-independent executable, everything is moved by the
/// same distance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VirtualAddress(pub u64);

impl fmt::Display for VirtualAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:#x}", self.0)
    }
}

/// Where in an executable something was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a section, which has a name.
    Section {
        /// As `.go.buildinfo`.
        name: String,
        /// In the file.
        offset: u64,
    },
    /// In a segment, by its contents, because there is no such section.
    Segment {
        /// In the file.
        offset: u64,
    },
    /// In the symbol table.
    Symbol {
        /// As `runtime.firstmoduledata`.
        name: &'static str,
        /// What it stands for.
        address: VirtualAddress,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Section { name, offset } => write!(formatter, "section {name}, offset {offset:#x}"),
            Self::Segment { offset } => write!(formatter, "offset {offset:#x}"),
            Self::Symbol { name, address } => write!(formatter, "symbol {name}, address {address}"),
        }
    }
}

/// A value, and where it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<Value> {
    /// What was read.
    pub value: Value,
    /// Where.
    pub place: Place,
}
