//! Damaged and forged files: whatever the bytes are, every question has an answer or an error, in little memory.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::cell::Cell;
use std::io;
use std::path::Path;

use go_binary::{ByteSource, Error, Executable};
use podcov_go_programs::{Covered, Linking, LiveProgram};
use proptest::prelude::*;

fn program(linking: Linking) -> Vec<u8> {
    let program = LiveProgram { release: "local", mode: "count", linking, covered: Covered::Program };
    std::fs::read(program.executable(Path::new(env!("CARGO_TARGET_TMPDIR")))).unwrap()
}

/// A real program, of which the parts between the tables are zero, and which says how much is read at once.
struct Watched<'a> {
    bytes: &'a [u8],
    largest: Cell<usize>,
    total: Cell<usize>,
}

impl<'a> Watched<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, largest: Cell::new(0), total: Cell::new(0) }
    }
}

impl ByteSource for Watched<'_> {
    fn length(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.largest.set(self.largest.get().max(buffer.len()));
        self.total.set(self.total.get() + buffer.len());
        self.bytes.read(offset, buffer)
    }
}

/// Asks everything; errors are as good as answers.
fn ask_everything(source: impl ByteSource) -> Result<(), Error> {
    let executable = Executable::read(source)?;
    let build_info = executable.build_info().unwrap_or_default();
    let _ = executable.instrumentation(build_info.as_ref());
    let _ = executable.module_data();
    let _ = executable.meta_data_list();
    Ok(())
}

#[test]
fn a_file_that_was_cut_off_is_refused() {
    for linking in [Linking::Plain, Linking::NoSectionHeaders] {
        let bytes = program(linking);
        let last = Executable::read(bytes.as_slice())
            .unwrap()
            .segments()
            .iter()
            .map(|segment| segment.file_range().end)
            .max();
        let last = usize::try_from(last.unwrap()).unwrap();
        for length in (0..1024).chain((1024..last).step_by(last / 200)).chain([last - 1]) {
            assert!(Executable::read(&bytes[..length]).is_err(), "{length} of {} bytes", bytes.len());
        }
    }
}

#[test]
fn a_program_is_described_from_small_pieces() {
    let bytes = program(Linking::Plain);
    let watched = Watched::new(&bytes);
    ask_everything(&watched).unwrap();
    assert!(watched.largest.get() <= 256 * 1024, "{} bytes at once", watched.largest.get());
}

#[test]
fn build_information_is_found_without_reading_the_file() {
    let bytes = program(Linking::Stripped);
    let watched = Watched::new(&bytes);
    Executable::read(&watched).unwrap().build_info().unwrap().unwrap();
    assert!(watched.total.get() < 32 * 1024, "{} of {} bytes", watched.total.get(), bytes.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn changed_headers_never_crash(
        no_headers in any::<bool>(),
        changes in prop::collection::vec((0_usize..1024, prop_oneof![any::<u8>(), Just(0), Just(0xff)]), 1..6),
    ) {
        let linking = if no_headers { Linking::NoSectionHeaders } else { Linking::Stripped };
        let mut bytes = program(linking);
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        let watched = Watched::new(&bytes);
        let _ = ask_everything(&watched);
        prop_assert!(watched.largest.get() <= 8 << 20);
        // Each of the questions may search everything.
        prop_assert!(watched.total.get() <= 20 * bytes.len());
    }

    #[test]
    fn changed_section_headers_never_crash(
        changes in prop::collection::vec((0_usize..2048, prop_oneof![any::<u8>(), Just(0), Just(0xff)]), 1..6),
    ) {
        let mut bytes = program(Linking::Plain);
        let table = usize::try_from(u64::from_le_bytes(bytes[0x28..0x30].try_into().unwrap())).unwrap();
        for (at, byte) in changes {
            if let Some(own) = bytes.get_mut(table + at) {
                *own = byte;
            }
        }
        let watched = Watched::new(&bytes);
        let _ = ask_everything(&watched);
        prop_assert!(watched.largest.get() <= 8 << 20);
        prop_assert!(watched.total.get() <= 20 * bytes.len());
    }

    #[test]
    fn arbitrary_bytes_never_crash(mut bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        let _ = ask_everything(bytes.as_slice());
        for (own, real) in bytes.iter_mut().zip(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0") {
            *own = *real;
        }
        let _ = ask_everything(bytes.as_slice());
    }
}
