//! Pods: of a workload, after its program here and its image in a container; and of an image alone.

use std::path::{Path, PathBuf};
use std::time::Duration;

use podcov_cluster::examination::trial::{self, TriedImage};
use podcov_cluster::examination::{self, PodFacts, Setting as SeenSetting};
use podcov_cluster::{Connection, Error, Target};
use podcov_doctor::facts::Experiment;
use podcov_doctor::facts::experiment::{Attempt, Place};
use podcov_doctor::facts::running_workload::{ContainerFacts, Files, Unknown, Volume, VolumeKind};
use podcov_doctor::{Severity, rules};

use super::tried::blocking;
use super::{RUN, Subject, container, files, local};
use crate::error::CommandError;
use crate::examine::workload;
use crate::interrupt::Interrupt;

/// How long a pod may take until its containers run.
const START: Duration = Duration::from_mins(2);

/// Tries each container of a workload whose program is Go's.
pub async fn of_workload(
    connection: &Connection,
    target: &Target,
    interrupt: &Interrupt,
) -> Result<Vec<Experiment>, Error> {
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
                        let (subject, interrupt) = (subject.clone(), interrupt.clone());
                        move || local::run(&file, &subject, &interrupt)
                    })
                    .await,
                });
                let (image, subject, interrupt) = (own.image.clone(), subject.clone(), interrupt.clone());
                let seen = blocking(move || container::run(&image, &subject, &interrupt)).await;
                attempts.push(Attempt { place: Place::Container, seen });
            }
            Err(reason) => attempts.extend(
                [Place::Local, Place::Container].map(|place| Attempt { place, seen: Err(reason.clone()) }),
            ),
        }
        experiments.push(Experiment { subject: subject.name, attempts });
    }
    if !interrupt.is_requested() {
        in_pod(connection, target, interrupt, &mut experiments).await?;
    }
    Ok(experiments)
}

/// One pod for all containers.
async fn in_pod(
    connection: &Connection,
    target: &Target,
    interrupt: &Interrupt,
    experiments: &mut [Experiment],
) -> Result<(), Error> {
    let pod = trial::of_workload(connection, target).await?;
    let mut running = Vec::new();
    let mut before = Vec::new();
    let is_stopped = || interrupt.is_requested();
    let look = async |pod: &PodFacts| {
        running = workload::containers(connection, pod).await;
        before = running.iter().map(|facts| host(facts).map(|path| files(&path))).collect();
    };
    let trial = Box::pin(trial::run(connection, &pod, RUN, START, is_stopped, look)).await?;
    let last = trial.ended.as_ref().unwrap_or(&trial.running);
    let ended = workload::containers(connection, last).await;
    for (number, facts) in ended.into_iter().enumerate() {
        let while_running = running.get(number);
        let is_own = |it: &&mut Experiment| it.subject.ends_with(&format!("container {}", facts.name));
        let Some(experiment) = experiments.iter_mut().find(is_own) else { continue };
        let seen = worse(while_running, facts);
        match trial.ended.as_ref() {
            Ok(_) => experiment.attempts.extend(in_pod_and_host(seen, before.get(number).copied().flatten())),
            Err(reason) => {
                experiment.attempts.push(Attempt { place: Place::Pod, seen: Err(reason.clone()) });
            }
        }
    }
    Ok(())
}

/// What was seen in the pod; and in the directory of this machine that its volume is to be, beside what was there before.
fn in_pod_and_host(seen: ContainerFacts, before: Option<Files>) -> Vec<Attempt> {
    let volume = seen.volume.as_ref().ok().and_then(Option::as_ref);
    let kind = volume.map(|volume| volume.kind.clone());
    let Some(VolumeKind::NodePath { on_this_machine: Ok(path), .. }) = kind else {
        return vec![Attempt { place: Place::Pod, seen: Ok(seen) }];
    };
    let mut in_pod = seen.clone();
    if let Ok(Some(volume)) = &mut in_pod.volume {
        volume.kind = VolumeKind::Other;
    }
    let now = path.map(|path| files(Path::new(&path))).unwrap_or_default();
    let new = now.counters.saturating_sub(before.unwrap_or_default().counters);
    let at_host = ContainerFacts { files: Ok(Files { counters: new, ..now }), ..seen };
    vec![Attempt { place: Place::Pod, seen: Ok(in_pod) }, Attempt { place: Place::Host, seen: Ok(at_host) }]
}

/// What was wrong while it ran is what is wrong; else its end tells.
fn worse(while_running: Option<&ContainerFacts>, ended: ContainerFacts) -> ContainerFacts {
    let had_errors = |facts: &&ContainerFacts| {
        rules::running_pod::of_container(facts).iter().any(|it| it.severity == Severity::Error)
    };
    let seen = while_running.filter(had_errors).cloned().unwrap_or(ended);
    ContainerFacts { files: Err(Unknown::because("the directory of the pod is not this machine's")), ..seen }
}

/// A pod of an image alone, whose program is known.
pub async fn of_image(
    connection: &Connection,
    tried: &TriedImage,
    subject: &Subject,
    interrupt: &Interrupt,
) -> Result<ContainerFacts, String> {
    let pod = trial::of_image(tried);
    let mut running = Vec::new();
    let is_stopped = || interrupt.is_requested();
    let look = async |pod: &PodFacts| running = workload::containers(connection, pod).await;
    let trial = Box::pin(trial::run(connection, &pod, RUN, START, is_stopped, look)).await;
    let trial = trial.map_err(|error| CommandError::failure(error).to_string())?;
    let ended = trial.ended?;
    let ended = workload::containers(connection, &ended).await.into_iter().next();
    let seen = worse(running.first(), ended.ok_or("the pod has no container")?);
    let program = subject.binary.clone().ok_or_else(|| Unknown::because("no Go program was found"));
    Ok(ContainerFacts { program, ..seen })
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
