//! Names of what is made in the container engine for a trial, and which of them a podcov that was killed has left.
//!
//! A podcov holds a lock on a file of this machine for each of its names, for as long as it lives. What another machine made
//! in the same engine has no such file here, and stays.

use std::fs::{self, File, OpenOptions};
use std::path::PathBuf;

use crate::run_directory::new_id;

/// A name that no other trial has. Whoever has it removes what is called so.
pub struct TrialName {
    name: String,
    path: PathBuf,
    _lock: File,
}

impl Drop for TrialName {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl TrialName {
    /// A new one that begins so.
    pub fn new(prefix: &str) -> Result<Self, String> {
        let id = new_id();
        let path = lock_of(&id);
        let failed = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
        let lock = OpenOptions::new().write(true).create_new(true).open(&path).map_err(failed)?;
        lock.lock().map_err(failed)?;
        Ok(Self { name: format!("{prefix}{id}"), path, _lock: lock })
    }

    /// One that begins so, if a podcov of this machine had it that does not live any more.
    pub fn abandoned(prefix: &str, name: &str) -> Option<Self> {
        let id = name.strip_prefix(prefix)?;
        let is_id = id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        let path = Some(lock_of(id)).filter(|_| is_id)?;
        // Opening anything else could wait for ever. Where others may write, only what is this user's is taken for a lock.
        if !fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file()) {
            return None;
        }
        let lock = OpenOptions::new().write(true).open(&path).ok()?;
        lock.try_lock().ok()?;
        Some(Self { name: name.to_owned(), path, _lock: lock })
    }

    pub fn as_str(&self) -> &str {
        &self.name
    }
}

fn lock_of(id: &str) -> PathBuf {
    std::env::temp_dir().join(format!("podcov-trial-{id}.lock"))
}
