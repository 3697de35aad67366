//! Pods that were never prepared are read from their nodes: by a pod on each that lives as long as that takes, sees the
//! node's processes, and may read their memory. The pods that are read are neither restarted nor changed.
//!
//! Owns what is created, that it goes away again, and what comes back. What was read is checked by the caller: it comes
//! out of the memory of programs.

mod answer;
mod objects;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{AttachParams, DeleteParams, PostParams};
pub use podcov_agent_protocol::Question;
use podcov_agent_protocol::{AGENT_EXECUTABLE, FromReader, decode};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::Instant;

pub use self::answer::{ContainerAnswer, NodeAnswer, NotRead, ProcessAnswer};
pub(crate) use self::objects::LIFETIME;
use self::objects::READER_CONTAINER;
pub use self::objects::Reader;
use crate::{
    Connection, Error, RunId, RunningPod,
    agent_config_map::{create_config_map, delete_config_map},
    stream::first_line,
};

/// Nothing is pulled, so that this is long for a node that works.
const START_TIMEOUT: Duration = Duration::from_secs(50);
/// With that, less than the pod's life.
const READ_TIMEOUT: Duration = Duration::from_mins(1);
const LOOK_INTERVAL: Duration = Duration::from_millis(200);
const ASSUMED_ARCHITECTURE: &str = "amd64";

/// How the nodes are entered.
#[derive(Clone, Debug)]
pub struct AttachmentOptions {
    /// Where the pods are created; otherwise in the namespace of those that are read.
    pub namespace: Option<String>,
    /// Their image; otherwise that of a container that is read. The nodes have it: nothing is pulled.
    pub image: Option<String>,
    /// Of nodes of which the cluster does not say it.
    pub architecture: Option<String>,
}

/// What is created to read pods, one pod on each of their nodes.
pub struct Attachment {
    /// Of the namespace of what is created.
    connection: Connection,
    id: RunId,
    by: String,
    readers: Vec<Reader>,
}

impl Attachment {
    /// Decides what has to be created to read all running containers of these pods. Nothing is changed.
    pub async fn plan(
        connection: &Connection,
        id: &RunId,
        by: &str,
        pods: &[RunningPod],
        options: &AttachmentOptions,
    ) -> Self {
        let nodes = connection.nodes().await;
        let mut by_node = BTreeMap::<&str, Vec<&RunningPod>>::new();
        for pod in pods {
            if let Some(node) = pod.node.as_deref().filter(|_| !pod.containers.is_empty()) {
                by_node.entry(node).or_default().push(pod);
            }
        }
        let is_elsewhere = options.namespace.as_deref().is_some_and(|own| own != connection.namespace());
        let readers = (0_u32..).zip(by_node).filter_map(|(number, (node, pods))| {
            let containers = pods.iter().flat_map(|pod| &pod.containers);
            let own_image = containers.clone().next().map(|container| container.image.clone());
            let known = nodes.get(node);
            let architecture = known.and_then(|node| node.architecture.clone());
            Some(Reader {
                name: format!("podcov-snapshot-{id}-{number}"),
                node: node.to_owned(),
                node_is_gone: known.is_some_and(|node| !node.is_heard_of),
                image: options.image.clone().or(own_image)?,
                // Secrets are not seen from another namespace.
                pull_secrets: if is_elsewhere { BTreeSet::new() } else { secrets(&pods) },
                architecture: architecture
                    .or_else(|| options.architecture.clone())
                    .unwrap_or_else(|| ASSUMED_ARCHITECTURE.to_owned()),
                containers: containers.map(|container| container.bare_id().to_owned()).collect(),
            })
        });
        Self {
            readers: readers.collect(),
            connection: match &options.namespace {
                Some(namespace) => connection.in_namespace(namespace),
                None => connection.clone(),
            },
            id: id.clone(),
            by: by.to_owned(),
        }
    }

    /// Where everything is created.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The pods, one on each node.
    #[must_use]
    pub fn readers(&self) -> &[Reader] {
        &self.readers
    }

    /// The architectures of the nodes, for each of which an agent is needed.
    #[must_use]
    pub fn architectures(&self) -> BTreeSet<&str> {
        self.readers.iter().map(|reader| reader.architecture.as_str()).collect()
    }

    /// What will be created, with all privileges, an object on each line.
    #[must_use]
    pub fn described(&self) -> Vec<String> {
        let namespace = self.connection.namespace();
        let pods = self.readers.iter().map(|reader| {
            format!(
                "pod {namespace}/{} on node {}: hostPID, user 0, capability SYS_PTRACE and no other, image {}",
                reader.name, reader.node, reader.image
            )
        });
        let config_maps = self.architectures().into_iter().map(|architecture| {
            format!("configmap {namespace}/{}: the agent", objects::config_map_name(&self.id, architecture))
        });
        pods.chain(config_maps).collect()
    }

    /// Creates everything; `agent` has the executable for an architecture. After an error, some of it is there.
    pub async fn create<'a>(&self, agent: impl Fn(&str) -> &'a [u8]) -> Result<(), Error> {
        for architecture in self.architectures() {
            let config_map =
                objects::config_map(&self.id, self.connection.namespace(), architecture, agent(architecture));
            create_config_map(&self.connection, &config_map).await?;
        }
        let pods = self.connection.pods();
        for reader in &self.readers {
            let pod = reader.pod(&self.id, self.connection.namespace(), &self.by);
            let parameters = PostParams::default();
            let created = self
                .connection
                .request("create", &format!("pod/{}", reader.name), || pods.create(&parameters, &pod))
                .await;
            match created {
                Err(Error::Forbidden { message }) if is_admission(&message) => {
                    return Err(Error::NotAdmitted {
                        namespace: self.connection.namespace().to_owned(),
                        message,
                    });
                }
                created => drop(created?),
            }
        }
        Ok(())
    }

    /// What the processes of a node answer. An error says why that is not known.
    pub async fn read(&self, reader: &Reader, question: Question) -> Result<NodeAnswer, String> {
        if reader.node_is_gone {
            return Err(format!("its node {} is gone: nothing was heard of it lately", reader.node));
        }
        self.wait_until_started(reader).await?;
        let answer = tokio::time::timeout(READ_TIMEOUT, self.ask(reader, question)).await;
        answer.unwrap_or_else(|_| {
            Err(format!("pod {} has not answered within {} s", reader.name, READ_TIMEOUT.as_secs()))
        })
    }

    /// Deletes everything that was created, and everything else even after an error.
    pub async fn remove(&self) -> Result<(), Error> {
        let mut first_failure = Ok(());
        for reader in &self.readers {
            let removed = remove_pod(&self.connection, &reader.name).await;
            first_failure = first_failure.and(removed);
        }
        for architecture in self.architectures() {
            let name = objects::config_map_name(&self.id, architecture);
            let removed = delete_config_map(&self.connection, &name).await;
            first_failure = first_failure.and(removed);
        }
        first_failure
    }

    async fn wait_until_started(&self, reader: &Reader) -> Result<(), String> {
        let pods = self.connection.pods();
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            let reference = format!("pod/{}", reader.name);
            let pod = self.connection.request_optional("get", &reference, || pods.get(&reader.name)).await;
            let pod = pod.map_err(|error| error.to_string())?;
            match start_of(pod.as_ref()) {
                Start::Running => return Ok(()),
                Start::Impossible(why) => return Err(format!("pod {} does not start: {why}", reader.name)),
                Start::Pending if Instant::now() > deadline => {
                    return Err(format!(
                        "pod {} was not started by node {} within {} s",
                        reader.name,
                        reader.node,
                        START_TIMEOUT.as_secs()
                    ));
                }
                Start::Pending => tokio::time::sleep(LOOK_INTERVAL).await,
            }
        }
    }

    async fn ask(&self, reader: &Reader, question: Question) -> Result<NodeAnswer, String> {
        let parameters =
            AttachParams::default().container(READER_CONTAINER).stdin(false).stdout(true).stderr(true);
        let mut command = vec![AGENT_EXECUTABLE, question.argument()];
        command.extend(reader.containers.iter().map(String::as_str));
        let pods = self.connection.pods();
        let mut process =
            pods.exec(&reader.name, command, &parameters).await.map_err(|error| error.to_string())?;
        let stdout = process.stdout().ok_or("the stream has no standard output")?;
        let mut stderr = process.stderr();
        let answer = receive(stdout).await;
        match (answer, &mut stderr) {
            (Err(why), Some(stderr)) => Err(first_line(stderr).await.unwrap_or(why)),
            (answer, _) => answer,
        }
    }
}

async fn receive(mut stream: impl AsyncRead + Unpin) -> Result<NodeAnswer, String> {
    const READ_LENGTH: usize = 64 * 1024;
    let (mut buffer, mut answer) = (Vec::new(), NodeAnswer::default());
    loop {
        let mut consumed = 0;
        while let Some((message, length)) =
            decode::<FromReader>(&buffer[consumed..]).map_err(|error| error.to_string())?
        {
            consumed += length;
            if answer.take(message)? {
                return Ok(answer);
            }
        }
        buffer.drain(..consumed);
        let filled = buffer.len();
        buffer.resize(filled + READ_LENGTH, 0);
        let read = stream.read(&mut buffer[filled..]).await.map_err(|error| error.to_string())?;
        buffer.truncate(filled + read);
        if read == 0 {
            return Err("the agent ended before it had said everything".to_owned());
        }
    }
}

/// At once: it holds nothing, and where its node is gone nobody else would take it away.
pub(crate) async fn remove_pod(connection: &Connection, name: &str) -> Result<(), Error> {
    let pods = connection.pods();
    let parameters = DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() };
    connection
        .request_optional("delete", &format!("pod/{name}"), || pods.delete(name, &parameters))
        .await
        .map(drop)
}

enum Start {
    Running,
    Pending,
    Impossible(String),
}

/// How far the pod that reads has come.
fn start_of(pod: Option<&Pod>) -> Start {
    let Some(pod) = pod else { return Start::Impossible("somebody deleted it".to_owned()) };
    let Some(status) = &pod.status else { return Start::Pending };
    if let Some("Failed" | "Succeeded") = status.phase.as_deref() {
        let reason = status.reason.as_deref().unwrap_or("it ended");
        let message = status.message.as_deref().unwrap_or_default();
        return Start::Impossible(format!("{reason} {message}").trim_end().to_owned());
    }
    let container = status.container_statuses.iter().flatten().next();
    let Some(state) = container.and_then(|container| container.state.as_ref()) else { return Start::Pending };
    if state.running.is_some() {
        return Start::Running;
    }
    // Until the kubelet gets that far, the reason is ContainerCreating.
    match state.waiting.as_ref().and_then(|waiting| Some((waiting.reason.as_deref()?, &waiting.message))) {
        None | Some(("ContainerCreating" | "PodInitializing", _)) => Start::Pending,
        Some(("ErrImageNeverPull", _)) => Start::Impossible(
            "the node does not have its image, and nothing is pulled; --image names one that it has"
                .to_owned(),
        ),
        Some((reason, message)) => {
            Start::Impossible(format!("{reason}: {}", message.as_deref().unwrap_or_default()))
        }
    }
}

/// Whether the API server refuses what the object is, and not who wants it.
fn is_admission(message: &str) -> bool {
    [
        "violates PodSecurity",
        "admission webhook",
        "unable to validate against any",
        "ValidatingAdmissionPolicy",
    ]
    .iter()
    .any(|part| message.contains(part))
}

fn secrets(pods: &[&RunningPod]) -> BTreeSet<String> {
    pods.iter().flat_map(|pod| pod.pull_secrets.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(status: &serde_json::Value) -> Pod {
        serde_json::from_value(serde_json::json!({"status": status})).unwrap()
    }

    #[test]
    fn a_pod_that_cannot_start_is_not_waited_for() {
        let waiting = |reason: &str| {
            let state = serde_json::json!({"waiting": {"reason": reason, "message": "words"}});
            pod(&serde_json::json!({"phase": "Pending", "containerStatuses": [
                {"name": "reader", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": state}
            ]}))
        };
        assert!(matches!(start_of(Some(&waiting("ContainerCreating"))), Start::Pending));
        assert!(matches!(start_of(Some(&pod(&serde_json::json!({"phase": "Pending"})))), Start::Pending));
        let reason = |pod: Option<&Pod>| match start_of(pod) {
            Start::Impossible(why) => why,
            _ => panic!("it may start"),
        };
        assert!(reason(Some(&waiting("ErrImageNeverPull"))).contains("--image"));
        assert_eq!(reason(Some(&waiting("CreateContainerError"))), "CreateContainerError: words");
        let failed = pod(&serde_json::json!({"phase": "Failed", "reason": "OutOfpods", "message": "full"}));
        assert_eq!(reason(Some(&failed)), "OutOfpods full");
        assert_eq!(reason(None), "somebody deleted it");
    }

    #[tokio::test]
    async fn an_agent_that_ends_early_is_an_error() {
        let hello = FromReader::Hello {
            protocol_version: podcov_agent_protocol::PROTOCOL_VERSION,
            agent_version: String::new(),
            boot_id: "b".to_owned(),
        };
        let mut bytes = podcov_agent_protocol::encode(&hello).unwrap();
        assert!(receive(bytes.as_slice()).await.unwrap_err().contains("ended before"));
        bytes.extend(podcov_agent_protocol::encode(&FromReader::End).unwrap());
        assert_eq!(receive(bytes.as_slice()).await.unwrap().boot_id, "b");
    }
}
