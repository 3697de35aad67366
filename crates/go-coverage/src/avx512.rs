//! Decodes ULEB128 with the vector instructions that servers have since about 2020. Comparing and adding would gain
//! nothing over [`crate::avx2`]: memory is what they wait for.
//!
//! Owns the question whether this processor has them, and one `unsafe`: calling a function that was compiled for them.
//! The portable twin is the definition of what it does.

use std::arch::x86_64::{
    __m128i, __m512i, _mm512_and_si512, _mm512_cvtepu8_epi32, _mm512_maskz_compress_epi8,
    _mm512_maskz_mov_epi8, _mm512_movepi8_mask, _mm512_or_si512, _mm512_set1_epi8, _mm512_slli_epi32,
};

use crate::uleb128::SLACK;

/// How many bytes are looked at at once.
const CHUNK: usize = 64;
/// How many bytes a number has at most that is decoded here.
const LONGEST: usize = 4;
/// How many numbers are put together at once.
const GROUP: usize = 16;

/// Proof that this processor has the instructions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512(());

impl Avx512 {
    #[inline]
    pub(crate) fn detect() -> Option<Self> {
        let has_all = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vbmi2")
            && is_x86_feature_detected!("popcnt");
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
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt")]
fn decode(bytes: &[u8], out: &mut [u32]) -> (usize, usize) {
    let (mut read, mut written) = (0, 0);
    while let Some(window) = bytes.get(read..).and_then(|rest| rest.first_chunk::<{ CHUNK + LONGEST }>())
        && let Some(target) = out.get_mut(written..).and_then(|rest| rest.first_chunk_mut::<SLACK>())
    {
        let shifted: [__m512i; LONGEST] = std::array::from_fn(|by| chunk_at(window, by));
        let [m0, m1, m2, m3] = shifted.map(|bytes| _mm512_movepi8_mask(bytes));
        // For each byte whether a number that begins there has a second byte, a third, a fourth, a fifth.
        let (second, third, fourth, fifth) = (m0, m0 & m1, m0 & m1 & m2, m0 & m1 & m2 & m3);
        if fifth != 0 {
            break;
        }
        let begins = !(m0 << 1);
        let planes: [__m512i; LONGEST] = std::array::from_fn(|place| {
            let is_part = [u64::MAX, second, third, fourth][place];
            let sevens = _mm512_and_si512(shifted[place], _mm512_set1_epi8(0x7f));
            _mm512_maskz_compress_epi8(begins, _mm512_maskz_mov_epi8(is_part, sevens))
        });
        let planes: [[__m128i; CHUNK / GROUP]; LONGEST] = planes.map(bytemuck::cast);
        let count = begins.count_ones() as usize;
        for group in 0..count.div_ceil(GROUP) {
            let part = |place: usize| _mm512_cvtepu8_epi32(planes[place][group]);
            let low = _mm512_or_si512(part(0), _mm512_slli_epi32::<7>(part(1)));
            let high = _mm512_or_si512(part(2), _mm512_slli_epi32::<7>(part(3)));
            let numbers = _mm512_or_si512(low, _mm512_slli_epi32::<14>(high));
            target[group * GROUP..][..GROUP].copy_from_slice(&bytemuck::cast::<_, [u32; GROUP]>(numbers));
        }
        written += count;
        // The last number may go on beyond the chunk.
        let last = [second, third, fourth].map(|mask| (mask >> (CHUNK - 1)) as usize);
        read += CHUNK + last.iter().sum::<usize>();
    }
    (read, written)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn chunk_at(window: &[u8; CHUNK + LONGEST], by: usize) -> __m512i {
    let bytes = window.get(by..).and_then(|rest| rest.first_chunk::<CHUNK>());
    bytemuck::cast(bytes.copied().unwrap_or([0; CHUNK]))
}
