//! Where bytes come from: a file, a slice, the memory of a process. Opens nothing.

use std::io;

/// Bytes that can be read anywhere. Executables of 100 MB are described from a few tables, so that a source is asked
/// for parts only.
pub trait ByteSource {
    /// How many bytes there are.
    fn length(&self) -> u64;

    /// Fills the whole buffer from `offset` on, or fails.
    fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
}

impl ByteSource for [u8] {
    fn length(&self) -> u64 {
        self.len() as u64
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).ok();
        let bytes = start.and_then(|start| self.get(start..)?.get(..buffer.len()));
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

impl<Source: ByteSource + ?Sized> ByteSource for &Source {
    fn length(&self) -> u64 {
        (**self).length()
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        (**self).read(offset, buffer)
    }
}
