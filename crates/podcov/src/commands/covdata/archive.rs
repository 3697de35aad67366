//! Archives of coverage directories: `.tar`, plain or compressed by gzip or zstd.
//!
//! Their data files are written to a temporary directory, under names of our own making, and nothing else is: no path
//! in an archive leads anywhere, and memory does not grow with it.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::coverage_data::{LARGEST_FILE, Refused, UNFINISHED_PREFIX};
use crate::error::CommandError;

/// How the tar inside is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    Gzip,
    Zstd,
}

impl Compression {
    /// What a file that begins so is compressed with.
    pub fn of(beginning: &[u8]) -> Option<Self> {
        match beginning {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            _ => None,
        }
    }

    /// What is inside.
    pub fn decompress<'a>(self, input: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
        Ok(match self {
            Self::Gzip => Box::new(flate2::read::MultiGzDecoder::new(input)),
            Self::Zstd => Box::new(ruzstd::decoding::StreamingDecoder::new(input).map_err(io::Error::other)?),
        })
    }
}

/// Whether a file that begins so is a tar (POSIX 1003.1, `ustar` and its descendants), be it an empty one.
pub fn is_tar(beginning: &[u8]) -> bool {
    beginning.get(257..262) == Some(b"ustar")
        || (beginning.len() == 512 && beginning.iter().all(|byte| *byte == 0))
}

/// The data files of an archive, on disk.
#[derive(Debug)]
pub struct Archive {
    name: String,
    directory: tempfile::TempDir,
    /// The directories in it, by the number that each has on disk.
    paths: Vec<String>,
    pub refused: Vec<Refused>,
}

impl Archive {
    /// Takes all data files out.
    pub fn extract(
        name: &str,
        compression: Option<Compression>,
        input: &mut dyn Read,
    ) -> Result<Self, CommandError> {
        let damaged = |error: io::Error| {
            CommandError::failure(format!("cannot take the coverage data out of {name}")).caused_by(error)
        };
        let directory = tempfile::Builder::new().prefix("podcov-covdata-").tempdir().map_err(damaged)?;
        let mut archive = Self { name: name.to_owned(), directory, paths: Vec::new(), refused: Vec::new() };
        match compression {
            None => archive.entries(input),
            Some(compression) => {
                compression.decompress(input).and_then(|mut plain| archive.entries(&mut plain))
            }
        }
        .map_err(damaged)?;
        Ok(archive)
    }

    /// Where the files are now.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The name of one of them for the user.
    pub fn shown(&self, path: &Path) -> Option<String> {
        let inside = path.strip_prefix(self.path()).ok()?;
        let mut parts = inside.iter();
        let number: usize = parts.next()?.to_str()?.parse().ok()?;
        let directory = self.paths.get(number)?;
        let separator = if directory.is_empty() { "" } else { "/" };
        Some(format!("{}:{directory}{separator}{}", self.name, parts.as_path().display()))
    }

    fn entries(&mut self, input: &mut dyn Read) -> io::Result<()> {
        let mut numbers = HashMap::new();
        for entry in tar::Archive::new(input).entries()? {
            let mut entry = entry?;
            let path = entry.path()?.into_owned();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let is_data =
                ["covmeta.", "covcounters.", UNFINISHED_PREFIX].iter().any(|prefix| name.starts_with(prefix));
            if !is_data || !entry.header().entry_type().is_file() {
                continue;
            }
            if let Some(reason) = unfit(name, entry.size()) {
                let path = PathBuf::from(format!("{}:{}", self.name, path.display()));
                self.refused.push(Refused { path, reason });
                continue;
            }
            let parent = path.parent().unwrap_or(Path::new("")).to_path_buf();
            let next = numbers.len();
            let number = *numbers.entry(parent.clone()).or_insert(next);
            let target = self.directory.path().join(number.to_string());
            if number == self.paths.len() {
                let shown = parent.strip_prefix(".").unwrap_or(&parent).to_string_lossy();
                self.paths.push(shown.chars().filter(|one| !one.is_control()).collect());
                fs::create_dir(&target)?;
            }
            io::copy(&mut entry, &mut fs::File::create(target.join(name))?)?;
        }
        Ok(())
    }
}

fn unfit(name: &str, size: u64) -> Option<String> {
    if size > LARGEST_FILE {
        return Some(format!("{size} bytes are more than any coverage data has"));
    }
    let is_plain = name.len() < 200 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
    (!is_plain).then(|| "not a name that Go gives".to_owned())
}
