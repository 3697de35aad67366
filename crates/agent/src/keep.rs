//! `agent keep`: keeps the coverage files of the pod's containers until they are taken.
//!
//! Owns the order of the keeper's life: prepare, watch until told to end, wait until everything is taken.
//! What is known and taken is [`ledger`]'s, what happens in the directories [`watch`]'s, what is said to a
//! reader [`connection`]'s, how processes that live are read [`snapshot`]'s. Files are never deleted: a later reader gets them again.

mod connection;
mod coverage_file;
mod ledger;
mod snapshot;
mod watch;

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use podcov_agent_protocol::{SIDECAR_DATA_DIRECTORY, SOCKET, STATE_DIRECTORY};

use self::ledger::{Container, Ledger};
use self::watch::Watch;
use crate::terminal::say;

/// Any user may write: the application's user is not the sidecar's, and often not known.
const CONTAINER_DIRECTORY_MODE: u32 = 0o777;
const STATE_DIRECTORY_MODE: u32 = 0o700;
const ACCEPT_RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// How a keeper ends when nothing goes wrong with itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is left that somebody could still want.
    EverythingTaken,
    /// Files are left that nobody took in time.
    DeadlinePassed,
}

/// The keeper's socket in a data directory.
pub fn socket_path(data_directory: &Path) -> PathBuf {
    in_data_directory(data_directory, SOCKET)
}

/// Keeps until told to end by SIGTERM or SIGINT, then until everything is taken or `deadline` has passed.
pub fn run(data_directory: &Path, deadline: Duration, container_names: &[String]) -> Result<Outcome, String> {
    // First of all: threads inherit the mask, and as PID 1 an unblocked SIGTERM would be lost.
    let signals = ending_signals().map_err(|error| format!("cannot receive signals: {error}"))?;
    let containers = prepare(data_directory, container_names)?;
    let listener = listen(data_directory)?;
    let ledger = Arc::new(Ledger::new(containers));
    let mut watch = Watch::start(&ledger);

    let acceptor = Arc::clone(&ledger);
    thread::Builder::new()
        .spawn(move || accept(&listener, &acceptor))
        .map_err(|error| format!("cannot start a thread: {error}"))?;
    say(format_args!("keeping the coverage files of {}", container_names.join(", ")));

    watch.until_signal(&signals).map_err(|error| format!("cannot watch the directories: {error}"))?;
    let give_up_at = Instant::now() + deadline;
    // The kubelet signals a sidecar only after every application container has ended: the set is final.
    let containers = watch.finish();
    for end in containers.iter().filter(|end| !end.unfinished_files.is_empty()) {
        say(format_args!("{} left unfinished: {}", end.container, end.unfinished_files.join(", ")));
    }
    ledger.end(containers, free_bytes(data_directory));
    let (waiting, seconds) = (ledger.not_taken().len(), deadline.as_secs());
    say(format_args!("the containers have ended; files to be taken within {seconds} seconds: {waiting}"));

    let left = ledger.wait_until_taken(give_up_at);
    for (container, name) in &left {
        say(format_args!("not taken before the deadline: {container}/{name}"));
    }
    Ok(if left.is_empty() { Outcome::EverythingTaken } else { Outcome::DeadlinePassed })
}

fn ending_signals() -> nix::Result<SignalFd> {
    let signals = SigSet::from_iter([Signal::SIGTERM, Signal::SIGINT]);
    signals.thread_block()?;
    SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
}

fn prepare(data_directory: &Path, container_names: &[String]) -> Result<Vec<Container>, String> {
    let state = in_data_directory(data_directory, STATE_DIRECTORY);
    make_directory(&state, STATE_DIRECTORY_MODE)?;
    container_names
        .iter()
        .map(|name| {
            let directory = data_directory.join(name);
            make_directory(&directory, CONTAINER_DIRECTORY_MODE)?;
            Ok(Container { name: name.clone(), directory })
        })
        .collect()
}

/// Makes a directory of exactly this mode, whatever the umask. One that exists is left as it is: it is an
/// earlier keeper's, or the kubelet's, which only root may change.
fn make_directory(path: &Path, permission_bits: u32) -> Result<(), String> {
    match DirBuilder::new().mode(permission_bits).create(path) {
        Ok(()) => fs::set_permissions(path, Permissions::from_mode(permission_bits)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
    .map_err(|error| format!("cannot make the directory {}: {error}", path.display()))
}

fn listen(data_directory: &Path) -> Result<UnixListener, String> {
    let socket = socket_path(data_directory);
    let bind = || -> io::Result<UnixListener> {
        match fs::remove_file(&socket) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        UnixListener::bind(&socket)
    };
    bind().map_err(|error| format!("cannot listen at {}: {error}", socket.display()))
}

fn accept(listener: &UnixListener, ledger: &Arc<Ledger>) {
    for stream in listener.incoming() {
        let ledger = Arc::clone(ledger);
        let served = stream
            .and_then(|stream| thread::Builder::new().spawn(move || connection::serve(&ledger, &stream)));
        if let Err(error) = served {
            say(format_args!("cannot accept a connection: {error}"));
            // Out of descriptors or threads: others free them, and trying at once would only spin.
            thread::sleep(ACCEPT_RETRY_INTERVAL);
        }
    }
}

/// A path of the protocol's layout, in this data directory.
fn in_data_directory(data_directory: &Path, path: &str) -> PathBuf {
    let relative = Path::new(path).strip_prefix(SIDECAR_DATA_DIRECTORY);
    data_directory.join(relative.expect("the layout's paths are in its data directory"))
}

fn free_bytes(data_directory: &Path) -> u64 {
    nix::sys::statvfs::statvfs(data_directory)
        .map_or(0, |volume| volume.blocks_available() * volume.fragment_size())
}
