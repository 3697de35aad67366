//! `podcov doctor` of pods on nodes that are no containers of its machine: it looks from their nodes, with consent.

use std::process::Command;

use podcov_e2e::doctor::{Diagnoses, doctor_elsewhere};
use podcov_e2e::namespace::Namespace;
use podcov_e2e::workload::{container, pod_spec, request, service, workload};
use podcov_e2e::{cluster, output};
use serde_json::{Value, json};

const SELECTOR: &str = "podcov.dev/snapshot";

/// A covered program with GOCOVERDIR on an emptyDir, and something changed in its pod.
fn deployment(name: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut container = container("probe", 8080, &[]);
    container["env"] = json!([{"name": "GOCOVERDIR", "value": "/coverdata"}]);
    container["volumeMounts"] = json!([{"name": "coverdata", "mountPath": "/coverdata"}]);
    let mut specification = pod_spec(&[container]);
    specification["volumes"] = json!([{"name": "coverdata", "emptyDir": {}}]);
    change(&mut specification);
    workload("Deployment", name, 1, &specification)
}

fn created(namespace: &Namespace) -> Vec<Value> {
    let found = namespace.get(&["pods,configmaps", "-l", SELECTOR]);
    found["items"].as_array().expect("a list").clone()
}

#[track_caller]
fn examine(namespace: &Namespace, name: &str) -> Diagnoses {
    let found = doctor_elsewhere(namespace.name(), &[&format!("deploy/{name}"), "--yes"]);
    assert_eq!(created(namespace), Vec::<Value>::new(), "nothing is left behind");
    found
}

#[test]
fn what_only_a_process_tells_is_told_on_any_node() {
    let namespace = Namespace::new("doctor-inside");
    namespace.admit_everything();
    let owned_by_root = |specification: &mut Value| {
        let path = format!("/var/lib/podcov-e2e/{}", namespace.name());
        specification["volumes"][0] =
            json!({"name": "coverdata", "hostPath": {"path": path, "type": "DirectoryOrCreate"}});
    };
    let read_only = |specification: &mut Value| {
        let container = &mut specification["containers"][0];
        container["env"][0]["value"] = json!("/proc/sys");
        container["securityContext"]["readOnlyRootFilesystem"] = json!(false);
    };
    let deployments = [
        deployment("healthy", |_| {}),
        deployment("missing", |it| it["containers"][0]["env"][0]["value"] = json!("/coverdata/nowhere")),
        deployment("not-writable", owned_by_root),
        deployment("read-only", read_only),
        deployment("full", |it| {
            it["volumes"][0]["emptyDir"] = json!({"medium": "Memory", "sizeLimit": "1Mi"});
        }),
    ];
    for deployment in &deployments {
        namespace.start(deployment);
    }
    examine(&namespace, "healthy").expect_healthy().has("note", "still-running");
    examine(&namespace, "missing").expect_only("directory-missing").read_in("of node");
    examine(&namespace, "not-writable").expect_only("directory-not-writable").read_in("of node");
    examine(&namespace, "read-only").expect_only("read-only-file-system").read_in("of node");
    examine(&namespace, "full").expect_healthy();
    namespace.apply(&service("full"));
    let words = request(namespace.name(), "full", "fill");
    output(Command::new(&words[0]).args(&words[1..]).env("KUBECONFIG", &*cluster::KUBECONFIG));
    examine(&namespace, "full").expect_only("volume-full").read_in("of node");
}

#[test]
fn without_consent_it_is_unknown_and_nothing_is_created() {
    let namespace = Namespace::new("doctor-unasked");
    namespace.admit_everything();
    namespace.start(&deployment("api", |_| {}));
    let found = doctor_elsewhere(namespace.name(), &["deploy/api"])
        .expect_healthy()
        .has("unknown", "could-not-look")
        .says("hostPID, user 0, capability SYS_PTRACE and no other");
    assert!(found.fixes("could-not-look").iter().any(|fix| fix.contains("podcov doctor --yes")), "{found:?}");
    let events = namespace.get(&["events"]).to_string();
    assert!(!events.contains("podcov-snapshot"), "{events}");
}

#[test]
fn a_namespace_that_forbids_the_pod_is_named_and_another_one_will_do() {
    let (namespace, other) = (Namespace::new("doctor-forbidden"), Namespace::new("doctor-forbidden-node"));
    other.admit_everything();
    namespace.start(&deployment("api", |_| {}));
    let found = examine(&namespace, "api").expect_healthy().has("unknown", "could-not-look");
    assert!(found.fixes("could-not-look").iter().any(|fix| fix.contains("--attach-namespace")), "{found:?}");
    let seen =
        doctor_elsewhere(namespace.name(), &["deploy/api", "--yes", "--attach-namespace", other.name()])
            .expect_healthy();
    assert!(!seen.fixes("could-not-look").iter().any(|fix| fix.contains("--yes")), "{seen:?}");
    assert_eq!(created(&other), Vec::<Value>::new());
}
