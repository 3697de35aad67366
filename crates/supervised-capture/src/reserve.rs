//! Memory that is set aside for the moment when a process is killed because there is none left.
//!
//! The limit of a container holds for the supervision, too. A process that is held at its end keeps its memory, so whoever
//! needs more to read it would wait for what only its end gives back; the kernel takes the process's memory away after two
//! seconds then, and its counters with it.

use std::fs::File;
use std::io::Write;

use nix::sys::memfd::{MFdFlags, memfd_create};
use podcov_process_capture::Snapshot;

/// For files in `/proc`, the executable of a process that has only just started, and the files that are written.
const LEAST: usize = 1 << 20;
/// Counters as they were read, the words that they are, and where functions are among them.
const TIMES_THE_COUNTERS: usize = 3;

/// In a file that is only in memory: it is given back at once when the file gets shorter.
#[derive(Debug)]
pub(crate) struct Reserve {
    file: Option<File>,
    wanted: usize,
    is_there: usize,
}

impl Reserve {
    pub(crate) fn new() -> Self {
        // Where there are no such files, or none are allowed, it has to do without.
        let file = memfd_create("podcov-reserve", MFdFlags::MFD_CLOEXEC).ok().map(File::from);
        let mut reserve = Self { file, wanted: LEAST, is_there: 0 };
        reserve.fill();
        reserve
    }

    /// It will have to do for a process that counts so much.
    pub(crate) fn provide_for(&mut self, snapshot: &Snapshot) {
        let size = snapshot.counters().bytes().saturating_mul(TIMES_THE_COUNTERS).saturating_add(LEAST);
        self.wanted = self.wanted.max(size);
    }

    /// Sets aside what is missing. Not while a process is held at its end.
    pub(crate) fn fill(&mut self) {
        const AT_ONCE: usize = 1 << 13;
        let Some(file) = &mut self.file else { return };
        while self.is_there < self.wanted {
            if file.write_all(&[0; AT_ONCE]).is_err() {
                return;
            }
            self.is_there += AT_ONCE;
        }
    }

    /// Gives everything back to the system.
    pub(crate) fn spend(&mut self) {
        let Some(file) = &mut self.file else { return };
        if file.set_len(0).is_ok() && std::io::Seek::rewind(file).is_ok() {
            self.is_there = 0;
        }
    }
}
