//! Executables on this machine, read piece by piece.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use go_binary::ByteSource;
use podcov_doctor::facts::Binary;
use podcov_doctor::facts::binary::Contents;

/// A file of which parts are read.
struct FileSource {
    file: RefCell<File>,
    length: u64,
}

impl ByteSource for FileSource {
    fn length(&self) -> u64 {
        self.length
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut file = self.file.borrow_mut();
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(buffer)
    }
}

/// What it tells of itself.
pub fn read(path: &Path) -> Binary {
    let name = path.display().to_string();
    let open = || {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(FileSource { file: RefCell::new(file), length })
    };
    match open() {
        Ok(source) => Binary::read(name, &source),
        Err(error) => {
            let error: io::Error = error;
            Binary { name, chain: None, contents: Contents::Unknown(error.to_string()) }
        }
    }
}
