//! Arguments of `podcov doctor` that are no files: images and workloads, looked at for [`podcov_doctor::Facts`].

use std::path::Path;

use podcov_cluster::{Connection, ConnectionOptions, Error, Selection, Target};
use podcov_container_image::Platform;
use podcov_doctor::facts::{NotSeen, RunningWorkload};
use podcov_doctor::{Facts, Hop};

use super::inside::Unseen;
use super::{ImageSource, image, workload};
use crate::error::CommandError;

/// What containers of kind and most clusters run on.
pub(super) fn platform() -> Platform {
    Platform::linux("amd64")
}

/// An image by its name.
pub async fn add_image(name: &str, facts: &mut Facts) {
    add(name, &ImageSource::Name(name.to_owned()), facts).await;
}

/// An image in a file.
pub async fn add_image_archive(path: &Path, facts: &mut Facts) {
    add(&path.display().to_string(), &ImageSource::Archive(path.to_owned()), facts).await;
}

async fn add(subject: &str, source: &ImageSource, facts: &mut Facts) {
    match image(source, &platform()).await {
        Ok(found) => facts.examined_images.push(found),
        Err(error) => facts.not_seen.push(not_seen(subject, Hop::Image, error.to_string())),
    }
}

/// A workload of a cluster.
pub async fn add_workload(
    target: &Target,
    options: &ConnectionOptions,
    facts: &mut Facts,
    unseen: &mut Vec<Unseen>,
) {
    match Connection::open(options).await {
        Ok(connection) => look(&connection, target, facts, unseen).await,
        Err(error) => lose(&subject_of(target), error, facts),
    }
}

/// The workloads with these labels, or without labels all of the namespace.
pub async fn add_all(
    selector: Option<&str>,
    options: &ConnectionOptions,
    facts: &mut Facts,
    unseen: &mut Vec<Unseen>,
) {
    let subject = selector.map_or_else(|| "all workloads".to_owned(), |selector| format!("-l {selector}"));
    let added = match Connection::open(options).await {
        Ok(connection) => look_at_all(&connection, selector, facts, unseen).await,
        Err(error) => Err(error),
    };
    if let Err(error) = added {
        lose(&subject, error, facts);
    }
}

/// The namespace of the current context, if there is a context and it has workloads.
pub async fn add_current_namespace(options: &ConnectionOptions, facts: &mut Facts, unseen: &mut Vec<Unseen>) {
    let Ok(connection) = Connection::open(options).await else { return };
    match look_at_all(&connection, None, facts, unseen).await {
        Ok(()) | Err(Error::NothingSelected { .. }) => {}
        Err(error) => lose(&format!("namespace {}", connection.namespace()), error, facts),
    }
}

async fn look_at_all(
    connection: &Connection,
    selector: Option<&str>,
    facts: &mut Facts,
    unseen: &mut Vec<Unseen>,
) -> Result<(), Error> {
    for target in select(connection, selector).await? {
        look(connection, &target, facts, unseen).await;
    }
    Ok(())
}

/// The workloads that labels mean, or without labels all of the namespace.
pub async fn select(connection: &Connection, selector: Option<&str>) -> Result<Vec<Target>, Error> {
    let selection =
        Selection { targets: Vec::new(), selector: selector.map(str::to_owned), all: selector.is_none() };
    let workloads = selection.resolve(connection).await?;
    Ok(workloads.iter().map(|workload| Target { kind: workload.kind(), name: workload.name() }).collect())
}

async fn look(connection: &Connection, target: &Target, facts: &mut Facts, unseen: &mut Vec<Unseen>) {
    match workload(connection, target).await {
        Ok((seen, its_unseen)) => {
            add_once(seen, facts);
            unseen.extend(its_unseen);
        }
        Err(error) => lose(&subject_of(target), error, facts),
    }
}

/// A pod may be named, and its workload too; or a workload twice.
fn add_once(mut seen: RunningWorkload, facts: &mut Facts) {
    let known = || facts.running_workloads.iter().flat_map(|workload| &workload.containers);
    let is_known = facts.running_workloads.iter().any(|workload| workload.subject == seen.subject);
    let had = seen.containers.len();
    seen.containers.retain(|own| known().all(|known| known.subject != own.subject));
    if !is_known && (had == 0 || !seen.containers.is_empty()) {
        facts.running_workloads.push(seen);
    }
}

fn subject_of(target: &Target) -> String {
    format!("{}/{}", target.kind, target.name)
}

pub fn lose(subject: &str, error: Error, facts: &mut Facts) {
    facts.not_seen.push(not_seen(subject, Hop::Pod, CommandError::failure(error).to_string()));
}

fn not_seen(subject: &str, hop: Hop, reason: String) -> NotSeen {
    NotSeen { subject: subject.to_owned(), hop, reason, fix: None }
}
