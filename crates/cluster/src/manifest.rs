//! Streams of manifests: capture put into every workload of one, and taken out again.
//!
//! Pure: text in, text out. Objects that run no supported workload pass through with their fields and their
//! order; comments do not, since YAML readers drop them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    Error, RunId, agent_config_map,
    identity::{MANAGED_BY_LABEL, MANAGER, ROLE_LABEL, RUN_LABEL},
    injection::{self, CapturedContainer, ContainerChoice, Injected, Injection, InjectionError},
};

/// A changed stream and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifests {
    /// The stream to apply.
    pub text: String,
    /// What was changed, `deployment shop/api`.
    pub changed: Vec<String>,
    /// How the containers of each are captured, `supervised`. Of prepared streams only.
    pub ways: Vec<String>,
    /// What a user should know.
    pub notes: Vec<String>,
}

/// The stream with capture in every workload, and with the agent for each of their namespaces.
pub fn inject(text: &str, injection: &Injection, agent: &[u8]) -> Result<Manifests, Error> {
    let mut notes = Vec::new();
    let mut changed = Vec::new();
    let mut ways = Vec::new();
    let mut namespaces = BTreeSet::new();
    let mut documents = parse(text)?;
    for document in &mut documents {
        each_object(document, &mut |object| {
            match injection::inject(object, injection) {
                Ok(Injected { object: prepared, containers, supervised, notes: own_notes }) => {
                    ways.push(injection::ways(&containers, &supervised));
                    namespaces.insert(namespace(object));
                    changed.push(display_name(object));
                    notes.extend(own_notes.iter().map(|note| format!("{}: {note}", display_name(object))));
                    *object = prepared;
                }
                Err(InjectionError::UnsupportedKind(kind)) => {
                    if matches!(kind.as_str(), "Job" | "CronJob" | "ReplicationController") {
                        notes.push(format!(
                            "{} is left as it is: its kind is not supported",
                            display_name(object)
                        ));
                    }
                }
                Err(source) => return Err(Error::Injection { object: display_name(object), source }),
            }
            Ok(())
        })?;
    }
    let agents = namespaces.iter().map(|namespace| {
        let config_map = agent_config_map::config_map(&injection.run, namespace.as_deref(), agent);
        let mut value = serde_json::to_value(config_map).unwrap_or_default();
        if let Some(object) = value.as_object_mut() {
            // k8s-openapi writes them too, but last; people read them first.
            object.shift_insert(0, "apiVersion".to_owned(), "v1".into());
            object.shift_insert(1, "kind".to_owned(), "ConfigMap".into());
        }
        value
    });
    let documents: Vec<Value> = agents.chain(documents).collect();
    Ok(Manifests { text: render(&documents)?, changed, ways, notes })
}

/// The containers of every workload in the stream that would be captured.
pub fn captured_containers(text: &str, choice: &ContainerChoice) -> Result<Vec<CapturedContainer>, Error> {
    let mut containers = Vec::new();
    for mut document in parse(text)? {
        each_object(&mut document, &mut |object| {
            match injection::captured_containers(object, choice) {
                Ok(found) => containers.extend(found),
                Err(InjectionError::UnsupportedKind(_)) => {}
                Err(source) => return Err(Error::Injection { object: display_name(object), source }),
            }
            Ok(())
        })?;
    }
    Ok(containers)
}

/// The stream as it was before [`inject`].
pub fn eject(text: &str) -> Result<Manifests, Error> {
    let mut changed = Vec::new();
    let mut documents = parse(text)?;
    documents.retain(|document| !is_agent(document));
    for document in &mut documents {
        each_object(document, &mut |object| {
            match injection::eject(object) {
                Ok(original) => {
                    changed.push(display_name(object));
                    *object = original;
                }
                Err(InjectionError::UnsupportedKind(_) | InjectionError::NotPrepared) => {}
                Err(source) => return Err(Error::Injection { object: display_name(object), source }),
            }
            Ok(())
        })?;
    }
    Ok(Manifests { text: render(&documents)?, changed, ways: Vec::new(), notes: Vec::new() })
}

/// The run that the stream is prepared by; none if no object is.
pub fn run_of(text: &str) -> Result<Option<RunId>, Error> {
    let mut run = None;
    for mut document in parse(text)? {
        each_object(&mut document, &mut |object| {
            run = run.take().or_else(|| injection::preparation(object).map(|preparation| preparation.run));
            Ok(())
        })?;
    }
    Ok(run)
}

/// Every object of a document: itself, or the items of a List.
fn each_object(
    document: &mut Value,
    visit: &mut impl FnMut(&mut Value) -> Result<(), Error>,
) -> Result<(), Error> {
    let is_list = document.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
    match document.get_mut("items").and_then(Value::as_array_mut) {
        Some(items) if is_list => items.iter_mut().try_for_each(visit),
        _ => visit(document),
    }
}

fn is_agent(document: &Value) -> bool {
    let label = |name: &str| document.pointer("/metadata/labels")?.get(name)?.as_str();
    document.get("kind").and_then(Value::as_str) == Some("ConfigMap")
        && label(MANAGED_BY_LABEL) == Some(MANAGER)
        && label(ROLE_LABEL) == Some(agent_config_map::ROLE)
        && label(RUN_LABEL).is_some()
}

fn namespace(object: &Value) -> Option<String> {
    object.pointer("/metadata/namespace").and_then(Value::as_str).map(str::to_owned)
}

fn display_name(object: &Value) -> String {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or("object").to_ascii_lowercase();
    let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or("(unnamed)");
    match namespace(object) {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    }
}

fn parse(text: &str) -> Result<Vec<Value>, Error> {
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(text).map_err(|error| Error::Manifests(error.into()))?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
}

fn render(documents: &[Value]) -> Result<String, Error> {
    let mut text = String::new();
    for document in documents {
        text.push_str("---\n");
        text.push_str(&serde_saphyr::to_string(document).map_err(|error| Error::Manifests(error.into()))?);
        if !text.ends_with('\n') {
            text.push('\n');
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::injection::{CaptureMode, ContainerChoice, EntryPoints};

    const STREAM: &str = r#"
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {ports: [{port: 80}]}
---
# A comment.
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  template:
    spec:
      containers:
      - name: api
        image: shop-api:1
        args: ["yes", "012", "1e3", "0x1F", "null", "~", "on", "1_000", "2026-01-01", "a: b", "", " x", "line\nbreak"]
        env: [{name: GOCOVERDIR, value: /old}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec: {template: {spec: {containers: [{name: m, image: m}]}}}
"#;

    fn injection() -> Injection {
        Injection {
            run: RunId::new("r1").unwrap(),
            by: "ann@laptop".into(),
            since: "2026-01-01T00:00:00Z".into(),
            agent_config_map: "podcov-agent-r1".into(),
            containers: ContainerChoice::All,
            capture: CaptureMode::Files,
            entry_points: EntryPoints::default(),
            image: None,
            deadline_seconds: 60,
            data_limit: None,
            data_in_memory: false,
        }
    }

    #[test]
    fn a_stream_comes_back_as_it_was() {
        let injected = inject(STREAM, &injection(), b"agent").unwrap();
        assert_eq!(injected.changed, ["deployment shop/api"]);
        let ejected = eject(&injected.text).unwrap();
        assert_eq!(parse(&ejected.text).unwrap(), parse(STREAM).unwrap());
        assert_eq!(ejected.changed, injected.changed);
    }

    #[test]
    fn the_agent_comes_first_in_the_namespace_of_the_workload() {
        let injected = inject(STREAM, &injection(), b"agent").unwrap();
        let first = &parse(&injected.text).unwrap()[0];
        assert_eq!(first["kind"], "ConfigMap");
        assert_eq!(first["metadata"]["namespace"], "shop");
        assert_eq!(first["binaryData"]["agent"], "YWdlbnQ=");
    }

    #[test]
    fn what_is_overridden_or_left_is_said() {
        let notes = inject(STREAM, &injection(), b"agent").unwrap().notes;
        assert!(notes.iter().any(|note| note.contains("GOCOVERDIR=/old")), "{notes:?}");
        assert!(notes.iter().any(|note| note.starts_with("job migrate is left")), "{notes:?}");
    }

    #[test]
    fn what_is_no_yaml_is_an_error() {
        assert!(matches!(inject("a: [", &injection(), b""), Err(Error::Manifests(_))));
    }
}
