//! `podcov doctor`: gathers what [`podcov_doctor`] judges, and shows what it says.
//!
//! What an argument is, is [`argument`]'s. Each other module looks at one kind of thing; none of them changes anything.
//! What only a process tells is asked of its node at the end, with the user's consent.

mod argument;
mod binary;
mod data_directory;
mod here;
mod manifests;
mod output;
mod trial;

pub use argument::Argument;
pub use binary::read as read_binary;
pub use output::{json, text};
pub use trial::try_all;

use std::path::{Path, PathBuf};

use podcov_cluster::{Connection, ConnectionOptions};
use podcov_doctor::facts::NotSeen;
use podcov_doctor::{Facts, Hop};

use crate::attached::AttachArgs;
use crate::error::CommandError;
use crate::examine::{self, Unseen};
use crate::kubernetes::cluster_error;
use crate::terminal::Terminal;

/// Which cluster is asked.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub options: ConnectionOptions,
    /// Workloads with these labels.
    pub selector: Option<String>,
    /// All workloads of the namespace.
    pub all: bool,
}

impl Cluster {
    /// Whether workloads are named by labels, or all of them are meant.
    fn selects(&self) -> bool {
        self.all || self.selector.is_some()
    }
}

/// Looks at everything that was named; at what is here, if nothing was.
pub async fn gather(
    arguments: &[String],
    cluster: &Cluster,
    attach: &AttachArgs,
    terminal: &Terminal,
) -> Result<Facts, CommandError> {
    let (mut facts, mut unseen) = (Facts::default(), Vec::new());
    if cluster.selects() {
        examine::add_all(cluster.selector.as_deref(), &cluster.options, &mut facts, &mut unseen).await;
    } else if arguments.is_empty() {
        here::look(Path::new("."), &mut facts);
        examine::add_current_namespace(&cluster.options, &mut facts, &mut unseen).await;
    }
    for text in arguments {
        let _progress = terminal.progress("examining", text);
        let (argument, note) = Argument::infer(text);
        if let Some(note) = note {
            terminal.warning(&note);
        }
        look_at(argument, cluster, &mut facts, &mut unseen).await;
    }
    if !unseen.is_empty() {
        let connection = Connection::open(&cluster.options).await.map_err(cluster_error)?;
        examine::look_inside(&connection, &unseen, attach, &mut facts, terminal).await?;
    }
    here::add_host_directories(&mut facts);
    Ok(facts)
}

async fn look_at(argument: Argument, cluster: &Cluster, facts: &mut Facts, unseen: &mut Vec<Unseen>) {
    match argument {
        Argument::Binary(path) => facts.binaries.push(binary::read(&path)),
        Argument::Dockerfile(path) => here::dockerfile(&path, facts),
        Argument::Manifests(path) => manifests::read_file(&path, facts),
        Argument::StandardInput => manifests::read_standard_input(facts),
        Argument::Data(path) => data_directory::look(&path, facts),
        Argument::Project(path) => here::look(&path, facts),
        Argument::Image(name) => examine::add_image(&name, facts).await,
        Argument::ImageArchive(path) => examine::add_image_archive(&path, facts).await,
        Argument::Workload(target) => examine::add_workload(&target, &cluster.options, facts, unseen).await,
        Argument::Nothing { subject, reason } => facts.not_seen.push(NotSeen {
            subject,
            hop: Hop::Build,
            reason,
            fix: Some(
                "podcov doctor BINARY | Dockerfile | kind.yaml | manifests.yaml | DIRECTORY | IMAGE | deploy/NAME"
                    .to_owned(),
            ),
        }),
    }
}

/// A file of text. More than `most` bytes are not one that a person wrote.
fn read_text(path: &Path, most: u64) -> Result<String, String> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(most + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > most {
        return Err(format!("it has more than {most} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

fn not_seen(path: &Path, hop: Hop, reason: impl Into<String>) -> NotSeen {
    NotSeen { subject: path.display().to_string(), hop, reason: reason.into(), fix: None }
}

/// Files of a directory by name, links to elsewhere left out.
fn entries(directory: &Path) -> Result<Vec<(PathBuf, std::fs::FileType)>, String> {
    let read = || {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(directory)? {
            let entry = entry?;
            entries.push((entry.path(), entry.file_type()?));
        }
        entries.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(entries)
    };
    read().map_err(|error: std::io::Error| error.to_string())
}
