//! What the agent on a node has said, put together. Pure: it trusts no length and no order.

use std::collections::BTreeMap;
use std::sync::Arc;

use podcov_agent_protocol::{Examination, FromReader, PROTOCOL_VERSION, ReadProcess, is_coverage_file_name};

use crate::RunningContainer;

/// The most that a node may send. The meta-data of a very large program are some ten megabytes.
const MOST_BYTES: u64 = 1 << 30;
const MOST_PROCESSES: usize = 1 << 16;

/// What the processes of a node have counted, or are.
#[derive(Debug, Default)]
pub struct NodeAnswer {
    /// Which start of the node's system it is.
    pub boot_id: String,
    /// Those that were asked for, by their IDs.
    containers: BTreeMap<String, ContainerAnswer>,
    current: String,
    metadata: BTreeMap<[u8; 16], Arc<Vec<u8>>>,
    /// What the data belong to that come next.
    announced: Option<Announced>,
    bytes: u64,
    processes: usize,
}

/// A container that was looked at.
#[derive(Debug, Default)]
pub struct ContainerAnswer {
    /// How many processes it has.
    pub processes_seen: u32,
    /// Those that were read.
    pub processes: Vec<ProcessAnswer>,
    /// Those that were looked at.
    pub examined: Vec<Examination>,
    /// Those that were neither.
    pub not_read: Vec<NotRead>,
}

/// A process that was read. Its files are as they came.
#[derive(Debug)]
pub struct ProcessAnswer {
    /// Which one it is.
    pub process: ReadProcess,
    /// Its `covmeta.*`.
    pub metadata: Arc<Vec<u8>>,
    /// Its `covcounters.*`.
    pub counters: Vec<u8>,
}

/// A process that was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotRead {
    /// As the node sees it.
    pub process_id: u32,
    /// It counts nothing, or has just ended.
    pub has_no_counters: bool,
    /// Why.
    pub why: String,
}

#[derive(Debug)]
struct Announced {
    of: Of,
    length: u64,
    bytes: Vec<u8>,
}

#[derive(Debug)]
enum Of {
    MetaData([u8; 16]),
    Process(ReadProcess),
}

impl NodeAnswer {
    /// What is known of a container, once.
    pub fn take_container(&mut self, container: &RunningContainer) -> Option<ContainerAnswer> {
        self.containers.remove(container.bare_id())
    }

    /// Takes the next message. Tells whether it was the last.
    pub(super) fn take(&mut self, message: FromReader) -> Result<bool, String> {
        if let Some(announced) = &self.announced
            && !matches!(message, FromReader::Data { .. })
        {
            return Err(format!(
                "the agent has sent {} of {} bytes",
                announced.bytes.len(),
                announced.length
            ));
        }
        match message {
            FromReader::Hello { protocol_version, agent_version, .. }
                if protocol_version != PROTOCOL_VERSION =>
            {
                return Err(format!(
                    "the agent is of podcov {agent_version} and speaks another protocol version"
                ));
            }
            FromReader::Hello { boot_id, .. } if !is_boot_id(&boot_id) => {
                return Err("the agent has sent no boot ID of its node".to_owned());
            }
            FromReader::Hello { boot_id, .. } => self.boot_id = boot_id,
            FromReader::Container { container_id, processes } => {
                self.containers.entry(container_id.clone()).or_default().processes_seen = processes;
                self.current = container_id;
            }
            FromReader::MetaData { hash, length } => self.announce(Of::MetaData(hash), length)?,
            FromReader::Process(process) => {
                if !is_coverage_file_name(&process.counter_file) {
                    return Err("the agent has sent a file that is none of coverage data".to_owned());
                }
                let length = process.length;
                self.announce(Of::Process(process), length)?;
            }
            FromReader::Data { bytes } => self.append(&bytes)?,
            FromReader::NotRead { process_id, has_no_counters, why } => {
                self.count_process()?;
                self.container().not_read.push(NotRead { process_id, has_no_counters, why });
            }
            FromReader::Examined(examination) => {
                self.count_process()?;
                self.container().examined.push(*examination);
            }
            FromReader::End => return Ok(true),
        }
        Ok(false)
    }

    fn container(&mut self) -> &mut ContainerAnswer {
        self.containers.entry(self.current.clone()).or_default()
    }

    fn count_process(&mut self) -> Result<(), String> {
        self.processes += 1;
        if self.processes > MOST_PROCESSES {
            Err("the node has too many processes".to_owned())
        } else {
            Ok(())
        }
    }

    fn announce(&mut self, of: Of, length: u64) -> Result<(), String> {
        self.bytes = self.bytes.saturating_add(length);
        if self.bytes > MOST_BYTES {
            return Err(format!("the node wants to send {} bytes, which are too many", self.bytes));
        }
        self.announced = Some(Announced { of, length, bytes: Vec::new() });
        self.conclude()
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), String> {
        let Some(announced) = &mut self.announced else {
            return Err("the agent has sent data of nothing".to_owned());
        };
        announced.bytes.extend_from_slice(bytes);
        if announced.bytes.len() as u64 > announced.length {
            return Err("the agent has sent more data than it announced".to_owned());
        }
        self.conclude()
    }

    /// What was announced may be there.
    fn conclude(&mut self) -> Result<(), String> {
        let Some(whole) =
            self.announced.take_if(|announced| announced.bytes.len() as u64 == announced.length)
        else {
            return Ok(());
        };
        match whole.of {
            Of::MetaData(hash) => drop(self.metadata.insert(hash, Arc::new(whole.bytes))),
            Of::Process(process) => {
                let metadata = self.metadata.get(&process.hash).cloned();
                let metadata = metadata.ok_or("the agent has sent counters without their meta-data")?;
                self.count_process()?;
                let answer = ProcessAnswer { process, metadata, counters: whole.bytes };
                self.container().processes.push(answer);
            }
        }
        Ok(())
    }
}

/// It becomes part of the name of a file.
fn is_boot_id(text: &str) -> bool {
    const LONGEST: usize = 64;
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(hash: u8, length: u64) -> FromReader {
        FromReader::Process(ReadProcess {
            process_id: 7,
            start_time: 1,
            start_of_stack: 2,
            hash: [hash; 16],
            counter_file: format!("covcounters.{}.1.5", "0".repeat(32)),
            length,
            is_torn: false,
        })
    }

    fn data(bytes: &[u8]) -> FromReader {
        FromReader::Data { bytes: bytes.to_vec() }
    }

    fn answer(messages: impl IntoIterator<Item = FromReader>) -> Result<NodeAnswer, String> {
        let mut answer = NodeAnswer::default();
        for message in messages {
            answer.take(message)?;
        }
        Ok(answer)
    }

    #[test]
    fn processes_of_one_program_share_their_meta_data() {
        let container = |id: &str| FromReader::Container { container_id: id.to_owned(), processes: 1 };
        let answer = answer([
            container("a"),
            FromReader::MetaData { hash: [1; 16], length: 4 },
            data(b"me"),
            data(b"ta"),
            process(1, 2),
            data(b"c1"),
            container("b"),
            process(1, 2),
            data(b"c2"),
        ])
        .unwrap();
        for (id, counters) in [("a", b"c1"), ("b", b"c2")] {
            let [process] = answer.containers[id].processes.as_slice() else { panic!("one process") };
            assert_eq!(
                (process.metadata.as_slice(), process.counters.as_slice()),
                (&b"meta"[..], &counters[..])
            );
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let metadata = |length| FromReader::MetaData { hash: [1; 16], length };
        let mut elsewhere = process(1, 0);
        if let FromReader::Process(process) = &mut elsewhere {
            process.counter_file = "../../x".to_owned();
        }
        let hello = |boot_id: &str| FromReader::Hello {
            protocol_version: PROTOCOL_VERSION,
            agent_version: String::new(),
            boot_id: boot_id.to_owned(),
        };
        for (messages, part) in [
            (vec![hello("../..")], "no boot ID"),
            (vec![hello(&"0".repeat(65))], "no boot ID"),
            (vec![data(b"x")], "data of nothing"),
            (vec![metadata(1), data(b"xy")], "more data"),
            (vec![metadata(2), data(b"x"), FromReader::End], "1 of 2 bytes"),
            (vec![metadata(u64::MAX)], "too many"),
            (vec![metadata(MOST_BYTES), metadata(1)], "of 1073741824 bytes"),
            (vec![process(1, 0)], "without their meta-data"),
            (vec![elsewhere], "none of coverage data"),
        ] {
            let refused = answer(messages).unwrap_err();
            assert!(refused.contains(part), "{refused}");
        }
    }
}
