//! Addresses in a process, and memory that is read at them. Knows no process.

use std::fmt;
use std::io;

use go_binary::{ByteSource, VirtualAddress};

/// An address in a process: where the linker put something, moved by the [`LoadBias`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LiveAddress(pub u64);

impl LiveAddress {
    /// The address so many bytes further on.
    #[must_use]
    pub const fn plus(self, bytes: u64) -> Self {
        Self(self.0.wrapping_add(bytes))
    }
}

impl fmt::Display for LiveAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:#x}", self.0)
    }
}

/// How far an executable was moved when it was loaded: 0 unless it is position-independent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadBias(pub u64);

impl LoadBias {
    /// Where something is in the process.
    #[must_use]
    pub const fn live(self, address: VirtualAddress) -> LiveAddress {
        LiveAddress(address.0.wrapping_add(self.0))
    }
}

/// The memory of a process.
pub trait Memory {
    /// Fills the whole buffer from `address` on, or fails. [`io::ErrorKind::UnexpectedEof`] means that there is no
    /// memory any more.
    fn read(&self, address: LiveAddress, buffer: &mut [u8]) -> io::Result<()>;
}

/// Memory as bytes whose offsets are addresses, to be searched as a file is.
pub(crate) struct AddressSpace<'a, Owner>(pub(crate) &'a Owner);

impl<Owner: Memory> ByteSource for AddressSpace<'_, Owner> {
    fn length(&self) -> u64 {
        u64::MAX
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.0.read(LiveAddress(offset), buffer)
    }
}
