//! Decodes long runs of ULEB128 numbers. Single numbers are [`crate::cursor`]'s.

#[cfg(target_arch = "x86_64")]
use crate::avx2::Avx2;
#[cfg(target_arch = "x86_64")]
use crate::avx512::Avx512;
use crate::cursor::Cursor;

/// A byte with this bit is followed by another of the same number.
const CONTINUES: u64 = 0x8080_8080_8080_8080;
/// Moves the lowest bit of each byte to one of the highest eight bits, in the same order.
const GATHER: u64 = 0x0102_0408_1020_4080;
/// How many numbers may be written beyond those that are meant.
pub(crate) const SLACK: usize = 64;

/// Writes all numbers of `bytes` to the beginning of `numbers`, which grows as needed, and returns how many there are;
/// none if they are not whole, or not at most 32 bits each. What is wrong, and where, the slow way says:
/// [`Cursor::uleb128`].
pub(crate) fn decode_all(bytes: &[u8], numbers: &mut Vec<u32>) -> Option<usize> {
    // No number takes less than a byte. Some more are always written than are meant.
    let most = bytes.len() + SLACK;
    if numbers.len() < most {
        numbers.resize(most, 0);
    }
    #[cfg(target_arch = "x86_64")]
    if let Some(avx512) = Avx512::detect() {
        return decode_vectors(|bytes, out| avx512.decode(bytes, out), bytes, numbers);
    } else if let Some(avx2) = Avx2::detect() {
        return decode_vectors(|bytes, out| avx2.decode(bytes, out), bytes, numbers);
    }
    decode(bytes, numbers)
}

#[cfg(target_arch = "x86_64")]
fn decode_vectors(
    decode_some: impl Fn(&[u8], &mut [u32]) -> (usize, usize),
    bytes: &[u8],
    out: &mut [u32],
) -> Option<usize> {
    let (mut read, mut written) = (0, 0);
    loop {
        let (bytes_read, numbers) = decode_some(bytes.get(read..)?, out.get_mut(written..)?);
        read += bytes_read;
        written += numbers;
        if bytes.len() - read < SLACK {
            return Some(written + decode(bytes.get(read..)?, out.get_mut(written..)?)?);
        }
        // A number of five bytes is ahead.
        let (number, end) = one_number(bytes, read)?;
        *out.get_mut(written)? = number;
        read = end;
        written += 1;
    }
}

/// The number that begins at an offset, and the offset of the next.
fn one_number(bytes: &[u8], at: usize) -> Option<(u32, usize)> {
    let mut cursor = Cursor::new(bytes.get(at..)?, at);
    let number = cursor.uleb128("a number").ok()?;
    Some((number, cursor.offset()))
}

/// Eight bytes at a time. Most counters take one byte, and which of the eight end a number is looked up in a table:
/// the branches of a loop over bytes could not be predicted.
fn decode(bytes: &[u8], out: &mut [u32]) -> Option<usize> {
    let (mut read, mut written) = (0, 0);
    while let Some(word) = bytes.get(read..).and_then(|rest| rest.first_chunk::<8>()) {
        let target = out.get_mut(written..).and_then(|rest| rest.first_chunk_mut::<8>())?;
        let bits = u64::from_le_bytes(*word);
        let continues = bits & CONTINUES;
        if continues == 0 {
            for (number, byte) in target.iter_mut().zip(word) {
                *number = u32::from(*byte);
            }
            read += 8;
            written += 8;
            continue;
        }
        let [.., key] = (continues >> 7).wrapping_mul(GATHER).to_le_bytes();
        let layout = &LAYOUTS[usize::from(key)];
        if layout.numbers == 0 {
            (target[0], read) = one_number(bytes, read)?;
            written += 1;
            continue;
        }
        for (number, (shift, mask)) in target.iter_mut().zip(layout.shifts.iter().zip(&layout.masks)) {
            *number = low_half(bits >> shift) & mask;
            *number = *number & 0x7f
                | (*number & 0x7f00) >> 1
                | (*number & 0x7f_0000) >> 2
                | (*number & 0x7f00_0000) >> 3;
        }
        read += layout.bytes;
        written += layout.numbers;
    }
    while read < bytes.len() {
        (*out.get_mut(written)?, read) = one_number(bytes, read)?;
        written += 1;
    }
    Some(written)
}

#[inline]
const fn low_half(bits: u64) -> u32 {
    let [a, b, c, d, ..] = bits.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// Where the numbers are in eight bytes.
#[derive(Clone, Copy)]
struct Layout {
    /// Whole numbers of up to four bytes, up to the first that is longer or goes on beyond the eight.
    numbers: usize,
    /// How many bytes they take.
    bytes: usize,
    /// Of each number.
    shifts: [u8; 8],
    masks: [u32; 8],
}

/// By which bytes continue: the lowest bit stands for the first.
static LAYOUTS: [Layout; 256] = {
    let mut layouts = [Layout { numbers: 0, bytes: 0, shifts: [0; 8], masks: [0; 8] }; 256];
    let mut key = 0;
    while key < layouts.len() {
        let layout = &mut layouts[key];
        let mut byte = 0_u8;
        let mut start = 0_u8;
        while byte < 8 {
            if key >> byte & 1 == 0 {
                let length = byte - start + 1;
                if length > 4 {
                    break;
                }
                layout.shifts[layout.numbers] = start * 8;
                layout.masks[layout.numbers] = u32::MAX >> (32 - 8 * length);
                layout.numbers += 1;
                start = byte + 1;
                layout.bytes = start as usize;
            }
            byte += 1;
        }
        key += 1;
    }
    layouts
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one_by_one(bytes: &[u8]) -> Option<Vec<u32>> {
        let mut cursor = Cursor::new(bytes, 0);
        let mut numbers = Vec::new();
        while cursor.remaining() > 0 {
            numbers.push(cursor.uleb128("a number").ok()?);
        }
        Some(numbers)
    }

    fn at_once(bytes: &[u8]) -> Option<Vec<u32>> {
        let mut numbers = vec![7];
        let count = decode_all(bytes, &mut numbers)?;
        numbers.truncate(count);
        // Every way must find the same, also those that are not used on this machine.
        assert_eq!(by(decode, bytes).as_ref(), Some(&numbers), "{bytes:?}");
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = Avx2::detect() {
            let decode = |bytes: &[u8], out: &mut [u32]| {
                decode_vectors(|bytes, out| avx2.decode(bytes, out), bytes, out)
            };
            assert_eq!(by(decode, bytes).as_ref(), Some(&numbers), "{bytes:?}");
        }
        Some(numbers)
    }

    fn by(decode: impl Fn(&[u8], &mut [u32]) -> Option<usize>, bytes: &[u8]) -> Option<Vec<u32>> {
        let mut numbers = vec![7; bytes.len() + SLACK];
        let count = decode(bytes, &mut numbers)?;
        numbers.truncate(count);
        Some(numbers)
    }

    proptest! {
        #[test]
        fn all_at_once_are_what_they_are_one_by_one(
            // Bytes that continue are rare in one half of the cases, and frequent in the other.
            bytes in prop_oneof![
                proptest::collection::vec(prop_oneof![4 => 0..0x80_u8, 1 => any::<u8>()], 0..200),
                proptest::collection::vec(any::<u8>(), 0..40),
            ]
        ) {
            prop_assert_eq!(at_once(&bytes), one_by_one(&bytes));
        }
    }

    #[test]
    fn numbers_of_every_length_are_read_at_every_place() {
        for length in 1..=6 {
            for before in 0..80 {
                let mut bytes = vec![1; before];
                bytes.extend(vec![0x85; length - 1]);
                bytes.extend([1; 80]);
                assert_eq!(at_once(&bytes), one_by_one(&bytes), "{length} after {before}");
            }
        }
    }
}
