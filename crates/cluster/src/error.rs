//! What can go wrong with a cluster, in words that name the object, and the next step where there is one.

use std::fmt;

use crate::{Kind, injection::InjectionError};

/// The next step for a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint(pub String);

impl fmt::Display for Hint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Why something on a cluster did not work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No kubeconfig, or it cannot be used.
    #[error("no usable cluster configuration")]
    Configuration(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The kubeconfig has no such context.
    #[error("no context {name:?} in the kubeconfig; it has: {present}")]
    NoSuchContext {
        /// The name asked for.
        name: String,
        /// The names there are.
        present: String,
    },
    /// The API server did not answer.
    #[error("the API server of context {context} does not answer")]
    Unreachable {
        /// The context.
        context: String,
        /// The last attempt's failure.
        #[source]
        source: Box<kube::Error>,
    },
    /// The namespace does not exist.
    #[error("no namespace {0:?}")]
    NoSuchNamespace(String),
    /// The workload does not exist.
    #[error("no {kind} {name:?} in namespace {namespace:?}")]
    NoSuchWorkload {
        /// The kind asked for.
        kind: Kind,
        /// The name asked for.
        name: String,
        /// Where.
        namespace: String,
    },
    /// A selector, or `--all`, matched nothing.
    #[error("nothing to cover in namespace {namespace:?}: {what} matches no workload")]
    NothingSelected {
        /// Where.
        namespace: String,
        /// The selection, in the user's words.
        what: String,
    },
    /// The text is no target.
    #[error("{argument:?} is no target: {reason}")]
    BadTarget {
        /// The argument as given.
        argument: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The API server refused: the message names verb and resource.
    #[error("no permission: {message}")]
    Forbidden {
        /// The API server's message.
        message: String,
    },
    /// The API server refuses the pod for what it is, whoever creates it.
    #[error("namespace {namespace:?} does not admit a pod that reads others: {message}")]
    NotAdmitted {
        /// The namespace.
        namespace: String,
        /// The API server's message.
        message: String,
    },
    /// The API server answered with another error.
    #[error("cannot {verb} {object}")]
    Api {
        /// What was tried.
        verb: &'static str,
        /// On what.
        object: String,
        /// The answer.
        #[source]
        source: Box<kube::Error>,
    },
    /// The manifest cannot be changed.
    #[error("{object}")]
    Injection {
        /// Kind, namespace and name.
        object: String,
        /// Why.
        #[source]
        source: InjectionError,
    },
    /// It belongs to another run.
    #[error("{object} is already prepared by run {run} ({by}, since {since})")]
    AlreadyPrepared {
        /// Kind, namespace and name.
        object: String,
        /// The other run.
        run: String,
        /// Who.
        by: String,
        /// Since when, RFC 3339.
        since: String,
    },
    /// Nothing runs, so nothing can be covered.
    #[error("{0} is scaled to 0: no pod would run")]
    ScaledToZero(String),
    /// A paused Deployment does not roll out.
    #[error("{0} is paused: a change would not be rolled out")]
    Paused(String),
    /// A bare Pod can only be changed by deleting it.
    #[error("{0} has no controller: it has to be deleted and created again")]
    PodMustBeRecreated(String),
    /// The pods did not get ready.
    #[error("{object} does not get ready: {reason}")]
    Rollout {
        /// Kind, namespace and name.
        object: String,
        /// What the pods or the controller say.
        reason: String,
        /// The end of the failing container's log.
        log: Option<String>,
    },
    /// Data of a prepared pod cannot be written on this machine.
    #[error("cannot write {path}")]
    Write {
        /// The file or directory.
        path: String,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// The stream of manifests is no YAML.
    #[error("the manifests cannot be read")]
    Manifests(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// The next step, where there is one that is always right.
    #[must_use]
    pub fn hint(&self) -> Option<Hint> {
        let hint = match self {
            Self::Configuration(_) => "name a kubeconfig with --kubeconfig, or set KUBECONFIG",
            Self::Unreachable { .. } => "check that the cluster runs: kubectl cluster-info",
            Self::NoSuchNamespace(_) => "name the namespace with -n",
            Self::NoSuchWorkload { namespace, .. } | Self::NothingSelected { namespace, .. } => {
                return Some(Hint(format!(
                    "see what there is: kubectl get deployments,statefulsets,daemonsets,pods -n {namespace}"
                )));
            }
            Self::Forbidden { .. } => "docs/rbac.md has the Role that podcov needs",
            Self::NotAdmitted { .. } => {
                "name a namespace that admits it, often kube-system: --attach-namespace kube-system"
            }
            Self::AlreadyPrepared { .. } => {
                "wait for that run, take over with --force, or put everything back with podcov eject"
            }
            Self::ScaledToZero(_) => "scale it up first: kubectl scale --replicas=1 …",
            Self::Paused(_) => "resume it first: kubectl rollout resume …",
            Self::PodMustBeRecreated(_) => "agree with --yes",
            Self::Injection { source: InjectionError::UnknownEntryPoint { container, .. }, .. } => {
                return Some(Hint(format!(
                    "name it with --entrypoint '{container}=PROGRAM ARGUMENT...', set command in the manifest, \
                     or allow files with --capture auto"
                )));
            }
            _ => return None,
        };
        Some(Hint(hint.to_owned()))
    }

    /// The API server's error for one request, told apart by what a user can do about it.
    pub(crate) fn of_request(error: kube::Error, context: &str, verb: &'static str, object: String) -> Self {
        match error {
            kube::Error::Api(status) if status.code == 403 => Self::Forbidden { message: status.message },
            error if is_transient(&error) => {
                Self::Unreachable { context: context.to_owned(), source: Box::new(error) }
            }
            error => Self::Api { verb, object, source: Box::new(error) },
        }
    }
}

/// Whether the same request may succeed a moment later: no connection, or a server that is not ready.
pub(crate) fn is_transient(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => matches!(status.code, 429 | 500 | 502 | 503 | 504),
        kube::Error::HyperError(_) | kube::Error::Service(_) | kube::Error::ReadEvents(_) => true,
        _ => false,
    }
}

/// Whether the API server answered with this HTTP status.
pub(crate) fn has_code(error: &kube::Error, code: u16) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == code)
}
