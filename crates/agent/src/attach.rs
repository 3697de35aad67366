//! `agent attach`: joins standard input and output to the keeper's socket.
//!
//! Moves bytes and reads none of them. Standard output carries nothing else.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::keep::socket_path;

const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
const CONNECT_INTERVAL: Duration = Duration::from_millis(20);
const BUFFER_LENGTH: usize = 64 * 1024;

/// Joins both directions until the keeper closes, or the reader of standard output is gone.
pub fn run(data_directory: &Path) -> Result<(), String> {
    let socket = socket_path(data_directory);
    let stream =
        connect(&socket).map_err(|error| format!("no keeper answers at {}: {error}", socket.display()))?;
    join(&stream).map_err(|error| format!("cannot join the standard streams to the keeper: {error}"))
}

fn connect(socket: &Path) -> io::Result<UnixStream> {
    let deadline = Instant::now() + CONNECT_DEADLINE;
    loop {
        match UnixStream::connect(socket) {
            // An exec can be faster than the keeper, and a restarted keeper leaves a dead socket for a moment.
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused)
                    && Instant::now() < deadline =>
            {
                thread::sleep(CONNECT_INTERVAL);
            }
            result => return result,
        }
    }
}

fn join(stream: &UnixStream) -> io::Result<()> {
    // Plain files: std's own handles buffer, and would hold back the end of a message.
    let mut input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let mut to_keeper = stream.try_clone()?;
    let mut from_keeper = stream.try_clone()?;
    // Not joined: it may wait for input for ever, and the process ends with the other direction.
    thread::Builder::new().spawn(move || {
        let _ = copy(&mut input, &mut to_keeper);
        // The keeper still answers what it has: only this direction has ended.
        let _ = to_keeper.shutdown(Shutdown::Write);
    })?;
    match copy(&mut from_keeper, &mut output) {
        // A keeper that exits with unread words of ours in its socket; a reader that has gone.
        Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => Ok(()),
        result => result,
    }
}

/// Unlike `io::copy` it stays with read and write: splice is not allowed everywhere.
fn copy(reader: &mut impl Read, writer: &mut impl Write) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_LENGTH];
    loop {
        let length = match reader.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        writer.write_all(buffer.get(..length).unwrap_or_default())?;
    }
}
