//! Meta-data files (`covmeta.*`): which packages, functions and units a program has. Knows no counts.
//!
//! Owns the decoded index and what is asked of it. Making it, and every check, is [`decode`]'s.

mod decode;

pub(crate) use decode::MAGIC;

use std::borrow::Cow;
use std::ops::Range;

use crate::cursor::{Cursor, length};
use crate::{CounterMode, Error, MetaDataHash, Unit};

/// How many counters a function has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CounterGranularity {
    /// One for each unit.
    PerBlock,
    /// One for the function, which then has one unit. `go build` never asks for it.
    PerFunction,
}

impl CounterGranularity {
    /// The word that Go uses, also in the meta-data hash.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PerBlock => "perblock",
            Self::PerFunction => "perfunc",
        }
    }
}

/// A meta-data file, checked whole.
///
/// It keeps the bytes, and an entry of some 30 bytes for each function. Names and units are read where they are asked
/// for.
#[derive(Clone, Debug)]
pub struct MetaDataFile<'a> {
    bytes: Cow<'a, [u8]>,
    hash: MetaDataHash,
    mode: CounterMode,
    granularity: CounterGranularity,
    packages: Vec<PackageEntry>,
    functions: Vec<FunctionEntry>,
    /// For each package the number of functions before it, and at last the number of all.
    first_functions: Vec<u32>,
    /// For each function the number of units before it, and at last the number of all.
    first_units: Vec<u32>,
}

/// Where a name is in the file. Files of 4 GiB are refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Text {
    start: u32,
    length: u32,
}

#[derive(Clone, Debug)]
struct PackageEntry {
    blob: Range<u32>,
    import_path: Text,
    name: Text,
    module_path: Text,
    functions: Range<u32>,
}

#[derive(Clone, Copy, Debug)]
struct FunctionEntry {
    name: Text,
    file: Text,
    /// Where its first unit is in the file.
    units: u32,
    end: u32,
    is_literal: bool,
}

impl<'a> MetaDataFile<'a> {
    /// Decodes a whole meta-data file.
    pub fn parse(bytes: impl Into<Cow<'a, [u8]>>) -> Result<Self, Error> {
        decode::decode(bytes.into())
    }

    /// The same, with its own copy of the bytes.
    #[must_use]
    pub fn into_owned(self) -> MetaDataFile<'static> {
        MetaDataFile { bytes: Cow::Owned(self.bytes.into_owned()), ..self }
    }

    /// The file as it was.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl MetaDataFile<'_> {
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
    pub fn packages(&self) -> impl ExactSizeIterator<Item = PackageMetaData<'_>> + Clone {
        self.packages.iter().map(|entry| PackageMetaData { file: self, entry })
    }

    /// The package with this index, from 0.
    #[must_use]
    pub fn package(&self, index: usize) -> Option<PackageMetaData<'_>> {
        self.packages.get(index).map(|entry| PackageMetaData { file: self, entry })
    }

    /// How many functions all packages have.
    #[must_use]
    pub const fn function_count(&self) -> usize {
        self.functions.len()
    }

    /// How many units all functions have, which is how many counters a run of the program has.
    #[must_use]
    pub fn unit_count(&self) -> usize {
        self.first_units.last().copied().map_or(0, length)
    }

    /// The index among the functions of all packages.
    #[inline]
    pub(crate) fn function_index(&self, package: u32, function: u32) -> Option<usize> {
        let [first, end] = self.first_functions.get(length(package)..)?.first_chunk()?;
        first.checked_add(function).filter(|index| index < end).map(length)
    }

    /// What stands before the counters of a function in counter files: how many there are, the package, the function.
    /// None if it has none.
    pub(crate) fn counter_header(&self, index: usize) -> Option<[u32; 3]> {
        let as_u32 = |number: usize| u32::try_from(number).ok();
        let package = self.first_functions.partition_point(|first| length(*first) <= index).checked_sub(1)?;
        let first = length(*self.first_functions.get(package)?);
        let counters = self.unit_range(index)?.len();
        (counters > 0).then_some([as_u32(counters)?, as_u32(package)?, as_u32(index - first)?])
    }

    /// Where among the units of all functions those of a function are.
    #[inline]
    pub(crate) fn unit_range(&self, function_index: usize) -> Option<Range<usize>> {
        match self.first_units.get(function_index..)? {
            [first, end, ..] => Some(length(*first)..length(*end)),
            _ => None,
        }
    }

    fn text(&self, text: Text) -> &str {
        let start = length(text.start);
        let bytes = self.bytes.get(start..start + length(text.length)).unwrap_or_default();
        // It was checked when the file was decoded.
        str::from_utf8(bytes).unwrap_or_default()
    }
}

/// A package in a meta-data file.
#[derive(Clone, Copy, Debug)]
pub struct PackageMetaData<'a> {
    file: &'a MetaDataFile<'a>,
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

    /// The part of the file that describes it. It stands for itself: another file may contain it as it is.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        let blob = length(self.entry.blob.start)..length(self.entry.blob.end);
        self.file.bytes.get(blob).unwrap_or_default()
    }

    /// In the order of the file, which is that of the sources.
    #[must_use]
    pub fn functions(&self) -> impl ExactSizeIterator<Item = FunctionMetaData<'a>> + Clone + use<'a> {
        let file = self.file;
        self.function_indices().map(move |index| FunctionMetaData { file, index })
    }

    /// Among the functions of all packages.
    pub(crate) fn function_indices(&self) -> Range<usize> {
        length(self.entry.functions.start)..length(self.entry.functions.end)
    }

    /// Where among the units of all packages its units are.
    pub(crate) fn unit_range(&self) -> Range<usize> {
        let functions = self.function_indices();
        let first_unit = |function: usize| self.file.first_units.get(function).copied().map_or(0, length);
        first_unit(functions.start)..first_unit(functions.end)
    }
}

/// A function in a meta-data file.
#[derive(Clone, Copy, Debug)]
pub struct FunctionMetaData<'a> {
    file: &'a MetaDataFile<'a>,
    index: usize,
}

impl<'a> FunctionMetaData<'a> {
    /// `F`, `T.Method`, `*T.Method`, or `func.L12.C11` for a literal outside of any function.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.entry().map_or("", |entry| self.file.text(entry.name))
    }

    /// Import path and base name, or an absolute path for `command-line-arguments`.
    #[must_use]
    pub fn source_file(&self) -> &'a str {
        self.entry().map_or("", |entry| self.file.text(entry.file))
    }

    /// A literal outside of any function. Literals within a function are part of it.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        self.entry().is_some_and(|entry| entry.is_literal)
    }

    /// Their counts are all 0.
    #[must_use]
    pub fn units(&self) -> impl ExactSizeIterator<Item = Unit> + Clone + use<'a> {
        let start = self.entry().map_or(0, |entry| length(entry.units));
        let mut cursor = Cursor::new(self.file.bytes.get(start..).unwrap_or_default(), start);
        // They were checked when the file was decoded: no error is left to meet here.
        self.unit_range().map(move |_| decode::unit(&mut cursor).unwrap_or_default())
    }

    /// The part of the file that lists its units and whether it is a literal.
    #[must_use]
    pub fn unit_bytes(&self) -> &'a [u8] {
        let range = self.entry().map_or(0..0, |entry| length(entry.units)..length(entry.end));
        self.file.bytes.get(range).unwrap_or_default()
    }

    /// Among the functions of all packages.
    pub(crate) const fn index(&self) -> usize {
        self.index
    }

    /// Where among the units of all functions those of this one are.
    pub(crate) fn unit_range(&self) -> Range<usize> {
        self.file.unit_range(self.index).unwrap_or_default()
    }

    fn entry(&self) -> Option<&'a FunctionEntry> {
        self.file.functions.get(self.index)
    }
}
