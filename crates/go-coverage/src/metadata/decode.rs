//! Decodes meta-data files. Owns every check: what comes out of here is sound.

use std::borrow::Cow;

use super::{CounterGranularity, FunctionEntry, MetaDataFile, PackageEntry, Text};
use crate::cursor::{Cursor, large_length, length};
use crate::{CounterMode, Error, MetaDataHash, Unit};

pub(crate) const MAGIC: [u8; 4] = *b"\0cvm";
const FILE: &str = "meta-data";
const MODE_OFFSET: usize = 48;
/// Start line, start column, end line, end column, statements: a byte each at least.
const SMALLEST_UNIT: usize = 5;
/// A profile repeats the names that functions share. Without a limit, one long name in a small file could fill the memory.
const NAMES_PER_BYTE: usize = 256;

pub(super) fn decode(bytes: Cow<'_, [u8]>) -> Result<MetaDataFile<'_>, Error> {
    let header = Header::read(&bytes)?;
    let mut cursor = header.packages;
    let table_length = large_length(header.package_count, 24, "the package table")?.saturating_mul(8);
    let offsets = cursor.take(table_length, "the package offsets")?;
    let lengths = cursor.take(table_length, "the package lengths")?;
    // The file's own string table holds nothing.
    cursor.take(header.string_table_length, "the string table")?;

    let mut decoder = Decoder::default();
    let mut end_of_previous = cursor.offset();
    for (offset, length) in offsets.as_chunks::<8>().0.iter().zip(lengths.as_chunks::<8>().0) {
        let what = "a package";
        let offset = large_length(u64::from_le_bytes(*offset), bytes.len(), what)?;
        let length = large_length(u64::from_le_bytes(*length), bytes.len(), what)?;
        if offset < end_of_previous {
            return Err(Error::Malformed { offset, reason: "a package overlaps what is before it" });
        }
        end_of_previous = offset.saturating_add(length);
        let package = bytes
            .get(offset..end_of_previous)
            .ok_or(Error::Truncated { offset: offset.min(bytes.len()), what })?;
        decoder.package(package, offset)?;
    }
    if decoder.name_bytes > bytes.len().saturating_mul(NAMES_PER_BYTE) {
        return Err(Error::Malformed { offset: 0, reason: "implausibly long function and file names" });
    }
    let Decoder { packages, functions, mut first_units, units, .. } = decoder;
    first_units.push(units);
    let ends = packages.iter().map(|package| package.functions.end);
    let first_functions = std::iter::once(0).chain(ends).collect();
    let Header { hash, mode, granularity, .. } = header;
    Ok(MetaDataFile { bytes, hash, mode, granularity, packages, functions, first_functions, first_units })
}

struct Header<'a> {
    hash: MetaDataHash,
    mode: CounterMode,
    granularity: CounterGranularity,
    package_count: u64,
    string_table_length: usize,
    /// At the package table.
    packages: Cursor<'a>,
}

impl<'a> Header<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut cursor = Cursor::new(bytes, 0);
        if cursor.array("the meta-data file header")? != MAGIC {
            return Err(Error::WrongMagic { expected: FILE, offset: 0 });
        }
        let version = cursor.u32("the version")?;
        if version > 1 {
            return Err(Error::UnknownVersion { file: FILE, version });
        }
        let total_length = cursor.u64("the length of the file")?;
        let package_count = cursor.u64("the number of packages")?;
        let hash = MetaDataHash(cursor.array("the hash")?);
        let _string_table_offset = cursor.u32("the string table's offset")?;
        let string_table_length = length(cursor.u32("the string table's length")?);
        let [mode, granularity] = cursor.array("the counter mode")?;
        cursor.take(6, "the meta-data file header")?;
        let mode = counter_mode(mode)?;
        let granularity = match granularity {
            1 => CounterGranularity::PerBlock,
            2 => CounterGranularity::PerFunction,
            _ => {
                return Err(Error::Malformed {
                    offset: MODE_OFFSET + 1,
                    reason: "unknown counter granularity",
                });
            }
        };
        let total_length = large_length(total_length, bytes.len(), "the packages")?;
        if total_length > bytes.len() {
            return Err(Error::Truncated { offset: bytes.len(), what: "the packages" });
        }
        if total_length < bytes.len() {
            return Err(Error::Malformed { offset: total_length, reason: "bytes after the end of the file" });
        }
        if u32::try_from(total_length).is_err() {
            return Err(Error::Malformed { offset: 8, reason: "a file of 4 GiB or more" });
        }
        Ok(Self { hash, mode, granularity, package_count, string_table_length, packages: cursor })
    }
}

fn counter_mode(mode: u8) -> Result<CounterMode, Error> {
    match mode {
        1 => Ok(CounterMode::Set),
        2 => Ok(CounterMode::Count),
        3 => Ok(CounterMode::Atomic),
        // Go marks packages with 4 (registration only) and 5 (test main), and skips them when it
        // chooses the mode of the file: a file that has one of them counts nothing.
        _ => Err(Error::UnusableCounterMode { mode, offset: MODE_OFFSET }),
    }
}

pub(super) fn unit(cursor: &mut Cursor<'_>) -> Result<Unit, Error> {
    Ok(Unit {
        start_line: cursor.uleb128("a unit")?,
        start_column: cursor.uleb128("a unit")?,
        end_line: cursor.uleb128("a unit")?,
        end_column: cursor.uleb128("a unit")?,
        statements: cursor.uleb128("a unit")?,
        count: 0,
    })
}

/// What has been decoded so far.
#[derive(Default)]
struct Decoder {
    packages: Vec<PackageEntry>,
    functions: Vec<FunctionEntry>,
    first_units: Vec<u32>,
    units: u32,
    /// The string table of the current package.
    strings: Vec<Text>,
    name_bytes: usize,
}

/// An offset in the file. The header's check keeps it below 4 GiB.
fn offset_in_file(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

impl Decoder {
    /// Decodes the package whose bytes begin at `base`. Offsets in it count from there.
    fn package(&mut self, bytes: &[u8], base: usize) -> Result<(), Error> {
        let mut cursor = Cursor::new(bytes, base);
        let _length = cursor.u32("a package header")?;
        let name = cursor.u32("a package name")?;
        let import_path = cursor.u32("a package path")?;
        let module_path = cursor.u32("a module path")?;
        let _hash_and_padding: [u8; 20] = cursor.array("a package hash")?;
        let _string_count = cursor.u32("the number of strings of a package")?;
        let function_count = cursor.u32("the number of functions of a package")?;
        let offsets = cursor.take(length(function_count).saturating_mul(4), "the function offsets")?;
        self.string_table(&mut cursor)?;

        let first_function = offset_in_file(self.functions.len());
        self.functions.reserve(offsets.len() / 4);
        self.first_units.reserve(offsets.len() / 4);
        for offset in offsets.as_chunks::<4>().0 {
            let offset = base.saturating_add(length(u32::from_le_bytes(*offset)));
            // What may not overlap cannot multiply: the decoded size stays in proportion to the file.
            let gap = offset
                .checked_sub(cursor.offset())
                .ok_or(Error::Malformed { offset, reason: "a function overlaps what is before it" })?;
            cursor.take(gap, "a function")?;
            self.function(&mut cursor)?;
        }
        self.packages.push(PackageEntry {
            blob: offset_in_file(base)..offset_in_file(base + bytes.len()),
            import_path: self.string(import_path, base)?,
            name: self.string(name, base)?,
            module_path: self.string(module_path, base)?,
            functions: first_function..offset_in_file(self.functions.len()),
        });
        Ok(())
    }

    fn string_table(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Error> {
        self.strings.clear();
        let count = cursor.uleb128_length("a string table")?;
        if count > cursor.remaining() {
            return Err(Error::Truncated { offset: cursor.offset(), what: "a string table" });
        }
        self.strings.reserve(count);
        for _ in 0..count {
            let length = cursor.uleb128_length("a string table")?;
            let offset = cursor.offset();
            check_name(cursor.take(length, "a string table")?, offset)?;
            self.strings.push(Text { start: offset_in_file(offset), length: offset_in_file(length) });
        }
        Ok(())
    }

    fn string(&self, index: u32, offset: usize) -> Result<Text, Error> {
        let string = self.strings.get(length(index)).copied();
        string.ok_or(Error::Malformed { offset, reason: "an index outside of the string table" })
    }

    fn function(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Error> {
        let offset = cursor.offset();
        let unit_count = cursor.uleb128("a function's number of units")?;
        let name = cursor.uleb128("a function's name")?;
        let file = cursor.uleb128("a function's file")?;
        let (name, file) = (self.string(name, offset)?, self.string(file, offset)?);
        self.name_bytes =
            self.name_bytes.saturating_add(length(name.length)).saturating_add(length(file.length));
        if length(unit_count) > cursor.remaining() / SMALLEST_UNIT {
            return Err(Error::Truncated { offset: cursor.offset(), what: "the units of a function" });
        }
        let units = offset_in_file(cursor.offset());
        cursor.skip_uleb128s(SMALLEST_UNIT.saturating_mul(length(unit_count)), "a unit")?;
        let is_literal = cursor.uleb128("a function's literal flag")? != 0;
        self.first_units.push(self.units);
        // Each of them takes five bytes or more of a file below 4 GiB.
        self.units += unit_count;
        self.functions.push(FunctionEntry {
            name,
            file,
            units,
            end: offset_in_file(cursor.offset()),
            is_literal,
        });
        Ok(())
    }
}

/// Names go to terminals and into line-based formats. Go has none with control characters.
fn check_name(name: &[u8], offset: usize) -> Result<(), Error> {
    let text =
        str::from_utf8(name).map_err(|_| Error::Malformed { offset, reason: "a name that is not UTF-8" })?;
    let has_control = if text.is_ascii() {
        text.bytes().any(|byte| byte.is_ascii_control())
    } else {
        text.chars().any(char::is_control)
    };
    if has_control {
        return Err(Error::Malformed { offset, reason: "a name with a control character" });
    }
    Ok(())
}
