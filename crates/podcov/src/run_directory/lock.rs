//! Who may write to a run directory: one podcov at a time. And who adds to it when its program has ended, which may be many.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use super::cannot;
use crate::error::CommandError;

/// Held by the podcov that writes to the directory. It stays there: removing it would let two of them in.
pub(super) const LOCK: &str = ".podcov.lock";
/// Held by each podcov whose program runs, to be added to the run at its end. It stays there, too.
pub(super) const ADDING: &str = ".podcov.adding";
/// Adding to a run takes milliseconds. What takes longer is a run, which would keep others waiting to its end.
const LONGEST_APPEND: Duration = Duration::from_secs(20);
/// Who only looks whether somebody writes holds it for a moment, too.
const LONGEST_LOOK: Duration = Duration::from_millis(50);

/// Whether a podcov writes to the run at `path`. One that was killed does not.
pub fn is_written_to(path: &Path) -> bool {
    let lock = File::open(path.join(LOCK));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Whether programs run that will be added to the run at `path`, each by a podcov that lives.
pub fn is_added_to(path: &Path) -> bool {
    let adding = File::open(path.join(ADDING));
    adding.is_ok_and(|adding| matches!(adding.try_lock(), Err(TryLockError::WouldBlock)))
}

/// For as long as the file is open, others know that something will be added.
pub(super) fn adding(path: &Path) -> Result<File, CommandError> {
    let file = File::create(path.join(ADDING)).map_err(|error| cannot("write to", path, error))?;
    // Who looks holds it for a moment.
    file.lock_shared().map_err(|error| cannot("lock", path, error))?;
    Ok(file)
}

/// Where nobody else writes.
pub(super) fn lock(path: &Path) -> Result<File, CommandError> {
    lock_within(path, LONGEST_LOOK)
}

/// The same, as soon as who adds to the run has done so.
pub(super) fn lock_to_append(path: &Path) -> Result<File, CommandError> {
    lock_within(path, LONGEST_APPEND)
}

fn lock_within(path: &Path, patience: Duration) -> Result<File, CommandError> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(lock) = try_lock(path)? {
            return Ok(lock);
        }
        if Instant::now() >= deadline {
            return Err(occupied("another podcov is writing to", path));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(super) fn occupied(why: &str, path: &Path) -> CommandError {
    CommandError::failure(format!("{why} {}", path.display()))
        .hint("wait for it, or name another directory with -o DIR")
}

fn try_lock(path: &Path) -> Result<Option<File>, CommandError> {
    let file = File::create(path.join(LOCK)).map_err(|error| cannot("write to", path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(cannot("lock", path, error)),
    }
}
