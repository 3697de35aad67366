//! What a process is, and what it finds where GOCOVERDIR points: why it does or does not leave coverage data.
//!
//! Everything is read from `/proc`, without a shell or any other program in its container. Nothing is decided here.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use go_binary::Executable;
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::statvfs::{FsFlags, Statvfs, fstatvfs};
use nix::unistd::geteuid;
use podcov_agent_protocol::{CoverageFiles, Directory, DirectoryState, Examination};

use crate::proc_files::{ProcFiles, status_field};
use crate::process::load_bias;
use crate::process_memory::ProcessMemory;
use crate::{FileSource, LiveAddress, Memory, ProcessId, Reason};

const VARIABLE: &[u8] = b"GOCOVERDIR=";
/// Linux itself has no limit but memory.
const LONGEST_ENVIRONMENT: u64 = 8 << 20;
const MOST_FILES: usize = 100_000;
/// Of a text that is told; no path is longer.
const LONGEST_TEXT: usize = 4096;
const SIGTERM: u32 = 15;
/// capabilities(7)
const CAP_DAC_OVERRIDE: u32 = 1;

/// Looks at a process.
pub fn examine(process: ProcessId) -> Result<Examination, Reason> {
    let files = ProcFiles(process);
    let status = files.status()?;
    let numbers = |name: &str| -> Vec<u32> {
        let fields = status_field(&status, name).unwrap_or_default().split_whitespace();
        fields.filter_map(|number| number.parse().ok()).collect()
    };
    // Real, effective, saved, and that of file systems.
    let last = |name: &str| numbers(name).last().copied().unwrap_or(u32::MAX);
    let (user, mut groups) = (last("Uid"), vec![last("Gid")]);
    groups.extend(numbers("Groups"));
    let capabilities = status_field(&status, "CapEff").and_then(|mask| u64::from_str_radix(mask, 16).ok());
    let overrides = capabilities.unwrap_or(0) & (1 << CAP_DAC_OVERRIDE) != 0;
    let environment = environment(files)?;
    let setting = environment.split(|byte| *byte == 0).find_map(|pair| pair.strip_prefix(VARIABLE));
    let setting = setting.filter(|value| !value.is_empty());
    let directory = setting.map(|path| directory(files, path, user, &groups, overrides)).transpose()?;
    let executable = File::open(files.path("exe")).map_err(|error| files.refused("exe", error))?;
    let executable = FileSource::new(executable).ok().and_then(|source| Executable::read(source).ok());
    Ok(Examination {
        process_id: process.0.get(),
        own_id: files.own_id().unwrap_or(process.0.get()),
        program: printable(files.executable_name().as_bytes()),
        is_go: executable.as_ref().is_some_and(|it| matches!(it.module_data_location(), Ok(Some(_)))),
        user,
        groups,
        handles_termination: executable
            .as_ref()
            .and_then(|executable| asked_for_termination(files, executable)),
        setting: setting.map(printable),
        directory,
    })
}

/// Its variables as it was started with them. The file is its user's; CAP_SYS_PTRACE alone is enough for its memory.
fn environment(files: ProcFiles) -> Result<Vec<u8>, Reason> {
    let denied = match files.read("environ", LONGEST_ENVIRONMENT) {
        Err(denied @ Reason::Denied(_)) => denied,
        read => return read,
    };
    let (begin, end) = files.stat()?.environment;
    let length = end.saturating_sub(begin).min(LONGEST_ENVIRONMENT);
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    let read = ProcessMemory::open(files)?.read(LiveAddress(begin), &mut bytes);
    // Without permission, it has no place.
    if length == 0 || read.is_err() { Err(denied) } else { Ok(bytes) }
}

/// Whether Go's runtime was asked for SIGTERM.
fn asked_for_termination(files: ProcFiles, executable: &Executable<FileSource>) -> Option<bool> {
    executable.module_data_location().ok()??;
    if executable.signal_notification().ok()?.is_none() {
        return Some(false);
    }
    let wanted = executable.wanted_signals().ok()??;
    let memory = ProcessMemory::open(files).ok()?;
    let bias = load_bias(files, executable, &memory, files.stat().ok()?.start_of_code).ok()?;
    let mut mask = [0; 4];
    memory.read(bias.live(wanted), &mut mask).ok()?;
    Some(u32::from_le_bytes(mask) & (1 << SIGTERM) != 0)
}

fn directory(
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
    let mounts = files.read("mountinfo", LONGEST_ENVIRONMENT).ok()?;
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

/// Text from a container cannot steer the terminal, and does not fill memory.
fn printable(text: &[u8]) -> String {
    let characters = String::from_utf8_lossy(text);
    let plain = |letter: char| if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter };
    characters.chars().map(plain).take(LONGEST_TEXT).collect()
}
