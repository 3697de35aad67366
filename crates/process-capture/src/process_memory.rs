//! The memory of a process, by `/proc/PID/mem` or `process_vm_readv`.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::os::unix::fs::FileExt;

use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;

use crate::proc_files::ProcFiles;
use crate::{LiveAddress, Memory, Reason};

/// The memory that a process had when it was opened.
pub(crate) enum ProcessMemory {
    /// Stays the memory that it was: once the process has ended, or is another program, nothing can be read any more.
    File(File),
    /// Other than for the file, CAP_SYS_PTRACE alone suffices: the file belongs to the other user.
    Calls(Pid),
}

impl ProcessMemory {
    /// `known` is a place that can be read.
    pub(crate) fn open(files: ProcFiles) -> Result<Self, Reason> {
        match File::open(files.path("mem")) {
            Ok(file) => Ok(Self::File(file)),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let number = i32::try_from(files.0.0.get()).map_err(|_| Reason::Gone)?;
                let calls = Self::Calls(Pid::from_raw(number));
                // Nothing is there, but whether it may be read is checked before.
                match calls.read(LiveAddress(0), &mut [0]) {
                    Err(calls) if calls.kind() == io::ErrorKind::PermissionDenied => {
                        Err(files.refused("mem", error))
                    }
                    _ => Ok(calls),
                }
            }
            Err(error) => Err(files.refused("mem", error)),
        }
    }
}

impl Memory for ProcessMemory {
    fn read(&self, address: LiveAddress, buffer: &mut [u8]) -> io::Result<()> {
        match self {
            Self::File(file) => file.read_exact_at(buffer, address.0),
            Self::Calls(process) => {
                let mut done = 0;
                while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
                    let base = usize::try_from(address.0).map_err(|_| io::ErrorKind::InvalidInput)?;
                    let base = base.checked_add(done).ok_or(io::ErrorKind::InvalidInput)?;
                    let remote = [RemoteIoVec { base, len: rest.len() }];
                    match process_vm_readv(*process, &mut [IoSliceMut::new(rest)], &remote) {
                        Ok(0) | Err(nix::errno::Errno::ESRCH) => {
                            return Err(io::ErrorKind::UnexpectedEof.into());
                        }
                        Ok(read) => done += read,
                        Err(error) => return Err(error.into()),
                    }
                }
                Ok(())
            }
        }
    }
}
