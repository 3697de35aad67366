//! Putting capture in.

use podcov_agent_protocol::CONTAINER_DIRECTORY;
use serde_json::{Map, Value, json};

use super::{
    EntryPoints, InjectionError, command_line, eject, kind_of, preparation, sidecar,
    structure::{list_in, map_in, name_of, object},
    undo::{Before, ContainerUndo, Undo},
};
use crate::{
    Kind, Preparation, RunId,
    identity::{CAPTURE_ANNOTATION, Capture, PREPARATION_ANNOTATION, RUN_LABEL},
};

/// What Kubernetes grants a pod that says nothing (core/v1 PodSpec).
const DEFAULT_GRACE_SECONDS: u64 = 30;
/// For the kubelet's own steps between the end of the application and the end of the sidecar.
const GRACE_MARGIN_SECONDS: u64 = 5;
pub(super) const GOCOVERDIR: &str = "GOCOVERDIR";
/// The name of an object, where it has none.
const UNNAMED: &str = "(unnamed)";

/// Which containers of a pod are captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContainerChoice {
    /// Every container and init container.
    All,
    /// These, and each of them must report. At least one.
    Named(Vec<String>),
}

/// How the counters of a container's processes are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CaptureMode {
    /// Supervised where the entry point is known, from files elsewhere.
    #[default]
    Auto,
    /// The agent starts the program and reads its memory. What cannot be supervised is an error.
    Supervised,
    /// From the files that Go writes.
    Files,
}

/// What is to be put in.
#[derive(Clone, Debug)]
pub struct Injection {
    /// The run that the pods will belong to.
    pub run: RunId,
    /// Who runs it, for example `ann@laptop`.
    pub by: String,
    /// When, RFC 3339.
    pub since: String,
    /// The ConfigMap that holds the agent.
    pub agent_config_map: String,
    /// Which containers are captured.
    pub containers: ContainerChoice,
    /// How they are captured.
    pub capture: CaptureMode,
    /// What they run.
    pub entry_points: EntryPoints,
    /// The sidecar's image; the application's own when none.
    pub image: Option<String>,
    /// How long an ended pod keeps its data for podcov to take.
    pub deadline_seconds: u64,
    /// Size limit of the data volume, a Kubernetes quantity.
    pub data_limit: Option<String>,
    /// The data volume is a tmpfs.
    pub data_in_memory: bool,
}

/// A prepared object and what a user should know about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Injected {
    /// The object to write.
    pub object: Value,
    /// The captured containers.
    pub containers: Vec<String>,
    /// Those of them that the agent supervises.
    pub supervised: Vec<String>,
    /// Settings of the manifest that do not hold while it is prepared, and what is not supervised, and why.
    pub notes: Vec<String>,
}

/// A container that is captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapturedContainer {
    /// Its name.
    pub name: String,
    /// The image that says what it runs; none where its manifest does.
    pub entry_point_in: Option<String>,
}

/// The containers that would be captured, also of an object that is prepared already.
pub fn captured_containers(
    manifest: &Value,
    choice: &ContainerChoice,
) -> Result<Vec<CapturedContainer>, InjectionError> {
    let kind = kind_of(manifest)?;
    let mut manifest = match eject(manifest) {
        Err(InjectionError::NotPrepared) => manifest.clone(),
        original => original?,
    };
    let template = object(manifest.pointer_mut(kind.template_pointer()), "the pod template")?;
    let spec = object(template.get_mut("spec"), "the pod's spec")?;
    let chosen = chosen_containers(spec, choice)?;
    let containers = all_containers(spec).filter_map(|container| {
        let name = name_of(container).filter(|name| chosen.iter().any(|chosen| chosen == name))?;
        let image = container.get("image").and_then(Value::as_str).map(str::to_owned);
        let is_said = container.as_object().is_some_and(command_line::is_said);
        Some(CapturedContainer { name: name.to_owned(), entry_point_in: image.filter(|_| !is_said) })
    });
    Ok(containers.collect())
}

/// The object with capture put in.
pub fn inject(manifest: &Value, injection: &Injection) -> Result<Injected, InjectionError> {
    let kind = kind_of(manifest)?;
    if let Some(Preparation { run, by, since, .. }) = preparation(manifest) {
        return Err(InjectionError::AlreadyPrepared { run: run.to_string(), by, since });
    }
    let mut prepared = manifest.clone();
    let name = manifest.pointer("/metadata/name").and_then(Value::as_str).unwrap_or(UNNAMED);
    let mut undo = Undo::default();

    let template = object(prepared.pointer_mut(kind.template_pointer()), "the pod template")?;
    let spec = object(template.get_mut("spec"), "the pod's spec")?;
    if is_for_windows(spec) {
        return Err(InjectionError::Windows);
    }
    let containers = chosen_containers(spec, &injection.containers)?;
    let Changes { supervised, notes } = change_spec(spec, injection, &containers, &mut undo)?;
    let capture = Capture {
        workload: format!("{kind}/{name}"),
        containers: containers.clone(),
        supervised: supervised.clone(),
        containers_named: matches!(injection.containers, ContainerChoice::Named(_)),
    };
    mark_template(template, injection, &capture, &mut undo)?;
    mark_object(object(Some(&mut prepared), "the object")?, kind, injection, undo)?;
    Ok(Injected { object: prepared, containers, supervised, notes })
}

fn is_for_windows(spec: &Map<String, Value>) -> bool {
    let system = |parent: &str, key: &str| spec.get(parent)?.get(key)?.as_str();
    [system("os", "name"), system("nodeSelector", "kubernetes.io/os")].contains(&Some("windows"))
}

pub(super) fn all_containers(spec: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    ["containers", "initContainers"]
        .iter()
        .filter_map(|key| spec.get(*key).and_then(Value::as_array))
        .flatten()
}

fn chosen_containers(
    spec: &Map<String, Value>,
    choice: &ContainerChoice,
) -> Result<Vec<String>, InjectionError> {
    let present: Vec<String> = all_containers(spec).filter_map(name_of).map(str::to_owned).collect();
    if present.is_empty() {
        return Err(InjectionError::Malformed("the list of containers".to_owned()));
    }
    let ContainerChoice::Named(names) = choice else { return Ok(present) };
    match names.iter().find(|name| !present.contains(name)) {
        Some(name) => {
            Err(InjectionError::NoSuchContainer { name: name.clone(), present: present.join(", ") })
        }
        None => Ok(names.clone()),
    }
}

/// What the changes of the containers came to.
#[derive(Default)]
struct Changes {
    supervised: Vec<String>,
    notes: Vec<String>,
}

fn change_spec(
    spec: &mut Map<String, Value>,
    injection: &Injection,
    containers: &[String],
    undo: &mut Undo,
) -> Result<Changes, InjectionError> {
    let mut changes = Changes::default();
    let guaranteed = sidecar::is_guaranteed(spec);
    let mut model = None;
    for key in ["containers", "initContainers"] {
        for container in spec.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
            let Some(name) = name_of(container).map(str::to_owned) else { continue };
            if !containers.contains(&name) {
                continue;
            }
            let container = object(Some(container), "a container")?;
            let container_undo = change_container(container, &name, injection, &mut changes)?;
            model.get_or_insert_with(|| Value::Object(container.clone()));
            undo.containers.insert(name, container_undo);
        }
    }
    let model = model.ok_or_else(|| InjectionError::Malformed("the list of containers".to_owned()))?;
    // First in the list: started before and ended after every other init container and sidecar.
    list_in(spec, "initContainers", &mut undo.spec_created)?
        .insert(0, sidecar::container(injection, &model, containers, guaranteed));
    list_in(spec, "volumes", &mut undo.spec_created)?.extend(sidecar::volumes(injection));

    let grace = spec.get("terminationGracePeriodSeconds").cloned();
    let seconds = grace.as_ref().and_then(Value::as_u64).unwrap_or(DEFAULT_GRACE_SECONDS);
    undo.raised_grace_seconds = seconds + injection.deadline_seconds + GRACE_MARGIN_SECONDS;
    undo.grace_period_seconds = grace.map_or(Before::Absent, Before::Value);
    spec.insert("terminationGracePeriodSeconds".to_owned(), json!(undo.raised_grace_seconds));
    Ok(changes)
}

fn change_container(
    container: &mut Map<String, Value>,
    name: &str,
    injection: &Injection,
    changes: &mut Changes,
) -> Result<ContainerUndo, InjectionError> {
    let mut undo = ContainerUndo::default();
    set_directory(container, name, &mut undo)?;
    changes.notes.extend(undo.environment.first().map(|(_, variable)| {
        let value = variable.get("value").and_then(Value::as_str).unwrap_or("a reference");
        format!("container {name}: GOCOVERDIR={value} of the manifest is overridden while it is prepared")
    }));
    if command_line::runs_agent(container) {
        return Err(InjectionError::LeftOver(name.to_owned()));
    }
    if injection.capture == CaptureMode::Files {
        return Ok(undo);
    }
    match injection.entry_points.words_of(name, container) {
        Ok(words) => {
            undo.command_line = Some(command_line::supervise(container, words));
            list_in(container, "volumeMounts", &mut undo.created)?.push(sidecar::agent_mount());
            changes.supervised.push(name.to_owned());
        }
        Err(reason) if injection.capture == CaptureMode::Supervised => {
            return Err(InjectionError::UnknownEntryPoint { container: name.to_owned(), reason });
        }
        Err(reason) => changes.notes.push(format!(
            "container {name}: read from files, because its entry point is not known: {reason}; \
             name it with --entrypoint, or set command in the manifest"
        )),
    }
    Ok(undo)
}

/// Points GOCOVERDIR to the container's own directory of the data volume.
fn set_directory(
    container: &mut Map<String, Value>,
    name: &str,
    undo: &mut ContainerUndo,
) -> Result<(), InjectionError> {
    let environment = list_in(container, "env", &mut undo.created)?;
    let is_ours = |variable: &Value| name_of(variable) == Some(GOCOVERDIR);
    undo.environment = environment
        .iter()
        .enumerate()
        .filter(|(_, variable)| is_ours(variable))
        .map(|(index, variable)| (index, variable.clone()))
        .collect();
    environment.retain(|variable| !is_ours(variable));
    // In the place of the old value: later variables may refer to it.
    let index = undo.environment.first().map_or(environment.len(), |(index, _)| *index);
    environment.insert(index, json!({"name": GOCOVERDIR, "value": CONTAINER_DIRECTORY}));
    list_in(container, "volumeMounts", &mut undo.created)?.push(json!({
        "name": sidecar::DATA_VOLUME, "mountPath": CONTAINER_DIRECTORY, "subPath": name,
    }));
    Ok(())
}

fn mark_template(
    template: &mut Map<String, Value>,
    injection: &Injection,
    capture: &Capture,
    undo: &mut Undo,
) -> Result<(), InjectionError> {
    let metadata = map_in(template, "metadata", &mut undo.template_created)?;
    map_in(metadata, "labels", &mut undo.template_metadata_created)?
        .insert(RUN_LABEL.to_owned(), json!(injection.run));
    map_in(metadata, "annotations", &mut undo.template_metadata_created)?
        .insert(CAPTURE_ANNOTATION.to_owned(), json!(json!(capture).to_string()));
    Ok(())
}

fn mark_object(
    object: &mut Map<String, Value>,
    kind: Kind,
    injection: &Injection,
    mut undo: Undo,
) -> Result<(), InjectionError> {
    let metadata = map_in(object, "metadata", &mut undo.object_created)?;
    if kind != Kind::Pod {
        map_in(metadata, "labels", &mut undo.object_metadata_created)?
            .insert(RUN_LABEL.to_owned(), json!(injection.run));
    }
    let annotations = map_in(metadata, "annotations", &mut undo.object_metadata_created)?;
    let preparation = Preparation {
        run: injection.run.clone(),
        by: injection.by.clone(),
        since: injection.since.clone(),
        undo,
    };
    annotations.insert(PREPARATION_ANNOTATION.to_owned(), json!(json!(preparation).to_string()));
    Ok(())
}
