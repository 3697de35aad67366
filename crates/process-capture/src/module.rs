//! Where the counters and the list of meta-data of a process are. Found once; it never changes.

use std::ops::Range;

use go_binary::{ByteSource, Executable, ModuleData, ModuleDataLocation, begins_function_table, words};

use crate::address::AddressSpace;
use crate::{LiveAddress, LoadBias, Memory, Reason};

/// Where coverage is in a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// The counters of all packages; empty if nothing is covered.
    pub(crate) counters: Range<u64>,
    pub(crate) list: ListPlace,
    /// What the program cannot change: code, constants, meta-data.
    pub(crate) constants: Vec<Range<u64>>,
}

/// Where the list of meta-data is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListPlace {
    /// There.
    At(LiveAddress),
    /// Somewhere among the variables.
    Within(Range<u64>),
}

impl Module {
    /// Of a process that is known: the range of its counters, where the list of meta-data is, and its constants.
    #[must_use]
    pub fn new(counters: Range<u64>, list: ListPlace, constants: Vec<Range<u64>>) -> Self {
        // Up to Go 1.26 the linker does not align the first counter after variables of odd sizes.
        let start = counters.start.checked_next_multiple_of(4).unwrap_or(counters.end);
        Self { counters: start..counters.end, list, constants }
    }

    /// Whether no package is covered.
    #[must_use]
    pub fn is_without_counters(&self) -> bool {
        self.counters.is_empty()
    }
}

/// Looks into the memory of a process that runs this executable. None if the module data are not there, or not yet: a
/// position-independent program fills them in when it starts.
pub fn find_module<Source: ByteSource>(
    executable: &Executable<Source>,
    memory: &impl Memory,
    bias: LoadBias,
) -> Result<Option<Module>, Reason> {
    let location = executable.module_data_location().map_err(Reason::Executable)?;
    let data = match location {
        None => None,
        Some(ModuleDataLocation::At { address, .. }) => read_module_data(memory, bias.live(address))?,
        Some(ModuleDataLocation::PointsTo { tables, .. }) => {
            let tables: Vec<_> = tables.into_iter().map(|table| bias.live(table).0).collect();
            search(executable, memory, bias, &tables)?
        }
    };
    let Some(data) = data.filter(|data| is_relocated(executable, bias, data)) else { return Ok(None) };
    let list = executable.meta_data_list().map_err(Reason::Executable)?;
    let list = match list {
        Some(found) => ListPlace::At(bias.live(found.value)),
        None => ListPlace::Within(data.bss),
    };
    let constants = executable.segments().iter().filter(|segment| !segment.writable).map(|segment| {
        let start = bias.live(segment.address).0;
        start..start.saturating_add(segment.memory_size)
    });
    Ok(Some(Module::new(data.counters, list, constants.collect())))
}

/// Whether the variables are where the executable has them. The loader of a position-independent one may have got no
/// further than the first words.
fn is_relocated<Source: ByteSource>(
    executable: &Executable<Source>,
    bias: LoadBias,
    data: &ModuleData,
) -> bool {
    let is_variable = |range: &Range<u64>| {
        executable.segments().iter().filter(|segment| segment.writable).any(|segment| {
            let start = bias.live(segment.address).0;
            start <= range.start && range.end <= start.saturating_add(segment.memory_size)
        })
    };
    [&data.bss, &data.noptrbss, &data.counters].into_iter().all(is_variable)
}

/// Looks for a word that is the address of one of the tables, in what the file fills of the variables.
fn search<Source: ByteSource>(
    executable: &Executable<Source>,
    memory: &impl Memory,
    bias: LoadBias,
    tables: &[u64],
) -> Result<Option<ModuleData>, Reason> {
    for segment in executable.segments().iter().filter(|segment| segment.writable) {
        let start = bias.live(segment.address).0;
        let range = start..start.saturating_add(segment.file_size);
        let mut failure = None;
        let found = words(&AddressSpace(memory), range, |address, word| {
            if !tables.contains(&word) {
                return Ok(None);
            }
            Ok(match read_module_data(memory, LiveAddress(address)) {
                Ok(data) => data.map(Some),
                Err(reason) => {
                    failure = Some(reason);
                    Some(None)
                }
            })
        });
        if let Some(reason) = failure {
            return Err(reason);
        }
        if let Some(data) = found.map_err(Reason::search)?.flatten() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

/// None if something else is there.
fn read_module_data(memory: &impl Memory, address: LiveAddress) -> Result<Option<ModuleData>, Reason> {
    let mut bytes = [0; ModuleData::LENGTH];
    read(memory, address, &mut bytes)?;
    let Some(data) = ModuleData::decode(&bytes) else { return Ok(None) };
    let mut table = [0; 8];
    let begins_table = memory.read(LiveAddress(data.function_table), &mut table).is_ok()
        && begins_function_table(u64::from_le_bytes(table));
    Ok(begins_table.then_some(data))
}

pub(crate) fn read(memory: &impl Memory, address: LiveAddress, buffer: &mut [u8]) -> Result<(), Reason> {
    memory.read(address, buffer).map_err(|error| Reason::memory(address, error))
}
