//! Requests to read all processes now, from whoever sees the directory: another process, or another container.
//!
//! A request is an empty file in `.requests`, and its removal the answer, so that neither side needs to be able to read
//! what the other one writes. Owns these files, and how the supervision is woken up by them.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use podcov_agent_protocol::REQUESTS_DIRECTORY;

use crate::directory::{is_supervised, make_directory};
use crate::process::now;

const REQUEST: &str = "request.";
const REFUSAL: &str = "refused.";
/// More have to wait for the next time, so that whoever fills the directory does not keep the supervision busy.
const MOST_AT_ONCE: usize = 64;
/// How often an answer is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// The requests of one directory, as the supervision sees them.
pub(crate) struct Requests {
    path: PathBuf,
    /// The number of them is limited per user, and others share it. Without one, requests are looked for.
    notifier: Option<Inotify>,
    /// There were too many at once.
    some_are_left: bool,
}

impl Requests {
    pub(crate) fn prepare(directory: &Path) -> Self {
        let path = directory.join(REQUESTS_DIRECTORY);
        let _ = make_directory(&path);
        let notifier = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).and_then(|inotify| {
            inotify.add_watch(&path, AddWatchFlags::IN_CREATE | AddWatchFlags::IN_ONLYDIR)?;
            Ok(inotify)
        });
        Self { path, notifier: notifier.ok(), some_are_left: false }
    }

    /// Becomes readable when there are requests.
    pub(crate) fn source(&self) -> Option<BorrowedFd<'_>> {
        self.notifier.as_ref().map(AsFd::as_fd)
    }

    /// Those that were made since it was last asked, and those that were left then.
    pub(crate) fn take(&mut self) -> Vec<PathBuf> {
        if self.notifier.as_ref().is_some_and(nothing_happened) && !self.some_are_left {
            return Vec::new();
        }
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        let is_request = |name: &std::ffi::OsString| name.as_encoded_bytes().starts_with(REQUEST.as_bytes());
        let requests = entries.filter(|entry| is_request(&entry.file_name())).map(|entry| entry.path());
        let requests: Vec<_> = requests.take(MOST_AT_ONCE).collect();
        self.some_are_left = requests.len() == MOST_AT_ONCE;
        requests
    }

    /// Answers: everything was read and is kept, or could not be.
    pub(crate) fn answer(requests: &[PathBuf], is_kept: bool) {
        for request in requests {
            if !is_kept && let Some(refusal) = refusal_of(request) {
                let _ = fs::rename(request, refusal);
            }
            let _ = fs::remove_file(request);
        }
    }
}

fn nothing_happened(notifier: &Inotify) -> bool {
    let mut has_happened = false;
    loop {
        match notifier.read_events() {
            Ok(_) => has_happened = true,
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => return !has_happened,
            Err(_) => return false,
        }
    }
}

fn refusal_of(request: &Path) -> Option<PathBuf> {
    let number = request.file_name()?.to_str()?.strip_prefix(REQUEST)?;
    Some(request.with_file_name(format!("{REFUSAL}{number}")))
}

/// A request to read all processes of a program now. When it is answered, `.latest` has what they had counted then, and
/// those that have ended have left their files. Withdrawn when it is dropped.
#[derive(Debug)]
pub struct Request {
    directory: PathBuf,
    path: PathBuf,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Everything was read.
    Done,
    /// What was read could not be kept, of which the supervision has told.
    Refused,
    /// The supervision has ended, and everything that it read at the end is there; or it was killed.
    Gone,
}

impl Request {
    /// Asks the supervision of a directory. None where there is none.
    pub fn make(directory: &Path) -> io::Result<Option<Self>> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        if !is_supervised(directory) {
            return Ok(None);
        }
        // Unique among all that may ask here.
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{REQUEST}{}-{}-{number}", now(), std::process::id());
        let path = directory.join(REQUESTS_DIRECTORY).join(name);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(_) => Ok(Some(Self { directory: directory.to_owned(), path })),
            // It has ended just now, unless the place for requests was taken away.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !is_supervised(directory) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The answer, once there is one.
    #[must_use]
    pub fn answer(&self) -> Option<Answer> {
        let refusal = refusal_of(&self.path);
        if refusal.is_some_and(|refusal| fs::remove_file(refusal).is_ok()) {
            return Some(Answer::Refused);
        }
        match fs::symlink_metadata(&self.path) {
            Err(_) => Some(Answer::Done),
            Ok(_) if is_supervised(&self.directory) => None,
            Ok(_) => Some(Answer::Gone),
        }
    }

    /// Waits for the answer; none if the deadline was first.
    #[must_use]
    pub fn wait(&self, deadline: Instant) -> Option<Answer> {
        loop {
            let answer = self.answer();
            if answer.is_some() || Instant::now() >= deadline {
                return answer;
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_are_taken_at_once_are_taken_the_next_time() {
        let place = tempfile::tempdir().unwrap();
        let mut requests = Requests::prepare(place.path());
        for number in 0..=MOST_AT_ONCE {
            fs::File::create(place.path().join(REQUESTS_DIRECTORY).join(format!("{REQUEST}{number}")))
                .unwrap();
        }
        let taken = requests.take();
        assert_eq!(taken.len(), MOST_AT_ONCE);
        Requests::answer(&taken, true);
        assert_eq!(requests.take().len(), 1, "though none came after it");
    }
}
