//! Arguments of `podcov doctor` that are no files: images and workloads, looked at for [`podcov_doctor::Facts`].

use std::path::Path;

use podcov_cluster::{Connection, ConnectionOptions, Error, Selection, Target};
use podcov_container_image::Platform;
use podcov_doctor::facts::NotSeen;
use podcov_doctor::{Facts, Hop};

use super::{ImageSource, experiment, image, workload};
use crate::error::CommandError;

/// What containers of kind and most clusters run on.
fn platform() -> Platform {
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

/// A workload of a cluster: as it is, or tried.
pub async fn add_workload(target: &Target, options: &ConnectionOptions, is_tried: bool, facts: &mut Facts) {
    match Connection::open(options).await {
        Ok(connection) => look(&connection, target, is_tried, facts).await,
        Err(error) => lose(&subject_of(target), error, facts),
    }
}

/// The workloads with these labels, or without labels all of the namespace.
pub async fn add_all(selector: Option<&str>, options: &ConnectionOptions, is_tried: bool, facts: &mut Facts) {
    let subject = selector.map_or_else(|| "all workloads".to_owned(), |selector| format!("-l {selector}"));
    let added = match Connection::open(options).await {
        Ok(connection) => look_at_all(&connection, selector, is_tried, facts).await,
        Err(error) => Err(error),
    };
    if let Err(error) = added {
        lose(&subject, error, facts);
    }
}

/// The namespace of the current context, if there is a context and it has workloads.
pub async fn add_current_namespace(options: &ConnectionOptions, facts: &mut Facts) {
    let Ok(connection) = Connection::open(options).await else { return };
    match look_at_all(&connection, None, false, facts).await {
        Ok(()) | Err(Error::NothingSelected { .. }) => {}
        Err(error) => lose(&format!("namespace {}", connection.namespace()), error, facts),
    }
}

async fn look_at_all(
    connection: &Connection,
    selector: Option<&str>,
    is_tried: bool,
    facts: &mut Facts,
) -> Result<(), Error> {
    for target in select(connection, selector).await? {
        look(connection, &target, is_tried, facts).await;
    }
    Ok(())
}

async fn select(connection: &Connection, selector: Option<&str>) -> Result<Vec<Target>, Error> {
    let selection =
        Selection { targets: Vec::new(), selector: selector.map(str::to_owned), all: selector.is_none() };
    let workloads = selection.resolve(connection).await?;
    Ok(workloads.iter().map(|workload| Target { kind: workload.kind(), name: workload.name() }).collect())
}

async fn look(connection: &Connection, target: &Target, is_tried: bool, facts: &mut Facts) {
    let looked = if is_tried {
        let tried = experiment::of_workload(connection, target).await;
        tried.map(|tried| facts.experiments.extend(tried))
    } else {
        workload(connection, target).await.map(|seen| facts.running_workloads.push(seen))
    };
    if let Err(error) = looked {
        lose(&subject_of(target), error, facts);
    }
}

fn subject_of(target: &Target) -> String {
    format!("{}/{}", target.kind, target.name)
}

fn lose(subject: &str, error: Error, facts: &mut Facts) {
    facts.not_seen.push(not_seen(subject, Hop::Pod, CommandError::failure(error).to_string()));
}

fn not_seen(subject: &str, hop: Hop, reason: String) -> NotSeen {
    NotSeen { subject: subject.to_owned(), hop, reason, fix: None }
}
