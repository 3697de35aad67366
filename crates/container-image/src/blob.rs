//! A piece of a file: a stored layer or document, wherever it lies in an archive.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use crate::Error;

/// A range of a file. Copies share the file, and read without disturbing each other.
#[derive(Clone, Debug)]
pub(crate) struct Blob {
    file: Arc<File>,
    start: u64,
    length: u64,
}

impl Blob {
    /// A whole file.
    pub(crate) fn of(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file: Arc::new(file), start: 0, length })
    }

    pub(crate) const fn length(&self) -> u64 {
        self.length
    }

    /// A piece of it; none where it would end past the end.
    pub(crate) fn section(&self, start: u64, length: u64) -> Option<Self> {
        let end = start.checked_add(length)?;
        (end <= self.length).then(|| Self { file: Arc::clone(&self.file), start: self.start + start, length })
    }

    pub(crate) fn reader(&self) -> BlobReader {
        BlobReader { blob: self.clone(), position: 0 }
    }

    /// All of it in memory, if it is not too much.
    pub(crate) fn document(&self, what: &str, limit: u64) -> Result<Vec<u8>, Error> {
        if self.length > limit {
            return Err(Error::too_large(what, limit));
        }
        let mut bytes = Vec::new();
        self.reader().read_to_end(&mut bytes).map_err(|source| Error::unreadable(what, source))?;
        Ok(bytes)
    }
}

/// Reads a [`Blob`] from its beginning.
#[derive(Clone, Debug)]
pub(crate) struct BlobReader {
    blob: Blob,
    position: u64,
}

impl BlobReader {
    /// Passes over some bytes without reading them.
    pub(crate) fn skip(&mut self, length: u64) -> io::Result<()> {
        let position = self.position.checked_add(length).filter(|position| *position <= self.blob.length);
        self.position = position.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(())
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.blob.length - self.position;
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = buffer.get_mut(..length).unwrap_or_default();
        let length = read_at(&self.blob.file, buffer, self.blob.start + self.position)?;
        if length == 0 && left > 0 && !buffer.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file was cut while it was read"));
        }
        self.position += length as u64;
        Ok(length)
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}
