//! Taking capture out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    InjectionError,
    command_line::{self, CommandLineUndo},
    inject::GOCOVERDIR,
    kind_of, preparation,
    sidecar::{AGENT_VOLUME, DATA_VOLUME},
    structure::{Created, name_of, object, remove_created},
};
use crate::{
    Kind,
    identity::{CAPTURE_ANNOTATION, PREPARATION_ANNOTATION, RUN_LABEL, SIDECAR},
};

/// What `inject` replaced or created, so that it can be put back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Undo {
    pub(super) object_created: Created,
    pub(super) object_metadata_created: Created,
    pub(super) template_created: Created,
    pub(super) template_metadata_created: Created,
    pub(super) spec_created: Created,
    pub(super) grace_period_seconds: Before,
    /// The value that was set instead.
    pub(super) raised_grace_seconds: u64,
    pub(super) containers: BTreeMap<String, ContainerUndo>,
}

/// The value of a field before it was set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Before {
    #[default]
    Absent,
    /// Also null, which is not the same as absent.
    Value(Value),
}

/// The same for one container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ContainerUndo {
    pub(super) created: Created,
    /// The variables named GOCOVERDIR and their places in the list.
    pub(super) environment: Vec<(usize, Value)>,
    /// Of a supervised container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) command_line: Option<CommandLineUndo>,
}

/// The object as it was before `inject`, with changes that others made since.
pub fn eject(prepared: &Value) -> Result<Value, InjectionError> {
    let kind = kind_of(prepared)?;
    let undo = preparation(prepared).ok_or(InjectionError::NotPrepared)?.undo;
    let mut restored = prepared.clone();

    let template = object(restored.pointer_mut(kind.template_pointer()), "the pod template")?;
    let spec = object(template.get_mut("spec"), "the pod's spec")?;
    restore_spec(spec, &undo);
    unmark(template, CAPTURE_ANNOTATION, &undo.template_metadata_created);
    remove_created(template, &undo.template_created);

    let object = object(Some(&mut restored), "the object")?;
    unmark(object, PREPARATION_ANNOTATION, &undo.object_metadata_created);
    // The template of a bare Pod is the Pod: its annotations are empty only now.
    if kind == Kind::Pod {
        unmark(object, CAPTURE_ANNOTATION, &undo.template_metadata_created);
        remove_created(object, &undo.template_created);
    }
    remove_created(object, &undo.object_created);
    Ok(restored)
}

fn restore_spec(spec: &mut Map<String, Value>, undo: &Undo) {
    remove_named(spec, "initContainers", &[SIDECAR]);
    remove_named(spec, "volumes", &[AGENT_VOLUME, DATA_VOLUME]);
    for key in ["containers", "initContainers"] {
        for container in spec.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
            let name = name_of(container).map(str::to_owned);
            let Some(container) = container.as_object_mut() else { continue };
            if let Some(undo) = name.and_then(|name| undo.containers.get(&name)) {
                restore_container(container, undo);
            }
        }
    }
    remove_created(spec, &undo.spec_created);

    let key = "terminationGracePeriodSeconds";
    // Somebody else's later value stays.
    if spec.get(key).and_then(Value::as_u64) == Some(undo.raised_grace_seconds) {
        match &undo.grace_period_seconds {
            Before::Value(seconds) => drop(spec.insert(key.to_owned(), seconds.clone())),
            Before::Absent => drop(spec.shift_remove(key)),
        }
    }
}

fn restore_container(container: &mut Map<String, Value>, undo: &ContainerUndo) {
    remove_named(container, "volumeMounts", &[DATA_VOLUME, AGENT_VOLUME]);
    remove_named(container, "env", &[GOCOVERDIR]);
    if let Some(environment) = container.get_mut("env").and_then(Value::as_array_mut) {
        for (index, variable) in &undo.environment {
            environment.insert((*index).min(environment.len()), variable.clone());
        }
    }
    remove_created(container, &undo.created);
    if let Some(undo) = &undo.command_line {
        command_line::restore(container, undo);
    }
}

fn unmark(parent: &mut Map<String, Value>, annotation: &str, created: &Created) {
    let Some(metadata) = parent.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    for (key, mark) in [("labels", RUN_LABEL), ("annotations", annotation)] {
        if let Some(map) = metadata.get_mut(key).and_then(Value::as_object_mut) {
            map.shift_remove(mark);
        }
    }
    remove_created(metadata, created);
}

fn remove_named(parent: &mut Map<String, Value>, key: &str, names: &[&str]) {
    if let Some(list) = parent.get_mut(key).and_then(Value::as_array_mut) {
        list.retain(|item| name_of(item).is_none_or(|name| !names.contains(&name)));
    }
}
