//! Capture put into a manifest, and taken out again, exactly.
//!
//! Pure: works on JSON values and contacts nothing. [`eject`] is the inverse of [`inject()`]: what `inject`
//! replaced or had to create is recorded in an annotation of the object itself, so any later podcov can put
//! it back, also after somebody changed other parts of the object. Unknown fields pass through untouched.

mod command_line;
mod inject;
mod sidecar;
mod structure;
#[cfg(test)]
mod tests;
mod undo;

use serde_json::Value;

pub use command_line::EntryPoints;
pub use inject::{
    CaptureMode, CapturedContainer, ContainerChoice, Injected, Injection, captured_containers, inject,
};
pub use undo::{Undo, eject};

use crate::{Kind, Preparation, identity::PREPARATION_ANNOTATION};

/// Why a manifest cannot be changed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InjectionError {
    /// It runs no pods, or is of a kind that is not supported.
    #[error("kind {0} is not supported")]
    UnsupportedKind(String),
    /// A field has not the type that Kubernetes requires.
    #[error("{0} is missing or has the wrong type")]
    Malformed(String),
    /// A container was asked for that is not there.
    #[error("there is no container {name:?}; it has: {present}")]
    NoSuchContainer {
        /// The name asked for.
        name: String,
        /// The names there are.
        present: String,
    },
    /// It carries podcov's marks already.
    #[error("it is already prepared by run {run} ({by}, since {since})")]
    AlreadyPrepared {
        /// The run that prepared it.
        run: String,
        /// Who.
        by: String,
        /// Since when, RFC 3339.
        since: String,
    },
    /// It carries no marks of podcov, but a container starts podcov's agent.
    #[error("container {0} starts podcov's agent, and nothing says what it ran before")]
    LeftOver(String),
    /// A container is to be supervised, and what it runs is not known.
    #[error("container {container} cannot be supervised, because its entry point is not known: {reason}")]
    UnknownEntryPoint {
        /// The container.
        container: String,
        /// Why.
        reason: String,
    },
    /// Its pods run on Windows.
    #[error("its pods run on Windows nodes, and there is no agent for them")]
    Windows,
    /// It carries no marks of podcov.
    #[error("it is not prepared")]
    NotPrepared,
}

/// The supported kind of an object.
pub fn kind_of(object: &Value) -> Result<Kind, InjectionError> {
    let name = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    Kind::from_api_name(name).ok_or_else(|| InjectionError::UnsupportedKind(name.to_owned()))
}

/// How containers are captured, for people: `supervised`, `files`, or `supervised; proxy from files`.
pub(crate) fn ways(containers: &[String], supervised: &[String]) -> String {
    let others: Vec<&str> =
        containers.iter().filter(|name| !supervised.contains(name)).map(String::as_str).collect();
    match (supervised, others.as_slice()) {
        (_, []) => "supervised".to_owned(),
        ([], _) => "files".to_owned(),
        (_, others) => format!("supervised; {} from files", others.join(", ")),
    }
}

/// Who prepared the object; none if nobody did.
#[must_use]
pub fn preparation(object: &Value) -> Option<Preparation> {
    let annotation = object.get("metadata")?.get("annotations")?.get(PREPARATION_ANNOTATION)?;
    serde_json::from_str(annotation.as_str()?).ok()
}
