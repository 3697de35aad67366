//! `podcov doctor` of pods on nodes that are no containers of its machine: it looks from their nodes, with consent.

use std::process::Command;

use podcov_e2e::datastorage;
use podcov_e2e::doctor::{Diagnoses, doctor_elsewhere};
use podcov_e2e::image::{IMAGES, IN_SHELL};
use podcov_e2e::namespace::Namespace;
use podcov_e2e::workload::{container, pod_spec, request, service, workload};
use podcov_e2e::{cluster, output};
use serde_json::{Value, json};

use super::deployed::cause;

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
    namespace.labelled(SELECTOR)
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
    let of_image = |image: &'static str| {
        move |specification: &mut Value| {
            let container = specification["containers"][0].as_object_mut().expect("a container");
            container["image"] = json!(image);
            for of_the_probe in ["args", "ports", "readinessProbe"] {
                container.remove(of_the_probe);
            }
        }
    };
    let argument = |argument: &'static str| {
        move |specification: &mut Value| {
            let arguments = &mut specification["containers"][0]["args"];
            arguments.as_array_mut().expect("a list").push(json!(argument));
        }
    };
    let deployments = [
        deployment("healthy", |_| {}),
        deployment("static", of_image(datastorage::IMAGES.good)),
        deployment("exec", of_image(IN_SHELL.replaced)),
        deployment("trap", of_image(IN_SHELL.with_trap)),
        deployment("missing", |it| it["containers"][0]["env"][0]["value"] = json!("/coverdata/nowhere")),
        deployment("not-writable", owned_by_root),
        deployment("read-only", read_only),
        deployment("full", |it| {
            it["volumes"][0]["emptyDir"] = json!({"medium": "Memory", "sizeLimit": "1Mi"});
        }),
        deployment("plain", |it| it["containers"][0]["image"] = json!(IMAGES.probe_without_coverage)),
        deployment("without-main", of_image(datastorage::IMAGES.without_main)),
        deployment("deaf", argument("-die-on-sigterm")),
        deployment("unheard", of_image(datastorage::IMAGES.deaf)),
        deployment("in-shell", of_image(IN_SHELL.deaf)),
    ];
    for deployment in &deployments {
        namespace.apply(deployment);
    }
    for deployment in &deployments {
        namespace.start(deployment);
    }
    namespace.apply(&service("full"));
    let words = request(namespace.name(), "full", "fill");
    output(Command::new(&words[0]).args(&words[1..]).env("KUBECONFIG", &*cluster::KUBECONFIG));

    let found = doctor_elsewhere(namespace.name(), &["--all", "--yes"]);
    assert_eq!(created(&namespace), Vec::<Value>::new(), "nothing is left behind");
    for name in ["healthy", "static", "exec", "trap"] {
        let found = found.of_workload(namespace.name(), name).expect_healthy().has("note", "still-running");
        found.read_in("functions that have run");
    }
    let broken = [
        "missing",
        "not-writable",
        "read-only",
        "full",
        "plain",
        "without-main",
        "deaf",
        "unheard",
        "in-shell",
    ];
    for name in broken {
        let found = found.of_workload(namespace.name(), name);
        found.expect_only(cause(&format!("inside-{name}"))).read_in("of node");
    }
    // It counts, and nobody will ever see what.
    found.of_workload(namespace.name(), "without-main").read_in("functions that have run");
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
