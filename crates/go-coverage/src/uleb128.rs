//! Decodes long runs of ULEB128 numbers. Single numbers are [`crate::cursor`]'s.

use crate::cursor::Cursor;

/// A byte with this bit is followed by another of the same number.
const CONTINUES: u64 = 0x8080_8080_8080_8080;
/// Moves the lowest bit of each byte to one of the highest eight bits, in the same order.
const GATHER: u64 = 0x0102_0408_1020_4080;

/// Appends all numbers of `bytes`, and returns whether they are whole and at most 32 bits each. What is wrong, and
/// where, the slow way says: [`Cursor::uleb128`].
pub(crate) fn decode_all(bytes: &[u8], numbers: &mut Vec<u32>) -> bool {
    // No number takes less than a byte. Eight are always written, also where fewer are meant.
    let start = numbers.len();
    numbers.resize(start + bytes.len() + 8, 0);
    let Some(out) = numbers.get_mut(start..) else { return false };
    let Some(written) = decode(bytes, out) else { return false };
    numbers.truncate(start + written);
    true
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
            let mut cursor = Cursor::new(bytes.get(read..)?, read);
            target[0] = cursor.uleb128("a number").ok()?;
            read = cursor.offset();
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
    let mut rest = Cursor::new(bytes.get(read..)?, read);
    while rest.remaining() > 0 {
        *out.get_mut(written)? = rest.uleb128("a number").ok()?;
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
        decode_all(bytes, &mut numbers).then(|| numbers.split_off(1))
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
            for before in 0..20 {
                let mut bytes = vec![1; before];
                bytes.extend(vec![0x85; length - 1]);
                bytes.extend([1; 12]);
                assert_eq!(at_once(&bytes), one_by_one(&bytes), "{length} after {before}");
            }
        }
    }
}
