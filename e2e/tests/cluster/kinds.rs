//! Every kind of workload, several replicas, several containers.

use std::process::Command;

use podcov_e2e::{
    cluster::{self, CONTEXT, KUBECONFIG},
    counter_files,
    image::IMAGES,
    namespace::Namespace,
    podcov::{PODCOV, Podcov},
    workload::{container, deployment, pod, pod_spec, workload},
};
use serde_json::json;

#[test]
fn all_workloads_of_a_namespace_are_covered_and_put_back() {
    let namespace = Namespace::new("kinds");
    let spec = |arguments: &[&str]| pod_spec(&[container("probe", 8080, arguments)]);
    for kind in ["StatefulSet", "DaemonSet", "ReplicaSet"] {
        namespace.start(&workload(kind, &kind.to_ascii_lowercase(), 2, &spec(&[])));
    }
    let mut on_delete = workload("StatefulSet", "on-delete", 2, &spec(&[]));
    on_delete["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
    namespace.start(&on_delete);
    namespace.start(&pod("bare", &spec(&[])));
    let references = [
        "statefulset/statefulset",
        "daemonset/daemonset",
        "replicaset/replicaset",
        "statefulset/on-delete",
        "pod/bare",
    ];
    let before = references.map(|reference| namespace.as_written(reference));

    Podcov::new("run", namespace.name())
        .arguments(["--all", "--", "true"])
        .run()
        .ends_with(1)
        .says("pod e2e-kinds/bare has no controller: it has to be deleted and created again")
        .says("--yes");
    let untouched = references.map(|reference| namespace.as_written(reference));
    assert_eq!(before, untouched);

    let outcome =
        Podcov::new("run", namespace.name()).arguments(["--all", "--yes", "--", "true"]).run().ends_with(0);
    let daemons = namespace.get(&["daemonset/daemonset"])["status"]["desiredNumberScheduled"].as_u64();
    let pods = 2 + 2 + 2 + 1 + daemons.expect("a number of nodes");
    let outcome = outcome.reports(&format!("{pods} of {pods} pods, {pods} of {pods} processes"));
    assert_eq!(counter_files(&outcome.run_directory().join("data")).len() as u64, pods);

    let after = references.map(|reference| namespace.as_written(reference));
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before, after);
    }
    namespace.assert_untouched();
}

#[test]
fn somebody_at_a_terminal_is_asked_before_a_bare_pod_is_recreated() {
    let namespace = Namespace::new("ask");
    namespace.start(&pod("bare", &pod_spec(&[container("probe", 8080, &[])])));
    let uid = || namespace.get(&["pod/bare"])["metadata"]["uid"].clone();
    let before = uid();
    let directory = tempfile::tempdir().expect("a temporary directory");
    // script(1) is a terminal for those who have none.
    let answer = |answer: &str| {
        let podcov = PODCOV.display();
        let name = namespace.name();
        let command = format!("{podcov} run --context {CONTEXT} -n {name} pod/bare -- true");
        let typed = format!("echo {answer} | script --quiet --return --command '{command}' /dev/null");
        let mut shell = Command::new("bash");
        shell.args(["-c", &typed]).env("KUBECONFIG", &*KUBECONFIG).current_dir(directory.path());
        let output = shell.output().expect("bash starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let refused = answer("n");
    assert!(
        refused.contains("pod e2e-ask/bare has no controller: delete it and create it again? [y/N]"),
        "{refused}"
    );
    assert_eq!(before, uid());
    let agreed = answer("y");
    assert!(agreed.contains("1 of 1 pod, 1 of 1 process"), "{agreed}");
    assert_ne!(before, uid());
    namespace.assert_untouched();
}

#[test]
fn workloads_are_selected_by_their_labels() {
    let namespace = Namespace::new("selector");
    namespace.start(&deployment("one", 1, &[]));
    namespace.start(&deployment("two", 1, &[]));
    Podcov::new("run", namespace.name())
        .arguments(["-l", "app=two", "--", "true"])
        .run()
        .ends_with(0)
        .says("instrumented   two (1 pod)")
        .reports("1 of 1 pod, 1 of 1 process");
    let one = namespace.get(&["deployment/one"]);
    assert_eq!(one["metadata"]["generation"], 1, "the other one was never touched");
}

#[test]
fn every_container_of_a_pod_reports_and_one_without_coverage_is_left_out() {
    let namespace = Namespace::new("containers");
    let mut plain = container("plain", 8082, &[]);
    plain["image"] = json!(IMAGES.probe_without_coverage);
    let spec = pod_spec(&[container("front", 8080, &[]), container("back", 8081, &[]), plain]);
    namespace.start(&workload("Deployment", "trio", 1, &spec));
    let outcome = Podcov::new("run", namespace.name())
        .arguments(["deploy/trio", "--", "true"])
        .run()
        .ends_with(0)
        .reports("1 of 1 pod, 2 of 2 processes");
    let names: Vec<String> = counter_files(&outcome.run_directory())
        .iter()
        .filter_map(|path| Some(path.parent()?.file_name()?.to_string_lossy().into_owned()))
        .collect();
    assert!(names.contains(&"front-0".to_owned()) && names.contains(&"back-0".to_owned()), "{names:?}");

    let outcome = Podcov::new("run", namespace.name())
        .arguments(["deploy/trio", "-c", "back", "--", "true"])
        .run()
        .ends_with(0)
        .reports("1 of 1 pod, 1 of 1 process");
    assert_eq!(counter_files(&outcome.run_directory()).len(), 1);

    Podcov::new("run", namespace.name())
        .arguments(["deploy/trio", "-c", "plain", "--", "true"])
        .run()
        .ends_with(1)
        .says("container plain: no process was built with coverage");
    Podcov::new("run", namespace.name())
        .arguments(["deploy/trio", "-c", "nobody", "--", "true"])
        .run()
        .ends_with(1)
        .says("front, back, plain");
    namespace.assert_untouched();
}

#[test]
fn a_gocoverdir_of_the_manifest_is_overridden_and_comes_back() {
    let namespace = Namespace::new("gocoverdir");
    let mut probe = deployment("probe", 1, &[]);
    probe["spec"]["template"]["spec"]["containers"][0]["env"] =
        json!([{"name": "BEFORE", "value": "1"}, {"name": "GOCOVERDIR", "value": "/nowhere"}]);
    namespace.start(&probe);
    let before = namespace.as_written("deployment/probe");
    Podcov::new("run", namespace.name())
        .arguments(["deploy/probe", "--", "true"])
        .run()
        .ends_with(0)
        .says("GOCOVERDIR=/nowhere");
    assert_eq!(before, namespace.as_written("deployment/probe"));
}

#[test]
fn a_rollout_of_somebody_else_during_the_tests_loses_nothing() {
    let namespace = Namespace::new("rollout");
    namespace.start(&deployment("probe", 1, &[]));
    let restart = format!(
        "kubectl rollout restart -n {0} deploy/probe && kubectl rollout status -n {0} deploy/probe",
        namespace.name()
    );
    Podcov::new("run", namespace.name())
        .arguments(["deploy/probe", "--", "sh", "-c", &restart])
        .run()
        .ends_with(0)
        .reports("2 of 2 pods, 2 of 2 processes");
    let object = namespace.get(&["deployment/probe"]);
    let template = &object["spec"]["template"]["metadata"]["annotations"];
    assert!(template["kubectl.kubernetes.io/restartedAt"].is_string(), "their change stays: {template}");
    cluster::run(&["rollout", "status", "-n", namespace.name(), "deployment/probe"]);
    namespace.assert_untouched();
}
