//! Memory that says anything: what a real process's memory held, with some of it changed.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use go_binary::Executable;
use podcov_go_programs::{Covered, Linking, LiveProgram};
use podcov_process_capture::{
    FileSource, LiveAddress, LoadBias, Memory, Module, Reason, find_module, read_program,
};
use proptest::prelude::*;

use crate::live::{Live, executable};

/// More than everything that is read of the program, and far less than what forged lengths ask for.
const MOST_BYTES: usize = 64 << 20;

/// The memory of a process that has ended: what was read of it while it ran.
#[derive(Clone, Default)]
struct Recorded {
    pages: BTreeMap<u64, Vec<u8>>,
    read: Cell<usize>,
    largest: Cell<usize>,
}

const PAGE: u64 = 4096;

impl Recorded {
    fn write(&mut self, address: u64, bytes: &[u8]) {
        for (address, byte) in (address..).zip(bytes) {
            if let Some(page) = self.pages.get_mut(&(address / PAGE)) {
                page[usize::try_from(address % PAGE).unwrap()] = *byte;
            }
        }
    }

    fn word(&self, address: u64) -> u64 {
        let mut bytes = [0; 8];
        self.read(LiveAddress(address), &mut bytes).unwrap();
        u64::from_le_bytes(bytes)
    }
}

impl Memory for Recorded {
    fn read(&self, address: LiveAddress, buffer: &mut [u8]) -> io::Result<()> {
        self.read.set(self.read.get() + buffer.len());
        self.largest.set(self.largest.get().max(buffer.len()));
        let mut at = address.0;
        let mut rest = buffer;
        while !rest.is_empty() {
            let page = self.pages.get(&(at / PAGE)).ok_or(io::ErrorKind::InvalidInput)?;
            let within = &page[usize::try_from(at % PAGE).unwrap()..];
            let length = within.len().min(rest.len());
            rest[..length].copy_from_slice(&within[..length]);
            at = at.checked_add(length as u64).ok_or(io::ErrorKind::InvalidInput)?;
            rest = &mut rest[length..];
        }
        Ok(())
    }
}

/// Reads the memory of a process, and keeps the pages.
struct Recorder {
    memory: File,
    kept: RefCell<Recorded>,
}

impl Memory for Recorder {
    fn read(&self, address: LiveAddress, buffer: &mut [u8]) -> io::Result<()> {
        self.memory.read_exact_at(buffer, address.0)?;
        for page in address.0 / PAGE..=(address.0 + buffer.len() as u64 - 1) / PAGE {
            let mut bytes = vec![0; usize::try_from(PAGE).unwrap()];
            self.memory.read_exact_at(&mut bytes, page * PAGE)?;
            self.kept.borrow_mut().pages.insert(page, bytes);
        }
        Ok(())
    }
}

/// A program at a fixed address, and its memory.
struct Image {
    executable: Executable<FileSource>,
    memory: Recorded,
    /// Where the slice is.
    list: u64,
    counters: std::ops::Range<u64>,
}

fn image() -> Image {
    // With symbols, so that the list can be found to be changed, and at a fixed address.
    let program =
        LiveProgram { release: "local", mode: "count", linking: Linking::Plain, covered: Covered::Program };
    let live = Live::start(program);
    let executable = File::open(executable(program)).and_then(FileSource::new).unwrap();
    let executable = Executable::read(executable).unwrap();
    let recorder = Recorder {
        memory: File::open(format!("/proc/{}/mem", live.id())).unwrap(),
        kept: RefCell::default(),
    };
    let module = find_module(&executable, &recorder, LoadBias(0)).unwrap().unwrap();
    let program = read_program(&module, &recorder, true).unwrap().unwrap();
    assert!(program.read_counters(&module, &recorder).unwrap().functions().count() > 0);
    let list = executable.meta_data_list().unwrap().unwrap().value.0;
    let counters = executable.module_data().unwrap().unwrap().value.counters;
    Image { executable, memory: recorder.kept.into_inner(), list, counters }
}

/// Everything that is read of a process. Whatever its memory says, that ends soon, in little memory.
fn read_everything(image: &Image, memory: &Recorded) -> Result<usize, Reason> {
    let result = read(image, memory);
    assert!(memory.largest.get() <= MOST_BYTES, "{} bytes at once", memory.largest.get());
    assert!(memory.read.get() <= 20 * MOST_BYTES, "{} bytes in total", memory.read.get());
    result
}

fn read(image: &Image, memory: &Recorded) -> Result<usize, Reason> {
    let Some(module) = find_module(&image.executable, memory, LoadBias(0))? else {
        return Err(Reason::NoModuleData);
    };
    let Some(program) = read_program(&module, memory, true)? else { return Err(Reason::Starting) };
    let counters = program.read_counters(&module, memory)?;
    Ok(counters.functions().count() + counters.stray_words())
}

fn word(number: u64) -> [u8; 8] {
    number.to_le_bytes()
}

#[test]
fn memory_that_was_not_changed_is_read() {
    let image = image();
    assert!(read_everything(&image, &image.memory).unwrap() > 0);
}

#[test]
fn forged_lists_are_refused() {
    let image = image();
    let entries = image.memory.word(image.list);
    let blob = image.memory.word(entries);
    // (what, address, bytes)
    let forgeries: [(&str, u64, &[u8]); 11] = [
        ("a list longer than its capacity", image.list + 8, &word(1 << 40)),
        (
            "a list of four thousand million",
            image.list + 8,
            &[word(u64::from(u32::MAX)), word(u64::MAX)].concat(),
        ),
        ("a list as long as it may be", image.list + 8, &[word(65_536), word(65_536)].concat()),
        ("a list nowhere", image.list, &word(0)),
        ("a list at the end of the address space", image.list, &word(u64::MAX - 7)),
        ("meta-data nowhere", entries, &word(u64::MAX - 20)),
        ("meta-data in themselves", entries, &word(entries)),
        ("meta-data of 4 GiB", entries + 8, &u32::MAX.to_le_bytes()),
        ("meta-data with another hash", entries + 12, &[7; 16]),
        ("meta-data of 4 GiB that say so themselves", blob, &u32::MAX.to_le_bytes()),
        ("a mode that there is not", entries + 56, &[77]),
    ];
    for (what, address, bytes) in forgeries {
        let mut memory = image.memory.clone();
        memory.write(address, bytes);
        let refused = read_everything(&image, &memory).expect_err(what);
        assert!(
            matches!(refused, Reason::Inconsistent { .. } | Reason::Memory { .. }),
            "{what}: {refused:?}"
        );
    }
}

#[test]
fn meta_data_listed_twice_are_refused() {
    let image = image();
    let entries = image.memory.word(image.list);
    let mut first = [0; 64];
    image.memory.read(LiveAddress(entries), &mut first).unwrap();
    let mut memory = image.memory.clone();
    memory.write(entries + 64, &first);
    let refused = read_everything(&image, &memory).unwrap_err();
    assert!(matches!(refused, Reason::Inconsistent { .. } | Reason::Starting), "{refused:?}");
}

#[test]
fn more_counters_than_the_meta_data_have_are_refused() {
    let image = image();
    let Some(module) = find_module(&image.executable, &image.memory, LoadBias(0)).unwrap() else { panic!() };
    let program = read_program(&module, &image.memory, true).unwrap().unwrap();
    let list = podcov_process_capture::ListPlace::At(LiveAddress(image.list));
    for end in [image.counters.end + 8192, 1 << 40, u64::MAX] {
        let forged = Module::new(image.counters.start..end, list.clone(), Vec::new());
        let refused = program.read_counters(&forged, &image.memory).unwrap_err();
        assert!(matches!(refused, Reason::Inconsistent { .. }), "{refused:?}");
    }
}

#[test]
fn damaged_counters_are_counted_and_the_others_read() {
    let image = image();
    let whole = read_everything(&image, &image.memory).unwrap();
    let mut memory = image.memory.clone();
    // The first header: it begins where the first word is that is not zero.
    let mut at = image.counters.start;
    while image.memory.word(at).trailing_zeros() >= 32 {
        at += 4;
    }
    memory.write(at, &[0xee; 4]);
    let module = find_module(&image.executable, &memory, LoadBias(0)).unwrap().unwrap();
    let program = read_program(&module, &memory, true).unwrap().unwrap();
    let counters = program.read_counters(&module, &memory).unwrap();
    assert!(counters.stray_words() > 0);
    assert_eq!(counters.functions().count(), whole - 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn changed_memory_never_crashes(
        changes in prop::collection::vec(
            (0_usize..5, 0_u64..4096, prop_oneof![any::<u8>(), Just(0), Just(0xff)]),
            1..8,
        ),
    ) {
        static IMAGE: std::sync::OnceLock<std::sync::Mutex<Image>> = std::sync::OnceLock::new();
        let image = IMAGE.get_or_init(|| std::sync::Mutex::new(image())).lock().unwrap();
        let entries = image.memory.word(image.list);
        let module = image.executable.module_data_location().unwrap().unwrap();
        let go_binary::ModuleDataLocation::At { address: module, .. } = module else { panic!() };
        let mut memory = image.memory.clone();
        for (place, offset, byte) in changes {
            let (start, length) = [
                (image.list, 24),
                (entries, 128),
                (image.memory.word(entries), 512),
                (image.counters.start, image.counters.end - image.counters.start),
                (module.0, 272),
            ][place];
            memory.write(start + offset % length, &[byte]);
        }
        let _ = read_everything(&image, &memory);
    }
}
