//! One stream to one pod's agent: the protocol, seen from podcov's side.

use std::time::Duration;

use kube::api::AttachParams;
use podcov_agent_protocol::{
    AGENT_ARGUMENT_ATTACH, AGENT_EXECUTABLE, FromAgent, OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION,
    SNAPSHOT_PROTOCOL_VERSION, ToAgent, decode, encode,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::{
        mpsc::{self, UnboundedReceiver, UnboundedSender, WeakUnboundedSender},
        oneshot,
    },
};

use crate::{
    Connection, Error,
    collector::{PodEntry, Purpose, Shared},
    identity::SIDECAR,
};

/// How a stream ended without a failure.
pub(crate) enum StreamEnd {
    /// The agent said that nothing follows.
    Ended,
    /// The other side closed.
    Closed,
}

/// Takes what the pod has and follows it until the agent is done or the stream breaks.
pub(crate) async fn take(connection: &Connection, shared: &Shared, uid: &str) -> Result<StreamEnd, String> {
    let Some(name) = shared.pods().get(uid).map(|pod| pod.record.name.clone()) else {
        return Ok(StreamEnd::Closed);
    };
    let pods = connection.pods();
    let parameters = AttachParams::default().container(SIDECAR).stdin(true).stdout(true).stderr(true);
    let command = [AGENT_EXECUTABLE, AGENT_ARGUMENT_ATTACH];
    let mut process = pods.exec(&name, command, &parameters).await.map_err(|error| error.to_string())?;
    // A StatefulSet gives the name to the next pod: only the same UID after the connection is the same pod.
    let pod = pods.get_metadata(&name).await.map_err(|error| error.to_string())?;
    if pod.metadata.uid.as_deref() != Some(uid) {
        return Ok(StreamEnd::Closed);
    }
    let (Some(stdout), Some(stdin)) = (process.stdout(), process.stdin()) else {
        return Err("the stream has no standard input and output".to_owned());
    };
    let mut stderr = process.stderr();
    let result = Conversation { shared, uid, starts: Vec::new() }.hold(stdout, stdin).await;
    let complaint = match (&result, &mut stderr) {
        (Ok(StreamEnd::Closed) | Err(_), Some(stderr)) => first_line(stderr).await,
        _ => None,
    };
    match complaint {
        Some(complaint) => Err(complaint),
        None => result,
    }
}

/// What the agent, or the runtime that could not start it, wrote to standard error.
pub(crate) async fn first_line(stderr: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    const MAX_LENGTH: u64 = 4096;
    const TIMEOUT: Duration = Duration::from_secs(1);
    let mut text = Vec::new();
    tokio::time::timeout(TIMEOUT, stderr.take(MAX_LENGTH).read_to_end(&mut text)).await.ok()?.ok()?;
    let text = String::from_utf8_lossy(&text);
    text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}

/// Reads messages to the end and writes what is answered. The two halves do not wait for each other: what is between here and
/// the pod moves nothing in one direction while it is held up in the other.
async fn converse(
    from_agent: impl AsyncRead + Unpin,
    to_agent: impl AsyncWrite + Unpin,
    (answers, queue): (UnboundedSender<Vec<u8>>, UnboundedReceiver<Vec<u8>>),
    handle: impl FnMut(FromAgent) -> Result<Option<ToAgent>, String>,
) -> Result<StreamEnd, String> {
    let (end, ()) = tokio::try_join!(listen(from_agent, answers, handle), answer(to_agent, queue))?;
    Ok(end)
}

async fn listen(
    mut from_agent: impl AsyncRead + Unpin,
    answers: UnboundedSender<Vec<u8>>,
    mut handle: impl FnMut(FromAgent) -> Result<Option<ToAgent>, String>,
) -> Result<StreamEnd, String> {
    const READ_LENGTH: usize = 64 * 1024;
    let mut buffer = Vec::new();
    loop {
        let mut consumed = 0;
        while let Some((message, length)) =
            decode::<FromAgent>(&buffer[consumed..]).map_err(|error| error.to_string())?
        {
            consumed += length;
            let is_end = matches!(message, FromAgent::Ended { .. });
            if let Some(answer) = handle(message)? {
                // Nobody takes it where the connection has just broken, which reading tells, too.
                let _ = answers.send(encode(&answer).map_err(|error| error.to_string())?);
            }
            if is_end {
                return Ok(StreamEnd::Ended);
            }
        }
        buffer.drain(..consumed);
        let filled = buffer.len();
        buffer.resize(filled + READ_LENGTH, 0);
        let read = from_agent.read(&mut buffer[filled..]).await.map_err(|error| error.to_string())?;
        buffer.truncate(filled + read);
        if read == 0 {
            return Ok(StreamEnd::Closed);
        }
    }
}

/// Until no more is answered, or nobody reads it.
async fn answer(
    mut to_agent: impl AsyncWrite + Unpin,
    mut queue: UnboundedReceiver<Vec<u8>>,
) -> Result<(), String> {
    while let Some(frame) = queue.recv().await {
        if to_agent.write_all(&frame).await.is_err() || to_agent.flush().await.is_err() {
            break;
        }
    }
    Ok(())
}

/// Asks for each snapshot that is wanted, also one that was wanted before this connection was there. Ends with an error only.
async fn ask_for_snapshots(
    shared: &Shared,
    uid: &str,
    greeting: oneshot::Receiver<()>,
    requests: WeakUnboundedSender<Vec<u8>>,
) -> String {
    // The agent speaks first.
    if greeting.await.is_ok() {
        let mut wanted = shared.wanted_snapshot.subscribe();
        wanted.mark_changed();
        while wanted.changed().await.is_ok() {
            let number = *wanted.borrow_and_update();
            if wants_snapshot(shared, uid, number)
                && let Some(requests) = requests.upgrade()
            {
                match encode(&ToAgent::Snapshot { number }) {
                    // Nobody takes it where the connection has just broken, which reading tells, too.
                    Ok(frame) => drop(requests.send(frame)),
                    Err(error) => return error.to_string(),
                }
            }
        }
    }
    std::future::pending().await
}

fn wants_snapshot(shared: &Shared, uid: &str, number: u32) -> bool {
    let is_needless = |pod: &PodEntry| {
        pod.agent_without_snapshots.is_some()
            || pod.snapshot.as_ref().is_some_and(|(taken, _)| *taken >= number)
    };
    number > 0
        && matches!(shared.purpose(), Purpose::Keep(_) | Purpose::Copy(_))
        && !shared.pods().get(uid).is_none_or(is_needless)
}

struct Conversation<'a> {
    shared: &'a Shared,
    uid: &'a str,
    /// Every connection hears of all starts anew; the fullest list counts.
    starts: Vec<(String, String, u64)>,
}

impl Conversation<'_> {
    async fn hold(
        mut self,
        from_agent: impl AsyncRead + Unpin,
        to_agent: impl AsyncWrite + Unpin,
    ) -> Result<StreamEnd, String> {
        let (shared, uid) = (self.shared, self.uid);
        let (answers, queue) = mpsc::unbounded_channel();
        let (greeted, greeting) = oneshot::channel();
        let asking = ask_for_snapshots(shared, uid, greeting, answers.downgrade());
        let mut greeted = Some(greeted);
        let talking = converse(from_agent, to_agent, (answers, queue), |message| {
            let answer = self.handle(message);
            // Only now it is known what the agent understands.
            if let Some(greeted) = greeted.take() {
                let _ = greeted.send(());
            }
            answer
        });
        tokio::select! {
            end = talking => end,
            error = asking => Err(error),
        }
    }

    fn handle(&mut self, message: FromAgent) -> Result<Option<ToAgent>, String> {
        match self.shared.purpose() {
            Purpose::Keep(_) => self.keep(message),
            // Others have to get it, too.
            Purpose::Copy(_) => self.keep(message).map(|_| None),
            Purpose::Look => self.look(message),
            Purpose::Discard => Ok(match message {
                FromAgent::Hello { .. } => Some(ToAgent::Discard),
                FromAgent::Ended { .. } => Some(ToAgent::Done),
                _ => None,
            }),
        }
    }

    fn look(&mut self, message: FromAgent) -> Result<Option<ToAgent>, String> {
        match message {
            FromAgent::ProcessStarted { container, metadata_file, unix_nanoseconds } => {
                self.starts.push((container, metadata_file, unix_nanoseconds));
                self.with_pod(|pod| {
                    pod.starts.clone_from(&self.starts);
                    Ok(())
                })?;
                Ok(None)
            }
            FromAgent::Hello { .. } | FromAgent::UpToDate => self.keep(message),
            _ => Ok(None),
        }
    }

    fn keep(&mut self, message: FromAgent) -> Result<Option<ToAgent>, String> {
        match message {
            FromAgent::Hello { protocol_version, agent_version, .. } => {
                if !(OLDEST_PROTOCOL_VERSION..=PROTOCOL_VERSION).contains(&protocol_version) {
                    return Err(format!(
                        "its agent is of podcov {agent_version} and speaks version {protocol_version} of the protocol, and \
                         this podcov {OLDEST_PROTOCOL_VERSION} to {PROTOCOL_VERSION}: use the podcov that prepared the pod"
                    ));
                }
                self.with_pod(|pod| {
                    let is_too_old = protocol_version < SNAPSHOT_PROTOCOL_VERSION;
                    pod.agent_without_snapshots = is_too_old.then_some(agent_version);
                    Ok(())
                })?;
                Ok(None)
            }
            FromAgent::ProcessStarted { container, metadata_file, unix_nanoseconds } => {
                self.starts.push((container.clone(), metadata_file.clone(), unix_nanoseconds));
                let starts = &self.starts;
                self.with_pod(|pod| {
                    if starts.len() > pod.starts.len() {
                        pod.starts.clone_from(starts);
                    }
                    let restart = pod
                        .record
                        .containers
                        .get(&container)
                        .map_or(0, |runs| runs.of_start(unix_nanoseconds));
                    pod.hand_over.process_started(&container, restart, &metadata_file)
                })?;
                Ok(None)
            }
            FromAgent::FileBegin { container, name, length } => {
                let accepted = self.with_pod(|pod| {
                    let runs = pod.record.containers.get(&container).cloned().unwrap_or_default();
                    pod.hand_over.begin(&container, &name, length, &runs)
                })?;
                if accepted {
                    return Ok(None);
                }
                Err(format!("the pod sent a file that was not asked for: {container}/{name}, {length} bytes"))
            }
            FromAgent::LiveFileBegin { container, name, length } => {
                let accepted = self.with_pod(|pod| {
                    let runs = pod.record.containers.get(&container).cloned().unwrap_or_default();
                    pod.hand_over.begin_live(&container, &name, length, &runs)
                })?;
                if accepted {
                    return Ok(None);
                }
                Err(format!("the pod sent a file that was not asked for: {container}/{name}, {length} bytes"))
            }
            FromAgent::SnapshotTaken { number, containers } => {
                self.with_pod(|pod| {
                    pod.snapshot = Some((number, containers));
                    Ok(())
                })?;
                Ok(None)
            }
            FromAgent::FileData { bytes } => {
                if self.with_pod(|pod| pod.hand_over.append(&bytes))? {
                    return Ok(None);
                }
                Err("the pod sent a file that is longer than announced".to_owned())
            }
            FromAgent::FileEnd => {
                let received = self.with_pod(|pod| pod.hand_over.finish())?;
                Ok(received.map(|(container, name)| ToAgent::Acknowledge { container, name }))
            }
            FromAgent::FileUnreadable { container, name, reason } => {
                self.with_pod(|pod| {
                    pod.last_failure = Some(format!("{container}/{name} cannot be read: {reason}"));
                    Ok(())
                })?;
                Ok(None)
            }
            FromAgent::UpToDate => {
                self.with_pod(|pod| {
                    pod.is_up_to_date = true;
                    Ok(())
                })?;
                Ok(None)
            }
            FromAgent::Ended { containers, volume_free_bytes } => {
                self.with_pod(|pod| {
                    pod.volume_free_bytes = Some(volume_free_bytes);
                    pod.unfinished_files =
                        containers.into_iter().map(|end| (end.container, end.unfinished_files)).collect();
                    Ok(())
                })?;
                Ok(Some(ToAgent::Done))
            }
        }
    }

    /// A failure to write on this machine ends the whole collection, not only this stream.
    fn with_pod<T>(&self, work: impl FnOnce(&mut PodEntry) -> Result<T, Error>) -> Result<T, String> {
        match self.shared.with_pod(self.uid, work) {
            Some(Ok(value)) => Ok(value),
            Some(Err(error)) => {
                let message = error.to_string();
                self.shared.fail(error);
                Err(message)
            }
            None => Err("the pod is unknown".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use podcov_agent_protocol::read_frame;

    use super::*;

    /// Between podcov and the agent there is one loop for both directions, with room for little.
    #[tokio::test]
    async fn many_small_files_do_not_hold_up_their_own_acknowledgements() {
        const FILES: usize = 500;
        let (mut agent_output, from_agent) = tokio::io::duplex(1024);
        let (to_agent, mut agent_input) = tokio::io::duplex(1024);
        let agent = async move {
            for _ in 0..FILES {
                let frame = encode(&FromAgent::FileEnd).unwrap();
                agent_output.write_all(&frame).await.unwrap();
            }
            let ended = FromAgent::Ended { containers: Vec::new(), volume_free_bytes: 0 };
            agent_output.write_all(&encode(&ended).unwrap()).await.unwrap();
            // Not before everything was written.
            let mut answers = Vec::new();
            agent_input.read_to_end(&mut answers).await.unwrap();
            let (mut rest, mut count) = (answers.as_slice(), 0);
            while read_frame::<ToAgent>(&mut rest).unwrap().is_some() {
                count += 1;
            }
            count
        };
        let acknowledge = |message| {
            Ok(Some(match message {
                FromAgent::Ended { .. } => ToAgent::Done,
                _ => ToAgent::Acknowledge { container: "api".into(), name: "covmeta.x".into() },
            }))
        };
        let conversation = async {
            tokio::join!(agent, converse(from_agent, to_agent, mpsc::unbounded_channel(), acknowledge))
        };
        let (answers, end) = tokio::time::timeout(Duration::from_secs(30), conversation)
            .await
            .expect("neither waits for the other");
        assert_eq!(answers, FILES + 1);
        assert!(matches!(end, Ok(StreamEnd::Ended)));
    }
}
