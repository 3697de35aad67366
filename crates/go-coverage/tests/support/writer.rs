//! Writes meta-data files and counter files, for tests of what no Go release writes. Written from the description of
//! the format, so that a mistake of the reader is not repeated here.

use go_coverage::{CounterMode, MetaDataHash, Unit};

#[derive(Clone, Debug)]
pub struct Program {
    pub hash: MetaDataHash,
    pub mode: CounterMode,
    pub packages: Vec<Package>,
}

#[derive(Clone, Debug)]
pub struct Package {
    pub import_path: String,
    pub functions: Vec<Function>,
}

#[derive(Clone, Debug)]
pub struct Function {
    pub name: String,
    pub file: String,
    pub is_literal: bool,
    pub units: Vec<Unit>,
}

/// Package, function and counters of each function that ran.
pub type Run = Vec<(u32, u32, Vec<u32>)>;

pub fn as_u32(length: usize) -> u32 {
    u32::try_from(length).unwrap()
}

pub fn uleb128(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

fn uleb128_length(bytes: &mut Vec<u8>, length: usize) {
    uleb128(bytes, as_u32(length));
}

fn string_table(strings: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    uleb128_length(&mut bytes, strings.len());
    for string in strings {
        uleb128_length(&mut bytes, string.len());
        bytes.extend(string.as_bytes());
    }
    bytes
}

impl Program {
    pub fn metadata(&self) -> Vec<u8> {
        let packages: Vec<_> = self.packages.iter().map(Package::metadata).collect();
        metadata_file(self.hash, self.mode, &packages)
    }

    /// A counter file with a segment for each run.
    pub fn counters(&self, runs: &[&Run], raw: bool) -> Vec<u8> {
        let mut bytes = b"\0cwm\x01\0\0\0".to_vec();
        bytes.extend(self.hash.0);
        bytes.extend([if raw { 1 } else { 2 }, 0, 0, 0, 0, 0, 0, 0]);
        for (number, run) in (1_u32..).zip(runs) {
            let strings = string_table(&["", "argc", "1", "argv0", "program"]);
            let mut arguments = vec![2, 1, 2, 3, 4];
            while !(strings.len() + arguments.len()).is_multiple_of(4) {
                arguments.push(0);
            }
            bytes.extend((run.len() as u64).to_le_bytes());
            bytes.extend(as_u32(strings.len()).to_le_bytes());
            bytes.extend(as_u32(arguments.len()).to_le_bytes());
            bytes.extend(strings);
            bytes.extend(arguments);
            for (package, function, counters) in *run {
                let header = [as_u32(counters.len()), *package, *function];
                for number in header.iter().chain(counters) {
                    if raw {
                        bytes.extend(number.to_le_bytes());
                    } else {
                        uleb128(&mut bytes, *number);
                    }
                }
            }
            bytes.extend(*b"\0cwm\0\0\0\0");
            bytes.extend(number.to_le_bytes());
            bytes.extend([0; 4]);
        }
        bytes
    }
}

/// A meta-data file of packages that are written already.
pub fn metadata_file(hash: MetaDataHash, mode: CounterMode, packages: &[Vec<u8>]) -> Vec<u8> {
    let table_length = 16 * packages.len();
    let length = 56 + table_length + 2 + packages.iter().map(Vec::len).sum::<usize>();
    let mut bytes = b"\0cvm\x01\0\0\0".to_vec();
    bytes.extend((length as u64).to_le_bytes());
    bytes.extend((packages.len() as u64).to_le_bytes());
    bytes.extend(hash.0);
    bytes.extend(as_u32(56 + table_length).to_le_bytes());
    bytes.extend(2_u32.to_le_bytes());
    bytes.extend([mode as u8 + 1, 1, 0, 0, 0, 0, 0, 0]);
    let mut offset = (56 + table_length + 2) as u64;
    for package in packages {
        bytes.extend(offset.to_le_bytes());
        offset += package.len() as u64;
    }
    for package in packages {
        bytes.extend((package.len() as u64).to_le_bytes());
    }
    bytes.extend([1, 0]);
    bytes.extend(packages.concat());
    bytes
}

impl Package {
    pub fn metadata(&self) -> Vec<u8> {
        let mut strings = vec!["", &self.import_path];
        for function in &self.functions {
            strings.extend([function.name.as_str(), &function.file]);
        }
        let strings_bytes = string_table(&strings);
        let mut functions = Vec::new();
        let mut offsets = Vec::new();
        let base = 44 + 4 * self.functions.len() + strings_bytes.len();
        for (number, function) in self.functions.iter().enumerate() {
            offsets.extend(as_u32(base + functions.len()).to_le_bytes());
            uleb128_length(&mut functions, function.units.len());
            uleb128_length(&mut functions, 2 + 2 * number);
            uleb128_length(&mut functions, 3 + 2 * number);
            for unit in &function.units {
                let Unit { start_line, start_column, end_line, end_column, statements, .. } = *unit;
                for number in [start_line, start_column, end_line, end_column, statements] {
                    uleb128(&mut functions, number);
                }
            }
            functions.push(function.is_literal.into());
        }
        let length = base + functions.len();
        package_with(length, strings.len(), self.functions.len(), &[offsets, strings_bytes, functions])
    }
}

/// A package whose parts after the header are written already.
pub fn package_with(length: usize, strings: usize, functions: usize, parts: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in [length, 0, 1, 0] {
        bytes.extend(as_u32(number).to_le_bytes());
    }
    bytes.extend([0; 20]);
    bytes.extend(as_u32(strings).to_le_bytes());
    bytes.extend(as_u32(functions).to_le_bytes());
    bytes.extend(parts.concat());
    bytes
}
