//! The other end: what podcov does with a connection, and records of what came.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Instant;

use podcov_agent_protocol::{
    ContainerEnd, ContainerSnapshot, FromAgent, PROTOCOL_VERSION, ToAgent, read_frame, write_frame,
};

use podcov_wait::{self as wait, LONG};

/// Container and file name.
pub type FileName = (String, String);

/// One connection, and everything that came over it so far.
pub struct Reader {
    messages: Receiver<FromAgent>,
    answers: Option<Box<dyn Write + Send>>,
    process: Option<Child>,
    begun: Option<(FileName, u64, Vec<u8>)>,
    /// Complete files.
    pub files: BTreeMap<FileName, Vec<u8>>,
    /// Complete files, in the order in which they came.
    pub order: Vec<FileName>,
    /// Files that could not be read, and why.
    pub unreadable: BTreeMap<FileName, String>,
    /// Container and meta-data file of every start.
    pub starts: Vec<FileName>,
    /// The containers of the greeting.
    pub containers: Vec<String>,
    /// Whether nothing has come since it was last said that everything had.
    pub up_to_date: bool,
    /// The answers to snapshots.
    pub snapshots: Vec<(u32, Vec<ContainerSnapshot>)>,
    /// What was found at the end, and the free bytes.
    pub ended: Option<(Vec<ContainerEnd>, u64)>,
    /// Whether the other side has hung up.
    pub closed: bool,
}

impl Reader {
    /// Speaks with the keeper through a process that joins its standard streams to it.
    pub fn attach(command: &mut Command) -> Self {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (output, input) = (process.stdout.take().unwrap(), process.stdin.take().unwrap());
        Self::new(output, Box::new(input), Some(process))
    }

    /// Speaks with the keeper itself.
    pub fn connect(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).unwrap();
        Self::new(stream.try_clone().unwrap(), Box::new(HalfClosing(stream)), None)
    }

    fn new(
        mut input: impl Read + Send + 'static,
        answers: Box<dyn Write + Send>,
        process: Option<Child>,
    ) -> Self {
        let (sender, messages) = channel();
        thread::spawn(move || {
            while let Ok(Some(message)) = read_frame::<FromAgent>(&mut input) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Self {
            messages,
            answers: Some(answers),
            process,
            begun: None,
            files: BTreeMap::new(),
            order: Vec::new(),
            unreadable: BTreeMap::new(),
            starts: Vec::new(),
            containers: Vec::new(),
            up_to_date: false,
            snapshots: Vec::new(),
            ended: None,
            closed: false,
        }
    }

    /// Reads until a condition holds of what came.
    #[track_caller]
    pub fn until(&mut self, what: &str, condition: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + LONG;
        while !condition(self) {
            assert!(!self.closed, "the connection closed before {what}");
            match self.messages.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Disconnected) => self.closed = true,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("waited {LONG:?} for {what}; came so far: {:?}", self.order)
                }
            }
        }
    }

    /// Reads until everything that was there has come, and this many files have.
    #[track_caller]
    pub fn until_files(&mut self, count: usize) {
        self.until(&format!("{count} files"), |reader| reader.files.len() >= count && reader.up_to_date);
    }

    /// Reads until nothing more can come.
    #[track_caller]
    pub fn until_ended(&mut self) {
        self.until("the end", |reader| reader.ended.is_some());
    }

    /// Reads until the other side hangs up.
    #[track_caller]
    pub fn until_closed(&mut self) {
        self.until("the connection to close", |reader| reader.closed);
    }

    /// Acknowledges every file that came.
    pub fn acknowledge_all(&mut self) {
        for (container, name) in self.order.clone() {
            self.say(&ToAgent::Acknowledge { container, name });
        }
    }

    /// Sends one message.
    pub fn say(&mut self, message: &ToAgent) {
        write_frame(self.answers.as_mut().unwrap(), message).unwrap();
    }

    /// Sends bytes that may be no message.
    pub fn say_bytes(&mut self, bytes: &[u8]) {
        // The other side may hang up in the middle of it.
        let _ = self.answers.as_mut().unwrap().write_all(bytes);
    }

    /// Says nothing more, but still listens.
    pub fn fall_silent(&mut self) {
        self.answers = None;
    }

    /// Waits until the process that joins the streams has ended, and asserts that it was content.
    #[track_caller]
    pub fn exit_successfully(&mut self) {
        let status = wait::until_exit("`agent attach` to end", self.process.as_mut().unwrap());
        assert!(status.success(), "{status}");
    }

    fn take(&mut self, message: FromAgent) {
        assert!(self.ended.is_none(), "after the end came {message:?}");
        self.up_to_date = false;
        match message {
            FromAgent::Hello { protocol_version, containers, .. } => {
                assert_eq!(protocol_version, PROTOCOL_VERSION);
                assert!(self.containers.is_empty(), "a second greeting");
                self.containers = containers;
                return;
            }
            FromAgent::ProcessStarted { container, metadata_file, unix_nanoseconds } => {
                assert!(unix_nanoseconds > 0);
                self.starts.push((container, metadata_file));
            }
            FromAgent::FileBegin { container, name, length } => {
                assert_eq!(self.begun, None, "a file inside a file");
                self.begun = Some(((container, name), length, Vec::new()));
            }
            FromAgent::FileData { bytes } => self.begun.as_mut().unwrap().2.extend(bytes),
            FromAgent::FileEnd => {
                let (file, length, bytes) = self.begun.take().unwrap();
                assert_eq!(length, bytes.len() as u64);
                self.order.push(file.clone());
                let before = self.files.insert(file.clone(), bytes);
                assert_eq!(before, None, "{file:?} came twice");
            }
            FromAgent::FileUnreadable { container, name, reason } => {
                self.begun = None;
                self.unreadable.insert((container, name), reason);
            }
            FromAgent::UpToDate => self.up_to_date = true,
            FromAgent::LiveFileBegin { .. } => panic!("nothing is supervised here"),
            FromAgent::SnapshotTaken { number, containers } => self.snapshots.push((number, containers)),
            FromAgent::Ended { containers, volume_free_bytes } => {
                self.ended = Some((containers, volume_free_bytes));
            }
        }
        assert!(!self.containers.is_empty(), "the greeting is not the first message");
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.answers = None;
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// A socket that ends its direction when it is dropped, as a pipe does.
struct HalfClosing(UnixStream);

impl Write for HalfClosing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

impl Drop for HalfClosing {
    fn drop(&mut self) {
        let _ = self.0.shutdown(Shutdown::Write);
    }
}
