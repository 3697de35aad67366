//! What can be tried: a Go package, a program, an image, a workload; and what is made for each.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use podcov_cluster::examination::trial::TriedImage;
use podcov_cluster::{Connection, Error, Target};
use podcov_doctor::facts::Binary;
use podcov_doctor::facts::Experiment;
use podcov_doctor::facts::binary::Contents;
use podcov_doctor::facts::experiment::{Attempt, Place};
use podcov_doctor::facts::running_workload::ContainerFacts;

use super::engine::{TrialImage, engine};
use super::{Subject, container, go_package, local, pod};
use crate::doctor::read_binary;
use crate::examine::image::{ExaminedImage, LocalImage, local as local_image};
use crate::examine::{gather, node};
use crate::interrupt::Interrupt;

/// Kubernetes' own, for what says nothing of it.
const GRACE: Duration = Duration::from_secs(30);

/// Something to try.
#[derive(Clone, Debug)]
pub enum Tried {
    /// A directory with a main package.
    Package(PathBuf),
    Program(PathBuf),
    Image(String),
    Workload(Target),
}

/// The cluster where pods are tried, or why there is none.
pub type TrialCluster = Result<Connection, String>;

impl Tried {
    /// As the user calls it.
    pub fn name(&self) -> String {
        match self {
            Self::Package(path) | Self::Program(path) => path.display().to_string(),
            Self::Image(name) => name.clone(),
            Self::Workload(Target { kind, name }) => format!("{kind}/{name}"),
        }
    }

    /// What is run and made for it, a thing on each line.
    pub fn described(&self, cluster: &TrialCluster) -> Vec<String> {
        let image = "an image of the program alone, in the container engine of this machine";
        let in_pod = cluster.as_ref().map(|connection| {
            format!("a pod in namespace {}, deleted after some seconds", connection.namespace())
        });
        let container = "a container without new privileges".to_owned();
        let here = |name: &Path| format!("a process of {} on this machine, as this user", name.display());
        let mut lines = match self {
            Self::Package(path) => vec![
                format!("a program, by go build -cover in {}", path.display()),
                here(path),
                image.to_owned(),
                container,
            ],
            Self::Program(path) => vec![here(path), image.to_owned(), container],
            Self::Image(name) => vec![
                format!("a process of the program of image {name} on this machine, as this user"),
                format!("{container} of image {name}"),
            ],
            Self::Workload(Target { kind, name }) => vec![
                format!("a process of the program of {kind}/{name} on this machine, as this user"),
                format!("{container} of its image"),
            ],
        };
        if let Ok(in_pod) = in_pod {
            lines.push(match self {
                Self::Workload(target) => format!("{in_pod}, as {}/{} has them", target.kind, target.name),
                _ => format!("{in_pod}, and the image on its node if that is a container of this machine"),
            });
        }
        lines
    }

    /// Tries it at each place. An error only where nothing could be tried.
    pub async fn run(&self, cluster: &TrialCluster, interrupt: &Interrupt) -> Result<Vec<Experiment>, Error> {
        match self {
            Self::Package(path) => Ok(vec![of_package(path, cluster, interrupt).await]),
            Self::Program(path) => {
                let name = path.display().to_string();
                Ok(vec![of_program(name, path, cluster, interrupt).await])
            }
            Self::Image(name) => Ok(vec![of_image(name, cluster, interrupt).await]),
            Self::Workload(target) => match cluster {
                Ok(connection) => Box::pin(pod::of_workload(connection, target, interrupt)).await,
                Err(reason) => Ok(vec![Experiment {
                    subject: format!("{}/{}", target.kind, target.name),
                    attempts: vec![Attempt { place: Place::Pod, seen: Err(reason.clone()) }],
                }]),
            },
        }
    }
}

/// Work of this machine, which looks for the user's wish to stop by itself.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(error.to_string()))
}

async fn of_package(package: &Path, cluster: &TrialCluster, interrupt: &Interrupt) -> Experiment {
    let name = package.display().to_string();
    let directory = match tempfile::tempdir() {
        Ok(directory) => directory,
        Err(error) => return failed(name, error.to_string()),
    };
    let program = directory.path().join("program");
    let built = {
        let (package, program, interrupt) = (package.to_owned(), program.clone(), interrupt.clone());
        blocking(move || go_package::build(&package, &program, &interrupt)).await
    };
    match built {
        Ok(()) => of_program(name, &program, cluster, interrupt).await,
        Err(reason) => failed(name, reason),
    }
}

fn failed(subject: String, reason: String) -> Experiment {
    Experiment { subject, attempts: vec![Attempt { place: Place::Local, seen: Err(reason) }] }
}

async fn of_program(
    name: String,
    program: &Path,
    cluster: &TrialCluster,
    interrupt: &Interrupt,
) -> Experiment {
    let binary = read_binary(program);
    let subject = subject(&name, binary.clone());
    let mut experiment = Experiment { subject: name, attempts: Vec::new() };
    let seen = {
        // It is started in another directory.
        let absolute = std::path::absolute(program).unwrap_or_else(|_| program.to_owned());
        let (subject, interrupt) = (subject.clone(), interrupt.clone());
        blocking(move || local::run(&absolute, &subject, &interrupt)).await
    };
    experiment.attempts.push(Attempt { place: Place::Local, seen });
    let image = match needs_nothing(&binary) {
        Ok(()) => {
            let program = program.to_owned();
            blocking(move || TrialImage::of_program(&program)).await
        }
        Err(reason) => Err(reason),
    };
    in_image(image, true, &subject, cluster, interrupt, &mut experiment).await;
    experiment
}

/// An image of a program alone has no libraries.
fn needs_nothing(binary: &Binary) -> Result<(), String> {
    match &binary.contents {
        Contents::Go(program) if program.is_static => Ok(()),
        Contents::Go(_) => {
            Err("it needs libraries, which an image of it alone has not: try the image that it is built into"
                .to_owned())
        }
        _ => Err("it is no Go program".to_owned()),
    }
}

async fn of_image(name: &str, cluster: &TrialCluster, interrupt: &Interrupt) -> Experiment {
    let mut experiment = Experiment { subject: format!("image {name}"), attempts: Vec::new() };
    let found = match local_image(name, None, &gather::platform()).await {
        Ok(LocalImage::Same(image)) => Ok(image),
        Ok(LocalImage::Other(_)) => Err("another image has this name".to_owned()),
        Err(unknown) => Err(unknown.reason),
    };
    let image = match found {
        Ok(image) => image,
        Err(reason) => {
            let places = [Place::Local, Place::Container, Place::Pod];
            experiment.attempts = places.map(|place| Attempt { place, seen: Err(reason.clone()) }).into();
            return experiment;
        }
    };
    let mut subject = subject(&experiment.subject, Binary::default());
    let seen = match image.program_file(&[], &[]) {
        Ok((binary, file)) => {
            subject.binary = Some(binary);
            let (words, interrupt) = (with_words(&subject, &image), interrupt.clone());
            blocking(move || local::run(&file, &words, &interrupt)).await
        }
        Err(reason) => Err(reason),
    };
    experiment.attempts.push(Attempt { place: Place::Local, seen });
    let named = {
        let name = name.to_owned();
        blocking(move || TrialImage::of_image(&name)).await
    };
    let is_nonroot = image.owner().0.is_some_and(|user| user != 0);
    in_image(named, is_nonroot, &subject, cluster, interrupt, &mut experiment).await;
    experiment
}

fn subject(name: &str, binary: Binary) -> Subject {
    Subject {
        name: name.to_owned(),
        binary: Some(binary),
        command: Vec::new(),
        args: Vec::new(),
        environment: Vec::new(),
        grace: GRACE,
    }
}

/// A process of this machine has the words and variables that a container has from its image.
fn with_words(subject: &Subject, image: &ExaminedImage) -> Subject {
    let line = image.command_line(&[], &[]);
    let is_shell = line.as_ref().is_some_and(|line| image.script(line).is_some());
    let words = line.iter().flat_map(podcov_container_image::CommandLine::words).map(str::to_owned);
    Subject { command: words.filter(|_| !is_shell).collect(), ..subject.clone() }
}

/// A container of an image, and a pod of it.
async fn in_image(
    image: Result<TrialImage, String>,
    is_nonroot: bool,
    subject: &Subject,
    cluster: &TrialCluster,
    interrupt: &Interrupt,
    experiment: &mut Experiment,
) {
    let image = match image {
        Ok(image) => Arc::new(image),
        Err(reason) => {
            let places = [Place::Container, Place::Pod];
            experiment.attempts.extend(places.map(|place| Attempt { place, seen: Err(reason.clone()) }));
            return;
        }
    };
    let seen = {
        let (image, subject, interrupt) = (Arc::clone(&image), subject.clone(), interrupt.clone());
        blocking(move || container::run(image.name(), &subject, &interrupt)).await
    };
    experiment.attempts.push(Attempt { place: Place::Container, seen });
    if interrupt.is_requested() {
        return;
    }
    let seen = match cluster {
        Ok(connection) => Box::pin(in_pod(&image, is_nonroot, subject, connection, interrupt)).await,
        Err(reason) => Err(reason.clone()),
    };
    experiment.attempts.push(Attempt { place: Place::Pod, seen });
}

/// The nodes of a cluster that are containers of this machine.
async fn nodes_here(connection: &Connection) -> Vec<String> {
    let mut here = Vec::new();
    for node in connection.node_names().await {
        if node::is_on_this_machine(&node).await {
            here.push(node);
        }
    }
    here
}

/// Removes what podcovs that were killed have left in the engine of this machine. Returns what that was.
pub async fn remove_abandoned(cluster: &TrialCluster) -> Vec<String> {
    let nodes = match cluster {
        Ok(connection) => nodes_here(connection).await,
        Err(_) => Vec::new(),
    };
    let remove = move || {
        let engine = engine()?;
        let mut removed = container::remove_abandoned(engine);
        for image in TrialImage::abandoned(engine) {
            for node in &nodes {
                drop(image.copy_on(node));
            }
            removed.push(format!("image {}", image.name()));
        }
        Ok(removed)
    };
    blocking(remove).await.unwrap_or_default()
}

async fn in_pod(
    image: &Arc<TrialImage>,
    is_nonroot: bool,
    subject: &Subject,
    connection: &Connection,
    interrupt: &Interrupt,
) -> Result<ContainerFacts, String> {
    let node = nodes_here(connection).await.pop().ok_or(
        "the nodes of the cluster are no containers of this machine, so that an image cannot be put there: push it, and try \
         the workload that has it",
    )?;
    let on_node = {
        let (image, node) = (Arc::clone(image), node.clone());
        blocking(move || image.on_node(&node)).await?
    };
    let tried = TriedImage { image: image.name().to_owned(), node: Some(node), is_nonroot };
    let seen = Box::pin(pod::of_image(connection, &tried, subject, interrupt)).await;
    // Removing it waits for the engine.
    let _ = tokio::task::spawn_blocking(move || drop(on_node)).await;
    seen
}
