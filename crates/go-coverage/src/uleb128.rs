//! Decodes long runs of ULEB128 numbers. Single numbers are [`crate::cursor`]'s.

/// A byte with this bit is followed by another of the same number.
const CONTINUES: u64 = 0x8080_8080_8080_8080;

/// Appends all numbers of `bytes`, and returns whether they are whole and at most 32 bits each. What is wrong, and
/// where, the slow way says: [`crate::cursor::Cursor::uleb128`].
pub(crate) fn decode_all(bytes: &[u8], numbers: &mut Vec<u32>) -> bool {
    // No number takes less than a byte. The words below are written whole, also where fewer numbers are meant.
    let start = numbers.len();
    numbers.resize(start + bytes.len() + 8, 0);
    let Some(out) = numbers.get_mut(start..) else { return false };
    let Some(written) = decode(bytes, out) else { return false };
    numbers.truncate(start + written);
    true
}

fn decode(bytes: &[u8], out: &mut [u32]) -> Option<usize> {
    let (mut read, mut written) = (0, 0);
    while let Some(word) = bytes.get(read..).and_then(|rest| rest.first_chunk::<8>()) {
        let target = out.get_mut(written..).and_then(|rest| rest.first_chunk_mut::<8>())?;
        for (number, byte) in target.iter_mut().zip(word) {
            *number = u32::from(*byte);
        }
        let word = u64::from_le_bytes(*word);
        let continues = word & CONTINUES;
        if continues == 0 {
            read += 8;
            written += 8;
            continue;
        }
        let short = (continues.trailing_zeros() / 8) as usize;
        let (number, length) = long_number(word >> (8 * short), 8 - short)?;
        if length == 0 {
            // The number goes on beyond the word. It is first in the next one.
            read += short;
            written += short;
            if short == 0 {
                return None;
            }
            continue;
        }
        *target.get_mut(short)? = number;
        read += short + length;
        written += short + 1;
    }
    let mut rest = crate::cursor::Cursor::new(bytes.get(read..)?, read);
    while rest.remaining() > 0 {
        *out.get_mut(written)? = rest.uleb128("a number").ok()?;
        written += 1;
    }
    Some(written)
}

/// The number that begins with the lowest of `available` bytes, and its length; 0 when it is not whole. None above 32
/// bits.
#[inline]
fn long_number(word: u64, available: usize) -> Option<(u32, usize)> {
    let ends = !word & CONTINUES;
    let length = (ends.trailing_zeros() / 8) as usize + 1;
    if length > available {
        return Some((0, 0));
    }
    let bits = word & (u64::MAX >> (64 - 8 * length));
    let number = (bits & 0x7f)
        | (bits & 0x7f00) >> 1
        | (bits & 0x7f_0000) >> 2
        | (bits & 0x7f00_0000) >> 3
        | (bits & 0x7f_0000_0000) >> 4;
    if length > 5 {
        return None;
    }
    Some((u32::try_from(number).ok()?, length))
}
