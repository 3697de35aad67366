//! What is done to every byte of a counter file, with the vector instructions that x86-64 processors have since 2013.
//!
//! Owns the question whether this processor has them, and the only `unsafe` of this crate: calling a function that was
//! compiled for them. Within such a function everything is safe and checked. Each has a portable twin, which is the
//! definition of what it does.

use std::arch::x86_64::{
    _mm_and_si128, _mm_cvtsi64_si128, _mm_madd_epi16, _mm_maddubs_epi16, _mm_set1_epi8, _mm_set1_epi16,
    _mm_set1_epi32, _mm_shuffle_epi8, _mm256_castsi256_ps, _mm256_cmpeq_epi32, _mm256_movemask_epi8,
    _mm256_movemask_ps, _mm256_set1_epi32,
};

use crate::course::{ANY, Agreement, Course, LANES, agreement};
use crate::uleb128::SLACK;
use crate::{CounterMode, MetaDataFile};

/// How many bytes are looked at at once.
const CHUNK: usize = 32;

/// Proof that this processor has the instructions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

impl Avx2 {
    #[inline]
    pub(crate) fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt");
        has_all.then_some(Self(()))
    }

    /// Decodes from `bytes`, of which the first begins a number, as long as that is quick. Returns how many bytes were
    /// read, up to the beginning of a number, and how many numbers were written.
    #[expect(clippy::unused_self, reason = "it is the proof")]
    pub(crate) fn decode(self, bytes: &[u8], out: &mut [u32]) -> (usize, usize) {
        #[expect(unsafe_code, reason = "a function compiled for other processors cannot be called safely")]
        // SAFETY: `self` exists only where `detect` has found the features that `decode` is compiled for.
        unsafe {
            decode(bytes, out)
        }
    }

    /// The same as [`Course::add_stretches_inlined`].
    #[expect(clippy::unused_self, reason = "it is the proof")]
    pub(crate) fn add_stretches(self, course: &mut Course, mode: CounterMode, numbers: &[u32]) {
        #[expect(unsafe_code, reason = "a function compiled for other processors cannot be called safely")]
        // SAFETY: `self` exists only where `detect` has found the features that `add_stretches` is compiled for.
        unsafe {
            add_stretches(course, mode, numbers);
        }
    }

    /// The same as [`agreement`], for tests: the others call what was compiled with them.
    #[cfg(test)]
    #[expect(clippy::unused_self, reason = "it is the proof")]
    fn agreement(self, numbers: &[u32], expected: &[u32]) -> Agreement {
        #[expect(unsafe_code, reason = "a function compiled for other processors cannot be called safely")]
        // SAFETY: `self` exists only where `detect` has found the features that it is compiled for.
        unsafe {
            agreement_of_lanes(numbers, expected)
        }
    }

    /// The same as [`Course::find_stretches_by`].
    #[expect(clippy::unused_self, reason = "it is the proof")]
    pub(crate) fn find_stretches(
        self,
        course: &mut Course,
        metadata: &MetaDataFile<'_>,
        numbers: &[u32],
    ) -> Option<u64> {
        #[expect(unsafe_code, reason = "a function compiled for other processors cannot be called safely")]
        // SAFETY: `self` exists only where `detect` has found the features that `find_stretches` is compiled for.
        unsafe {
            find_stretches(course, metadata, numbers)
        }
    }
}

#[target_feature(enable = "avx2,popcnt")]
fn add_stretches(course: &mut Course, mode: CounterMode, numbers: &[u32]) {
    course.add_stretches_inlined(mode, numbers);
}

#[target_feature(enable = "avx2,popcnt")]
fn find_stretches(course: &mut Course, metadata: &MetaDataFile<'_>, numbers: &[u32]) -> Option<u64> {
    course.find_stretches_by(|numbers, expected| agreement_of_lanes(numbers, expected), metadata, numbers)
}

/// The same as [`agreement`].
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn agreement_of_lanes(numbers: &[u32], expected: &[u32]) -> Agreement {
    let (mut at, mut counters) = (0, 0);
    while let Some(numbers) = numbers.get(at..).and_then(|rest| rest.first_chunk())
        && let Some(expected) = expected.get(at..).and_then(|rest| rest.first_chunk())
    {
        let Lanes { any, same } = compare(numbers, expected);
        if any | same != ALL_LANES {
            let agreed = (any | same).trailing_ones();
            counters += (any & !(u32::MAX << agreed)).count_ones() as usize;
            return Agreement { numbers: at + agreed as usize, counters };
        }
        counters += any.count_ones() as usize;
        at += LANES;
    }
    let rest = agreement(numbers.get(at..).unwrap_or_default(), expected.get(at..).unwrap_or_default());
    Agreement { numbers: at + rest.numbers, counters: counters + rest.counters }
}

const ALL_LANES: u32 = (1 << LANES) - 1;

/// A bit for each lane: the lowest stands for the first.
struct Lanes {
    /// Any number is expected.
    any: u32,
    /// It is the number that is expected.
    same: u32,
}

#[inline]
#[target_feature(enable = "avx2")]
fn compare(numbers: &[u32; LANES], expected: &[u32; LANES]) -> Lanes {
    let (numbers, expected) = (bytemuck::cast(*numbers), bytemuck::cast(*expected));
    let bits = |lanes| _mm256_movemask_ps(_mm256_castsi256_ps(lanes)).cast_unsigned();
    Lanes {
        any: bits(_mm256_cmpeq_epi32(expected, _mm256_set1_epi32(ANY.cast_signed()))),
        same: bits(_mm256_cmpeq_epi32(numbers, expected)),
    }
}

#[target_feature(enable = "avx2,popcnt")]
fn decode(bytes: &[u8], out: &mut [u32]) -> (usize, usize) {
    let (mut read, mut written) = (0, 0);
    // The four bytes before a chunk are looked at as well, though none of them is part of a number in it.
    while let Some(window) = bytes.get(read..).and_then(|rest| rest.first_chunk::<{ CHUNK + 4 }>())
        && let Some(target) = out.get_mut(written..).and_then(|rest| rest.first_chunk_mut::<SLACK>())
    {
        let continues = continuations(window);
        if continues == 0 {
            for (number, byte) in target.iter_mut().zip(&window[..CHUNK]) {
                *number = u32::from(*byte);
            }
            read += CHUNK;
            written += CHUNK;
            continue;
        }
        let longer_than_four = continues & continues >> 1 & continues >> 2 & continues >> 3;
        let whole = CHUNK - continues.leading_ones() as usize;
        if longer_than_four != 0 || whole == 0 {
            break;
        }
        written += decode_chunk(window, continues, target);
        read += whole;
    }
    (read, written)
}

/// Decodes the numbers that end in the first 32 bytes.
#[target_feature(enable = "avx2,popcnt")]
fn decode_chunk(window: &[u8; CHUNK + 4], continues: u32, out: &mut [u32; SLACK]) -> usize {
    let mut written = 0;
    // Four numbers at most end in each four bytes, and each began at most four bytes earlier.
    let before = u64::from(continues) << 4;
    for block in 0..CHUNK / 4 {
        let [key, ..] = (before >> (4 * block)).to_le_bytes();
        let eight = if block == 0 {
            let [a, b, c, d, ..] = *window;
            u64::from(u32::from_le_bytes([a, b, c, d])) << 32
        } else {
            u64_at(window, 4 * block - 4)
        };
        let numbers = four_numbers(eight, LAYOUTS[usize::from(key)]);
        if let Some(target) = out.get_mut(written..).and_then(|rest| rest.first_chunk_mut::<4>()) {
            *target = numbers;
        }
        written += 4 - (key >> 4).count_ones() as usize;
    }
    written
}

/// Which of the first 32 bytes have the highest bit: the lowest bit stands for the first.
#[target_feature(enable = "avx2")]
fn continuations(window: &[u8; CHUNK + 4]) -> u32 {
    let chunk = window.first_chunk::<CHUNK>().copied().unwrap_or_default();
    _mm256_movemask_epi8(bytemuck::cast(chunk)).cast_unsigned()
}

/// Moves the bytes of a number into each 32 bits, and then its seven bits of each byte together.
#[target_feature(enable = "avx2")]
fn four_numbers(eight: u64, layout: [u8; 16]) -> [u32; 4] {
    let bytes = _mm_shuffle_epi8(_mm_cvtsi64_si128(eight.cast_signed()), bytemuck::cast(layout));
    let sevens = _mm_and_si128(bytes, _mm_set1_epi8(0x7f));
    // 1 and 128 for the two bytes of each 16 bits, then 1 and 16384 for the two halves of each 32.
    let fourteens = _mm_maddubs_epi16(_mm_set1_epi16(0x8001_u16.cast_signed()), sevens);
    bytemuck::cast(_mm_madd_epi16(fourteens, _mm_set1_epi32(0x4000_0001)))
}

#[inline]
fn u64_at(window: &[u8; CHUNK + 4], at: usize) -> u64 {
    window.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// For which of eight bytes continue (the lowest bit stands for the first): where the bytes of each number are that
/// ends in the last four. A place with the highest bit set stands for a byte that is 0.
static LAYOUTS: [[u8; 16]; 256] = {
    let mut layouts = [[0x80; 16]; 256];
    let mut key = 0;
    while key < layouts.len() {
        let mut number = 0;
        let mut end = 4_u8;
        while end < 8 {
            if key >> end & 1 == 0 {
                // A number goes back as long as bytes continue; one of five bytes is never looked up.
                let mut start = end;
                while start > 0 && end - start < 3 && key >> (start - 1) & 1 == 1 {
                    start -= 1;
                }
                let mut place = 0;
                while start <= end {
                    layouts[key][4 * number + place] = start;
                    start += 1;
                    place += 1;
                }
                number += 1;
            }
            end += 1;
        }
        key += 1;
    }
    layouts
};

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lanes_agree_as_far_as_numbers_one_by_one(
            pairs in vec((0..3_u32, prop_oneof![3 => Just(ANY), 1 => 0..3_u32]), 0..60),
            longer in vec(0..3_u32, 0..3),
        ) {
            let Some(avx2) = Avx2::detect() else { return Ok(()) };
            let (mut numbers, expected): (Vec<u32>, Vec<u32>) = pairs.into_iter().unzip();
            numbers.extend(longer);
            prop_assert_eq!(avx2.agreement(&numbers, &expected), agreement(&numbers, &expected));
        }
    }
}
