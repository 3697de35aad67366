//! `agent snapshot CONTAINER-ID…` and `agent examine CONTAINER-ID…`: reads the processes of other containers of its node,
//! and sends what they have counted, or what they are.
//!
//! Owns the order of the conversation. Which processes are those of a container, and how one is read or looked at,
//! is `podcov-process-capture`'s. Everything goes to standard output, and nothing is waited for.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use podcov_agent_protocol::{
    FILE_CHUNK_LENGTH, FrameError, FromReader, PROTOCOL_VERSION, Question, ReadProcess, encode,
};
use podcov_process_capture::{
    ProcessId, Reason, Snapshot, examine, processes_in_cgroups_of, read_when_started,
};

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// How long processes that have only just started may take, together, to initialise their packages.
const PATIENCE: Duration = Duration::from_secs(3);

/// Reads the containers with these IDs, one after the other.
pub fn run(containers: &[String], question: Question) -> Result<(), String> {
    let boot_id =
        std::fs::read_to_string(BOOT_ID).map_err(|error| format!("cannot read {BOOT_ID}: {error}"))?;
    let mut reader =
        Reader { output: io::stdout().lock(), sent: BTreeSet::new(), until: Instant::now() + PATIENCE };
    reader.send(&FromReader::Hello {
        protocol_version: PROTOCOL_VERSION,
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        boot_id: boot_id.trim().to_owned(),
    })?;
    for container in containers {
        let processes = processes_in_cgroups_of(container)
            .map_err(|error| format!("cannot list the processes of the node: {error}"))?;
        reader.send(&FromReader::Container {
            container_id: container.clone(),
            processes: u32::try_from(processes.len()).unwrap_or(u32::MAX),
        })?;
        for process in processes {
            match question {
                Question::Counters => reader.read(process)?,
                Question::Processes => reader.examine(process)?,
            }
        }
    }
    reader.send(&FromReader::End)
}

struct Reader<W> {
    output: W,
    /// Programs whose meta-data podcov has.
    sent: BTreeSet<[u8; 16]>,
    until: Instant,
}

impl<W: Write> Reader<W> {
    fn read(&mut self, process: ProcessId) -> Result<(), String> {
        match read_when_started(process, self.until) {
            Ok(snapshot) => self.send_snapshot(&snapshot),
            Err(reason) => self.send_reason(process, &reason),
        }
    }

    fn examine(&mut self, process: ProcessId) -> Result<(), String> {
        match examine(process) {
            Ok(examination) => self.send(&FromReader::Examined(Box::new(examination))),
            Err(reason) => self.send_reason(process, &reason),
        }
    }

    fn send_reason(&mut self, process: ProcessId, reason: &Reason) -> Result<(), String> {
        self.send(&FromReader::NotRead {
            process_id: process.0.get(),
            // One that is gone has ended while its siblings were read.
            has_no_counters: matches!(
                reason,
                Reason::NotGo { .. } | Reason::NotInstrumented { .. } | Reason::Gone
            ),
            why: reason.in_full(),
        })
    }

    fn send_snapshot(&mut self, snapshot: &Snapshot) -> Result<(), String> {
        let hash = snapshot.hash().0;
        if self.sent.insert(hash) {
            let file = snapshot.metadata_file();
            self.send(&FromReader::MetaData { hash, length: file.len() as u64 })?;
            self.send_data(file)?;
        }
        let file = snapshot.counter_file();
        let key = snapshot.process();
        self.send(&FromReader::Process(ReadProcess {
            process_id: key.id.0.get(),
            start_time: key.start_time.0,
            start_of_stack: key.start_of_stack.0,
            hash,
            counter_file: snapshot.counter_file_name(),
            length: file.len() as u64,
            is_torn: snapshot.counters().stray_words() > 0,
        }))?;
        self.send_data(&file)
    }

    fn send_data(&mut self, file: &[u8]) -> Result<(), String> {
        file.chunks(FILE_CHUNK_LENGTH)
            .try_for_each(|bytes| self.send(&FromReader::Data { bytes: bytes.to_vec() }))
    }

    fn send(&mut self, message: &FromReader) -> Result<(), String> {
        let frame = encode(message).map_err(|error| error.to_string())?;
        let written = self.output.write_all(&frame).and_then(|()| self.output.flush());
        written.map_err(|error| FrameError::Io(error).to_string())
    }
}
