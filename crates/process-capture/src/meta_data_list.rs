//! The list of packages' meta-data that Go keeps in a process (`internal/coverage/rtcov.Meta`, `runtime.covMeta` up to
//! Go 1.22). It grows while packages are initialised, and its last one then is main.

use std::ops::Range;

use go_binary::words;

use crate::address::AddressSpace;
use crate::module::{ListPlace, Module, read};
use crate::{LiveAddress, Memory, Reason};

const ENTRY: usize = 64;
const SLICE: usize = 24;
/// Programs have some thousand packages.
const MOST_PACKAGES: u64 = 65_536;
const MOST_META_DATA: u64 = 1 << 30;
/// Those of a package have a header.
const LEAST_META_DATA: u32 = 44;
/// Of the variables, how much is searched for the list.
const MOST_SEARCHED: u64 = 256 << 20;
/// Of what looks like the list at first sight. A program has few slices of structures that begin with such pointers.
const MOST_CANDIDATES: u32 = 100_000;
/// As the compiler names the main package here, whatever its import path is.
const MAIN: &[u8] = b"main";

/// The words of a slice: they change when, and only when, a package is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SliceHeader {
    /// Where it is itself.
    at: LiveAddress,
    entries: u64,
    pub(crate) length: u64,
}

/// What the list says of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) blob: LiveAddress,
    pub(crate) length: u32,
    hash: [u8; 16],
    path: (u64, u64),
    /// The hard-coded number of a package that starts before the others; −1 for all others.
    pub(crate) package_id: i64,
    pub(crate) mode: u8,
    pub(crate) granularity: u8,
}

impl SliceHeader {
    /// Reads it again.
    pub(crate) fn again(self, memory: &impl Memory) -> Result<Self, Reason> {
        Self::read(memory, self.at)
    }

    fn read(memory: &impl Memory, at: LiveAddress) -> Result<Self, Reason> {
        let mut bytes = [0; SLICE];
        read(memory, at, &mut bytes)?;
        Self::decode(at, &bytes).ok_or(Reason::Inconsistent { address: at, what: "the list of meta-data" })
    }

    /// None if it is no slice of a length that the list may have.
    fn decode(at: LiveAddress, bytes: &[u8; SLICE]) -> Option<Self> {
        let [entries, length, capacity] = [0, 8, 16].map(|at| u64::from_le_bytes(field(bytes, at)));
        let is_plausible =
            length <= capacity && length <= MOST_PACKAGES && (length == 0 || entries.is_multiple_of(8));
        is_plausible.then_some(Self { at, entries, length })
    }
}

/// A part of a record, which is within it.
fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
}

impl Entry {
    fn decode(bytes: &[u8; ENTRY]) -> Self {
        Self {
            blob: LiveAddress(u64::from_le_bytes(field(bytes, 0))),
            length: u32::from_le_bytes(field(bytes, 8)),
            hash: field(bytes, 12),
            path: (u64::from_le_bytes(field(bytes, 32)), u64::from_le_bytes(field(bytes, 40))),
            package_id: i64::from_le_bytes(field(bytes, 48)),
            mode: u8::from_le_bytes(field(bytes, 56)),
            granularity: u8::from_le_bytes(field(bytes, 57)),
        }
    }

    /// Whether it describes meta-data among the constants. Nothing is read.
    fn is_plausible(&self, module: &Module) -> bool {
        let end = self.blob.0.saturating_add(u64::from(self.length));
        let is_constant = module.constants.iter().any(|range| range.start <= self.blob.0 && end <= range.end);
        is_constant
            && self.length >= LEAST_META_DATA
            && matches!(self.mode, 1..=5)
            && matches!(self.granularity, 1 | 2)
    }

    /// Whether the meta-data that it points to begin with what it says of them.
    fn matches_meta_data(&self, memory: &impl Memory) -> bool {
        let mut bytes = [0; 32];
        memory.read(self.blob, &mut bytes).is_ok()
            && bytes.first_chunk() == Some(&self.length.to_le_bytes())
            && bytes.last_chunk() == Some(&self.hash)
    }

    /// Whether it is the main package's.
    pub(crate) fn is_main(&self, memory: &impl Memory) -> bool {
        let mut path = [0; MAIN.len()];
        self.path.1 == MAIN.len() as u64
            && memory.read(LiveAddress(self.path.0), &mut path).is_ok()
            && path == MAIN
    }
}

/// Finds the list. None if it is not there yet, because no package has been initialised.
pub(crate) fn find(module: &Module, memory: &impl Memory) -> Result<Option<SliceHeader>, Reason> {
    match &module.list {
        ListPlace::At(address) => {
            let header = SliceHeader::read(memory, *address)?;
            Ok((header.length > 0).then_some(header))
        }
        ListPlace::Within(variables) => search(module, memory, variables.clone()),
    }
}

/// Looks for a slice of which every entry points to meta-data with the hash that it has itself.
fn search(module: &Module, memory: &impl Memory, range: Range<u64>) -> Result<Option<SliceHeader>, Reason> {
    // The linker puts small variables first.
    let range = range.start..range.end.min(range.start.saturating_add(MOST_SEARCHED));
    let (mut first, mut second) = (0, 0);
    let mut candidates = 0;
    let found = words(&AddressSpace(memory), range.clone(), |address, third| {
        let words = [first, second, third];
        (first, second) = (second, third);
        let at = address.wrapping_sub(SLICE as u64 - 8);
        let [entries, length, capacity] = words;
        let is_slice = 0 < length && length <= capacity && capacity <= 2 * MOST_PACKAGES && entries != 0;
        if at < range.start || !is_slice || candidates == MOST_CANDIDATES {
            return Ok(None);
        }
        let Some(header) = SliceHeader::decode(LiveAddress(at), &concatenated(words)) else {
            return Ok(None);
        };
        candidates += 1;
        Ok(read_first(memory, header)
            .filter(|entry| entry.is_plausible(module) && entry.matches_meta_data(memory))
            .map(|_| header))
    });
    found.map_err(Reason::search)
}

fn concatenated(words: [u64; 3]) -> [u8; SLICE] {
    let mut bytes = [0; SLICE];
    for (own, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
        *own = word.to_le_bytes();
    }
    bytes
}

fn read_first(memory: &impl Memory, header: SliceHeader) -> Option<Entry> {
    let mut bytes = [0; ENTRY];
    memory.read(LiveAddress(header.entries), &mut bytes).ok()?;
    Some(Entry::decode(&bytes))
}

/// Reads the list, and checks every entry of it.
pub(crate) fn read_entries(
    module: &Module,
    memory: &impl Memory,
    header: SliceHeader,
) -> Result<Vec<Entry>, Reason> {
    let address = LiveAddress(header.entries);
    let inconsistent = |what| Reason::Inconsistent { address, what };
    let too_much = || inconsistent("more meta-data than the program has constants");
    let room = module.constants.iter().map(|range| range.end - range.start).fold(0, u64::saturating_add);
    let room = room.min(MOST_META_DATA);
    // What a forged process says of itself must not make this read more than it has. At most MOST_PACKAGES: 4 MB.
    if header.length.saturating_mul(LEAST_META_DATA.into()) > room {
        return Err(too_much());
    }
    let count = usize::try_from(header.length).map_err(|_| too_much())?;
    let mut bytes = vec![0; count * ENTRY];
    read(memory, address, &mut bytes)?;
    let entries: Vec<_> = bytes.as_chunks().0.iter().map(Entry::decode).collect();
    let total: u64 = entries.iter().map(|entry| u64::from(entry.length)).sum();
    if total > room {
        return Err(too_much());
    }
    // Meta-data are read, and so counted, once for each entry: none may be given twice.
    let mut places: Vec<_> = entries.iter().map(|entry| entry.blob).collect();
    places.sort_unstable();
    let is_repeated = places.windows(2).any(|pair| matches!(pair, [one, other] if one == other));
    if is_repeated
        || !entries.iter().all(|entry| entry.is_plausible(module) && entry.matches_meta_data(memory))
    {
        return Err(inconsistent("a package's meta-data"));
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a process that has nothing.
    struct Nothing;

    impl Memory for Nothing {
        fn read(&self, address: LiveAddress, buffer: &mut [u8]) -> std::io::Result<()> {
            panic!("{} bytes are read at {address:?}", buffer.len());
        }
    }

    #[test]
    fn a_list_for_which_the_program_has_not_enough_constants_is_refused_before_it_is_read() {
        let constants = 0..1000;
        let module = Module::new(0..0, ListPlace::At(LiveAddress(8)), vec![constants]);
        let header = SliceHeader { at: LiveAddress(8), entries: 64, length: MOST_PACKAGES };
        let refused = read_entries(&module, &Nothing, header).unwrap_err();
        assert!(matches!(refused, Reason::Inconsistent { .. }), "{refused:?}");
    }
}
