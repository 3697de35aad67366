//! A namespace that lives as long as its test.

use std::{process::Stdio, time::Duration};

use serde_json::Value;

use crate::{
    cluster::{self, apply, get},
    until_within,
};

/// Pods of a node that is busy with many tests take a while.
const PATIENCE: Duration = Duration::from_mins(3);

/// A namespace of the cluster that admits only pods of Pod Security `restricted`.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// A new one; the name has to be unique among the tests.
    pub fn new(name: &str) -> Self {
        let name = format!("e2e-{name}");
        // Of a run that was killed.
        cluster::run(&["delete", "namespace", &name, "--ignore-not-found", "--wait"]);
        cluster::run(&["create", "namespace", &name]);
        cluster::run(&["label", "namespace", &name, "pod-security.kubernetes.io/enforce=restricted"]);
        Self { name }
    }

    /// Admits pods of any kind from now on.
    pub fn admit_everything(&self) {
        let label = "pod-security.kubernetes.io/enforce=privileged";
        cluster::run(&["label", "--overwrite", "namespace", &self.name, label]);
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Applies objects to it.
    pub fn apply(&self, manifests: &Value) {
        apply(&self.name, &manifests.to_string());
    }

    /// Applies a workload and waits until all of its pods are ready.
    pub fn start(&self, workload: &Value) {
        self.apply(workload);
        let text = |pointer| workload.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let kind = text("/kind").to_ascii_lowercase();
        let reference = format!("{kind}/{}", text("/metadata/name"));
        until_within(&format!("{reference} in {} is ready", self.name), PATIENCE, || {
            is_ready(&kind, &get(&self.name, &[&reference]))
        });
    }

    /// One object or list as JSON.
    pub fn get(&self, what: &[&str]) -> Value {
        get(&self.name, what)
    }

    /// What podcov has created in it to look at pods, and has not deleted: it has this label.
    pub fn labelled(&self, selector: &str) -> Vec<Value> {
        let found = self.get(&["pods,configmaps", "-l", selector]);
        found["items"].as_array().expect("a list").clone()
    }

    /// The object without what Kubernetes itself writes.
    pub fn as_written(&self, reference: &str) -> Value {
        let mut object = self.get(&[reference]);
        remove(&mut object, "/", "status");
        for field in ["resourceVersion", "generation", "managedFields"] {
            remove(&mut object, "/metadata", field);
        }
        for field in ["deployment.kubernetes.io/revision", "deprecated.daemonset.template.generation"] {
            remove(&mut object, "/metadata/annotations", field);
        }
        if reference.starts_with("pod/") {
            // A bare Pod is another object by then, perhaps on another node.
            for field in ["uid", "creationTimestamp"] {
                remove(&mut object, "/metadata", field);
            }
            remove(&mut object, "/spec", "nodeName");
            let volume = object.pointer("/spec/volumes/0/name").and_then(Value::as_str).map(str::to_owned);
            let text = object.to_string();
            if let Some(volume) = volume.filter(|name| name.starts_with("kube-api-access-")) {
                return serde_json::from_str(&text.replace(&volume, "kube-api-access")).expect("it is JSON");
            }
        }
        object
    }

    /// Nothing of podcov is left in it.
    pub fn assert_untouched(&self) {
        let kinds = "deployments,statefulsets,daemonsets,replicasets,pods,configmaps,controllerrevisions";
        until_within(&format!("nothing of podcov is left in {}", self.name), PATIENCE, || {
            let found = self.get(&[kinds, "-l", "podcov.dev/run"]);
            found.pointer("/items").and_then(Value::as_array).is_some_and(Vec::is_empty)
        });
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let events = cluster::kubectl().args(["get", "pods,events", "-n", &self.name]).output();
            let text = events.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
            eprintln!("--- {} at the end:\n{}", self.name, text.unwrap_or_default());
        }
        let _ = cluster::kubectl()
            .args(["delete", "namespace", &self.name, "--wait=false"])
            .stdout(Stdio::null())
            .status();
    }
}

fn is_ready(kind: &str, object: &Value) -> bool {
    let number = |pointer| object.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    match kind {
        "daemonset" => {
            let wanted = number("/status/desiredNumberScheduled");
            wanted > 0 && number("/status/numberReady") == wanted
        }
        "pod" => object.pointer("/status/conditions").and_then(Value::as_array).is_some_and(|conditions| {
            conditions.iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
        }),
        _ => {
            let observed = number("/status/observedGeneration") >= number("/metadata/generation");
            observed && number("/status/readyReplicas") == number("/spec/replicas")
        }
    }
}

fn remove(object: &mut Value, parent: &str, field: &str) {
    let parent = if parent == "/" { Some(object) } else { object.pointer_mut(parent) };
    if let Some(map) = parent.and_then(Value::as_object_mut) {
        map.remove(field);
    }
}
