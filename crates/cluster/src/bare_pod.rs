//! A Pod that no controller owns: it can only be changed by deleting it and creating it again.
//!
//! While neither the old nor the new Pod exists, its original lies in a ConfigMap, so that a podcov that is
//! killed right then loses nothing.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::{
    api::core::v1::{ConfigMap, Pod},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{
    ResourceExt,
    api::{DeleteParams, DynamicObject, PostParams},
};
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    Connection, Error, Kind, RunId, Workload, agent_config_map::create_config_map, error::has_code,
    injection::InjectionError, workload::FIELD_MANAGER,
};

/// The role of a ConfigMap that holds a Pod's original.
pub(crate) const ROLE: &str = "original-pod";
const ORIGINAL_KEY: &str = "pod.json";
const LOOK_INTERVAL: Duration = Duration::from_millis(250);
/// Beyond the Pod's own grace period.
const DELETION_MARGIN: Duration = Duration::from_mins(1);
const DEFAULT_GRACE_SECONDS: u64 = 30;

/// What only the API server and the scheduler write. A Pod is created without it.
const SERVER_METADATA: [&str; 7] = [
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "managedFields",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
];

/// The Pod as its author wrote it, as far as that can be known.
pub(crate) fn as_written(pod: &Value) -> Value {
    let mut pod = pod.clone();
    if let Some(object) = pod.as_object_mut() {
        object.shift_remove("status");
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            for key in SERVER_METADATA {
                metadata.shift_remove(key);
            }
        }
        if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
            spec.shift_remove("nodeName");
        }
    }
    pod
}

/// A Pod's original as it lies in the cluster.
#[derive(Clone, Debug)]
pub(crate) struct Original {
    pub(crate) name: String,
    pub(crate) pod: Value,
}

impl Original {
    /// None for any other ConfigMap.
    pub(crate) fn of(config_map: &ConfigMap) -> Option<Self> {
        let text = config_map.data.as_ref()?.get(ORIGINAL_KEY)?;
        let pod: Value = serde_json::from_str(text).ok()?;
        let name = pod.pointer("/metadata/name")?.as_str()?.to_owned();
        Some(Self { name, pod })
    }

    pub(crate) async fn store(&self, connection: &Connection, run: &RunId) -> Result<(), Error> {
        let config_map = ConfigMap {
            metadata: ObjectMeta {
                name: Some(format!("podcov-original-{run}-{}", self.name)),
                namespace: Some(connection.namespace().to_owned()),
                labels: Some(run.own_labels(ROLE)),
                ..ObjectMeta::default()
            },
            data: Some(BTreeMap::from([(ORIGINAL_KEY.to_owned(), self.pod.to_string())])),
            ..ConfigMap::default()
        };
        create_config_map(connection, &config_map).await
    }
}

/// Deletes the Pod if it is still the one with this UID, waits until it is gone, and creates `replacement`.
pub(crate) async fn replace(
    connection: &Connection,
    workload: &Workload,
    replacement: &Value,
) -> Result<Workload, Error> {
    delete(connection, workload).await?;
    create(connection, &workload.name(), replacement).await
}

/// Creates the Pod unless it is there.
pub(crate) async fn create(connection: &Connection, name: &str, pod: &Value) -> Result<Workload, Error> {
    let reference = format!("pod/{name}");
    let mut object: DynamicObject = serde_json::from_value(pod.clone()).map_err(|error| {
        Error::Injection { object: reference.clone(), source: InjectionError::Malformed(error.to_string()) }
    })?;
    object.metadata.namespace = Some(connection.namespace().to_owned());
    let api = connection.workloads(Kind::Pod);
    let parameters = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
    let created = connection
        .request("create", &reference, || async {
            match api.create(&parameters, &object).await {
                Err(error) if has_code(&error, 409) => api.get(name).await,
                result => result,
            }
        })
        .await?;
    Ok(Workload::from_object(Kind::Pod, created))
}

async fn delete(connection: &Connection, workload: &Workload) -> Result<(), Error> {
    let name = workload.name();
    let uid = workload.uid();
    let reference = workload.reference();
    let pods = connection.pods();
    let parameters = DeleteParams::default();
    connection.request_optional("delete", &reference, || pods.delete(&name, &parameters)).await?;
    let grace = workload.field("/spec/terminationGracePeriodSeconds").and_then(Value::as_u64);
    let deadline =
        Instant::now() + Duration::from_secs(grace.unwrap_or(DEFAULT_GRACE_SECONDS)) + DELETION_MARGIN;
    loop {
        let current: Option<Pod> = connection.request_optional("get", &reference, || pods.get(&name)).await?;
        if current.is_none_or(|pod| pod.uid().as_deref() != Some(&uid)) {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(Error::Rollout {
                object: workload.display_name(),
                reason: "it was deleted and does not go away".to_owned(),
                log: None,
            });
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}
