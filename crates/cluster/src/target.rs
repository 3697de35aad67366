//! What a user names on the command line, and the workloads it stands for.

use std::str::FromStr;

use kube::{ResourceExt, api::ListParams};

use crate::{Connection, Error, Kind, Workload};

/// One named workload: `deploy/api`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
}

impl FromStr for Target {
    type Err = Error;

    fn from_str(argument: &str) -> Result<Self, Error> {
        let bad =
            |reason: &str| Error::BadTarget { argument: argument.to_owned(), reason: reason.to_owned() };
        let (kind, name) =
            argument.split_once('/').ok_or_else(|| bad("write KIND/NAME, for example deploy/api"))?;
        let kind = Kind::from_argument(kind)
            .ok_or_else(|| bad("the kinds are deployment, statefulset, daemonset, replicaset and pod"))?;
        if name.is_empty() || name.contains('/') {
            return Err(bad("the name is missing"));
        }
        Ok(Self { kind, name: name.to_owned() })
    }
}

/// All that a user selected.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// By name.
    pub targets: Vec<Target>,
    /// By a label selector on the workloads.
    pub selector: Option<String>,
    /// Every workload of the namespace.
    pub all: bool,
}

impl Selection {
    /// The workloads, each once, in the order named.
    pub async fn resolve(&self, connection: &Connection) -> Result<Vec<Workload>, Error> {
        let mut workloads: Vec<Workload> = Vec::new();
        for target in &self.targets {
            let workload = Workload::get(connection, target.kind, &target.name).await?;
            if !workloads.iter().any(|known| known.same_object(&workload)) {
                workloads.push(workload);
            }
        }
        if self.all || self.selector.is_some() {
            let found = list(connection, self.selector.as_deref()).await?;
            if found.is_empty() {
                let what = self.selector.as_ref().map_or_else(|| "--all".to_owned(), |s| format!("-l {s}"));
                return Err(if connection.namespace_is_missing().await {
                    Error::NoSuchNamespace(connection.namespace().to_owned())
                } else {
                    Error::NothingSelected { namespace: connection.namespace().to_owned(), what }
                });
            }
            for workload in found {
                if !workloads.iter().any(|known| known.same_object(&workload)) {
                    workloads.push(workload);
                }
            }
        }
        Ok(workloads)
    }
}

/// Every workload with the labels that nothing else controls.
pub(crate) async fn list(connection: &Connection, selector: Option<&str>) -> Result<Vec<Workload>, Error> {
    let mut parameters = ListParams::default();
    if let Some(selector) = selector {
        parameters = parameters.labels(selector);
    }
    let mut workloads = Vec::new();
    for kind in Kind::ALL {
        let api = connection.workloads(kind);
        let objects = connection.request("list", kind.plural(), || api.list(&parameters)).await?;
        workloads.extend(
            objects
                .into_iter()
                .filter(|object| {
                    !object.owner_references().iter().any(|owner| owner.controller == Some(true))
                })
                .map(|object| Workload::from_object(kind, object)),
        );
    }
    Ok(workloads)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubectls_ways_to_name_a_workload_are_understood() {
        for argument in
            ["deploy/api", "deployment/api", "deployments/api", "deployment.apps/api", "Deployment/api"]
        {
            let target: Target = argument.parse().unwrap();
            assert_eq!(target, Target { kind: Kind::Deployment, name: "api".into() }, "{argument}");
        }
    }

    #[test]
    fn a_bad_target_says_what_a_good_one_is() {
        for (argument, part) in
            [("api", "KIND/NAME"), ("job/x", "the kinds are"), ("deploy/", "name is missing")]
        {
            let message = argument.parse::<Target>().unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }
}
