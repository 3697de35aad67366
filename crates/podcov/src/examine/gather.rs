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
    if let Err(reason) = look(target, options, is_tried, facts).await {
        facts.not_seen.push(not_seen(&format!("{}/{}", target.kind, target.name), Hop::Pod, reason));
    }
}

/// The workloads with these labels, or without labels all of the namespace.
pub async fn add_all(selector: Option<&str>, options: &ConnectionOptions, is_tried: bool, facts: &mut Facts) {
    let subject = selector.map_or_else(|| "all workloads".to_owned(), |selector| format!("-l {selector}"));
    let found = match Connection::open(options).await {
        Ok(connection) => select(&connection, selector).await,
        Err(error) => Err(error),
    };
    match found {
        Ok(targets) => {
            for target in targets {
                add_workload(&target, options, is_tried, facts).await;
            }
        }
        Err(error) => {
            let reason = CommandError::failure(error).to_string();
            facts.not_seen.push(not_seen(&subject, Hop::Pod, reason));
        }
    }
}

/// The namespace of the current context, if there is a context and it has workloads.
pub async fn add_current_namespace(options: &ConnectionOptions, facts: &mut Facts) {
    let Ok(connection) = Connection::open(options).await else { return };
    let subject = format!("namespace {}", connection.namespace());
    match select(&connection, None).await {
        Ok(targets) => {
            for target in targets {
                add_workload(&target, options, false, facts).await;
            }
        }
        Err(Error::NothingSelected { .. }) => {}
        Err(error) => {
            let reason = CommandError::failure(error).to_string();
            facts.not_seen.push(not_seen(&subject, Hop::Pod, reason));
        }
    }
}

async fn select(connection: &Connection, selector: Option<&str>) -> Result<Vec<Target>, Error> {
    let selection =
        Selection { targets: Vec::new(), selector: selector.map(str::to_owned), all: selector.is_none() };
    let workloads = selection.resolve(connection).await?;
    Ok(workloads.iter().map(|workload| Target { kind: workload.kind(), name: workload.name() }).collect())
}

async fn look(
    target: &Target,
    options: &ConnectionOptions,
    is_tried: bool,
    facts: &mut Facts,
) -> Result<(), String> {
    let one_line = |error| CommandError::failure(error).to_string();
    let connection = Connection::open(options).await.map_err(one_line)?;
    if is_tried {
        facts.experiments.extend(experiment::of_workload(&connection, target).await.map_err(one_line)?);
    } else {
        facts.running_workloads.push(workload(&connection, target).await.map_err(one_line)?);
    }
    Ok(())
}

fn not_seen(subject: &str, hop: Hop, reason: String) -> NotSeen {
    NotSeen { subject: subject.to_owned(), hop, reason, fix: None }
}
