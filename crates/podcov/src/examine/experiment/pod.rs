//! Of a workload: its program here, its image in a container, and a pod of its template.

use std::path::{Path, PathBuf};
use std::time::Duration;

use podcov_cluster::examination::{self, Setting as SeenSetting, trial};
use podcov_cluster::{Connection, Error, Target};
use podcov_doctor::facts::Experiment;
use podcov_doctor::facts::experiment::{Attempt, Place};
use podcov_doctor::facts::running_workload::{ContainerFacts, Files, Unknown, Volume, VolumeKind};
use podcov_doctor::{Severity, rules};

use super::{RUN, Subject, container, files, local};
use crate::examine::workload;

/// How long a pod may take until its containers run.
const START: Duration = Duration::from_mins(2);

/// Tries each container of a workload whose program is Go's.
pub async fn of_workload(connection: &Connection, target: &Target) -> Result<Vec<Experiment>, Error> {
    let seen = examination::examine(connection, target).await?;
    let images = workload::images_of_template(connection, &seen).await;
    let mut experiments = Vec::new();
    for own in seen.template.iter().filter(|own| !own.is_init) {
        let plain = own.environment.iter().filter_map(|(name, setting)| match setting {
            SeenSetting::Value(value) if name != "GOCOVERDIR" => Some((name.clone(), value.clone())),
            _ => None,
        });
        let grace = u64::try_from(seen.grace_period_seconds).unwrap_or_default();
        let mut subject = Subject {
            name: format!("{} of {}, container {}", seen.reference, seen.namespace, own.name),
            binary: None,
            command: own.command.clone(),
            args: own.args.clone(),
            environment: plain.collect(),
            grace: Duration::from_secs(grace),
        };
        let program = workload::program_file(&images, own);
        let mut attempts = Vec::new();
        match program {
            Ok((binary, file)) => {
                subject.binary = Some(binary);
                attempts.push(Attempt {
                    place: Place::Local,
                    seen: blocking({
                        let subject = subject.clone();
                        move || local::run(&file, &subject)
                    })
                    .await,
                });
                let (image, subject) = (own.image.clone(), subject.clone());
                let seen = blocking(move || container::run(&image, &subject)).await;
                attempts.push(Attempt { place: Place::Container, seen });
            }
            Err(reason) => attempts.extend(
                [Place::Local, Place::Container].map(|place| Attempt { place, seen: Err(reason.clone()) }),
            ),
        }
        experiments.push(Experiment { subject: subject.name, attempts });
    }
    in_pod(connection, target, &mut experiments).await?;
    Ok(experiments)
}

async fn blocking(
    work: impl FnOnce() -> Result<ContainerFacts, String> + Send + 'static,
) -> Result<ContainerFacts, String> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(error.to_string()))
}

/// One pod for all containers.
async fn in_pod(
    connection: &Connection,
    target: &Target,
    experiments: &mut [Experiment],
) -> Result<(), Error> {
    let mut running = Vec::new();
    let mut before = Vec::new();
    let trial = Box::pin(trial::run(connection, target, RUN, START, async |pod| {
        running = workload::containers(connection, pod).await;
        before = running.iter().map(|facts| host(facts).map(|path| files(&path))).collect();
    }))
    .await?;
    let last = trial.ended.as_ref().unwrap_or(&trial.running);
    let ended = workload::containers(connection, last).await;
    for (number, facts) in ended.into_iter().enumerate() {
        let while_running = running.get(number);
        let is_own = |it: &&mut Experiment| it.subject.ends_with(&format!("container {}", facts.name));
        let Some(experiment) = experiments.iter_mut().find(is_own) else { continue };
        let had_errors = while_running.is_some_and(|facts| {
            rules::running_pod::of_container(facts).iter().any(|it| it.severity == Severity::Error)
        });
        let mut seen = match while_running {
            Some(facts) if had_errors => facts.clone(),
            _ => facts,
        };
        let path = host(&seen);
        seen.files = Err(Unknown::because("the directory of the pod is not this machine's"));
        let seen = match &trial.ended {
            Ok(_) => Ok(seen),
            Err(reason) => Err(reason.clone()),
        };
        if let (Some(path), Ok(seen)) = (path, &seen) {
            let earlier = before.get(number).copied().flatten().unwrap_or_default();
            let now = files(&path);
            let new = Files { counters: now.counters.saturating_sub(earlier.counters), ..now };
            let at_host = ContainerFacts { files: Ok(new), ..seen.clone() };
            experiment.attempts.push(Attempt { place: Place::Pod, seen: Ok(seen.clone()) });
            experiment.attempts.push(Attempt { place: Place::Host, seen: Ok(at_host) });
        } else {
            experiment.attempts.push(Attempt { place: Place::Pod, seen });
        }
    }
    Ok(())
}

/// The directory of this machine that GOCOVERDIR of the container is.
fn host(facts: &ContainerFacts) -> Option<PathBuf> {
    match facts.volume.as_ref().ok()?.as_ref()? {
        Volume { kind: VolumeKind::NodePath { on_this_machine: Ok(Some(path)), .. }, .. } => {
            Some(Path::new(path).to_owned())
        }
        _ => None,
    }
}
