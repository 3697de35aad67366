//! `podcov doctor` of live workloads: each cause is really there, once, beside a twin that is as it should be.

use std::process::Command;
use std::time::Duration;

use podcov_e2e::doctor::{Diagnoses, doctor};
use podcov_e2e::image::{IMAGES, IN_SHELL};
use podcov_e2e::namespace::Namespace;
use podcov_e2e::workload::{container, pod_spec, request, service, workload};
use podcov_e2e::{cluster, engine, output, until_within};
use serde_json::{Value, json};

use super::deployed;

const PATIENCE: Duration = Duration::from_mins(2);

/// A covered program as careful users deploy it: GOCOVERDIR on an emptyDir.
fn healthy(name: &str, arguments: &[&str]) -> Value {
    let mut container = container("probe", 8080, arguments);
    container["env"] = json!([{"name": "GOCOVERDIR", "value": "/coverdata"}]);
    container["volumeMounts"] = json!([{"name": "coverdata", "mountPath": "/coverdata"}]);
    let mut specification = pod_spec(&[container]);
    specification["volumes"] = json!([{"name": "coverdata", "emptyDir": {}}]);
    specification["terminationGracePeriodSeconds"] = json!(2);
    workload("Deployment", name, 1, &specification)
}

/// The same with something changed in its first container.
fn with(name: &str, arguments: &[&str], change: impl FnOnce(&mut Value)) -> Value {
    let mut deployment = healthy(name, arguments);
    change(&mut deployment["spec"]["template"]["spec"]["containers"][0]);
    deployment
}

fn examine(namespace: &Namespace, name: &str) -> Diagnoses {
    doctor(namespace.name(), &[&format!("deploy/{name}")])
}

#[track_caller]
fn expect_cause(namespace: &Namespace, name: &str) {
    examine(namespace, name).expect_only(deployed::cause(name));
}

/// Asks a program for something that ends it, and waits until its container was started again.
fn end(namespace: &Namespace, name: &str, path: &str) {
    namespace.apply(&service(name));
    let restarted = || {
        let pods = namespace.get(&["pods", "-l", &format!("app={name}")]);
        let status = &pods["items"][0]["status"]["containerStatuses"][0];
        status["restartCount"].as_u64() >= Some(1) && status["state"].get("running").is_some()
    };
    let ask = |path: &str| {
        let words = request(namespace.name(), name, path);
        let asked =
            Command::new(&words[0]).args(&words[1..]).env("KUBECONFIG", &*cluster::KUBECONFIG).output();
        asked.is_ok_and(|asked| asked.status.success())
    };
    until_within(&format!("the service knows the pod of {name}"), PATIENCE, || ask("readyz"));
    // Once: a second one would end the next start. The answer is lost with the process.
    ask(path);
    until_within(&format!("{name} ends, and is started again"), PATIENCE, restarted);
}

#[test]
fn what_is_wrong_with_the_setting_is_named() {
    let namespace = Namespace::new("doctor-setting");
    let unset = with("unset", &[], |container| container["env"] = json!([]));
    let mut elsewhere = with("elsewhere", &[], |container| container["env"] = json!([]));
    let mut proxy = container("proxy", 8081, &[]);
    proxy["image"] = json!(IMAGES.probe_without_coverage);
    proxy["env"] = json!([{"name": "GOCOVERDIR", "value": "/coverdata"}]);
    let containers = &mut elsewhere["spec"]["template"]["spec"]["containers"];
    containers.as_array_mut().expect("a list").push(proxy.clone());
    let relative = with("relative", &["-chdir=/proc"], |container| {
        container["env"][0]["value"] = json!("coverdata");
    });
    // A proxy that is not covered is nothing to worry about.
    let mut beside = healthy("beside", &[]);
    proxy["env"] = json!([]);
    beside["spec"]["template"]["spec"]["containers"].as_array_mut().expect("a list").push(proxy);
    for deployment in [&unset, &elsewhere, &relative, &beside] {
        namespace.start(deployment);
    }
    expect_cause(&namespace, "unset");
    expect_cause(&namespace, "elsewhere");
    examine(&namespace, "beside").expect_healthy().has("note", "still-running");
    // The directory was there when the program started; Go looks for it again at the end.
    end(&namespace, "relative", "exit?code=0");
    expect_cause(&namespace, "relative");
}

#[test]
fn what_is_wrong_with_the_directory_is_named() {
    let namespace = Namespace::new("doctor-directory");
    namespace.admit_everything();
    let missing = with("missing", &[], |container| {
        container["env"][0]["value"] = json!("/nowhere");
    });
    let read_only =
        with("read-only", &[], |container| container["volumeMounts"][0]["readOnly"] = json!(true));
    let mut full = healthy("full", &[]);
    full["spec"]["template"]["spec"]["volumes"][0]["emptyDir"] =
        json!({"medium": "Memory", "sizeLimit": "1Mi"});
    let on_container = with("on-container", &[], |container| {
        container["env"][0]["value"] = json!("/etc");
        container["securityContext"] = json!({"runAsUser": 0, "runAsNonRoot": false});
    });
    let on_root = with("on-root", &[], |container| container["env"][0]["value"] = json!("/etc"));
    for deployment in [&missing, &read_only, &full, &on_container, &on_root] {
        namespace.start(deployment);
    }
    expect_cause(&namespace, "missing");
    expect_cause(&namespace, "read-only");
    expect_cause(&namespace, "on-root");
    expect_cause(&namespace, "on-container");
    examine(&namespace, "full").expect_healthy();
    namespace.apply(&service("full"));
    let words = request(namespace.name(), "full", "fill");
    output(Command::new(&words[0]).args(&words[1..]).env("KUBECONFIG", &*cluster::KUBECONFIG));
    expect_cause(&namespace, "full");
}

#[test]
fn how_a_program_ended_without_counters_is_named() {
    let namespace = Namespace::new("doctor-ending");
    let out_of_memory =
        with("memory", &[], |container| container["resources"] = json!({"limits": {"memory": "48Mi"}}));
    // Process 1 cannot kill itself; here it is the pod's, not the container's.
    let mut killed = healthy("killed", &[]);
    killed["spec"]["template"]["spec"]["shareProcessNamespace"] = json!(true);
    for deployment in
        [&out_of_memory, &killed, &healthy("panic", &[]), &healthy("vanish", &[]), &healthy("exit", &[])]
    {
        namespace.start(deployment);
    }
    for (name, path) in [
        ("memory", "exhaust"),
        ("killed", "kill"),
        ("panic", "panic"),
        ("vanish", "syscall-exit"),
        ("exit", "exit?code=0"),
    ] {
        end(&namespace, name, path);
    }
    expect_cause(&namespace, "memory");
    expect_cause(&namespace, "killed");
    expect_cause(&namespace, "panic");
    expect_cause(&namespace, "vanish");
    examine(&namespace, "exit").expect_healthy();
}

#[test]
fn a_shell_that_keeps_sigterm_to_itself_is_named() {
    let namespace = Namespace::new("doctor-shell");
    // Before anything is deployed.
    doctor(namespace.name(), &[IN_SHELL.deaf]).expect_only("shell-swallows-signals");
    doctor(namespace.name(), &[IN_SHELL.replaced]).expect_healthy();
    let in_image = |name: &str, tag: &str| {
        with(name, &[], |container| {
            container["image"] = json!(tag);
            container.as_object_mut().expect("an object").remove("args");
        })
    };
    for (name, image) in
        [("in-shell", IN_SHELL.deaf), ("trap", IN_SHELL.with_trap), ("exec", IN_SHELL.replaced)]
    {
        namespace.start(&in_image(name, image));
    }
    expect_cause(&namespace, "in-shell");
    examine(&namespace, "trap").expect_healthy();
    examine(&namespace, "exec").expect_healthy();
}

#[test]
fn pods_that_cannot_be_started_are_explained() {
    let namespace = Namespace::new("doctor-admission");
    let host_path = |name: &str, check: &str| {
        let mut deployment = healthy(name, &[]);
        let volume = json!({"path": format!("/nowhere/podcov-{name}"), "type": check});
        deployment["spec"]["template"]["spec"]["volumes"][0] =
            json!({"name": "coverdata", "hostPath": volume});
        deployment
    };
    let warns = |name: &str, words: &str| {
        until_within(&format!("an event of {name} says {words}"), PATIENCE, || {
            let events = namespace.get(&["events"]);
            let events = events["items"].as_array().expect("a list");
            events.iter().any(|event| {
                let about = event["involvedObject"]["name"].as_str().unwrap_or_default();
                about.starts_with(name) && event["message"].as_str().is_some_and(|text| text.contains(words))
            })
        });
    };
    namespace.apply(&host_path("forbidden", "DirectoryOrCreate"));
    warns("forbidden", "violates PodSecurity");
    expect_cause(&namespace, "forbidden");
    namespace.admit_everything();
    namespace.apply(&host_path("unmounted", "Directory"));
    warns("unmounted", "hostPath type check failed");
    expect_cause(&namespace, "unmounted");
    namespace.apply(&with("as-root", &[], |container| {
        container["securityContext"] = json!({"runAsUser": 0, "runAsNonRoot": true});
    }));
    until_within("the container cannot be made", PATIENCE, || {
        namespace.get(&["pods"]).to_string().contains("CreateContainerConfigError")
    });
    examine(&namespace, "as-root")
        .expect_healthy()
        .has("unknown", deployed::cause("as-root"))
        .read_in("CreateContainerConfigError");
}

#[test]
fn an_image_that_was_built_again_and_not_deployed_is_named() {
    let namespace = Namespace::new("doctor-stale");
    let name = "podcov-probe:doctor";
    let rename = |image: &str| drop(output(Command::new("docker").args(["tag", image, name])));
    rename(IMAGES.probe);
    engine::load(&[name]);
    namespace.start(&with("stale", &[], |container| container["image"] = json!(name)));
    examine(&namespace, "stale").expect_healthy();
    rename(IMAGES.probe_of_oldest_go);
    expect_cause(&namespace, "stale");
}
