//! YAML: kind configurations and manifests, in files and streams.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use podcov_doctor::facts::{KindConfiguration, NotSeen, Workload, pod_spec::PodSpec};
use podcov_doctor::{Facts, Hop, Known};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Rendered charts have some megabytes.
const MOST_BYTES: u64 = 16 << 20;
const ENFORCED_LEVEL: &str = "pod-security.kubernetes.io/enforce";

pub(super) fn read_file(path: &Path, facts: &mut Facts) {
    let name = path.display().to_string();
    match super::read_text(path, MOST_BYTES) {
        Ok(text) => read(&name, &text, facts),
        Err(reason) => facts.not_seen.push(not_seen(&name, reason)),
    }
}

pub(super) fn read_standard_input(facts: &mut Facts) {
    let name = "standard input";
    let mut text = String::new();
    match std::io::stdin().lock().take(MOST_BYTES).read_to_string(&mut text) {
        Ok(_) => read(name, &text, facts),
        Err(error) => facts.not_seen.push(not_seen(name, error.to_string())),
    }
}

fn not_seen(subject: &str, reason: impl Into<String>) -> NotSeen {
    NotSeen { subject: subject.to_owned(), hop: Hop::Pod, reason: reason.into(), fix: None }
}

fn read(name: &str, text: &str, facts: &mut Facts) {
    let documents: Vec<Value> = match serde_saphyr::from_multiple(text) {
        Ok(documents) => documents,
        Err(error) => {
            let reason = error.to_string();
            let first = reason.lines().next().unwrap_or_default();
            facts.not_seen.push(not_seen(name, format!("it is no YAML: {first}")));
            return;
        }
    };
    let mut objects = Vec::new();
    for document in documents {
        flatten(document, &mut objects);
    }
    let before = (facts.workloads.len(), facts.kind_configurations.len(), facts.not_seen.len());
    let levels = enforced_levels(name, &objects);
    for object in objects {
        add(name, object, &levels, facts);
    }
    if before == (facts.workloads.len(), facts.kind_configurations.len(), facts.not_seen.len()) {
        facts
            .not_seen
            .push(not_seen(name, "it has neither a workload nor the configuration of a kind cluster"));
    }
}

/// The objects of a document: itself, or the items of a list. Fields that are null are as if they were not there.
fn flatten(document: Value, objects: &mut Vec<Value>) {
    let is_list = text(&document, "/kind").is_some_and(|kind| kind.ends_with("List"));
    match document {
        Value::Object(mut list) if is_list => {
            if let Some(Value::Array(items)) = list.remove("items") {
                for item in items {
                    flatten(item, objects);
                }
            }
        }
        Value::Object(_) => objects.push(without_nulls(document)),
        _ => {}
    }
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key, without_nulls(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str()
}

/// What the namespaces of the stream enforce.
fn enforced_levels(name: &str, objects: &[Value]) -> BTreeMap<String, Known<String>> {
    let namespaces = objects.iter().filter(|object| text(object, "/kind") == Some("Namespace"));
    let level = |object: &Value| {
        let namespace = text(object, "/metadata/name")?.to_owned();
        let level = object.pointer("/metadata/labels")?.get(ENFORCED_LEVEL)?.as_str()?.to_owned();
        let at = format!("{name}, namespace {namespace}");
        Some((namespace, Known::found(level, at)))
    };
    namespaces.filter_map(level).collect()
}

fn add(name: &str, object: Value, levels: &BTreeMap<String, Known<String>>, facts: &mut Facts) {
    let kind = text(&object, "/kind").unwrap_or_default().to_owned();
    let is_kind = text(&object, "/apiVersion").is_some_and(|version| version.starts_with("kind.x-k8s.io/"));
    if is_kind && kind == "Cluster" {
        match parse::<KindConfiguration>(object) {
            Ok(configuration) => {
                facts
                    .kind_configurations
                    .push(KindConfiguration { read_from: name.to_owned(), ..configuration });
            }
            Err(reason) => facts.not_seen.push(not_seen(name, reason)),
        }
        return;
    }
    let pointer = match kind.as_str() {
        "Pod" => "/spec",
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => "/spec/template/spec",
        "CronJob" => "/spec/jobTemplate/spec/template/spec",
        _ => return,
    };
    let namespace = text(&object, "/metadata/namespace").map(str::to_owned);
    let own = text(&object, "/metadata/name").unwrap_or("(unnamed)");
    let place = namespace.as_ref().map(|namespace| format!("{namespace}/")).unwrap_or_default();
    let subject = format!("{} {place}{own}", kind.to_ascii_lowercase());
    let Some(spec) = object.pointer(pointer) else {
        facts.not_seen.push(not_seen(&subject, format!("it has no {}", pointer.replace('/', "."))));
        return;
    };
    match parse::<PodSpec>(spec.clone()) {
        Ok(spec) => facts.workloads.push(Workload {
            enforced_level: namespace
                .as_ref()
                .and_then(|namespace| levels.get(namespace))
                .cloned()
                .unwrap_or_default(),
            read_from: format!("{name}, {subject}"),
            name: subject,
            kind,
            namespace,
            spec,
        }),
        Err(reason) => facts.not_seen.push(not_seen(&subject, reason)),
    }
}

fn parse<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}
