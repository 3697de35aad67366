//! One workload as the API server has it: read, replaced, and asked about its pods.
//!
//! Kept as untyped JSON, so that fields this podcov has never heard of come back unchanged.

use kube::{
    ResourceExt,
    api::{DynamicObject, PostParams},
};
use serde_json::Value;

use crate::{
    Connection, Error, Kind, Preparation,
    error::has_code,
    injection::{self, CapturedContainer, ContainerChoice, InjectionError},
};

/// The field manager of podcov's changes.
pub(crate) const FIELD_MANAGER: &str = "podcov";

/// A workload and its state at the last read.
#[derive(Clone, Debug)]
pub struct Workload {
    kind: Kind,
    object: DynamicObject,
}

impl Workload {
    pub(crate) fn from_object(kind: Kind, mut object: DynamicObject) -> Self {
        // Items of a list come without.
        object.types = Some(kind.type_meta());
        Self { kind, object }
    }

    /// Reads it; a missing namespace is told from a missing workload where that may be asked.
    pub(crate) async fn get(connection: &Connection, kind: Kind, name: &str) -> Result<Self, Error> {
        let workload = Self::find(connection, kind, name).await?;
        let Some(workload) = workload else {
            return Err(if connection.namespace_is_missing().await {
                Error::NoSuchNamespace(connection.namespace().to_owned())
            } else {
                Error::NoSuchWorkload {
                    kind,
                    name: name.to_owned(),
                    namespace: connection.namespace().to_owned(),
                }
            });
        };
        match workload.object.owner_references().iter().find(|owner| owner.controller == Some(true)) {
            Some(owner) => Err(Error::BadTarget {
                argument: format!("{kind}/{name}"),
                reason: format!("{} {:?} controls it: name that, or its owner", owner.kind, owner.name),
            }),
            None => Ok(workload),
        }
    }

    /// Reads it; none when it is not there.
    pub(crate) async fn find(connection: &Connection, kind: Kind, name: &str) -> Result<Option<Self>, Error> {
        let api = connection.workloads(kind);
        let object = connection.request_optional("get", &format!("{kind}/{name}"), || api.get(name)).await?;
        Ok(object.map(|object| Self::from_object(kind, object)))
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The object's name.
    #[must_use]
    pub fn name(&self) -> String {
        self.object.name_any()
    }

    /// Kind and name, `deployment/api`.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("{}/{}", self.kind, self.object.name_any())
    }

    /// Kind, namespace and name, for messages: `deployment shop/api`.
    #[must_use]
    pub fn display_name(&self) -> String {
        let namespace = self.object.namespace().unwrap_or_default();
        format!("{} {namespace}/{}", self.kind, self.object.name_any())
    }

    /// Who prepared it, if anybody did.
    #[must_use]
    pub fn preparation(&self) -> Option<Preparation> {
        injection::preparation(&self.value())
    }

    /// Its containers that would be captured, also when it is prepared already.
    pub fn captured_containers(&self, choice: &ContainerChoice) -> Result<Vec<CapturedContainer>, Error> {
        injection::captured_containers(&self.value(), choice).map_err(|error| self.injection_error(error))
    }

    pub(crate) fn same_object(&self, other: &Self) -> bool {
        self.kind == other.kind && self.object.name_any() == other.object.name_any()
    }

    pub(crate) fn uid(&self) -> String {
        self.object.uid().unwrap_or_default()
    }

    /// The whole object as JSON.
    pub(crate) fn value(&self) -> Value {
        serde_json::to_value(&self.object).unwrap_or_default()
    }

    pub(crate) fn field(&self, pointer: &str) -> Option<&Value> {
        self.object.data.pointer(pointer)
    }

    fn number(&self, pointer: &str) -> Option<u32> {
        self.field(pointer)?.as_u64().and_then(|number| u32::try_from(number).ok())
    }

    /// Whether the controller has seen the latest change.
    pub(crate) fn is_observed(&self) -> bool {
        let generation = self.object.metadata.generation.unwrap_or(0);
        self.kind == Kind::Pod
            || self.field("/status/observedGeneration").and_then(Value::as_i64) >= Some(generation)
    }

    /// How many pods it wants.
    #[must_use]
    pub fn wanted_pods(&self) -> u32 {
        match self.kind {
            Kind::Pod => 1,
            Kind::DaemonSet => self.number("/status/desiredNumberScheduled").unwrap_or(0),
            _ => self.number("/spec/replicas").unwrap_or(1),
        }
    }

    /// How many of the wanted pods keep the old template whatever happens (StatefulSet partition).
    pub(crate) fn held_back_pods(&self) -> u32 {
        let partition = self.number("/spec/updateStrategy/rollingUpdate/partition").unwrap_or(0);
        if self.kind == Kind::StatefulSet { partition.min(self.wanted_pods()) } else { 0 }
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.field("/spec/paused").and_then(Value::as_bool) == Some(true)
    }

    /// Whether pods keep the old template until somebody deletes them.
    pub(crate) fn replaces_only_deleted_pods(&self) -> bool {
        self.kind == Kind::ReplicaSet
            || self.field("/spec/updateStrategy/type").and_then(Value::as_str) == Some("OnDelete")
    }

    /// The selector of its pods as a query; none for a bare Pod.
    pub(crate) fn pod_selector(&self) -> Option<String> {
        let selector = self.field("/spec/selector")?;
        let labels = selector.get("matchLabels").and_then(Value::as_object);
        let mut terms: Vec<String> = labels
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)))
            .collect();
        for expression in selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten() {
            terms.extend(selector_term(expression));
        }
        Some(terms.join(","))
    }

    /// Replaces it in the cluster. Conflicts with a change made since the last read, with HTTP status 409,
    /// come back as none.
    pub(crate) async fn replace(
        &self,
        connection: &Connection,
        value: &Value,
    ) -> Result<Option<Self>, Error> {
        let name = self.object.name_any();
        let changed: DynamicObject = serde_json::from_value(value.clone())
            .map_err(|error| self.injection_error(InjectionError::Malformed(error.to_string())))?;
        let api = connection.workloads(self.kind);
        let parameters =
            PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        let object = connection
            .request("update", &self.reference(), || async {
                match api.replace(&name, &parameters, &changed).await {
                    Err(error) if has_code(&error, 409) => Ok(None),
                    result => result.map(Some),
                }
            })
            .await?;
        Ok(object.map(|object| Self::from_object(self.kind, object)))
    }

    pub(crate) fn already_prepared_by(&self, preparation: Preparation) -> Error {
        let Preparation { run, by, since, .. } = preparation;
        Error::AlreadyPrepared { object: self.display_name(), run: run.to_string(), by, since }
    }

    pub(crate) fn injection_error(&self, source: InjectionError) -> Error {
        match source {
            InjectionError::AlreadyPrepared { run, by, since } => {
                Error::AlreadyPrepared { object: self.display_name(), run, by, since }
            }
            source => Error::Injection { object: self.display_name(), source },
        }
    }
}

fn selector_term(expression: &Value) -> Option<String> {
    let key = expression.get("key")?.as_str()?;
    let values: Vec<&str> = expression
        .get("values")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let values = values.join(",");
    match expression.get("operator")?.as_str()? {
        "In" => Some(format!("{key} in ({values})")),
        "NotIn" => Some(format!("{key} notin ({values})")),
        "Exists" => Some(key.to_owned()),
        "DoesNotExist" => Some(format!("!{key}")),
        _ => None,
    }
}
