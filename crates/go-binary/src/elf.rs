//! The headers of an ELF file: what it is for, and where its segments and sections are. Knows no Go.
//!
//! The loader goes by segments alone, so that a file without section headers is as good as one with them.

use std::ops::Range;

use crate::scan::{read, read_into};
use crate::{ByteSource, Error, VirtualAddress};

const HEADER: usize = 64;
const PROGRAM_HEADER: usize = 56;
const SECTION_HEADER: usize = 64;
/// Go and the usual linkers write about ten, and about forty.
const MOST_SEGMENTS: u64 = 512;
const MOST_SECTIONS: u64 = 8192;
const MOST_NAME_BYTES: u64 = 1 << 20;
const MOST_DYNAMIC_BYTES: u64 = 64 * 1024;

/// A processor that coverage is read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Architecture {
    /// x86-64.
    Amd64,
    /// AArch64, little-endian.
    Arm64,
}

impl Architecture {
    /// As in `GOARCH`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }
}

/// How it is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// At a fixed address.
    Executable,
    /// Anywhere: `-buildmode=pie`, static or not.
    PositionIndependentExecutable,
    /// By another program: `-buildmode=c-shared` or `plugin`.
    SharedObject,
}

/// What is loaded into memory as one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where it is in memory.
    pub address: VirtualAddress,
    /// How much memory it takes. What the file does not fill is zero.
    pub memory_size: u64,
    /// Where it is in the file.
    pub offset: u64,
    /// How much of the file it is.
    pub file_size: u64,
    /// Whether the program may change it.
    pub writable: bool,
    /// Whether it holds code.
    pub executable: bool,
}

impl Segment {
    /// Where it is in the file.
    #[must_use]
    pub const fn file_range(&self) -> Range<u64> {
        self.offset..self.offset + self.file_size
    }
}

/// A part of the file with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// As `.go.buildinfo`.
    pub name: String,
    /// Where it is in memory; 0 if it is not loaded.
    pub address: VirtualAddress,
    /// Where it is in the file.
    pub offset: u64,
    /// How long it is.
    pub size: u64,
    /// The number of another section that it refers to.
    pub(crate) link: u32,
    /// Takes no room in the file.
    pub(crate) is_empty_in_file: bool,
}

pub(crate) struct Headers {
    pub(crate) architecture: Architecture,
    /// `EI_OSABI`.
    pub(crate) operating_system_abi: u8,
    pub(crate) kind: FileKind,
    pub(crate) has_interpreter: bool,
    pub(crate) program_table: Range<u64>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) sections: Vec<Section>,
}

impl Headers {
    pub(crate) fn read(source: &impl ByteSource) -> Result<Self, Error> {
        let identification = identification(source)?;
        let mut header = [0; HEADER];
        check_end(source, "the ELF header", Some(HEADER as u64))?;
        read_into(source, 0, &mut header)?;
        let mut fields = Fields(&header);
        let _identification: [u8; 16] = fields.array();
        let file_type = fields.u16();
        let machine = fields.u16();
        let architecture = match machine {
            62 => Architecture::Amd64,
            183 => Architecture::Arm64,
            _ => return Err(Error::UnsupportedMachine { machine }),
        };
        let _version_and_entry: [u8; 12] = fields.array();
        let (program_headers, section_headers) = (fields.u64(), fields.u64());
        let _flags_and_size: [u8; 6] = fields.array();
        let program_headers = Table { offset: program_headers, entry: fields.u16(), count: fields.u16() };
        let section_headers = Table { offset: section_headers, entry: fields.u16(), count: fields.u16() };
        let names_index = fields.u16();

        let (range, entries) = read_program_headers(source, program_headers)?;
        let segments = loaded(source, &entries)?;
        let has_interpreter = entries.iter().any(|entry| entry.kind == ProgramHeader::INTERPRETER);
        let kind = match file_type {
            2 => FileKind::Executable,
            3 if has_interpreter || says_it_is_a_program(source, &entries)? => {
                FileKind::PositionIndependentExecutable
            }
            3 => FileKind::SharedObject,
            kind => return Err(Error::NotExecutable { kind }),
        };
        Ok(Self {
            architecture,
            operating_system_abi: identification,
            kind,
            has_interpreter,
            program_table: range,
            segments,
            sections: read_sections(source, section_headers, names_index)?,
        })
    }
}

/// Checks that it is an ELF file of 64 bits, and returns `EI_OSABI`.
fn identification(source: &impl ByteSource) -> Result<u8, Error> {
    let mut bytes = [0; 16];
    let length = usize::try_from(source.length()).unwrap_or(usize::MAX).min(bytes.len());
    if let Some(bytes) = bytes.get_mut(..length) {
        read_into(source, 0, bytes)?;
    }
    let format = match bytes {
        [0x7f, b'E', b'L', b'F', 2, 1, _, abi, ..] => return Ok(abi),
        [0x7f, b'E', b'L', b'F', 1, ..] => "an ELF file of 32 bits",
        [0x7f, b'E', b'L', b'F', _, 2, ..] => "a big-endian ELF file",
        [0x7f, b'E', b'L', b'F', ..] => "a damaged ELF file",
        [b'M', b'Z', ..] => "an executable of Windows (PE)",
        [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..] | [0xca, 0xfe, 0xba, 0xbe, ..] => {
            "an executable of macOS (Mach-O)"
        }
        [b'#', b'!', ..] => "a script",
        [b'!', b'<', b'a', b'r', b'c', b'h', b'>', ..] => "an archive of object files",
        [0x1f, 0x8b, ..] => "a gzip file",
        _ if length == 0 => "an empty file",
        _ => "something else",
    };
    Err(Error::NotElf { format })
}

#[derive(Clone, Copy)]
struct Table {
    offset: u64,
    entry: u16,
    count: u16,
}

/// Checks that a part of the file is within it.
fn check_end(source: &impl ByteSource, what: &'static str, end: Option<u64>) -> Result<(), Error> {
    let (length, end) = (source.length(), end.unwrap_or(u64::MAX));
    if end > length { Err(Error::Truncated { length, what, end }) } else { Ok(()) }
}

struct ProgramHeader {
    kind: u32,
    flags: u32,
    offset: u64,
    address: u64,
    file_size: u64,
    memory_size: u64,
}

impl ProgramHeader {
    const LOADED: u32 = 1;
    const DYNAMIC: u32 = 2;
    const INTERPRETER: u32 = 3;

    fn new(bytes: &[u8; PROGRAM_HEADER]) -> Self {
        let mut fields = Fields(bytes);
        let (kind, flags) = (fields.u32(), fields.u32());
        let (offset, address) = (fields.u64(), fields.u64());
        let _physical_address = fields.u64();
        Self { kind, flags, offset, address, file_size: fields.u64(), memory_size: fields.u64() }
    }
}

fn read_program_headers(
    source: &impl ByteSource,
    table: Table,
) -> Result<(Range<u64>, Vec<ProgramHeader>), Error> {
    let what = "the program headers";
    let count = u64::from(table.count);
    if count > MOST_SEGMENTS {
        return Err(Error::TooLarge { what, count, limit: MOST_SEGMENTS });
    }
    if count > 0 && usize::from(table.entry) != PROGRAM_HEADER {
        return Err(Error::Malformed { offset: 54, reason: "program headers of another size" });
    }
    let length = usize::from(table.count) * PROGRAM_HEADER;
    let end = table.offset.checked_add(length as u64);
    check_end(source, what, end)?;
    let bytes = read(source, table.offset, length)?;
    let entries = bytes.as_chunks().0.iter().map(ProgramHeader::new).collect();
    Ok((table.offset..end.unwrap_or(u64::MAX), entries))
}

fn loaded(source: &impl ByteSource, entries: &[ProgramHeader]) -> Result<Vec<Segment>, Error> {
    let mut segments = Vec::new();
    let mut total = 0_u64;
    for entry in entries.iter().filter(|entry| entry.kind == ProgramHeader::LOADED) {
        check_end(source, "a segment", entry.offset.checked_add(entry.file_size))?;
        if entry.address.checked_add(entry.memory_size).is_none() || entry.file_size > entry.memory_size {
            return Err(Error::Malformed { offset: entry.offset, reason: "a segment of an impossible size" });
        }
        total = total.saturating_add(entry.file_size);
        segments.push(Segment {
            address: VirtualAddress(entry.address),
            memory_size: entry.memory_size,
            offset: entry.offset,
            file_size: entry.file_size,
            writable: entry.flags & 2 != 0,
            executable: entry.flags & 1 != 0,
        });
    }
    // Else a small file could claim hundreds of times its size, all of which would be searched.
    if total > source.length().saturating_mul(2) {
        return Err(Error::Malformed { offset: 0, reason: "segments that overlap in the file" });
    }
    Ok(segments)
}

/// Whether the dynamic section has `DF_1_PIE`, which tells a static position-independent executable from a library.
fn says_it_is_a_program(source: &impl ByteSource, entries: &[ProgramHeader]) -> Result<bool, Error> {
    const FLAGS_1: u64 = 0x6fff_fffb;
    const PIE: u64 = 0x0800_0000;
    let Some(dynamic) = entries.iter().find(|entry| entry.kind == ProgramHeader::DYNAMIC) else {
        return Ok(false);
    };
    let what = "the dynamic section";
    check_end(source, what, dynamic.offset.checked_add(dynamic.file_size))?;
    let bytes = read(source, dynamic.offset, limited(what, dynamic.file_size, MOST_DYNAMIC_BYTES)?)?;
    Ok(bytes.as_chunks::<16>().0.iter().any(|entry| {
        let mut fields = Fields(entry);
        fields.u64() == FLAGS_1 && fields.u64() & PIE != 0
    }))
}

/// None where the file has none, or where they are not within it: the program runs all the same.
fn read_sections(source: &impl ByteSource, table: Table, names_index: u16) -> Result<Vec<Section>, Error> {
    let within = |offset: u64, size: u64| offset.checked_add(size).is_some_and(|end| end <= source.length());
    let count = u64::from(table.count);
    if count > MOST_SECTIONS {
        return Err(Error::TooLarge { what: "the section headers", count, limit: MOST_SECTIONS });
    }
    let length = usize::from(table.count) * SECTION_HEADER;
    if table.offset == 0 || usize::from(table.entry) != SECTION_HEADER || !within(table.offset, length as u64)
    {
        return Ok(Vec::new());
    }
    let bytes = read(source, table.offset, length)?;
    let headers: Vec<_> = bytes.as_chunks::<SECTION_HEADER>().0.iter().map(SectionHeader::new).collect();
    let names = match headers.get(usize::from(names_index)) {
        Some(names) if within(names.offset, names.size) => {
            read(source, names.offset, limited("the names of the sections", names.size, MOST_NAME_BYTES)?)?
        }
        _ => Vec::new(),
    };
    let section = |header: &SectionHeader| Section {
        name: text_at(&names, header.name),
        address: VirtualAddress(header.address),
        offset: header.offset,
        size: header.size,
        link: header.link,
        is_empty_in_file: header.kind == SectionHeader::NO_BITS,
    };
    // By their numbers they refer to each other, so that none is left out.
    let sections = headers.iter().map(section);
    Ok(sections
        .map(|section| {
            let has_bytes = section.is_empty_in_file || within(section.offset, section.size);
            if has_bytes { section } else { Section { size: 0, is_empty_in_file: true, ..section } }
        })
        .collect())
}

struct SectionHeader {
    name: u32,
    kind: u32,
    address: u64,
    offset: u64,
    size: u64,
    link: u32,
}

impl SectionHeader {
    const NO_BITS: u32 = 8;

    fn new(bytes: &[u8; SECTION_HEADER]) -> Self {
        let mut fields = Fields(bytes);
        let (name, kind) = (fields.u32(), fields.u32());
        let _flags = fields.u64();
        let (address, offset, size) = (fields.u64(), fields.u64(), fields.u64());
        Self { name, kind, address, offset, size, link: fields.u32() }
    }
}

/// The text up to the next zero byte. Names are short; a hostile one is cut.
fn text_at(names: &[u8], offset: u32) -> String {
    const LONGEST: usize = 64;
    let rest = usize::try_from(offset).ok().and_then(|offset| names.get(offset..)).unwrap_or_default();
    let name = rest.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(name.get(..LONGEST).unwrap_or(name)).into_owned()
}

/// A length that memory is allocated for.
pub(crate) fn limited(what: &'static str, length: u64, limit: u64) -> Result<usize, Error> {
    let too_large = Error::TooLarge { what, count: length, limit };
    if length > limit { Err(too_large) } else { usize::try_from(length).map_err(|_| too_large) }
}

/// The fields of a record, one after the other. Whole records are given, so that it does not end before them.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl Fields<'_> {
    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        let Some((field, rest)) = self.0.split_first_chunk() else { return [0; N] };
        self.0 = rest;
        *field
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    pub(crate) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }
}
