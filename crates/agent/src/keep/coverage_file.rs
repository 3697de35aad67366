//! Reads one coverage file out of a directory in which an untrusted application can put anything.
//!
//! Owns which files may be read and to what length. It looks at no content.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;
use podcov_agent_protocol::FILE_CHUNK_LENGTH;

/// Far over what Go writes (2 MB for 20,000 functions); a sparse file could announce any length.
const LONGEST_FILE: u64 = 1 << 30;

/// An open regular file and the length it had when it was opened.
pub struct CoverageFile {
    file: File,
    length: u64,
    unread: u64,
}

impl CoverageFile {
    /// Opens without following a link and without waiting for the other end of a pipe.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let length = metadata.len();
        if length > LONGEST_FILE {
            return Err(io::Error::other(format!("{length} bytes are more than a coverage file has")));
        }
        Ok(Self { file, length, unread: length })
    }

    /// The length to announce.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The next bytes; none when exactly the announced length has been read and the file still has it.
    pub fn next_chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.unread == 0 {
            let length = self.file.metadata()?.len();
            return if length == self.length { Ok(None) } else { Err(changed(self.length, length)) };
        }
        let mut bytes = Vec::with_capacity(FILE_CHUNK_LENGTH);
        let wanted = self.unread.min(FILE_CHUNK_LENGTH as u64);
        let read = self.file.by_ref().take(wanted).read_to_end(&mut bytes)? as u64;
        if read < wanted {
            return Err(changed(self.length, self.length - self.unread + read));
        }
        self.unread -= read;
        Ok(Some(bytes))
    }
}

fn changed(before: u64, after: u64) -> io::Error {
    io::Error::other(format!("changed from {before} to {after} bytes while it was read"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn read_whole(file: &mut CoverageFile) -> io::Result<Vec<u8>> {
        let mut whole = Vec::new();
        while let Some(chunk) = file.next_chunk()? {
            assert!(chunk.len() <= FILE_CHUNK_LENGTH);
            whole.extend(chunk);
        }
        Ok(whole)
    }

    #[test]
    fn a_file_of_several_chunks_is_read_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        for length in [0, 1, FILE_CHUNK_LENGTH, 2 * FILE_CHUNK_LENGTH + 1] {
            let content: Vec<u8> = (0..=u8::MAX).cycle().take(length).collect();
            fs::write(&path, &content).unwrap();
            let mut file = CoverageFile::open(&path).unwrap();
            assert_eq!(file.length(), length as u64);
            assert_eq!(read_whole(&mut file).unwrap(), content);
        }
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        for (before, after) in [(10, 11), (10, 9), (10, 0)] {
            fs::write(&path, vec![1; before]).unwrap();
            let mut file = CoverageFile::open(&path).unwrap();
            OpenOptions::new().write(true).open(&path).unwrap().set_len(after).unwrap();
            assert!(read_whole(&mut file).unwrap_err().to_string().starts_with("changed from 10"));
        }
    }

    #[test]
    fn what_is_no_regular_file_is_refused_without_waiting() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("target");
        fs::write(&target, "secret").unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let pipe = directory.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let huge = directory.path().join("huge");
        File::create(&huge).unwrap().set_len(LONGEST_FILE + 1).unwrap();
        for path in [link.as_path(), &pipe, directory.path(), &huge] {
            assert!(CoverageFile::open(path).is_err(), "{}", path.display());
        }
    }
}
