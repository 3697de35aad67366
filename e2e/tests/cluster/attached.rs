//! `podcov snapshot` of pods that were never prepared: read from their nodes, by a pod that is gone afterwards.

use std::{process::Command, time::Duration};

use nix::sys::signal::Signal;
use podcov_e2e::{
    cluster, counter_files,
    image::IMAGES,
    namespace::Namespace,
    output,
    podcov::{Outcome, Podcov},
    repository, until_within,
    workload::{container, deployment, pod, pod_spec, request, service},
};
use serde_json::{Value, json};

const SELECTOR: &str = "podcov.dev/snapshot";
const PATIENCE: Duration = Duration::from_mins(1);

/// What podcov has created there.
fn created(namespace: &Namespace) -> Vec<Value> {
    namespace.labelled(SELECTOR)
}

/// Pods that read others, where such pods are admitted.
fn attach_namespace(name: &str) -> Namespace {
    let namespace = Namespace::new(name);
    namespace.admit_everything();
    namespace
}

fn snapshot(namespace: &Namespace, attach: &Namespace) -> Podcov {
    Podcov::new("snapshot", namespace.name()).arguments(["--yes", "--attach-namespace", attach.name()])
}

fn work(namespace: &Namespace, service: &str, times: usize) {
    let words = request(namespace.name(), service, "work");
    let words: Vec<&str> = words[1..].iter().map(String::as_str).collect();
    for _ in 0..times {
        cluster::run(&words);
    }
}

/// How often `worked` of the probe ran in all pods together, as Go's own tools read the data.
fn runs_of_worked(outcome: &Outcome, directory: &str) -> u64 {
    let directory = outcome.run_directory().with_file_name(directory);
    let inputs: Vec<String> = counter_files(&directory)
        .iter()
        .filter_map(|file| file.parent().map(|parent| parent.display().to_string()))
        .collect();
    let profile = directory.join("worked.txt");
    let (input, output_flag) = (format!("-i={}", inputs.join(",")), format!("-o={}", profile.display()));
    output(Command::new("go").args(["tool", "covdata", "textfmt", &input, &output_flag]));
    let source = std::fs::read_to_string(repository().join("e2e/probe/main.go")).expect("the probe's source");
    let line = source.lines().position(|line| line.starts_with("func worked()")).expect("it is there") + 1;
    let text = std::fs::read_to_string(&profile).expect("a profile");
    let blocks = text.lines().filter(|block| block.contains(&format!("main.go:{line}.")));
    blocks
        .map(|block| block.rsplit(' ').next().and_then(|count| count.parse::<u64>().ok()).expect("a count"))
        .sum()
}

#[test]
fn pods_that_were_never_prepared_are_read_exactly_and_left_as_they_are() {
    let (namespace, attach) = (Namespace::new("attached"), attach_namespace("attached-node"));
    namespace.start(&deployment("probe", 2, &[]));
    namespace.apply(&service("probe"));
    let state = |namespace: &Namespace| {
        let pods = namespace.get(&["pods", "-l", "app=probe"]);
        let pods = pods["items"].as_array().expect("a list").iter();
        pods.map(|pod| (pod["metadata"]["uid"].clone(), pod["status"]["containerStatuses"].clone()))
            .collect::<Vec<_>>()
    };
    let (before, deployment) = (state(&namespace), namespace.as_written("deployment/probe"));

    work(&namespace, "probe", 5);
    let first = snapshot(&namespace, &attach)
        .arguments(["deploy/probe", "-o", "first"])
        .run()
        .ends_with(0)
        .says("hostPID, user 0, capability SYS_PTRACE and no other")
        .reports("2 of 2 pods, 2 of 2 processes");
    assert_eq!(runs_of_worked(&first, "first"), 5);

    // What the tests ran, and nothing that ran before.
    work(&namespace, "probe", 3);
    let since = snapshot(&namespace, &attach)
        .arguments(["-l", "app=probe", "--since", "first"])
        .in_directory_of(&first)
        .run()
        .ends_with(0)
        .reports("only what ran since the snapshot of")
        .reports("2 of 2 pods, 2 of 2 processes");
    assert_eq!(runs_of_worked(&since, "coverage"), 3);
    for capture in since.record()["captures"].as_array().expect("captures") {
        assert_eq!((&capture["way"], &capture["origin"]["kind"]), (&json!("attached"), &json!("pod")));
        assert_eq!(capture["origin"]["workload"], "deployment/probe");
    }

    assert_eq!((before, deployment), (state(&namespace), namespace.as_written("deployment/probe")));
    assert_eq!((created(&namespace), created(&attach)), (Vec::new(), Vec::new()));

    // A process that was there then, and is not any more.
    cluster::run(&["delete", "pod", "-n", namespace.name(), "-l", "app=probe", "--wait"]);
    until_within("the pods are there again", PATIENCE, || {
        namespace.get(&["deployment/probe"])["status"]["readyReplicas"] == 2
    });
    snapshot(&namespace, &attach)
        .arguments(["deploy/probe", "--since", "first", "-o", "later"])
        .in_directory_of(&first)
        .run()
        .ends_with(3)
        .says("has ended since the earlier snapshot")
        .reports("new since then, and counted whole");
}

#[test]
fn a_namespace_that_forbids_the_pod_says_so_in_the_words_of_kubernetes() {
    let namespace = Namespace::new("attached-forbidden");
    namespace.start(&deployment("probe", 1, &[]));
    Podcov::new("snapshot", namespace.name())
        .arguments(["deploy/probe", "--yes"])
        .run()
        .ends_with(1)
        .says("violates PodSecurity \"restricted:latest\": host namespaces (hostPID=true)")
        .says("Hint: name a namespace that admits it, often kube-system: --attach-namespace kube-system");
    assert_eq!(created(&namespace), Vec::<Value>::new());
}

#[test]
fn without_a_yes_nothing_is_created() {
    let namespace = Namespace::new("attached-unasked");
    namespace.admit_everything();
    namespace.start(&deployment("probe", 1, &[]));
    let outcome = Podcov::new("snapshot", namespace.name())
        .arguments(["deploy/probe"])
        .run()
        .ends_with(2)
        .says("hostPID, user 0, capability SYS_PTRACE and no other")
        .says("Hint: agree with --yes");
    assert!(!outcome.run_directory().exists());
    let events = namespace.get(&["events"]).to_string();
    assert!(!events.contains("podcov-snapshot"), "{events}");
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_counts() {
    let (namespace, attach) = (Namespace::new("attached-odd"), attach_namespace("attached-odd-node"));
    let mut plain = deployment("plain", 1, &[]);
    plain["spec"]["template"]["spec"]["containers"][0]["image"] = json!(IMAGES.probe_without_coverage);
    namespace.start(&plain);
    // Counts, and has a container beside it that need not.
    let mut beside = container("beside", 8081, &[]);
    beside["image"] = json!(IMAGES.probe_without_coverage);
    let mut old = container("old", 8080, &[]);
    old["image"] = json!(IMAGES.probe_of_oldest_go);
    namespace.start(&pod("two", &pod_spec(&[old, beside])));
    let mut nowhere = pod_spec(&[container("nowhere", 8080, &[])]);
    nowhere["nodeSelector"] = json!({"podcov.dev/no-node": "has-this"});
    namespace.apply(&pod("nowhere", &nowhere));
    until_within("the scheduler has said something", PATIENCE, || {
        namespace.get(&["pod/nowhere"]).to_string().contains("didn't match Pod's node affinity/selector")
    });

    let outcome = snapshot(&namespace, &attach)
        .arguments(["--all"])
        .run()
        .ends_with(3)
        .says("/probe was built without coverage: use go build -cover")
        .says("lost           nowhere/nowhere: it does not run: its pod is Pending")
        .says("didn't match Pod's node affinity/selector")
        .says("read           two/old")
        .reports("1 of 3 pods, 1 of 1 process");
    let record = outcome.record();
    let captures = record["captures"].as_array().expect("captures");
    let names: Vec<_> = captures.iter().map(|capture| capture["origin"]["container"].as_str()).collect();
    assert!(!names.contains(&Some("beside")), "nothing is missing of it: {names:?}");
    assert_eq!(created(&attach), Vec::<Value>::new());

    snapshot(&namespace, &attach)
        .arguments(["pod/two", "--image", "no-such-image:here"])
        .run()
        .ends_with(3)
        .says("the node does not have its image, and nothing is pulled");
    assert_eq!(created(&attach), Vec::<Value>::new());
}

/// Sends a signal to a podcov that has created its pod. Where the node was faster, and podcov had ended or was about to, it
/// is tried again.
fn stopped(namespace: &Namespace, attach: &Namespace, signal: Signal, is_stopped: impl Fn(&Outcome) -> bool) {
    const TRIES: usize = 10;
    for _ in 0..TRIES {
        let mut podcov = snapshot(namespace, attach).arguments(["deploy/probe"]).start();
        podcov.wait_for("creating");
        until_within("podcov has created its pod, or has ended", PATIENCE, || {
            podcov.has_ended() || created(attach).iter().any(|object| object["kind"] == "Pod")
        });
        if !podcov.has_ended() {
            podcov.signal(signal);
        }
        if is_stopped(&podcov.wait()) {
            return;
        }
    }
    panic!("podcov was never slow enough to be stopped");
}

#[test]
fn ctrl_c_and_a_kill_leave_nothing_in_the_end() {
    let (namespace, attach) = (Namespace::new("attached-kill"), attach_namespace("attached-kill-node"));
    namespace.start(&deployment("probe", 1, &[]));

    stopped(&namespace, &attach, Signal::SIGINT, |outcome| outcome.code == Some(130));
    assert_eq!(created(&attach), Vec::<Value>::new(), "it has deleted everything before it ended");

    let leaves_something = |outcome: &Outcome| outcome.code.is_none() && !created(&attach).is_empty();
    stopped(&namespace, &attach, Signal::SIGKILL, leaves_something);
    Podcov::new("eject", attach.name()).run().ends_with(0).says("left by an earlier podcov");
    assert_eq!(created(&attach), Vec::<Value>::new());

    stopped(&namespace, &attach, Signal::SIGKILL, leaves_something);
    let left = created(&attach);
    // Another podcov may be using it, until its time is over.
    snapshot(&namespace, &attach).arguments(["deploy/probe"]).run().ends_with(0);
    assert_eq!(created(&attach).len(), left.len());
    for pod in left.iter().filter(|object| object["kind"] == "Pod") {
        let name = pod["metadata"]["name"].as_str().expect("a name");
        let sooner = r#"{"spec": {"activeDeadlineSeconds": 1}}"#;
        cluster::run(&["patch", "pod", name, "-n", attach.name(), "-p", sooner]);
    }
    until_within("the pod ends by itself", PATIENCE, || {
        created(&attach)
            .iter()
            .filter(|object| object["kind"] == "Pod")
            .all(|pod| pod["status"]["phase"] == "Failed")
    });
    snapshot(&namespace, &attach)
        .arguments(["deploy/probe"])
        .run()
        .ends_with(0)
        .says("left by an earlier podcov");
    assert_eq!(created(&attach), Vec::<Value>::new());
}
