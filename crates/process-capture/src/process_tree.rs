//! Which processes another one has started. Of the processes of the system, only numbers are looked at.

use std::collections::BTreeMap;
use std::{fs, io};

use crate::proc_files::ProcFiles;
use crate::{ProcessId, StartTime};

/// The children of a process, their children, and so on: those that are there now. A process whose parent has ended
/// belongs to another one, and is not found.
pub fn descendants(root: ProcessId) -> io::Result<Vec<ProcessId>> {
    let mut children: BTreeMap<u32, Vec<ProcessId>> = BTreeMap::new();
    for process in all()? {
        // What ends in the meantime has no children any more.
        if let Ok(stat) = ProcFiles(process).stat() {
            children.entry(stat.parent).or_default().push(process);
        }
    }
    let mut found = Vec::new();
    let mut pending = vec![root];
    while let Some(parent) = pending.pop() {
        // Taken out: numbers that are used again could otherwise make a circle.
        let own = children.remove(&parent.0.get()).unwrap_or_default();
        found.extend(&own);
        pending.extend(own);
    }
    found.sort();
    Ok(found)
}

/// The processes that are there now, as far as this process sees them.
pub(crate) fn all() -> io::Result<impl Iterator<Item = ProcessId>> {
    let names = fs::read_dir("/proc")?.flatten().map(|entry| entry.file_name());
    Ok(names.filter_map(|name| ProcessId::new(name.to_str()?.parse().ok()?)))
}

/// When a process was started; none if it has ended.
#[must_use]
pub fn start_time(process: ProcessId) -> Option<StartTime> {
    let stat = ProcFiles(process).stat().ok().filter(|stat| !stat.has_ended());
    stat.map(|stat| stat.start_time)
}
