//! The ConfigMap that carries the agent into the cluster: one for each run, so that runs end independently.

use std::collections::BTreeMap;

use k8s_openapi::{ByteString, api::core::v1::ConfigMap, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use kube::api::{DeleteParams, PostParams};

use crate::{Connection, Error, RunId, error::has_code};

/// The agent's key in the ConfigMap, and its file name in the sidecar.
pub(crate) const AGENT_KEY: &str = "agent";
pub(crate) const ROLE: &str = "agent";

/// The ConfigMap's name.
#[must_use]
pub fn name(run: &RunId) -> String {
    format!("podcov-agent-{run}")
}

/// The ConfigMap as an object.
#[must_use]
pub fn config_map(run: &RunId, namespace: Option<&str>, agent: &[u8]) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(name(run)),
            namespace: namespace.map(str::to_owned),
            labels: Some(run.own_labels(ROLE)),
            ..ObjectMeta::default()
        },
        binary_data: Some(BTreeMap::from([(AGENT_KEY.to_owned(), ByteString(agent.to_owned()))])),
        immutable: Some(true),
        ..ConfigMap::default()
    }
}

pub(crate) async fn create(connection: &Connection, run: &RunId, agent: &[u8]) -> Result<(), Error> {
    create_config_map(connection, &config_map(run, Some(connection.namespace()), agent)).await
}

/// Creates a ConfigMap; one that is there already is left as it is.
pub(crate) async fn create_config_map(connection: &Connection, config_map: &ConfigMap) -> Result<(), Error> {
    let api = connection.config_maps();
    let name = config_map.metadata.name.clone().unwrap_or_default();
    let parameters = PostParams::default();
    connection
        .request("create", &format!("configmap/{name}"), || async {
            match api.create(&parameters, config_map).await {
                Err(error) if has_code(&error, 409) => Ok(()),
                result => result.map(drop),
            }
        })
        .await
}

pub(crate) async fn delete_config_map(connection: &Connection, name: &str) -> Result<(), Error> {
    let api = connection.config_maps();
    let parameters = DeleteParams::default();
    connection
        .request_optional("delete", &format!("configmap/{name}"), || api.delete(name, &parameters))
        .await
        .map(drop)
}
