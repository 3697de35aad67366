//! What a process counts: its meta-data, as the file that it writes itself, and the shape of its counters.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use go_coverage::{
    CounterGranularity, CounterMode, HashFunction, MetaDataFile, MetaDataHash, program_metadata_file,
};

use crate::counters::{Counters, Shape};
use crate::meta_data_list::{self, Entry, SliceHeader};
use crate::module::{Module, read};
use crate::{LiveAddress, Memory, Reason};

/// Reading again helps against a writer, who needs nanoseconds once it runs: of a function's header, of a package.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(1);

/// The meta-data of a process.
#[derive(Clone, Debug)]
pub struct Program {
    metadata: MetaDataFile<'static>,
    pub(crate) shape: Shape,
    covers_main: bool,
    list: SliceHeader,
}

impl Program {
    /// The meta-data file: `covmeta.HASH`.
    #[must_use]
    pub const fn metadata(&self) -> &MetaDataFile<'static> {
        &self.metadata
    }

    /// Whether the main package is covered. If it is not, the program writes no data itself.
    #[must_use]
    pub const fn covers_main(&self) -> bool {
        self.covers_main
    }

    /// Whether no package has been added meanwhile.
    pub(crate) fn is_current(&self, memory: &impl Memory) -> Result<bool, Reason> {
        match self.list.again(memory) {
            Ok(list) => Ok(list == self.list),
            // A package is being added.
            Err(Reason::Inconsistent { .. }) => Ok(false),
            Err(reason) => Err(reason),
        }
    }

    /// Reads the counters.
    pub fn read_counters(&self, module: &Module, memory: &impl Memory) -> Result<Counters, Reason> {
        const SLACK: u64 = 1024;
        let address = LiveAddress(module.counters.start);
        let words = module.counters.end.saturating_sub(module.counters.start) / 4;
        // Only that much memory is allocated as there are meta-data for.
        if words > self.shape.most_words().saturating_add(SLACK) {
            return Err(Reason::Inconsistent {
                address,
                what: "more counters than the meta-data have units",
            });
        }
        let length = usize::try_from(words * 4)
            .map_err(|_| Reason::Inconsistent { address, what: "the counters' length" })?;
        let mut best = None::<Counters>;
        for attempt in 1..=ATTEMPTS {
            let counters = Counters::new(read_words(memory, address, length)?, &self.shape);
            let is_whole = counters.stray_words() == 0;
            // Between two that are as bad, the newer one counts.
            if best.as_ref().is_none_or(|best| counters.stray_words() <= best.stray_words()) {
                best = Some(counters);
            }
            if is_whole || attempt == ATTEMPTS {
                break;
            }
            std::thread::sleep(PAUSE);
        }
        Ok(best.unwrap_or_default())
    }
}

/// In pieces that stay in the processor's cache until they are decoded.
fn read_words(memory: &impl Memory, address: LiveAddress, length: usize) -> Result<Vec<u32>, Reason> {
    const PIECE: usize = 1 << 16;
    let mut words = Vec::with_capacity(length / 4);
    let mut piece = vec![0; PIECE.min(length)];
    for start in (0..length).step_by(PIECE) {
        let piece = piece.get_mut(..PIECE.min(length - start)).unwrap_or_default();
        read(memory, LiveAddress(address.0 + start as u64), piece)?;
        words.extend(piece.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)));
    }
    Ok(words)
}

/// Reads the meta-data. None if not all packages are initialised: there is no list yet, or `expects_main`, because the
/// program contains what writes the data, and the last package is not main.
pub fn read_program(
    module: &Module,
    memory: &impl Memory,
    expects_main: bool,
) -> Result<Option<Program>, Reason> {
    let Some((list, entries)) = read_list(module, memory)? else { return Ok(None) };
    let covers_main = entries.last().is_some_and(|entry| entry.is_main(memory));
    if expects_main && !covers_main {
        return Ok(None);
    }
    let mut blobs: Vec<Cow<'_, [u8]>> = Vec::with_capacity(entries.len());
    for entry in &entries {
        // They are not longer in total than the program's constants.
        let mut blob = vec![0; usize::try_from(entry.length).unwrap_or_default()];
        read(memory, entry.blob, &mut blob)?;
        blobs.push(Cow::Owned(blob));
    }
    let (mode, granularity) = mode_and_granularity(&entries)?;
    let metadata = metadata_file(&blobs, mode, granularity)?;
    let hard_coded = (0..).zip(&entries).filter(|(_, entry)| entry.package_id != -1);
    let hard_coded = hard_coded
        .filter_map(|(index, entry)| Some((i32::try_from(entry.package_id).ok()?, index)))
        .collect::<HashMap<i32, u32>>();
    let shape = Shape::new(&metadata, hard_coded);
    Ok(Some(Program { metadata, shape, covers_main, list }))
}

/// A package that is being added makes the list look damaged.
fn read_list(module: &Module, memory: &impl Memory) -> Result<Option<(SliceHeader, Vec<Entry>)>, Reason> {
    let read = || {
        let Some(list) = meta_data_list::find(module, memory)? else { return Ok(None) };
        Ok(Some((list, meta_data_list::read_entries(module, memory, list)?)))
    };
    for _ in 1..ATTEMPTS {
        match read() {
            Err(Reason::Inconsistent { .. } | Reason::Memory { .. }) => std::thread::sleep(PAUSE),
            done => return done,
        }
    }
    read()
}

/// All packages have the same; those that only register (4), and the one that go test makes (5), have no mode.
fn mode_and_granularity(entries: &[Entry]) -> Result<(CounterMode, CounterGranularity), Reason> {
    let mut found = None;
    for entry in entries {
        let mode = match entry.mode {
            1 => CounterMode::Set,
            2 => CounterMode::Count,
            3 => CounterMode::Atomic,
            _ => continue,
        };
        let granularity = match entry.granularity {
            2 => CounterGranularity::PerFunction,
            _ => CounterGranularity::PerBlock,
        };
        if *found.get_or_insert((mode, granularity)) != (mode, granularity) {
            let what = "packages that count in different ways";
            return Err(Reason::Inconsistent { address: entry.blob, what });
        }
    }
    let address = entries.first().map_or(LiveAddress(0), |entry| entry.blob);
    found.ok_or(Reason::Inconsistent { address, what: "no package that counts" })
}

fn metadata_file(
    blobs: &[Cow<'_, [u8]>],
    mode: CounterMode,
    granularity: CounterGranularity,
) -> Result<MetaDataFile<'static>, Reason> {
    let file = |function| {
        let (_, bytes): (MetaDataHash, _) = program_metadata_file(blobs, mode, granularity, function);
        MetaDataFile::parse(bytes).map_err(Reason::MetaData)
    };
    let newer = file(HashFunction::Fnv128a)?;
    // The packages tell which function their release of Go has.
    let function = newer.packages().find_map(|package| package.hash_function());
    if function == Some(HashFunction::Md5) { file(HashFunction::Md5) } else { Ok(newer) }
}
