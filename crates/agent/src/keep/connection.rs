//! One reader of the keeper: tells it everything, follows what comes, and listens to its answers.
//!
//! Owns the order of messages on one connection. A reader that is slow, silent or wrong harms nobody else.

use std::collections::BTreeSet;
use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;

use podcov_agent_protocol::{FrameError, FromAgent, PROTOCOL_VERSION, ToAgent, read_frame, write_frame};

use super::coverage_file::CoverageFile;
use super::ledger::{ConnectionNumber, Cursor, FileIndex, Hearing, Ledger, Step};
use super::{snapshot, watch};
use crate::terminal::say;

/// Serves a connection to its end.
pub fn serve(ledger: &Ledger, stream: &UnixStream) {
    let number = ledger.connect();
    thread::scope(|scope| {
        let listener = thread::Builder::new().spawn_scoped(scope, || listen(ledger, number, stream));
        if let Err(error) = listener {
            say(format_args!("cannot listen to a connection: {error}"));
        } else if let Err(error) = tell(ledger, number, stream) {
            // The other side has usually just gone, and can come again.
            say(format_args!("a connection ended: {error}"));
        }
        // One that is done hangs up itself, so that its exec ends well before the container does.
        let done = ledger.hearing(number) == Hearing::Done;
        let _ = stream.shutdown(if done { Shutdown::Write } else { Shutdown::Both });
    });
    ledger.disconnect(number);
}

fn listen(ledger: &Ledger, number: ConnectionNumber, mut stream: &UnixStream) {
    loop {
        match read_frame::<ToAgent>(&mut stream) {
            Ok(Some(ToAgent::Acknowledge { container, name })) => ledger.acknowledge(&container, &name),
            Ok(Some(ToAgent::Discard)) => ledger.discard(),
            Ok(Some(ToAgent::Snapshot { number: snapshot })) => ledger.request_snapshot(number, snapshot),
            Ok(Some(ToAgent::Done)) if ledger.done(number) => {}
            Ok(None) if ledger.hearing(number) == Hearing::Done => return,
            Ok(None) => return ledger.set_hearing(number, Hearing::Ended),
            Ok(Some(ToAgent::Done)) => {
                say("a connection was closed: it was done before the end");
                break;
            }
            Err(error) => {
                say(format_args!("a connection was closed: {error}"));
                break;
            }
        }
    }
    ledger.set_hearing(number, Hearing::Broken);
    // The telling half may be stuck in a write that nobody reads.
    let _ = stream.shutdown(Shutdown::Both);
}

fn tell(ledger: &Ledger, number: ConnectionNumber, mut stream: &UnixStream) -> Result<(), FrameError> {
    let hello = FromAgent::Hello {
        protocol_version: PROTOCOL_VERSION,
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        containers: ledger.containers().iter().map(|container| container.name.clone()).collect(),
    };
    write_frame(&mut stream, &hello)?;
    let mut teller = Teller { ledger, stream, cursor: Cursor::default(), sent: BTreeSet::new() };
    loop {
        match ledger.next_step(number, &mut teller.cursor) {
            Step::Close => return Ok(()),
            Step::Snapshot(number) => teller.snapshot(number)?,
            step => teller.tell(step)?,
        }
    }
}

/// The telling half of a connection.
struct Teller<'a> {
    ledger: &'a Ledger,
    stream: &'a UnixStream,
    cursor: Cursor,
    /// Each file is sent once.
    sent: BTreeSet<FileIndex>,
}

impl Teller<'_> {
    fn send(&mut self, message: &FromAgent) -> Result<(), FrameError> {
        write_frame(&mut self.stream, message)
    }

    fn tell(&mut self, step: Step) -> Result<(), FrameError> {
        match step {
            Step::Send(message) => self.send(&message),
            Step::SendFile(file) if !self.sent.contains(&file) => self.send_file(file),
            Step::SendFile(_) | Step::Snapshot(_) | Step::Close => Ok(()),
        }
    }

    /// Has all processes read, and sends what they have counted. What has ended by then is sent as well, and first the
    /// meta-data, without which counters mean nothing.
    fn snapshot(&mut self, number: u32) -> Result<(), FrameError> {
        let containers = snapshot::take(self.ledger.containers());
        self.tell_everything()?;
        for (container, path, name) in snapshot::live_files(self.ledger.containers()) {
            self.send_live_file(container, &path, name)?;
        }
        // A process that has ended meanwhile has left its files here, and none there.
        self.tell_everything()?;
        self.send(&FromAgent::SnapshotTaken { number, containers })
    }

    fn tell_everything(&mut self) -> Result<(), FrameError> {
        watch::look_for_files(self.ledger);
        while let Some(step) = self.ledger.next_known(&mut self.cursor) {
            self.tell(step)?;
        }
        Ok(())
    }

    /// Sends one file, or why it cannot be read.
    fn send_file(&mut self, index: FileIndex) -> Result<(), FrameError> {
        let Some((container, name)) = self.ledger.file(index) else { return Ok(()) };
        let (container, path, name) =
            (container.name.clone(), container.directory.join(&*name), name.to_string());
        let unreadable = match CoverageFile::open(&path) {
            Err(error) => error,
            Ok(file) => {
                let (container, name, length) = (container.clone(), name.clone(), file.length());
                self.send(&FromAgent::FileBegin { container, name, length })?;
                match self.send_contents(file)? {
                    None => {
                        self.sent.insert(index);
                        return Ok(());
                    }
                    Some(error) => error,
                }
            }
        };
        self.ledger.set_unreadable(index);
        self.send(&FromAgent::FileUnreadable { container, name, reason: unreadable.to_string() })
    }

    /// Sends what a process that lives has counted. One that has ended meanwhile has left its files elsewhere.
    fn send_live_file(&mut self, container: String, path: &Path, name: String) -> Result<(), FrameError> {
        let Ok(file) = CoverageFile::open(path) else { return Ok(()) };
        let length = file.length();
        self.send(&FromAgent::LiveFileBegin { container: container.clone(), name: name.clone(), length })?;
        match self.send_contents(file)? {
            None => Ok(()),
            Some(error) => {
                self.send(&FromAgent::FileUnreadable { container, name, reason: error.to_string() })
            }
        }
    }

    /// Sends the bytes of a file that was announced, or tells why they cannot be read.
    fn send_contents(&mut self, mut file: CoverageFile) -> Result<Option<io::Error>, FrameError> {
        loop {
            match file.next_chunk() {
                Ok(Some(bytes)) => self.send(&FromAgent::FileData { bytes })?,
                Ok(None) => return self.send(&FromAgent::FileEnd).map(|()| None),
                Err(error) => return Ok(Some(error)),
            }
        }
    }
}
