//! Reads meta-data files (`covmeta.*`): which packages, functions and units a program has. Knows no counts.

use crate::cursor::{Cursor, large_length, length};
use crate::{CounterMode, Error, MetaDataHash, Unit};

const MAGIC: [u8; 4] = *b"\0cvm";
const FILE: &str = "meta-data";
const MODE_OFFSET: usize = 48;
/// Start line, start column, end line, end column, statements: a byte each at least.
const SMALLEST_UNIT: usize = 5;
/// A profile repeats the names that functions share. Without a limit, one long name in a small file could fill the memory.
const NAMES_PER_BYTE: usize = 256;

/// How many counters a function has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CounterGranularity {
    /// One for each unit.
    PerBlock,
    /// One for the function, which then has one unit. `go build` never asks for it.
    PerFunction,
}

/// A meta-data file, decoded.
///
/// All texts and all units lie in one array each, so that a program of any size takes a handful of allocations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetaDataFile {
    hash: MetaDataHash,
    mode: CounterMode,
    granularity: CounterGranularity,
    packages: Vec<PackageEntry>,
    functions: Vec<FunctionEntry>,
    units: Vec<Unit>,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Text {
    start: usize,
    end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PackageEntry {
    import_path: Text,
    name: Text,
    module_path: Text,
    first_function: usize,
    end_function: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FunctionEntry {
    name: Text,
    file: Text,
    is_literal: bool,
    first_unit: usize,
    end_unit: usize,
}

impl MetaDataFile {
    /// Decodes a whole meta-data file.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
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
        let string_table_length = cursor.u32("the string table's length")?;
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

        let table_length = large_length(package_count, 24, "the package table")?.saturating_mul(8);
        let offsets = cursor.take(table_length, "the package offsets")?;
        let lengths = cursor.take(table_length, "the package lengths")?;
        // The file's own string table holds nothing.
        cursor.take(length(string_table_length), "the string table")?;

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
        let Decoder { packages, functions, units, text, .. } = decoder;
        Ok(Self { hash, mode, granularity, packages, functions, units, text })
    }

    /// What counter files call this program.
    #[must_use]
    pub const fn hash(&self) -> MetaDataHash {
        self.hash
    }

    /// How the program counts.
    #[must_use]
    pub const fn mode(&self) -> CounterMode {
        self.mode
    }

    /// How many counters a function has.
    #[must_use]
    pub const fn granularity(&self) -> CounterGranularity {
        self.granularity
    }

    /// In the order of the file: that in which Go initialises them.
    #[must_use]
    pub fn packages(&self) -> impl ExactSizeIterator<Item = PackageMetaData<'_>> {
        self.packages.iter().map(|entry| PackageMetaData { file: self, entry })
    }

    /// All units of all functions of all packages.
    pub(crate) fn units(&self) -> &[Unit] {
        &self.units
    }

    /// Where in [`Self::units`] the units of a function are.
    pub(crate) fn unit_range(&self, package: u32, function: u32) -> Option<std::ops::Range<usize>> {
        let package = self.packages.get(length(package))?;
        let functions = self.functions.get(package.first_function..package.end_function)?;
        functions.get(length(function)).map(|function| function.first_unit..function.end_unit)
    }

    fn text(&self, text: Text) -> &str {
        self.text.get(text.start..text.end).unwrap_or_default()
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

/// A package in a meta-data file.
#[derive(Clone, Copy, Debug)]
pub struct PackageMetaData<'a> {
    file: &'a MetaDataFile,
    entry: &'a PackageEntry,
}

impl<'a> PackageMetaData<'a> {
    /// For example `example.com/shop/internal/cart`.
    #[must_use]
    pub fn import_path(&self) -> &'a str {
        self.file.text(self.entry.import_path)
    }

    /// As in its package clause.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.file.text(self.entry.name)
    }

    /// Of the module that it belongs to; empty for the standard library and for `command-line-arguments`.
    #[must_use]
    pub fn module_path(&self) -> &'a str {
        self.file.text(self.entry.module_path)
    }

    /// In the order of the file, which is that of the sources.
    #[must_use]
    pub fn functions(&self) -> impl ExactSizeIterator<Item = FunctionMetaData<'a>> + use<'a> {
        let file = self.file;
        let functions = file.functions.get(self.entry.first_function..self.entry.end_function);
        functions.unwrap_or_default().iter().map(move |entry| FunctionMetaData { file, entry })
    }
}

/// A function in a meta-data file.
#[derive(Clone, Copy, Debug)]
pub struct FunctionMetaData<'a> {
    file: &'a MetaDataFile,
    entry: &'a FunctionEntry,
}

impl<'a> FunctionMetaData<'a> {
    /// `F`, `T.Method`, `*T.Method`, or `func.L12.C11` for a literal outside of any function.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.file.text(self.entry.name)
    }

    /// Import path and base name, or an absolute path for `command-line-arguments`.
    #[must_use]
    pub fn source_file(&self) -> &'a str {
        self.file.text(self.entry.file)
    }

    /// A literal outside of any function. Literals within a function are part of it.
    #[must_use]
    pub const fn is_literal(&self) -> bool {
        self.entry.is_literal
    }

    /// Their counts are all 0.
    #[must_use]
    pub fn units(&self) -> &'a [Unit] {
        self.file.units.get(self.unit_range()).unwrap_or_default()
    }

    /// Where in [`MetaDataFile::units`] the units are.
    pub(crate) fn unit_range(&self) -> std::ops::Range<usize> {
        self.entry.first_unit..self.entry.end_unit
    }
}

/// What has been decoded so far.
#[derive(Default)]
struct Decoder {
    packages: Vec<PackageEntry>,
    functions: Vec<FunctionEntry>,
    units: Vec<Unit>,
    text: String,
    /// The string table of the current package.
    strings: Vec<Text>,
    name_bytes: usize,
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

        let first_function = self.functions.len();
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
            import_path: self.string(import_path, base)?,
            name: self.string(name, base)?,
            module_path: self.string(module_path, base)?,
            first_function,
            end_function: self.functions.len(),
        });
        Ok(())
    }

    fn string_table(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Error> {
        self.strings.clear();
        let count = cursor.uleb128_length("a string table")?;
        if count > cursor.remaining() {
            return Err(Error::Truncated { offset: cursor.offset(), what: "a string table" });
        }
        for _ in 0..count {
            let length = cursor.uleb128_length("a string table")?;
            let offset = cursor.offset();
            let string = str::from_utf8(cursor.take(length, "a string table")?)
                .map_err(|_| Error::Malformed { offset, reason: "a name that is not UTF-8" })?;
            let start = self.text.len();
            self.text.push_str(string);
            self.strings.push(Text { start, end: self.text.len() });
        }
        Ok(())
    }

    fn string(&self, index: u32, offset: usize) -> Result<Text, Error> {
        let string = self.strings.get(length(index)).copied();
        string.ok_or(Error::Malformed { offset, reason: "an index outside of the string table" })
    }

    fn function(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Error> {
        let offset = cursor.offset();
        let unit_count = cursor.uleb128_length("a function's number of units")?;
        let name = cursor.uleb128("a function's name")?;
        let file = cursor.uleb128("a function's file")?;
        let (name, file) = (self.string(name, offset)?, self.string(file, offset)?);
        self.name_bytes = self.name_bytes.saturating_add(name.end - name.start + file.end - file.start);
        if unit_count > cursor.remaining() / SMALLEST_UNIT {
            return Err(Error::Truncated { offset: cursor.offset(), what: "the units of a function" });
        }
        let first_unit = self.units.len();
        self.units.reserve(unit_count);
        for _ in 0..unit_count {
            self.units.push(Unit {
                start_line: cursor.uleb128("a unit")?,
                start_column: cursor.uleb128("a unit")?,
                end_line: cursor.uleb128("a unit")?,
                end_column: cursor.uleb128("a unit")?,
                statements: cursor.uleb128("a unit")?,
                count: 0,
            });
        }
        let is_literal = cursor.uleb128("a function's literal flag")? != 0;
        self.functions.push(FunctionEntry { name, file, is_literal, first_unit, end_unit: self.units.len() });
        Ok(())
    }
}
