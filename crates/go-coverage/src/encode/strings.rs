//! String tables: each string once, by the order in which it was first needed.

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::push_uleb128;

/// A string table that is being made. Its first string is the empty one.
#[derive(Clone, Debug)]
pub(super) struct StringTable<'a> {
    indices: HashMap<Cow<'a, [u8]>, u32, RandomState>,
    /// Lengths and contents.
    encoded: Vec<u8>,
}

impl<'a> StringTable<'a> {
    pub(super) fn new() -> Self {
        let mut table = Self { indices: HashMap::default(), encoded: Vec::new() };
        table.index(Cow::Borrowed(b""));
        table
    }

    /// The index of a string, which is added if it is new.
    pub(super) fn index(&mut self, string: Cow<'a, [u8]>) -> u32 {
        let next = self.count();
        if let Some(index) = self.indices.get(&string) {
            return *index;
        }
        push_uleb128(&mut self.encoded, u32::try_from(string.len()).unwrap_or(u32::MAX));
        self.encoded.extend_from_slice(&string);
        self.indices.insert(string, next);
        next
    }

    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.indices.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.encoded.len() + 5);
        push_uleb128(&mut bytes, self.count());
        bytes.extend_from_slice(&self.encoded);
        bytes
    }
}
