//! Reading primitives over a slice: every read is checked and knows its offset in the file.

use crate::Error;

/// A position in a part of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    /// Reads `bytes`, which begin at `offset` of the file.
    pub(crate) const fn new(bytes: &'a [u8], offset: usize) -> Self {
        Self { rest: bytes, offset }
    }

    /// Offset in the file of the next byte.
    pub(crate) const fn offset(&self) -> usize {
        self.offset
    }

    /// How many bytes are left.
    pub(crate) const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The next `length` bytes.
    pub(crate) fn take(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], Error> {
        let (taken, rest) =
            self.rest.split_at_checked(length).ok_or(Error::Truncated { offset: self.offset, what })?;
        self.rest = rest;
        self.offset += length;
        Ok(taken)
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Error> {
        let (taken, rest) =
            self.rest.split_first_chunk::<N>().ok_or(Error::Truncated { offset: self.offset, what })?;
        self.rest = rest;
        self.offset += N;
        Ok(*taken)
    }

    /// A little-endian number.
    pub(crate) fn u32(&mut self, what: &'static str) -> Result<u32, Error> {
        self.array(what).map(u32::from_le_bytes)
    }

    /// A little-endian number.
    pub(crate) fn u64(&mut self, what: &'static str) -> Result<u64, Error> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// A number in ULEB128: seven bits per byte, the lowest first. Go writes no number above 32 bits that way.
    #[inline]
    pub(crate) fn uleb128(&mut self, what: &'static str) -> Result<u32, Error> {
        if let [byte @ 0..0x80, rest @ ..] = self.rest {
            self.rest = rest;
            self.offset += 1;
            return Ok(u32::from(*byte));
        }
        self.long_uleb128(what)
    }

    fn long_uleb128(&mut self, what: &'static str) -> Result<u32, Error> {
        let start = self.offset;
        let too_large = Error::Malformed { offset: start, reason: "number above 32 bits" };
        let mut value = 0_u64;
        for shift in (0..).step_by(7).take(5) {
            let [byte] = self.array(what)?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return u32::try_from(value).map_err(|_| too_large);
            }
        }
        Err(too_large)
    }

    /// Passes over numbers in ULEB128, and checks them.
    pub(crate) fn skip_uleb128s(&mut self, mut count: usize, what: &'static str) -> Result<(), Error> {
        const CONTINUES: u64 = 0x8080_8080_8080_8080;
        while count > 0 {
            let word = self.rest.first_chunk().map_or(u64::MAX, |bytes| u64::from_le_bytes(*bytes));
            let (continues, ends) = (word & CONTINUES, !word & CONTINUES);
            let numbers = ends.count_ones() as usize;
            // Of more than four bytes.
            let is_long = continues & continues << 8 & continues << 16 & continues << 24 != 0;
            if numbers == 0 || numbers > count || is_long {
                self.uleb128(what)?;
                count -= 1;
            } else {
                self.take(8 - ends.leading_zeros() as usize / 8, what)?;
                count -= numbers;
            }
        }
        Ok(())
    }

    /// A number in ULEB128 that counts or measures things in memory.
    pub(crate) fn uleb128_length(&mut self, what: &'static str) -> Result<usize, Error> {
        self.uleb128(what).map(length)
    }
}

/// Every target of this crate has addresses of 32 bits or more.
pub(crate) const fn length(value: u32) -> usize {
    value as usize
}

/// A 64-bit length from a file, as far as it can be a length in memory.
pub(crate) fn large_length(value: u64, offset: usize, what: &'static str) -> Result<usize, Error> {
    usize::try_from(value).map_err(|_| Error::Truncated { offset, what })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uleb128(bytes: &[u8]) -> Result<u32, Error> {
        Cursor::new(bytes, 0).uleb128("a number")
    }

    #[test]
    fn uleb128_reads_32_bits_and_refuses_more() {
        assert_eq!(uleb128(&[0x7f]), Ok(127));
        assert_eq!(uleb128(&[0xe5, 0x8e, 0x26]), Ok(624_485));
        assert_eq!(uleb128(&[0xff, 0xff, 0xff, 0xff, 0x0f]), Ok(u32::MAX));
        let too_large = Err(Error::Malformed { offset: 0, reason: "number above 32 bits" });
        assert_eq!(uleb128(&[0xff, 0xff, 0xff, 0xff, 0x1f]), too_large);
        assert_eq!(uleb128(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x00]), too_large);
        assert_eq!(uleb128(&[0x80]), Err(Error::Truncated { offset: 1, what: "a number" }));
    }

    proptest::proptest! {
        #[test]
        fn many_numbers_are_passed_over_as_one_by_one(
            bytes in proptest::collection::vec(proptest::prop_oneof![3 => 0..0x80_u8, 1 => proptest::prelude::any::<u8>()], 0..60),
            count in 0..30_usize,
        ) {
            let (mut skipping, mut reading) = (Cursor::new(&bytes, 3), Cursor::new(&bytes, 3));
            let skipped = skipping.skip_uleb128s(count, "a number");
            let read = (0..count).try_for_each(|_| reading.uleb128("a number").map(drop));
            proptest::prop_assert_eq!(&skipped, &read);
            if read.is_ok() {
                proptest::prop_assert_eq!(skipping.offset(), reading.offset());
            }
        }
    }
}
