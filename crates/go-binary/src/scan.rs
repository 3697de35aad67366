//! Searches ranges of a source piece by piece, so that memory does not grow with the range.

use std::ops::Range;

use crate::{ByteSource, Error};

const PIECE: usize = 128 * 1024;

/// Reads a part into memory. The caller has limited its length.
pub(crate) fn read(
    source: &(impl ByteSource + ?Sized),
    offset: u64,
    length: usize,
) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0; length];
    read_into(source, offset, &mut bytes)?;
    Ok(bytes)
}

pub(crate) fn read_into(
    source: &(impl ByteSource + ?Sized),
    offset: u64,
    buffer: &mut [u8],
) -> Result<(), Error> {
    let length = buffer.len();
    source.read(offset, buffer).map_err(|source| Error::Read { offset, length, source })
}

/// Calls `each` with pieces of the range in order, each of which but the last is followed by the beginning of the next:
/// `overlap` bytes are given twice. Ends when `each` returns something.
fn pieces<Answer>(
    source: &(impl ByteSource + ?Sized),
    range: Range<u64>,
    overlap: usize,
    mut each: impl FnMut(u64, &[u8]) -> Result<Option<Answer>, Error>,
) -> Result<Option<Answer>, Error> {
    let mut buffer = vec![0; PIECE + overlap];
    let mut offset = range.start;
    while offset < range.end {
        let length = usize::try_from(range.end - offset).unwrap_or(usize::MAX).min(buffer.len());
        let Some(piece) = buffer.get_mut(..length) else { break };
        read_into(source, offset, piece)?;
        if let Some(answer) = each(offset, piece)? {
            return Ok(Some(answer));
        }
        offset = offset.saturating_add(PIECE as u64);
    }
    Ok(None)
}

/// The offset of the first occurrence of `needle`.
pub(crate) fn find(
    source: &(impl ByteSource + ?Sized),
    range: Range<u64>,
    needle: &[u8],
) -> Result<Option<u64>, Error> {
    let skips = skips(needle);
    pieces(source, range, needle.len().saturating_sub(1), |offset, piece| {
        Ok(position(piece, needle, &skips).map(|position| offset + position as u64))
    })
}

/// How far the needle can be moved when its last byte is over this one (Boyer, Moore, Horspool).
fn skips(needle: &[u8]) -> [usize; 256] {
    let mut skips = [needle.len().max(1); 256];
    for (distance, byte) in (0..).zip(needle.iter().rev()).skip(1) {
        let skip = &mut skips[usize::from(*byte)];
        *skip = distance.min(*skip);
    }
    skips
}

fn position(haystack: &[u8], needle: &[u8], skips: &[usize; 256]) -> Option<usize> {
    let mut start = 0;
    loop {
        let window = haystack.get(start..)?.get(..needle.len())?;
        if window == needle {
            return Some(start);
        }
        start += skips[usize::from(*window.last()?)];
    }
}

/// Calls `each` with every little-endian word of eight bytes in the range, from the first offset that is a multiple of
/// eight, until it returns something. Behind the range's end nothing is read.
pub fn words<Answer>(
    source: &(impl ByteSource + ?Sized),
    range: Range<u64>,
    mut each: impl FnMut(u64, u64) -> Result<Option<Answer>, Error>,
) -> Result<Option<Answer>, Error> {
    let aligned = range.start.checked_next_multiple_of(8).unwrap_or(range.end)..range.end;
    pieces(source, aligned, 0, |offset, piece| {
        for (number, word) in (0..).zip(piece.as_chunks::<8>().0) {
            if let Some(answer) = each(offset + 8 * number, u64::from_le_bytes(*word))? {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_across_two_pieces_is_found() {
        for start in [0, 1, PIECE - 3, PIECE, PIECE + 5, 2 * PIECE + 1] {
            let mut bytes = vec![b'e'; 2 * PIECE + 100];
            bytes[start..start + 6].copy_from_slice(b"needle");
            let found = find(bytes.as_slice(), 0..bytes.len() as u64, b"needle").unwrap();
            assert_eq!(found, Some(start as u64));
            let found = find(bytes.as_slice(), 0..(start + 5) as u64, b"needle").unwrap();
            assert_eq!(found, None, "the range ends before it");
        }
    }

    #[test]
    fn words_are_aligned_and_within_the_range() {
        let bytes: Vec<u8> = (0..64).collect();
        let mut seen = Vec::new();
        words(bytes.as_slice(), 3..30, |offset, word| {
            seen.push((offset, word));
            Ok(None::<()>)
        })
        .unwrap();
        assert_eq!(seen, [(8, 0x0f0e_0d0c_0b0a_0908), (16, 0x1716_1514_1312_1110)]);
    }
}
