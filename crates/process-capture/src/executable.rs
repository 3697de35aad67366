//! The executable of a process, read through `/proc/PID/exe`, which also works for deleted files and other roots.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use go_binary::ByteSource;

/// A file, read where it is asked for.
#[derive(Debug)]
pub struct FileSource {
    file: File,
    length: u64,
}

impl FileSource {
    /// Of an open file.
    pub fn new(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file, length })
    }
}

impl ByteSource for FileSource {
    fn length(&self) -> u64 {
        self.length
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }
}
