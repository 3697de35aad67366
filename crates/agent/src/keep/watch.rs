//! Sees what happens in the containers' directories.
//!
//! Owns which file names are a start or a file. It opens no file.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent, WatchDescriptor};
use nix::sys::signalfd::SignalFd;
use podcov_agent_protocol::{ContainerEnd, is_kept_file_name, is_metadata_file_name};

use super::ledger::{ContainerIndex, Ledger};
use crate::terminal::say;

/// How often directories are looked at where the kernel does not tell.
const SCAN_INTERVAL_MILLISECONDS: u16 = 500;
/// How long supervisors that are being killed may take. The keeper itself may have two seconds.
const SUPERVISORS_END: Duration = Duration::from_millis(800);
const SUPERVISORS_INTERVAL: Duration = Duration::from_millis(10);
/// Go's names for files that it has not finished.
const UNFINISHED_PREFIX: &str = "tmp.cov";
/// All the names that are reported must fit one message, also when each byte of them has become three.
const MOST_UNFINISHED_NAMES: usize = 200;

/// See the module.
pub struct Watch<'ledger> {
    ledger: &'ledger Ledger,
    notifier: Option<Notifier>,
    seen_metadata: BTreeMap<(ContainerIndex, String), Seen>,
}

struct Notifier {
    inotify: Inotify,
    directories: BTreeMap<WatchDescriptor, ContainerIndex>,
}

/// The meta-data file behind the last start that was counted. Go makes a new one at every start.
#[derive(Default)]
struct Seen {
    version: Option<FileVersion>,
    /// A scan was faster than the event, which may still come.
    by_scan: bool,
}

#[derive(PartialEq, Eq)]
struct FileVersion {
    inode: u64,
    modified_unix_nanoseconds: u64,
}

impl<'ledger> Watch<'ledger> {
    /// Starts to watch, and takes in what is already there.
    pub fn start(ledger: &'ledger Ledger) -> Self {
        let notifier = Notifier::start(ledger)
            .inspect_err(|error| {
                // The number of inotify instances is limited per user and node, and pods share it.
                say(format_args!("the kernel cannot tell of new files ({error}); looking for them instead"));
            })
            .ok();
        let mut watch = Self { ledger, notifier, seen_metadata: BTreeMap::new() };
        watch.scan();
        watch
    }

    /// Takes in what comes until a signal has come.
    pub fn until_signal(&mut self, signals: &SignalFd) -> nix::Result<()> {
        loop {
            let mut sources = vec![PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
            let mut timeout = PollTimeout::from(SCAN_INTERVAL_MILLISECONDS);
            if let Some(notifier) = &self.notifier {
                sources.push(PollFd::new(notifier.inotify.as_fd(), PollFlags::POLLIN));
                timeout = PollTimeout::NONE;
            }
            match poll(&mut sources, timeout) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(error),
            }
            if signals.read_signal()?.is_some() {
                return Ok(());
            }
            self.take_in()?;
        }
    }

    /// A last look, once nobody writes any more.
    pub fn finish(mut self) -> Vec<ContainerEnd> {
        if let Err(error) = self.take_in() {
            say(format_args!("cannot read the last events: {error}"));
        }
        self.wait_for_supervisors();
        for container in self.ledger.containers() {
            let recovered = podcov_supervised_capture::recover(&container.directory);
            if recovered > 0 {
                say(format_args!(
                    "{}: what {recovered} processes had counted before they were killed",
                    container.name
                ));
            }
        }
        self.scan();
        for index in self.ledger.not_taken() {
            let Some((container, name)) = self.ledger.file(index) else { continue };
            let path = container.directory.join(&*name);
            // Readers are told why, but no reader could ever take it.
            if !fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file()) {
                say(format_args!("there is no file any more: {}", path.display()));
                self.ledger.set_taken(index);
            }
        }
        self.unfinished()
    }

    /// When the grace period of a pod is over, Kubernetes kills the containers at the same moment at which it asks the keeper
    /// to end. Those that are killed are gone soon, and only then it is known that nothing more comes of them.
    fn wait_for_supervisors(&self) {
        let deadline = Instant::now() + SUPERVISORS_END;
        let is_one_alive = || {
            let mut containers = self.ledger.containers().iter();
            containers.any(|container| podcov_supervised_capture::is_supervised(&container.directory))
        };
        while is_one_alive() && Instant::now() < deadline {
            thread::sleep(SUPERVISORS_INTERVAL);
        }
    }

    fn take_in(&mut self) -> nix::Result<()> {
        loop {
            let Some(notifier) = &self.notifier else {
                self.scan();
                return Ok(());
            };
            match notifier.inotify.read_events() {
                Ok(events) => events.iter().for_each(|event| self.take_in_event(event)),
                Err(Errno::EAGAIN) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn take_in_event(&mut self, event: &InotifyEvent) {
        if event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW) {
            self.scan();
            return;
        }
        let directory = self.notifier.as_ref().and_then(|notifier| notifier.directories.get(&event.wd));
        let (Some(&container), Some(name)) = (directory, event.name.as_ref().and_then(|name| name.to_str()))
        else {
            return;
        };
        if !is_kept_file_name(name) {
            return;
        }
        if is_metadata_file_name(name) {
            self.take_in_start(container, name);
        }
        self.ledger.add_file(container, name);
    }

    fn take_in_start(&mut self, container: ContainerIndex, name: &str) {
        let Some(directory) = self.ledger.containers().get(container).map(|container| &container.directory)
        else {
            return;
        };
        let version = match FileVersion::of(&directory.join(name)) {
            // Something else under this name: no process of Go's.
            Ok(None) => return,
            Ok(version) => version,
            // It came, and is gone again: still a start.
            Err(_) => None,
        };
        let seen = self.seen_metadata.entry((container, name.to_owned())).or_default();
        let already_counted = std::mem::take(&mut seen.by_scan) && seen.version == version;
        if !already_counted {
            seen.version = version;
            self.ledger.add_start(container, name, now_unix_nanoseconds());
        }
    }

    fn scan(&mut self) {
        for (index, container) in self.ledger.containers().iter().enumerate() {
            let mut names = names_in(&container.directory, is_kept_file_name);
            // Meta-data first: counters mean nothing without it.
            names.sort_by_key(|name| !is_metadata_file_name(name));
            for name in names {
                if is_metadata_file_name(&name)
                    && let Ok(Some(version)) = FileVersion::of(&container.directory.join(&name))
                {
                    let seen = self.seen_metadata.entry((index, name.clone())).or_default();
                    if seen.version.as_ref() != Some(&version) {
                        self.ledger.add_start(index, &name, version.modified_unix_nanoseconds);
                        *seen = Seen { version: Some(version), by_scan: true };
                    }
                }
                self.ledger.add_file(index, &name);
            }
        }
    }

    fn unfinished(&self) -> Vec<ContainerEnd> {
        let mut room = MOST_UNFINISHED_NAMES;
        let end = |container: &super::Container| {
            let mut unfinished_files =
                names_in(&container.directory, |name| name.starts_with(UNFINISHED_PREFIX));
            unfinished_files.truncate(room);
            room -= unfinished_files.len();
            ContainerEnd { container: container.name.clone(), unfinished_files }
        };
        self.ledger.containers().iter().map(end).collect()
    }
}

impl Notifier {
    fn start(ledger: &Ledger) -> nix::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        // Go renames a finished file to its name; other writers may write to it directly.
        let events = AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_ONLYDIR;
        let directories = ledger
            .containers()
            .iter()
            .enumerate()
            .map(|(index, container)| Ok((inotify.add_watch(&container.directory, events)?, index)))
            .collect::<nix::Result<_>>()?;
        Ok(Self { inotify, directories })
    }
}

impl FileVersion {
    /// None for what is no regular file.
    fn of(path: &Path) -> io::Result<Option<Self>> {
        let metadata = fs::symlink_metadata(path)?;
        let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(metadata.is_file().then(|| Self {
            inode: metadata.ino(),
            modified_unix_nanoseconds: u64::try_from(modified.as_nanos()).unwrap_or(u64::MAX),
        }))
    }
}

/// Takes in the files that are there, where the kernel may not have told of all of them yet. The starts that they are,
/// it still tells.
pub fn look_for_files(ledger: &Ledger) {
    for (index, container) in ledger.containers().iter().enumerate() {
        let mut names = names_in(&container.directory, is_kept_file_name);
        names.sort_by_key(|name| !is_metadata_file_name(name));
        for name in names {
            ledger.add_file(index, &name);
        }
    }
}

/// The names in a directory for which `wanted` holds, in order.
pub(super) fn names_in(directory: &Path, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            say(format_args!("cannot read the directory {}: {error}", directory.display()));
            return Vec::new();
        }
    };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| wanted(name)).collect();
    names.sort_unstable();
    names
}

fn now_unix_nanoseconds() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}
