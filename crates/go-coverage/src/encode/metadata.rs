//! Meta-data files, as `internal/coverage/encodemeta` and `covdata merge` write them.

use std::borrow::Cow;

use super::push_uleb128;
use super::strings::StringTable;
use crate::digest::Hasher;
use crate::metadata::MAGIC;
use crate::{CounterGranularity, CounterMode, FunctionMetaData, HashFunction, MetaDataHash, PackageMetaData};

const FILE_HEADER: usize = 56;
const PACKAGE_HEADER: usize = 44;
/// Where a package's own hash is.
const PACKAGE_HASH: std::ops::Range<usize> = 16..32;
/// One string, which is empty.
const FILE_STRINGS: [u8; 2] = [1, 0];

/// A package that is put together of functions, such as those of several builds.
#[derive(Clone)]
pub struct PackageBuilder<'a> {
    strings: StringTable<'a>,
    /// Indices of the package's name, import path and module path.
    names: [u32; 3],
    hasher: Hasher,
    functions: Vec<u8>,
    /// Where each function ends in `functions`.
    ends: Vec<u32>,
}

impl<'a> PackageBuilder<'a> {
    /// Without functions yet. The names are those of `package`.
    #[must_use]
    pub fn new(package: PackageMetaData<'a>, hash_function: HashFunction) -> Self {
        let mut strings = StringTable::new();
        let mut hasher = Hasher::new(hash_function);
        let mut index = |name: &'a str| {
            hasher.update(name.as_bytes());
            strings.index(Cow::Borrowed(name.as_bytes()))
        };
        let import_path = index(package.import_path());
        let name = index(package.name());
        let module_path = index(package.module_path());
        let names = [name, import_path, module_path];
        Self { strings, names, hasher, functions: Vec::new(), ends: Vec::new() }
    }

    /// Adds a function, and returns its index in the package.
    pub fn add(&mut self, function: FunctionMetaData<'a>) -> u32 {
        let (name, file) = (function.name(), function.source_file());
        self.hasher.update_function(name, file, function.units(), function.is_literal());
        push_uleb128(&mut self.functions, u32::try_from(function.units().len()).unwrap_or(u32::MAX));
        for string in [name, file] {
            let index = self.strings.index(Cow::Borrowed(string.as_bytes()));
            push_uleb128(&mut self.functions, index);
        }
        for unit in function.units() {
            for number in
                [unit.start_line, unit.start_column, unit.end_line, unit.end_column, unit.statements]
            {
                push_uleb128(&mut self.functions, number);
            }
        }
        push_uleb128(&mut self.functions, u32::from(function.is_literal()));
        self.ends.push(u32::try_from(self.functions.len()).unwrap_or(u32::MAX));
        u32::try_from(self.ends.len()).unwrap_or(u32::MAX) - 1
    }

    /// The package as it stands in a file.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        let strings = self.strings.encode();
        let first = PACKAGE_HEADER + 4 * self.ends.len() + strings.len();
        let total = first + self.functions.len();
        let mut bytes = Vec::with_capacity(total);
        let as_u32 = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
        bytes.extend_from_slice(&as_u32(total));
        bytes.extend(self.names.iter().flat_map(|index| index.to_le_bytes()));
        bytes.extend_from_slice(&self.hasher.finish());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&self.strings.count().to_le_bytes());
        bytes.extend_from_slice(&as_u32(self.ends.len()));
        let starts = std::iter::once(0).chain(self.ends.iter().map(|end| *end as usize));
        for start in starts.take(self.ends.len()) {
            bytes.extend_from_slice(&as_u32(first + start));
        }
        bytes.extend_from_slice(&strings);
        bytes.extend_from_slice(&self.functions);
        bytes
    }
}

impl std::fmt::Debug for PackageBuilder<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PackageBuilder").field("functions", &self.ends.len()).finish_non_exhaustive()
    }
}

/// The meta-data file that consists of `packages`, each as in another file or from a [`PackageBuilder`], and its hash,
/// which is that of `go tool covdata merge`.
#[must_use]
pub fn metadata_file(
    packages: &[Cow<'_, [u8]>],
    mode: CounterMode,
    granularity: CounterGranularity,
    hash_function: HashFunction,
) -> (MetaDataHash, Vec<u8>) {
    let mut hasher = Hasher::new(hash_function);
    for package in packages {
        let mut own = Hasher::new(hash_function);
        own.update(package);
        hasher.update(&own.finish());
    }
    let hash = MetaDataHash(hasher.finish());
    (hash, file_with_hash(hash, packages, mode, granularity))
}

/// The meta-data file that a program which consists of `packages` writes when it starts, and its hash. The packages are
/// as the compiler made them, each with a hash of its own.
#[must_use]
pub fn program_metadata_file(
    packages: &[Cow<'_, [u8]>],
    mode: CounterMode,
    granularity: CounterGranularity,
    hash_function: HashFunction,
) -> (MetaDataHash, Vec<u8>) {
    let mut hasher = Hasher::new(hash_function);
    for package in packages {
        hasher.update(package.get(PACKAGE_HASH).unwrap_or_default());
    }
    hasher.update(mode.as_str().as_bytes());
    hasher.update(granularity.as_str().as_bytes());
    let hash = MetaDataHash(hasher.finish());
    (hash, file_with_hash(hash, packages, mode, granularity))
}

fn file_with_hash(
    hash: MetaDataHash,
    packages: &[Cow<'_, [u8]>],
    mode: CounterMode,
    granularity: CounterGranularity,
) -> Vec<u8> {
    let strings_offset = FILE_HEADER + 16 * packages.len();
    let first = strings_offset + FILE_STRINGS.len();
    let total = first + packages.iter().map(|package| package.len()).sum::<usize>();
    let mut bytes = Vec::with_capacity(total);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&1_u32.to_le_bytes());
    bytes.extend_from_slice(&(total as u64).to_le_bytes());
    bytes.extend_from_slice(&(packages.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&hash.0);
    bytes.extend_from_slice(&u32::try_from(strings_offset).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend_from_slice(&u32::try_from(FILE_STRINGS.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.push(match mode {
        CounterMode::Set => 1,
        CounterMode::Count => 2,
        CounterMode::Atomic => 3,
    });
    bytes.push(match granularity {
        CounterGranularity::PerBlock => 1,
        CounterGranularity::PerFunction => 2,
    });
    bytes.extend_from_slice(&[0; 6]);
    let mut offset = first as u64;
    for package in packages {
        bytes.extend_from_slice(&offset.to_le_bytes());
        offset += package.len() as u64;
    }
    for package in packages {
        bytes.extend_from_slice(&(package.len() as u64).to_le_bytes());
    }
    bytes.extend_from_slice(&FILE_STRINGS);
    for package in packages {
        bytes.extend_from_slice(package);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::MetaDataFile;

    #[test]
    fn the_file_that_a_program_wrote_is_made_again_from_its_packages() {
        for release in ["go1.22.12", "go1.26.8", "go1.27.3"] {
            let directory =
                Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/coverage").join(release);
            let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
            let written =
                paths.filter(|path| path.to_str().unwrap().contains("covmeta.")).collect::<Vec<_>>();
            assert!(!written.is_empty());
            for path in written {
                let bytes = fs::read(path).unwrap();
                let file = MetaDataFile::parse(&bytes).unwrap();
                let packages: Vec<_> =
                    file.packages().map(|package| Cow::Borrowed(package.as_bytes())).collect();
                let function = file.package(0).unwrap().hash_function().unwrap();
                let (hash, made) =
                    program_metadata_file(&packages, file.mode(), file.granularity(), function);
                assert_eq!(hash, file.hash());
                assert_eq!(made, bytes);
            }
        }
    }
}
