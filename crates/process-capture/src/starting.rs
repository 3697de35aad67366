//! Reads a process once. Owns that one which has only just started is waited for.

use std::time::{Duration, Instant};

use crate::{Process, ProcessId, Reason, Snapshot};

const PAUSE: Duration = Duration::from_millis(20);

/// Reads a process, which may take until this time to initialise its packages.
pub fn read_when_started(process: ProcessId, until: Instant) -> Result<Snapshot, Reason> {
    loop {
        let answer = attempt(process);
        match &answer {
            Err((Reason::Starting | Reason::NoModuleData, _)) if Instant::now() < until => {
                std::thread::sleep(PAUSE);
            }
            Err((Reason::NoModuleData, Some(process))) => return Err(process.explain_no_module_data()),
            _ => return answer.map_err(|(reason, _)| reason),
        }
    }
}

/// With the process that was opened, where that is as far as it got.
fn attempt(process: ProcessId) -> Result<Snapshot, (Reason, Option<Box<Process>>)> {
    let mut process = Process::attach(process).map_err(|error| (error.reason, None))?;
    process.snapshot().map_err(|error| (error.reason, Some(Box::new(process))))
}
