//! The memory of a process: a meta-data file as the runtime would hold it, changes to it, and counters. What is read is
//! in the memory, and every function has as many counters as its meta-data say.
#![no_main]

use std::cell::Cell;
use std::io;

use go_coverage::{CounterMode, MetaDataFile};
use libfuzzer_sys::fuzz_target;
use podcov_process_capture::{ListPlace, LiveAddress, Memory, Module, read_program};

const CONSTANTS: u64 = 0x40_0000;
const VARIABLES: u64 = 0x4000_0000;
const ENTRIES: u64 = 0xc0_0000_0000;
const COUNTERS: u64 = 0x5000_0000;
const SIZE_OF_CHANGE: usize = 4;

#[derive(Default)]
struct Forged {
    parts: Vec<(u64, Vec<u8>)>,
    read: Cell<usize>,
}

impl Memory for Forged {
    fn read(&self, address: LiveAddress, buffer: &mut [u8]) -> io::Result<()> {
        self.read.set(self.read.get() + buffer.len());
        let part = self.parts.iter().find_map(|(start, bytes)| {
            let offset = usize::try_from(address.0.checked_sub(*start)?).ok()?;
            bytes.get(offset..)?.get(..buffer.len())
        });
        buffer.copy_from_slice(part.ok_or(io::ErrorKind::InvalidInput)?);
        Ok(())
    }
}

fuzz_target!(|bytes: &[u8]| {
    let length = bytes.get(8..16).map_or(0, |length| u64::from_le_bytes(length.try_into().expect("8 bytes")));
    let Some((file, rest)) = usize::try_from(length).ok().and_then(|length| bytes.split_at_checked(length))
    else {
        return;
    };
    let Ok(metadata) = MetaDataFile::parse(file) else { return };
    let (changes, counters) = rest.split_at(rest.len().min(8 * SIZE_OF_CHANGE));

    let mut memory = memory_of(&metadata);
    for change in changes.chunks_exact(SIZE_OF_CHANGE) {
        let (part, offset) =
            (usize::from(change[0]) % 3, usize::from(change[1]) << 8 | usize::from(change[2]));
        let (_, bytes) = &mut memory.parts[part];
        let length = bytes.len();
        if let Some(byte) = bytes.get_mut(offset % length.max(1)) {
            *byte = change[3];
        }
    }
    memory.parts.push((COUNTERS, counters.to_vec()));

    let constants = CONSTANTS..CONSTANTS + memory.parts[0].1.len() as u64;
    let counters = COUNTERS..COUNTERS + counters.len() as u64;
    for list in [ListPlace::At(LiveAddress(VARIABLES + 8)), ListPlace::Within(VARIABLES..VARIABLES + 64)] {
        let module = Module::new(counters.clone(), list, vec![constants.clone()]);
        let Ok(Some(program)) = read_program(&module, &memory, false) else { continue };
        let Ok(read) = program.read_counters(&module, &memory) else { continue };
        for (package, function, counters) in read.functions() {
            let package = program.metadata().package(package as usize).expect("the package is known");
            let function = package.functions().nth(function as usize).expect("the function is known");
            if program.metadata().granularity() == go_coverage::CounterGranularity::PerBlock {
                assert_eq!(function.units().len(), counters.len());
            }
        }
    }
    let total: usize = memory.parts.iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(memory.read.get() <= 100 * total + (1 << 20), "{} bytes read of {total}", memory.read.get());
});

/// Constants, variables and the list of packages.
fn memory_of(metadata: &MetaDataFile<'_>) -> Forged {
    let (mut constants, mut entries) = (Vec::new(), Vec::new());
    let mode = match metadata.mode() {
        CounterMode::Set => 1,
        CounterMode::Count => 2,
        CounterMode::Atomic => 3,
    };
    for package in metadata.packages() {
        let mut entry = [0; 64];
        entry[..8].copy_from_slice(&(CONSTANTS + constants.len() as u64).to_le_bytes());
        let blob = package.as_bytes();
        entry[8..12]
            .copy_from_slice(&u32::try_from(blob.len()).expect("a part of a small file").to_le_bytes());
        entry[12..28].copy_from_slice(&blob[16..32]);
        entry[48..56].copy_from_slice(&(-1_i64).to_le_bytes());
        entry[56] = mode;
        entry[57] = match metadata.granularity() {
            go_coverage::CounterGranularity::PerBlock => 1,
            go_coverage::CounterGranularity::PerFunction => 2,
        };
        entries.extend_from_slice(&entry);
        constants.extend_from_slice(blob);
    }
    let mut variables = vec![0; 64];
    let length = entries.len() as u64 / 64;
    for (at, word) in [(8, ENTRIES), (16, length), (24, length)] {
        variables[at..at + 8].copy_from_slice(&word.to_le_bytes());
    }
    Forged {
        parts: vec![(CONSTANTS, constants), (VARIABLES, variables), (ENTRIES, entries)],
        read: Cell::new(0),
    }
}
