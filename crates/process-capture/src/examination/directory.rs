//! What a process finds where GOCOVERDIR points, looked at through its own root and never out of it.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::statvfs::{FsFlags, Statvfs, fstatvfs};
use nix::unistd::geteuid;
use podcov_agent_protocol::{CoverageFiles, Directory, DirectoryState};

use super::printable;
use crate::Reason;
use crate::proc_files::ProcFiles;

/// The mounts of a process.
const LONGEST_LIST: u64 = 8 << 20;
const MOST_FILES: usize = 100_000;

/// What the process finds there.
pub(super) fn directory(
    files: ProcFiles,
    path: &[u8],
    user: u32,
    groups: &[u32],
    overrides: bool,
) -> Result<Directory, Reason> {
    let base = if path.starts_with(b"/") { "root" } else { "cwd" };
    let root = File::open(files.path(base)).map_err(|error| files.refused(base, error))?;
    // No link of a container leads out of it.
    let how = OpenHow::new().flags(OFlag::O_PATH | OFlag::O_CLOEXEC).resolve(ResolveFlag::RESOLVE_IN_ROOT);
    let opened = match openat2(root.as_fd(), path, how) {
        Ok(opened) => opened,
        Err(error) => {
            let reason = io::Error::from(error).to_string();
            // What is denied to others is no sign of what is denied to it.
            let is_like_it = !overrides && geteuid().as_raw() == user;
            let is_missing = error != Errno::EACCES || is_like_it;
            return Ok(if is_missing { Directory::Missing(reason) } else { Directory::Unreachable(reason) });
        }
    };
    let metadata = File::from(duplicate(&opened, files)?).metadata();
    let metadata = metadata.map_err(|error| files.refused(base, error))?;
    if !metadata.is_dir() {
        return Ok(Directory::NotADirectory);
    }
    let volume = fstatvfs(&opened).map_err(|error| files.refused(base, error.into()))?;
    let mount = mount_of(files, &opened).unwrap_or_default();
    Ok(Directory::There(DirectoryState {
        mode: metadata.mode() & 0o7777,
        user: metadata.uid(),
        group: metadata.gid(),
        lets_create: overrides || lets_create(&metadata, user, groups),
        is_read_only: volume.flags().contains(FsFlags::ST_RDONLY),
        free_bytes: free_bytes(&volume),
        free_files: free_files(&volume),
        mount_point: mount.point,
        mounted: mount.root,
        file_system: mount.file_system,
        files: coverage_files(&opened),
    }))
}

fn coverage_files(directory: &OwnedFd) -> Option<CoverageFiles> {
    let mut files = CoverageFiles::default();
    for entry in fs::read_dir(descriptor_path(directory)).ok()?.flatten().take(MOST_FILES) {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        files.metadata += u32::from(name.starts_with(b"covmeta."));
        files.counters += u32::from(name.starts_with(b"covcounters."));
        files.temporary += u32::from(name.starts_with(b"tmp.cov"));
    }
    Some(files)
}

#[expect(clippy::useless_conversion, reason = "the fields have other types on other systems")]
fn free_bytes(volume: &Statvfs) -> u64 {
    u64::from(volume.blocks_available()).saturating_mul(u64::from(volume.fragment_size()))
}

/// File systems that make them as they need them count none.
#[expect(clippy::useless_conversion, reason = "the fields have other types on other systems")]
fn free_files(volume: &Statvfs) -> Option<u64> {
    (volume.files() > 0).then(|| u64::from(volume.files_available()))
}

fn duplicate(descriptor: &OwnedFd, files: ProcFiles) -> Result<OwnedFd, Reason> {
    descriptor.try_clone().map_err(|error| files.refused("root", error))
}

fn descriptor_path(descriptor: &OwnedFd) -> PathBuf {
    format!("/proc/self/fd/{}", descriptor.as_raw_fd()).into()
}

/// Go creates a file and renames it, which takes writing and searching.
fn lets_create(directory: &fs::Metadata, user: u32, groups: &[u32]) -> bool {
    let shift = if directory.uid() == user {
        6
    } else if groups.contains(&directory.gid()) {
        3
    } else {
        0
    };
    (directory.mode() >> shift) & 0o3 == 0o3
}

#[derive(Default)]
struct Mount {
    point: String,
    root: String,
    file_system: String,
}

/// The mount that an open directory is on, as the process sees it.
fn mount_of(files: ProcFiles, directory: &OwnedFd) -> Option<Mount> {
    let information = fs::read_to_string(format!("/proc/self/fdinfo/{}", directory.as_raw_fd())).ok()?;
    let number = information.lines().find_map(|line| line.strip_prefix("mnt_id:"))?.trim();
    let mounts = files.read("mountinfo", LONGEST_LIST).ok()?;
    let mounts = String::from_utf8_lossy(&mounts);
    let line = mounts.lines().find(|line| line.split(' ').next() == Some(number))?;
    let (fields, kind) = line.split_once(" - ")?;
    let mut fields = fields.split(' ').skip(3);
    let (root, point) = (fields.next()?, fields.next()?);
    Some(Mount {
        point: printable(point.as_bytes()),
        root: printable(root.as_bytes()),
        file_system: printable(kind.split(' ').next()?.as_bytes()),
    })
}
