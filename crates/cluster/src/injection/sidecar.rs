//! The sidecar container and the volumes of a prepared pod.
//!
//! Nothing here asks for more than the application's own container has: same image, same user, no
//! capability, no privilege escalation, a read-only root.

use podcov_agent_protocol::{
    AGENT_ARGUMENT_KEEP, AGENT_DIRECTORY, AGENT_EXECUTABLE, KEEP_DEADLINE_FLAG, SIDECAR_DATA_DIRECTORY,
};
use serde_json::{Map, Value, json};

use super::{Injection, inject::all_containers};
use crate::{agent_config_map::AGENT_KEY, identity::SIDECAR};

pub(super) const AGENT_VOLUME: &str = "podcov-agent";
pub(super) const DATA_VOLUME: &str = "podcov-data";

/// Files of a ConfigMap volume are not executable unless told so.
const EXECUTABLE_MODE: u32 = 0o555;

/// What the sidecar takes over from the application container's own security context, where it is set there.
const INHERITED_SECURITY: [&str; 6] =
    ["runAsUser", "runAsGroup", "runAsNonRoot", "seccompProfile", "seLinuxOptions", "appArmorProfile"];

pub(super) fn volumes(injection: &Injection) -> [Value; 2] {
    let mut empty_dir = Map::new();
    if let Some(limit) = &injection.data_limit {
        empty_dir.insert("sizeLimit".to_owned(), json!(limit));
    }
    if injection.data_in_memory {
        empty_dir.insert("medium".to_owned(), json!("Memory"));
    }
    [
        json!({
            "name": AGENT_VOLUME,
            "configMap": {"name": injection.agent_config_map, "defaultMode": EXECUTABLE_MODE,
                          "items": [{"key": AGENT_KEY, "path": AGENT_KEY}]},
        }),
        json!({"name": DATA_VOLUME, "emptyDir": empty_dir}),
    ]
}

/// `model` is the application container whose image and user the sidecar takes.
pub(super) fn container(
    injection: &Injection,
    model: &Value,
    containers: &[String],
    guaranteed: bool,
) -> Value {
    let mut arguments = vec![
        json!(AGENT_ARGUMENT_KEEP),
        json!(format!("{KEEP_DEADLINE_FLAG}={}", injection.deadline_seconds)),
    ];
    arguments.extend(containers.iter().map(|name| json!(name)));
    let mut sidecar = Map::new();
    let mut set = |key: &str, value: Value| drop(sidecar.insert(key.to_owned(), value));
    set("name", json!(SIDECAR));
    if let Some(image) = &injection.image {
        set("image", json!(image));
    } else {
        set("image", model.get("image").cloned().unwrap_or_default());
        if let Some(policy) = model.get("imagePullPolicy") {
            set("imagePullPolicy", policy.clone());
        }
    }
    set("restartPolicy", json!("Always"));
    set("command", json!([AGENT_EXECUTABLE]));
    set("args", Value::Array(arguments));
    set("resources", resources(guaranteed));
    set("securityContext", security_context(model));
    set(
        "volumeMounts",
        json!([
            agent_mount(),
            {"name": DATA_VOLUME, "mountPath": SIDECAR_DATA_DIRECTORY},
        ]),
    );
    Value::Object(sidecar)
}

pub(super) fn agent_mount() -> Value {
    json!({"name": AGENT_VOLUME, "mountPath": AGENT_DIRECTORY, "readOnly": true})
}

fn security_context(model: &Value) -> Value {
    let mut context = Map::new();
    if let Some(own) = model.get("securityContext") {
        for key in INHERITED_SECURITY {
            if let Some(value) = own.get(key).filter(|value| !value.is_null()) {
                context.insert(key.to_owned(), value.clone());
            }
        }
    }
    context.insert("allowPrivilegeEscalation".to_owned(), json!(false));
    context.insert("readOnlyRootFilesystem".to_owned(), json!(true));
    context.insert("capabilities".to_owned(), json!({"drop": ["ALL"]}));
    Value::Object(context)
}

/// Requests equal limits where the pod is of the Guaranteed class, so that it stays in it.
fn resources(guaranteed: bool) -> Value {
    if guaranteed {
        json!({"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "50m", "memory": "64Mi"}})
    } else {
        json!({"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"cpu": "500m", "memory": "128Mi"}})
    }
}

/// Whether every container has limits for CPU and memory and requests that equal them
/// (Kubernetes: Pod Quality of Service Classes). A request that is not set equals its limit.
pub(super) fn is_guaranteed(spec: &Map<String, Value>) -> bool {
    let fixed = |container: &Value| {
        ["cpu", "memory"].iter().all(|resource| {
            let value = |class: &str| container.get("resources")?.get(class)?.get(resource);
            let limit = value("limits");
            limit.is_some() && value("requests").is_none_or(|request| Some(request) == limit)
        })
    };
    all_containers(spec).all(fixed)
}
