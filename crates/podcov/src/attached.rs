//! Processes of pods, read or looked at from their nodes: asks the user first, and leaves nothing behind.
//!
//! What is created is `podcov-cluster`'s. Owns the question, and that everything is deleted again whatever happens.

use futures::future::join_all;
use podcov_cluster::{
    Attachment, AttachmentOptions, Connection, ContainerAnswer, Leftovers, NodeAnswer, Question, Reader,
    RunningContainer, RunningPod,
};

use crate::consent;
use crate::error::CommandError;
use crate::interrupt::Interrupt;
use crate::kubernetes::{agent_named, cluster_error, run_id, who};
use crate::run_directory::new_id;
use crate::terminal::{self, Terminal};

/// Said of what is deleted then.
pub const LEFT_BEHIND: &str = "left by an earlier podcov";

/// How the nodes of pods are entered.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Cluster options")]
pub struct AttachArgs {
    /// Do not ask before something is created or run, such as a pod that may read others on its node.
    #[arg(short, long)]
    pub yes: bool,

    /// Where the pod that reads others is created. By default in their namespace.
    #[arg(long, value_name = "NAMESPACE")]
    pub attach_namespace: Option<String>,

    /// The image of the pod that reads others; the nodes have to have it. By default the application's own.
    #[arg(long)]
    pub image: Option<String>,

    /// The architecture of nodes that may not be asked for it. By default amd64.
    #[arg(long, value_parser = ["amd64", "arm64"])]
    pub arch: Option<String>,
}

/// What the processes of containers answered, by the node.
pub struct Answers<'a>(Vec<(&'a Reader, Result<NodeAnswer, String>)>);

impl Answers<'_> {
    /// Of one container, with which start of its node it is. An error says why nothing is known.
    pub fn take(&mut self, container: &RunningContainer) -> Result<(String, ContainerAnswer), String> {
        match self.0.iter_mut().find(|(reader, _)| reader.reads(container)) {
            Some((_, Ok(answer))) => {
                let boot_id = answer.boot_id.clone();
                let container = answer.take_container(container);
                Ok((boot_id, container.ok_or("its node has not said anything of it")?))
            }
            Some((_, Err(why))) => Err(why.clone()),
            None => Err("its node is not known".to_owned()),
        }
    }
}

/// What has to be created to read these containers.
pub async fn plan(
    connection: &Connection,
    interrupt: &Interrupt,
    pods: &[RunningPod],
    args: &AttachArgs,
) -> Result<Attachment, CommandError> {
    let options = AttachmentOptions {
        namespace: args.attach_namespace.clone(),
        image: args.image.clone(),
        architecture: args.arch.clone(),
    };
    let (id, by) = (run_id(&new_id())?, who());
    let plan = Attachment::plan(connection, &id, &by, pods, &options);
    let attachment = interrupt.or(plan).await?;
    for architecture in attachment.architectures() {
        agent_named(Some(architecture))?;
    }
    Ok(attachment)
}

/// How the user is asked.
pub struct Wording<'a> {
    /// Of what is read.
    pub which: &'a str,
    /// Before what is created.
    pub introduction: &'a str,
    /// Other ways, for those who cannot be asked.
    pub hints: &'a [&'a str],
}

/// Creates it if the user agrees, reads, and deletes it.
pub async fn read<'a>(
    attachment: &'a Attachment,
    question: Question,
    wording: &Wording<'_>,
    is_agreed: bool,
    interrupt: &Interrupt,
    terminal: &Terminal,
) -> Result<Answers<'a>, CommandError> {
    if attachment.readers().is_empty() {
        return Ok(Answers(Vec::new()));
    }
    let request = consent::Request {
        why: &format!("reading {} takes a privileged pod on their nodes", wording.which),
        lines: &attachment.described(),
        introduction: wording.introduction,
        question: "Create them?",
        hints: wording.hints,
    };
    consent::agree(&request, is_agreed, terminal)?;
    read_nodes(attachment, question, interrupt, terminal).await
}

async fn read_nodes<'a>(
    attachment: &'a Attachment,
    question: Question,
    interrupt: &Interrupt,
    terminal: &Terminal,
) -> Result<Answers<'a>, CommandError> {
    let connection = attachment.connection();
    remove_leftovers(connection, Leftovers::abandoned, terminal).await?;
    let progress = terminal.progress("reading", &terminal::count(attachment.readers().len(), "node"));
    let read = async {
        attachment
            .create(|architecture| agent_named(Some(architecture)).unwrap_or_default())
            .await
            .map_err(cluster_error)?;
        let readers = attachment.readers().iter();
        let answers = readers.map(|reader| async move { (reader, attachment.read(reader, question).await) });
        Ok(Answers(join_all(answers).await))
    };
    let read = interrupt.or(read).await;
    let removed = attachment.remove().await;
    drop(progress);
    if let Err(error) = removed {
        terminal.warning(&format!(
            "what was created could not be deleted: {}; podcov eject -n {} deletes it, and its pods end by themselves",
            cluster_error(error),
            connection.namespace()
        ));
    }
    read?
}

/// Deletes what a podcov that was killed has left in a namespace.
pub async fn remove_leftovers(
    connection: &Connection,
    which: impl FnOnce(Leftovers) -> Leftovers,
    terminal: &Terminal,
) -> Result<bool, CommandError> {
    let leftovers = which(Leftovers::find(connection).await.map_err(cluster_error)?);
    let removed = leftovers.remove(connection).await.map_err(cluster_error)?;
    for name in &removed {
        terminal.step("deleted", name, LEFT_BEHIND);
    }
    Ok(!removed.is_empty())
}
