//! Names of what is made in the container engine for a trial, and which of it a podcov that was killed has left there.
//!
//! A podcov holds a lock on a file of this machine for each of its names, for as long as it lives. What another machine made
//! in the same engine has no such file here, and stays.

use std::fs::{self, File, OpenOptions};
use std::path::PathBuf;
use std::process::Command;

use super::engine::{LABEL, engine, output, silently};
use crate::run_directory::new_id;

const CONTAINER: &str = "podcov-trial-";
const IMAGE: &str = "podcov.dev/trial";

/// A name that no other trial has.
pub struct TrialName {
    id: String,
    _lock: File,
}

impl Drop for TrialName {
    fn drop(&mut self) {
        let _ = fs::remove_file(lock_of(&self.id));
    }
}

impl TrialName {
    pub fn new() -> Result<Self, String> {
        let id = new_id();
        let path = lock_of(&id);
        let failed = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
        let file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(Self { id, _lock: file })
    }

    /// Of a container.
    pub fn container(&self) -> String {
        format!("{CONTAINER}{}", self.id)
    }

    /// Of an image.
    pub fn image(&self) -> String {
        image_of(&self.id)
    }
}

/// Removes what podcovs of this machine that were killed have left in the engine, and on these nodes, which are containers
/// of it. Returns what that was.
pub fn remove_abandoned(nodes: &[String]) -> Vec<String> {
    let Ok(engine) = engine() else { return Vec::new() };
    let listed = |arguments: &[&str]| output(Command::new(engine).args(arguments)).unwrap_or_default();
    let containers =
        listed(&["ps", "--all", "--filter", &format!("label={LABEL}"), "--format", "{{.Names}}"]);
    let images = listed(&["images", IMAGE, "--format", "{{.Tag}}"]);
    let mut removed = Vec::new();
    for id in containers.lines().filter_map(|name| name.strip_prefix(CONTAINER)) {
        if let Some(lock) = abandoned(id) {
            let name = format!("{CONTAINER}{id}");
            silently(Command::new(engine).args(["rm", "--force", "--volumes", &name]));
            removed.push(format!("container {name}"));
            let _ = fs::remove_file(lock);
        }
    }
    for id in images.lines() {
        if let Some(lock) = abandoned(id) {
            let name = image_of(id);
            for node in nodes {
                remove_from_node(engine, node, &name);
            }
            silently(Command::new(engine).args(["rmi", "--force", &name]));
            removed.push(format!("image {name}"));
            let _ = fs::remove_file(lock);
        }
    }
    removed
}

/// Removes an image from a node of kind.
pub fn remove_from_node(engine: &str, node: &str, image: &str) {
    silently(Command::new(engine).args(["exec", node, "ctr", "--namespace=k8s.io", "images", "rm", image]));
}

/// The file of a name whose podcov does not live any more.
fn abandoned(id: &str) -> Option<PathBuf> {
    let is_id = id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let path = Some(lock_of(id)).filter(|_| is_id)?;
    // Opening anything else could wait for ever. Where others may write, only what is this user's is taken for a lock.
    if !fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file()) {
        return None;
    }
    let file = OpenOptions::new().write(true).open(&path).ok()?;
    file.try_lock().ok().map(|()| path)
}

fn image_of(id: &str) -> String {
    format!("{IMAGE}:{id}")
}

fn lock_of(id: &str) -> PathBuf {
    std::env::temp_dir().join(format!("{CONTAINER}{id}.lock"))
}
