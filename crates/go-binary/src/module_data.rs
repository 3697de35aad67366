//! The runtime's module data: where it is, or how a process's memory tells, and what of it coverage needs.
//!
//! Its first words are the same in Go 1.21 to 1.27. In a position-independent executable they are filled in when the
//! program is loaded, so that they are to be read from memory.

use std::ops::Range;

use crate::elf::Fields;
use crate::scan::{read, words};
use crate::{ByteSource, Error, Place, Section, Segment, VirtualAddress, symbols};

const SYMBOL: &str = "runtime.firstmoduledata";
const SECTION: &str = ".go.module";
const TABLE_SECTIONS: [&str; 2] = [".gopclntab", ".data.rel.ro.gopclntab"];
/// One table of functions is the rule; the bytes may occur elsewhere by chance.
const MOST_CANDIDATES: usize = 64;

/// How to find the module data of a program in its memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModuleDataLocation {
    /// It is there.
    At {
        /// Of its first word.
        address: VirtualAddress,
        /// What told.
        place: Place,
    },
    /// It is in a writable segment: its first word is the address of the table of functions, which is one of these.
    PointsTo {
        /// Where the table may be.
        tables: Vec<VirtualAddress>,
        /// What told of the first one.
        place: Place,
    },
}

/// What coverage needs of the module data. Addresses are as they stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleData {
    /// Of the table of functions.
    pub function_table: u64,
    /// Variables without initial value.
    pub bss: Range<u64>,
    /// Variables without initial value and without pointers.
    pub noptrbss: Range<u64>,
    /// The coverage counters of all packages; empty if nothing was built with `-cover`.
    pub counters: Range<u64>,
}

impl ModuleData {
    /// How many bytes are needed to decode it.
    pub const LENGTH: usize = 34 * 8;

    /// None if the bytes are something else.
    #[must_use]
    pub fn decode(bytes: &[u8; Self::LENGTH]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let words: [u64; 34] = std::array::from_fn(|_| fields.u64());
        let range = |at: usize| words[at]..words[at + 1];
        let (text, data) = (range(22), [range(24), range(26)]);
        let (bss, noptrbss, counters) = (range(28), range(30), range(32));
        let are_ranges =
            data.iter().chain([&text, &bss, &noptrbss, &counters]).all(|range| range.start <= range.end);
        let is_within = noptrbss.start <= counters.start && counters.end <= noptrbss.end;
        let has_counters = !counters.is_empty();
        let is_plausible = are_ranges && !text.is_empty() && (is_within || !has_counters);
        is_plausible.then_some(Self { function_table: words[0], bss, noptrbss, counters })
    }
}

/// Whether this word begins a table of functions (`runtime.pcHeader`): magic number of Go 1.20 and later, two zero
/// bytes, the size of the smallest instruction, the size of a pointer.
#[must_use]
pub const fn begins_function_table(word: u64) -> bool {
    matches!(word.to_le_bytes(), [0xf1, 0xff, 0xff, 0xff, 0, 0, 1 | 2 | 4, 8])
}

/// None if Go did not build it.
pub(crate) fn locate(
    source: &impl ByteSource,
    sections: &[Section],
    segments: &[Segment],
) -> Result<Option<ModuleDataLocation>, Error> {
    if let [Some(address)] = symbols::look_up(source, sections, [SYMBOL])? {
        let place = Place::Symbol { name: SYMBOL, address };
        return Ok(Some(ModuleDataLocation::At { address, place }));
    }
    let named = |name: &str| sections.iter().find(|section| section.name == name && section.address.0 != 0);
    let place = |section: &Section| Place::Section { name: section.name.clone(), offset: section.offset };
    if let Some(section) = named(SECTION) {
        return Ok(Some(ModuleDataLocation::At { address: section.address, place: place(section) }));
    }
    if let Some(section) = TABLE_SECTIONS.into_iter().find_map(named) {
        return Ok(Some(ModuleDataLocation::PointsTo {
            tables: vec![section.address],
            place: place(section),
        }));
    }
    let mut tables = Vec::new();
    let mut first = None;
    for segment in segments.iter().filter(|segment| !segment.executable) {
        words(source, segment.file_range(), |offset, word| {
            if begins_function_table(word) {
                tables.push(VirtualAddress(segment.address.0.saturating_add(offset - segment.offset)));
                first.get_or_insert(offset);
            }
            Ok((tables.len() == MOST_CANDIDATES).then_some(()))
        })?;
    }
    Ok(first.map(|offset| ModuleDataLocation::PointsTo { tables, place: Place::Segment { offset } }))
}

/// The module data as it stands in the file, which is as it will be in memory if that is at a fixed address.
pub(crate) fn read_from_file(
    source: &impl ByteSource,
    segments: &[Segment],
    location: &ModuleDataLocation,
) -> Result<Option<ModuleData>, Error> {
    match location {
        ModuleDataLocation::At { address, .. } => {
            let offset = segments.iter().find_map(|segment| {
                let within = address.0.checked_sub(segment.address.0)?;
                (within < segment.file_size).then_some(segment.offset + within)
            });
            offset.map_or(Ok(None), |offset| at_offset(source, offset))
        }
        ModuleDataLocation::PointsTo { tables, .. } => {
            for segment in segments.iter().filter(|segment| segment.writable) {
                let found = words(source, segment.file_range(), |offset, word| {
                    if tables.iter().any(|table| table.0 == word) {
                        at_offset(source, offset)
                    } else {
                        Ok(None)
                    }
                })?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            Ok(None)
        }
    }
}

fn at_offset(source: &impl ByteSource, offset: u64) -> Result<Option<ModuleData>, Error> {
    if offset.checked_add(ModuleData::LENGTH as u64).is_none_or(|end| end > source.length()) {
        return Ok(None);
    }
    let bytes = read(source, offset, ModuleData::LENGTH)?;
    Ok(bytes.first_chunk().and_then(ModuleData::decode))
}
