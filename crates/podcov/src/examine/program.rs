//! A program in a file of an image.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Mutex, PoisonError};

use go_binary::{ByteSource, Executable};
use podcov_doctor::facts::Binary;
use podcov_doctor::facts::binary::Contents;

/// A file that is read anywhere, on every system.
struct FileBytes {
    file: Mutex<File>,
    length: u64,
}

impl ByteSource for FileBytes {
    fn length(&self) -> u64 {
        self.length
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(buffer)
    }
}

/// A Go program.
#[derive(Clone, Debug)]
pub struct Program {
    pub binary: Binary,
    /// Whether anything in it can wait for SIGTERM; none if that could not be told.
    pub can_wait_for_termination: Option<bool>,
}

/// None if Go did not build it.
pub fn examine(name: &str, file: File) -> io::Result<Option<Program>> {
    let length = file.metadata()?.len();
    let source = FileBytes { file: Mutex::new(file), length };
    let binary = Binary::read(name, &source);
    if !matches!(binary.contents, Contents::Go(_)) {
        return Ok(None);
    }
    let executable = Executable::read(&source).ok();
    let found = executable.and_then(|executable| executable.signal_notification().ok());
    Ok(Some(Program { binary, can_wait_for_termination: found.map(|found| found.is_some()) }))
}
