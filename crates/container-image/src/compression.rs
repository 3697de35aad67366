//! What a layer or an archive is compressed with, told by its first bytes, since media types are not always true.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::blob::{Blob, BlobReader};

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// All but the lowest four bits of the first byte.
const ZSTD_SKIPPABLE: &[u8] = &[0x2a, 0x4d, 0x18];
const BZIP2: &[u8] = b"BZh";
const XZ: &[u8] = &[0xfd, b'7', b'z', b'X', b'Z', 0];

/// How bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
    /// One that is not read here.
    Other(&'static str),
}

impl Compression {
    pub(crate) fn of(blob: &Blob) -> io::Result<Self> {
        let mut start = Vec::with_capacity(8);
        blob.reader().take(8).read_to_end(&mut start)?;
        Ok(Self::of_start(&start))
    }

    fn of_start(start: &[u8]) -> Self {
        let is_skippable =
            start.first().is_some_and(|byte| byte & 0xf0 == 0x50) && start.get(1..4) == Some(ZSTD_SKIPPABLE);
        if start.starts_with(GZIP) {
            Self::Gzip
        } else if start.starts_with(ZSTD) || is_skippable {
            Self::Zstd
        } else if start.starts_with(BZIP2) {
            Self::Other("bzip2")
        } else if start.starts_with(XZ) {
            Self::Other("xz")
        } else {
            Self::None
        }
    }
}

/// The uncompressed bytes of a blob, up to a limit.
pub(crate) struct Unpacked {
    source: Source,
    left: u64,
}

enum Source {
    Plain(BufReader<BlobReader>),
    Gzip(Box<MultiGzDecoder<BufReader<BlobReader>>>),
    Zstd(Box<ZstdFrames<BufReader<BlobReader>>>),
}

/// Says that the limit was passed: the caller knows which, and of what.
#[derive(Debug, thiserror::Error)]
#[error("it unpacks to more than is allowed")]
pub(crate) struct LimitPassed;

impl LimitPassed {
    pub(crate) fn is_in(error: &io::Error) -> bool {
        matches!(error.get_ref(), Some(inner) if inner.is::<Self>())
    }
}

const BUFFER: usize = 64 << 10;

impl Unpacked {
    pub(crate) fn new(blob: &Blob, limit: u64) -> io::Result<Self> {
        let compression = Compression::of(blob)?;
        let reader = BufReader::with_capacity(BUFFER, blob.reader());
        let source = match compression {
            Compression::None => Source::Plain(reader),
            Compression::Gzip => Source::Gzip(Box::new(MultiGzDecoder::new(reader))),
            Compression::Zstd => Source::Zstd(Box::new(ZstdFrames::new(reader))),
            Compression::Other(name) => {
                let reason = format!("it is compressed with {name}; gzip and zstd are read");
                return Err(io::Error::new(io::ErrorKind::Unsupported, reason));
            }
        };
        Ok(Self { source, left: limit })
    }
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = match &mut self.source {
            Source::Plain(reader) => reader.read(buffer),
            Source::Gzip(reader) => reader.read(buffer),
            Source::Zstd(reader) => reader.read(buffer),
        }?;
        self.left = self.left.checked_sub(length as u64).ok_or_else(|| io::Error::other(LimitPassed))?;
        Ok(length)
    }
}

/// Several frames in a row, as `zstd:chunked` layers are made of. The decoder knows one.
struct ZstdFrames<R> {
    source: R,
    decoder: FrameDecoder,
    is_within_frame: bool,
}

impl<R: BufRead> ZstdFrames<R> {
    fn new(source: R) -> Self {
        Self { source, decoder: FrameDecoder::new(), is_within_frame: false }
    }

    /// Goes to the next frame that has content. Says whether there is one.
    fn begin_frame(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.source) {
                Ok(()) => {
                    self.is_within_frame = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let length = u64::from(length);
                    if io::copy(&mut self.source.by_ref().take(length), &mut io::sink())? < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(invalid(&error)),
            }
        }
        Ok(false)
    }
}

impl<R: BufRead> Read for ZstdFrames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.is_within_frame && !self.begin_frame()? {
                return Ok(0);
            }
            // A block may be all that the window keeps back.
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let strategy = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.source, strategy).map_err(|error| invalid(&error))?;
            }
            let length = self.decoder.read(buffer)?;
            if length > 0 {
                return Ok(length);
            }
            self.is_within_frame = false;
        }
    }
}

fn invalid(error: &FrameDecoderError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}
