//! A workload of a live cluster: what the cluster says of it, joined with its images and its processes, where this
//! machine has them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use futures::future::join_all;
use podcov_agent_protocol::AGENT_EXECUTABLE;
use podcov_cluster::examination::{
    self, ContainerFacts as Seen, ContainerState, PodFacts, Setting as SeenSetting, VolumeFacts,
    VolumeKind as SeenKind, WorkloadFacts as SeenWorkload,
};
use podcov_cluster::{Connection, Error, Target};
use podcov_container_image::Platform;
use podcov_doctor::facts::Binary;
use podcov_doctor::facts::examined_image::ShellRole;
use podcov_doctor::facts::running_workload::{
    Answer, ContainerFacts, Ending, Files, ProcessDirectory, ProcessFacts, RunningWorkload, Setting, State,
    Unknown, Volume, VolumeKind, Warning,
};
use podcov_doctor::{Diagnosis, rules, runtime_log};

use super::image::{self, LocalImage};
use super::inside::Unseen;
use super::{node, process};

const VARIABLE: &str = "GOCOVERDIR";

pub type Images = BTreeMap<(String, Option<String>), Result<LocalImage, Unknown>>;

/// Looks at a workload, and waits for the end of pods that were told to end. Tells of which containers no process was seen.
pub async fn workload(
    connection: &Connection,
    target: &Target,
) -> Result<(RunningWorkload, Vec<Unseen>), Error> {
    let mut seen = examination::examine(connection, target).await?;
    let ends = seen.pods.iter().filter(|pod| pod.is_terminating).cloned().collect::<Vec<_>>();
    let ends = join_all(ends.iter().map(|pod| examination::follow_end(connection, pod))).await;
    for end in ends.into_iter().flatten() {
        if let Some(pod) = seen.pods.iter_mut().find(|pod| pod.uid == end.uid) {
            *pod = end;
        }
    }
    let platform = platform(connection).await;
    let images = images(&seen, &platform).await;
    Ok(facts(&seen, &images).await)
}

/// Why the program of a container that runs gives nothing, as far as its image tells.
pub async fn container_program(connection: &Connection, pod: &str, container: &str) -> Vec<Diagnosis> {
    let Ok(seen) = examination::pod(connection, pod).await else { return Vec::new() };
    let Some(seen) = seen.containers.iter().find(|seen| seen.name == container) else { return Vec::new() };
    let platform = platform(connection).await;
    let found = image::local(&seen.image, seen.image_id.as_deref(), &platform).await;
    let mut facts = ContainerFacts::new(format!("pod {pod}, container {container}"), container.to_owned());
    if let Ok(LocalImage::Same(image)) = &found {
        let (command, args) = own_words(seen);
        if let Ok((_, Some(program))) = image.started(command, args) {
            facts.program = Ok(program.binary.clone());
        }
    }
    rules::running_pod::of_program(&facts)
}

async fn platform(connection: &Connection) -> Platform {
    Platform::linux(&connection.node_architecture().await.unwrap_or_else(|| "amd64".to_owned()))
}

/// The words of the specification, without the agent that starts the program in a prepared pod.
fn own_words(seen: &Seen) -> (&[String], &[String]) {
    let is_prepared = seen.command.first().is_some_and(|program| program == AGENT_EXECUTABLE);
    let own = seen.command.iter().position(|word| word == "--").filter(|_| is_prepared);
    (own.map_or(&seen.command[..], |at| seen.command.get(at + 1..).unwrap_or_default()), &seen.args)
}

/// The images of a template.
pub async fn images_of_template(connection: &Connection, seen: &SeenWorkload) -> Images {
    images_of(seen.template.iter(), &platform(connection).await).await
}

/// The Go program that a container of a template starts, as a file of this machine.
pub fn program_file(images: &Images, seen: &Seen) -> Result<(Binary, tempfile::TempPath), String> {
    let image = match images.get(&(seen.image.clone(), seen.image_id.clone())) {
        Some(Ok(LocalImage::Same(image))) => image,
        Some(Err(unknown)) => return Err(unknown.reason.clone()),
        _ => return Err("its image was not looked for".to_owned()),
    };
    image.program_file(&seen.command, &seen.args)
}

/// What is known of the containers of a pod at this moment.
pub async fn containers(connection: &Connection, pod: &PodFacts) -> Vec<ContainerFacts> {
    let images = images_of(pod.containers.iter(), &platform(connection).await).await;
    let found = of_pod(&format!("pod {}/{}", connection.namespace(), pod.name), pod, &images).await;
    found.into_iter().map(|(facts, _)| facts).collect()
}

/// Each image that containers run or are to run, once.
async fn images(seen: &SeenWorkload, platform: &Platform) -> Images {
    let of_pods = seen.pods.iter().flat_map(|pod| &pod.containers);
    let containers: Vec<&Seen> =
        if seen.pods.is_empty() { seen.template.iter().collect() } else { of_pods.collect() };
    images_of(containers.into_iter(), platform).await
}

async fn images_of(containers: impl Iterator<Item = &Seen>, platform: &Platform) -> Images {
    let mut images = Images::new();
    for container in containers.filter(|container| !container.is_init) {
        let key = (container.image.clone(), container.image_id.clone());
        if let Entry::Vacant(place) = images.entry(key) {
            let (name, id) = place.key().clone();
            place.insert(image::local(&name, id.as_deref(), platform).await);
        }
    }
    images
}

async fn facts(seen: &SeenWorkload, images: &Images) -> (RunningWorkload, Vec<Unseen>) {
    let place = |pod: &PodFacts| format!("pod {}/{}", seen.namespace, pod.name);
    let (mut containers, mut unseen) = (Vec::new(), Vec::new());
    for pod in &seen.pods {
        for (facts, go_program) in of_pod(&place(pod), pod, images).await {
            unseen.extend(unseen_container(seen, pod, &facts, go_program));
            containers.push(facts);
        }
    }
    let (kind, name) = seen.reference.split_once('/').unwrap_or(("workload", &seen.reference));
    let subject = format!("{kind} {}/{name}", seen.namespace);
    if seen.pods.is_empty() {
        let template = PodFacts {
            name: name.to_owned(),
            uid: String::new(),
            node: None,
            phase: String::new(),
            is_terminating: false,
            end_requested: None,
            grace_period_seconds: seen.grace_period_seconds,
            volumes: seen.volumes.clone(),
            containers: seen.template.clone(),
            reason: None,
        };
        containers = of_pod(&subject, &template, images).await.into_iter().map(|(facts, _)| facts).collect();
    }
    let warnings = seen.warnings.iter().flatten().map(|event| Warning {
        about: event.about.clone(),
        reason: event.reason.clone(),
        message: event.message.clone(),
    });
    let workload = RunningWorkload {
        subject,
        wanted_pods: seen.wanted_pods,
        existing_pods: seen.existing_pods,
        warnings: warnings.collect(),
        containers,
    };
    (workload, unseen)
}

/// It runs, and nothing of it was seen from here.
fn unseen_container(
    seen: &SeenWorkload,
    pod: &PodFacts,
    facts: &ContainerFacts,
    go_program: Option<String>,
) -> Option<Unseen> {
    if facts.process.is_ok() {
        return None;
    }
    let mut pod = seen.running.iter().find(|running| running.uid == pod.uid)?.clone();
    pod.containers.retain(|container| container.name == facts.name);
    let is_running = !pod.containers.is_empty();
    is_running.then(|| Unseen { subject: facts.subject.clone(), pod, go_program })
}

/// The containers of a pod that are there as long as the pod is, and the Go programs that their images start.
async fn of_pod(place: &str, pod: &PodFacts, images: &Images) -> Vec<(ContainerFacts, Option<String>)> {
    let mut found = Vec::new();
    for seen in pod.containers.iter().filter(|container| !container.is_init) {
        found.push(container(place, pod, seen, images).await);
    }
    found
}

async fn container(
    place: &str,
    pod: &PodFacts,
    seen: &Seen,
    images: &Images,
) -> (ContainerFacts, Option<String>) {
    let mut facts = ContainerFacts::new(format!("{place}, container {}", seen.name), seen.name.clone());
    let image = match images.get(&(seen.image.clone(), seen.image_id.clone())) {
        Some(found) => found.as_ref().map_err(Unknown::clone),
        None => Err(Unknown::because("its image was not looked for")),
    };
    facts.setting = setting(seen, &image);
    facts.set_on = pod
        .containers
        .iter()
        .filter(|other| other.name != seen.name && other.environment.contains_key(VARIABLE))
        .map(|other| other.name.clone())
        .collect();
    let path = facts.setting.as_ref().ok().and_then(|setting| setting.as_ref()?.value.clone());
    facts.volume = match &path {
        Some(path) => Ok(volume(pod, seen, path).await),
        None => Err(Unknown::because("GOCOVERDIR is not known")),
    };
    facts.has_read_only_root = seen.has_read_only_root;
    facts.user = seen.user.and_then(|user| u64::try_from(user).ok());
    let mut go_program = None;
    let (command, args) = own_words(seen);
    match &image {
        Ok(LocalImage::Same(image)) => {
            facts.user = facts.user.or(image.owner().0);
            let group = seen.group.and_then(|group| u64::try_from(group).ok());
            facts.image_directory = match &path {
                Some(path) => image.directory(path, facts.user, group),
                None => Err(Unknown::because("GOCOVERDIR is not known")),
            };
            let line = image.command_line(command, args);
            let script = line.as_ref().and_then(|line| image.script(line));
            facts.shell = script
                .filter(|script| script.shell_role() == ShellRole::Stays)
                .and(line.as_ref())
                .map(|line| line.words().collect::<Vec<_>>().join(" "));
            match image.started(command, args) {
                Ok((path, Some(program))) => {
                    facts.program = Ok(program.binary.clone());
                    facts.can_wait_for_termination = program
                        .can_wait_for_termination
                        .ok_or_else(|| Unknown::because("the program could not be searched"));
                    go_program = Some(path);
                }
                Ok((path, None)) => {
                    facts.program = Err(Unknown::because(format!("{path} is not a Go program")));
                }
                Err(unknown) => facts.program = Err(unknown),
            }
            facts.other_image = Ok(None);
        }
        Ok(LocalImage::Other(here)) => {
            let runs = seen.image_id.clone().unwrap_or_default();
            facts.other_image = Ok(Some((runs, here.clone())));
        }
        Err(unknown) => {
            facts.program = Err(unknown.clone());
            facts.other_image = Err(unknown.clone());
        }
    }
    facts.state = match &seen.state {
        Some(ContainerState::Running) => State::Running,
        Some(ContainerState::Waiting { reason, message }) => State::Waiting(reason.clone(), message.clone()),
        Some(ContainerState::Terminated(_)) => State::Ended,
        None => State::Described,
    };
    facts.ending = seen.termination().map(|ended| Ending {
        exit_code: ended.exit_code,
        reason: ended.reason.clone(),
        seconds_after_request: pod.seconds_to_end(ended),
    });
    facts.restarts = u32::try_from(seen.restarts).unwrap_or(0);
    facts.grace_period_seconds = Some(pod.grace_period_seconds);
    facts.is_terminating = pod.is_terminating;
    facts.log = match &seen.log {
        Ok(log) => Ok(runtime_log::findings(log.lines())),
        Err(reason) => Err(Unknown::because(reason)),
    };
    let process = match (&facts.state, &seen.id) {
        (State::Running, Some(id)) => node::processes(id)
            .map_err(Unknown::because)
            .and_then(|processes| process::facts(processes, None, go_program.as_deref())),
        _ => Err(Unknown {
            reason: "it does not run".to_owned(),
            how: "podcov doctor --try, which sees how a pod ends".to_owned(),
        }),
    };
    set_process(&mut facts, process);
    (facts, go_program)
}

/// Takes over what was seen of the process, which knows best what runs.
pub fn set_process(facts: &mut ContainerFacts, process: Answer<ProcessFacts>) {
    facts.files = files(&process);
    if let Ok(ProcessFacts { program: Ok(program), .. }) = &process {
        facts.program = Ok(program.clone());
    }
    facts.process = process;
}

fn files(process: &Answer<ProcessFacts>) -> Answer<Files> {
    match process.as_ref().map_err(Unknown::clone)?.directory.as_ref().map_err(Unknown::clone)? {
        Some(ProcessDirectory::There { files, .. }) => {
            files.ok_or_else(|| Unknown::because("GOCOVERDIR may not be listed"))
        }
        _ => Err(Unknown::because("GOCOVERDIR is no directory")),
    }
}

fn setting(seen: &Seen, image: &Result<&LocalImage, Unknown>) -> Answer<Option<Setting>> {
    match seen.environment.get(VARIABLE) {
        Some(SeenSetting::Value(value)) if !value.is_empty() => {
            let read_in = format!("env of container {}", seen.name);
            return Ok(Some(Setting { value: Some(value.clone()), read_in }));
        }
        Some(SeenSetting::Value(_)) => return Ok(None),
        Some(SeenSetting::From(source)) => return Ok(Some(Setting { value: None, read_in: source.clone() })),
        None => {}
    }
    if !seen.environment_from.is_empty() {
        let sources = seen.environment_from.join(", ");
        return Err(Unknown::because(format!("{sources} may set it, and was not read")));
    }
    match image {
        Ok(LocalImage::Same(image)) => Ok(image
            .config
            .variable(VARIABLE)
            .filter(|value| !value.is_empty())
            .map(|value| Setting { value: Some(value.to_owned()), read_in: "ENV of the image".to_owned() })),
        Ok(LocalImage::Other(_)) => {
            Err(Unknown::because("the pod does not set it, and its image was not looked into"))
        }
        Err(unknown) => Err(Unknown {
            reason: format!("the pod does not set it, and of its image: {}", unknown.reason),
            how: unknown.how.clone(),
        }),
    }
}

/// The volume that holds a path: that of the longest mount path above it.
async fn volume(pod: &PodFacts, seen: &Seen, path: &str) -> Option<Volume> {
    let holds = |mount: &str| {
        let rest = path.strip_prefix(mount.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let mount = seen.mounts.iter().filter(|mount| holds(&mount.path)).max_by_key(|mount| mount.path.len())?;
    let volume = pod.volumes.iter().find(|volume| volume.name == mount.volume)?;
    let below = path.strip_prefix(mount.path.trim_end_matches('/')).unwrap_or_default();
    let sub_path = mount.sub_path.as_ref().map(|part| format!("/{part}")).unwrap_or_default();
    Some(Volume {
        name: volume.name.clone(),
        mount_path: mount.path.clone(),
        is_read_only: mount.is_read_only || is_read_only(volume),
        kind: kind(volume, pod.node.as_deref(), &format!("{sub_path}{below}")).await,
    })
}

fn is_read_only(volume: &VolumeFacts) -> bool {
    matches!(&volume.kind, SeenKind::ReadOnly | SeenKind::PersistentVolumeClaim { read_only: true, .. })
}

async fn kind(volume: &VolumeFacts, node: Option<&str>, below: &str) -> VolumeKind {
    match (&volume.kind, node) {
        (SeenKind::EmptyDir { .. }, _) => VolumeKind::EmptyDir,
        (SeenKind::HostPath { path, .. }, Some(node)) => {
            let path = format!("{}{below}", path.trim_end_matches('/'));
            VolumeKind::NodePath {
                on_this_machine: node::on_this_machine(node, &path).await,
                path,
                node: node.to_owned(),
            }
        }
        _ => VolumeKind::Other,
    }
}
