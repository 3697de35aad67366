//! The entries of a tar archive: ustar, GNU's long names, PAX. Knows no layers and no files on disk.
//!
//! Our own, because names come from strangers: the usual crates read a long name whole, however long it says it is.
//! Go's `archive/tar`, which wrote nearly every layer there is, is the measure.

use std::io::{self, Read};

use crate::blob::BlobReader;

const BLOCK: usize = 512;
/// Of long names and PAX headers, as in Go.
const MAX_SPECIAL_BYTES: u64 = 1 << 20;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TarKind {
    Regular,
    HardLink,
    SymbolicLink,
    Directory,
    /// A device or a pipe.
    Special,
    /// Something that no image has: its data is passed over.
    Unknown,
}

/// One entry. Its data, if it has any, is `size` bytes from `offset` in the uncompressed archive.
#[derive(Clone, Debug)]
pub(crate) struct TarEntry {
    pub(crate) name: Vec<u8>,
    pub(crate) link: Vec<u8>,
    pub(crate) kind: TarKind,
    pub(crate) mode: u32,
    /// Its owner; 0 where the header tells none.
    pub(crate) user: u64,
    pub(crate) group: u64,
    pub(crate) size: u64,
    pub(crate) offset: u64,
    /// Its data is a map of pieces, not the file.
    pub(crate) is_sparse: bool,
}

/// Why bytes are no tar archive.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TarError {
    #[error("cannot read it")]
    Read(#[from] io::Error),
    #[error("no valid tar header at byte {position}: {reason}")]
    Header { position: u64, reason: &'static str },
}

/// What can pass over bytes.
pub(crate) trait Skip: Read {
    fn skip(&mut self, length: u64) -> io::Result<()>;
}

impl Skip for BlobReader {
    fn skip(&mut self, length: u64) -> io::Result<()> {
        Self::skip(self, length)
    }
}

/// Passes over bytes by reading them: they are counted in a digest, or come out of a decompressor.
pub(crate) struct ByReading<R>(pub(crate) R);

impl<R: Read> Read for ByReading<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<R: Read> Skip for ByReading<R> {
    fn skip(&mut self, length: u64) -> io::Result<()> {
        let skipped = io::copy(&mut (&mut self.0).take(length), &mut io::sink())?;
        if skipped == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

/// Reads one entry after the other.
pub(crate) struct TarReader<R> {
    source: R,
    position: u64,
    /// Data and padding of the last entry, not passed over yet.
    pending: u64,
}

impl<R: Skip> TarReader<R> {
    pub(crate) const fn new(source: R) -> Self {
        Self { source, position: 0, pending: 0 }
    }

    /// What is after the end of the archive is still to be read from it.
    pub(crate) fn into_inner(self) -> R {
        self.source
    }

    /// The next entry; none at the end.
    pub(crate) fn next_entry(&mut self) -> Result<Option<TarEntry>, TarError> {
        let mut special = Special::default();
        loop {
            self.skip_pending()?;
            let Some(block) = self.header_block()? else { return Ok(None) };
            let header = Header(&block);
            let size = header.number(124..136).ok_or_else(|| self.bad("its size is no number"))?;
            match header.byte(156) {
                b'x' => special.read_pax(&self.special_data(size)?).map_err(|reason| self.bad(reason))?,
                // Of the whole archive: comments, in practice.
                b'g' => self.set_pending(size)?,
                b'L' => special.name = Some(until_nul(&self.special_data(size)?).to_vec()),
                b'K' => special.link = Some(until_nul(&self.special_data(size)?).to_vec()),
                kind => return self.entry(&header, kind, size, special).map(Some),
            }
        }
    }

    fn entry(
        &mut self,
        header: &Header<'_>,
        kind: u8,
        size: u64,
        special: Special,
    ) -> Result<TarEntry, TarError> {
        let name = special.name.unwrap_or_else(|| header.name());
        let mut is_sparse = special.is_sparse;
        let kind = match kind {
            // Before POSIX a directory was told by its name.
            b'0' | 0 if name.ends_with(b"/") => TarKind::Directory,
            b'0' | 0 | b'7' => TarKind::Regular,
            b'1' => TarKind::HardLink,
            b'2' => TarKind::SymbolicLink,
            b'3' | b'4' | b'6' => TarKind::Special,
            b'5' => TarKind::Directory,
            b'S' => {
                is_sparse = true;
                self.skip_sparse_map(header.byte(482) != 0)?;
                TarKind::Regular
            }
            _ => TarKind::Unknown,
        };
        let has_data = matches!(kind, TarKind::Regular | TarKind::Unknown);
        let size = if has_data { special.size.unwrap_or(size) } else { 0 };
        let offset = self.position;
        self.set_pending(size)?;
        let mode = u32::try_from(header.number(100..108).unwrap_or_default()).unwrap_or_default() & 0o7777;
        let link = special.link.unwrap_or_else(|| until_nul(header.field(157..257)).to_vec());
        if name.contains(&0) || link.contains(&0) {
            return Err(self.bad("a name in it has a NUL"));
        }
        let owner = |range| header.number(range).unwrap_or_default();
        let user = special.user.unwrap_or_else(|| owner(108..116));
        let group = special.group.unwrap_or_else(|| owner(116..124));
        Ok(TarEntry { name, link, kind, mode, user, group, size, offset, is_sparse })
    }

    /// Old GNU sparse files have a map that goes on in blocks of its own.
    fn skip_sparse_map(&mut self, mut goes_on: bool) -> Result<(), TarError> {
        while goes_on {
            let mut block = [0; BLOCK];
            self.source.read_exact(&mut block)?;
            self.position += BLOCK as u64;
            goes_on = Header(&block).byte(504) != 0;
        }
        Ok(())
    }

    /// A header with a right checksum. None at the two blocks of zeros, or where the bytes end: both are an end.
    fn header_block(&mut self) -> Result<Option<[u8; BLOCK]>, TarError> {
        let mut block = [0; BLOCK];
        if !self.read_block(&mut block)? {
            return Ok(None);
        }
        if block == [0; BLOCK] {
            if self.read_block(&mut block)? && block != [0; BLOCK] {
                return Err(self.bad("there is only one block of zeros before it"));
            }
            return Ok(None);
        }
        let header = Header(&block);
        if header.number(148..156).is_none_or(|sum| !header.checksums().contains(&sum)) {
            return Err(self.bad("its checksum is wrong"));
        }
        Ok(Some(block))
    }

    fn read_block(&mut self, block: &mut [u8; BLOCK]) -> io::Result<bool> {
        let mut filled = 0;
        while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.source.read(rest) {
                Ok(0) if filled == 0 => return Ok(false),
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => filled += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.position += BLOCK as u64;
        Ok(true)
    }

    fn special_data(&mut self, size: u64) -> Result<Vec<u8>, TarError> {
        if size > MAX_SPECIAL_BYTES {
            return Err(self.bad("its long name or PAX header is of more than 1 MiB"));
        }
        let mut data = Vec::new();
        (&mut self.source).take(size).read_to_end(&mut data)?;
        if data.len() as u64 != size {
            return Err(TarError::Read(io::ErrorKind::UnexpectedEof.into()));
        }
        self.position += size;
        self.pending = padding(size);
        Ok(data)
    }

    fn set_pending(&mut self, size: u64) -> Result<(), TarError> {
        let pending = size.checked_add(padding(size));
        let end = pending.and_then(|pending| pending.checked_add(self.position));
        if end.is_none() {
            return Err(self.bad("its size is absurd"));
        }
        self.pending = pending.unwrap_or_default();
        Ok(())
    }

    fn skip_pending(&mut self) -> io::Result<()> {
        let pending = std::mem::take(&mut self.pending);
        self.source.skip(pending)?;
        self.position += pending;
        Ok(())
    }

    /// About the header that was just read.
    const fn bad(&self, reason: &'static str) -> TarError {
        TarError::Header { position: self.position.saturating_sub(BLOCK as u64), reason }
    }
}

const fn padding(size: u64) -> u64 {
    (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

struct Header<'a>(&'a [u8; BLOCK]);

impl Header<'_> {
    fn field(&self, range: std::ops::Range<usize>) -> &[u8] {
        self.0.get(range).unwrap_or_default()
    }

    fn byte(&self, offset: usize) -> u8 {
        self.0.get(offset).copied().unwrap_or_default()
    }

    /// POSIX has a second field for the first part of long names; GNU has other things there.
    fn name(&self) -> Vec<u8> {
        let name = until_nul(self.field(0..100));
        let prefix = until_nul(self.field(345..500));
        if self.field(257..263) != b"ustar\0" || prefix.is_empty() {
            return name.to_vec();
        }
        [prefix, b"/", name].concat()
    }

    /// Octal digits, or GNU's binary numbers for what needs more digits.
    fn number(&self, range: std::ops::Range<usize>) -> Option<u64> {
        let field = self.field(range);
        if let Some((first, rest)) = field.split_first()
            && first & 0x80 != 0
        {
            // 0xff would begin a negative number.
            return rest.iter().try_fold(u64::from(first & 0x7f), |number, byte| {
                number.checked_mul(256)?.checked_add(u64::from(*byte))
            });
        }
        let digits = until_nul(field).trim_ascii();
        digits.iter().try_fold(0_u64, |number, byte| {
            let digit = byte.checked_sub(b'0').filter(|digit| *digit < 8)?;
            number.checked_mul(8)?.checked_add(u64::from(digit))
        })
    }

    /// Of bytes without a sign, and with: old programs disagreed.
    fn checksums(&self) -> [u64; 2] {
        let bytes = || self.0.iter().enumerate();
        let byte = |(offset, byte): (usize, &u8)| if (148..156).contains(&offset) { b' ' } else { *byte };
        let unsigned = bytes().map(byte).map(u64::from).sum();
        let signed = bytes().map(byte).map(|byte| i64::from(byte.cast_signed())).sum::<i64>();
        [unsigned, signed.cast_unsigned()]
    }
}

/// What headers before an entry say of it.
#[derive(Default)]
struct Special {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    user: Option<u64>,
    group: Option<u64>,
    is_sparse: bool,
}

impl Special {
    /// Records of `LENGTH KEY=VALUE\n`, where the length counts itself.
    fn read_pax(&mut self, mut data: &[u8]) -> Result<(), &'static str> {
        const BAD: &str = "the PAX header before it is damaged";
        while !data.is_empty() {
            let space = data.iter().position(|byte| *byte == b' ').ok_or(BAD)?;
            let (digits, _) = data.split_at_checked(space).ok_or(BAD)?;
            let length: usize =
                str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).ok_or(BAD)?;
            let (record, rest) = data.split_at_checked(length).ok_or(BAD)?;
            let record = record.get(space + 1..).and_then(|record| record.strip_suffix(b"\n")).ok_or(BAD)?;
            let equals = record.iter().position(|byte| *byte == b'=').ok_or(BAD)?;
            let (key, value) = (&record[..equals], &record[equals + 1..]);
            self.set(key, value)?;
            data = rest;
        }
        Ok(())
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), &'static str> {
        let text = || (!value.is_empty()).then(|| value.to_vec());
        let number = || str::from_utf8(value).ok().and_then(|value| value.parse().ok());
        match key {
            b"path" => self.name = text(),
            b"linkpath" => self.link = text(),
            b"size" => self.size = Some(number().ok_or("its PAX size is no number")?),
            b"uid" => self.user = Some(number().ok_or("its PAX owner is no number")?),
            b"gid" => self.group = Some(number().ok_or("its PAX group is no number")?),
            b"GNU.sparse.name" => {
                self.is_sparse = true;
                self.name = text();
            }
            key if key.starts_with(b"GNU.sparse.") => self.is_sparse = true,
            _ => {}
        }
        Ok(())
    }
}
