//! One reader of the keeper: tells it everything, follows what comes, and listens to its answers.
//!
//! Owns the order of messages on one connection. A reader that is slow, silent or wrong harms nobody else.

use std::collections::BTreeSet;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::thread;

use podcov_agent_protocol::{FrameError, FromAgent, PROTOCOL_VERSION, ToAgent, read_frame, write_frame};

use super::coverage_file::CoverageFile;
use super::ledger::{ConnectionNumber, Cursor, FileIndex, Hearing, Ledger, Step};
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
    let mut cursor = Cursor::default();
    let mut sent = BTreeSet::new();
    loop {
        match ledger.next_step(number, &mut cursor) {
            Step::Send(message) => write_frame(&mut stream, &message)?,
            Step::SendFile(file) => {
                if !sent.contains(&file) && send_file(ledger, file, stream)? {
                    sent.insert(file);
                }
            }
            Step::Close => return Ok(()),
        }
    }
}

/// Sends one file, or why it cannot be read. Whether it was sent.
fn send_file(ledger: &Ledger, index: FileIndex, mut stream: &UnixStream) -> Result<bool, FrameError> {
    let Some((container, name)) = ledger.file(index) else { return Ok(false) };
    let mut send = |message: &FromAgent| write_frame(&mut stream, message);
    let unreadable = match CoverageFile::open(&container.directory.join(&*name)) {
        Err(error) => error,
        Ok(mut file) => {
            let (container, name, length) = (container.name.clone(), name.to_string(), file.length());
            send(&FromAgent::FileBegin { container, name, length })?;
            loop {
                match file.next_chunk() {
                    Ok(Some(bytes)) => send(&FromAgent::FileData { bytes })?,
                    Ok(None) => {
                        send(&FromAgent::FileEnd)?;
                        return Ok(true);
                    }
                    Err(error) => break error,
                }
            }
        }
    };
    ledger.set_unreadable(index);
    let (container, name) = (container.name.clone(), name.to_string());
    send(&FromAgent::FileUnreadable { container, name, reason: unreadable.to_string() })?;
    Ok(false)
}
