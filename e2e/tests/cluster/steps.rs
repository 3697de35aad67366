//! The steps of a run on their own: inject, collect, eject, live and on manifests.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use podcov_e2e::{
    cluster, counter_files,
    namespace::Namespace,
    output,
    podcov::{PODCOV, Podcov},
    workload::{container, deployment, pod_spec, request, service, workload},
};
use serde_json::Value;

#[test]
fn a_pipeline_does_the_steps_itself() {
    let namespace = Namespace::new("steps");
    namespace.start(&deployment("probe", 2, &[]));
    namespace.apply(&service("probe"));
    let before = namespace.as_written("deployment/probe");

    let injected = Podcov::new("inject", namespace.name())
        .arguments(["deploy/probe"])
        .run()
        .ends_with(0)
        .says("instrumented   probe (2 pods)")
        .says("podcov eject");
    let run = injected.stdout.trim().to_owned();
    let pods = namespace.get(&["pods", "-l", &format!("podcov.dev/run={run}")]);
    assert_eq!(pods["items"].as_array().map(Vec::len), Some(2), "the run id finds the pods");

    cluster::run(
        &request(namespace.name(), "probe", "children?count=2")[1..]
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>(),
    );
    let collected = Podcov::new("collect", namespace.name())
        .arguments(["deploy/probe"])
        .run()
        .ends_with(0)
        .reports("2 of 2 pods, 4 of 4 processes");
    let counters = counter_files(&collected.run_directory()).len();
    assert_eq!(counters, 4, "of the children, which have ended, and of the processes that live");

    let ejected = Podcov::new("eject", namespace.name())
        .arguments(["--run", &run])
        .run()
        .ends_with(0)
        .says("put back       probe")
        .reports("2 of 2 pods, 4 of 4 processes");
    assert_eq!(counter_files(&ejected.run_directory()).len(), 4);
    assert_eq!(before, namespace.as_written("deployment/probe"));
    namespace.assert_untouched();

    Podcov::new("eject", namespace.name()).run().ends_with(0).says("nothing is prepared");
    Podcov::new("collect", namespace.name()).run().ends_with(1).says("nothing is prepared");
}

#[test]
fn collect_names_processes_whose_counters_go_writes_at_their_end() {
    let namespace = Namespace::new("collect-files");
    namespace.start(&deployment("probe", 1, &[]));
    Podcov::new("inject", namespace.name())
        .arguments(["deploy/probe", "--capture", "files"])
        .run()
        .ends_with(0);
    Podcov::new("collect", namespace.name())
        .run()
        .ends_with(3)
        .reports("0 of 1 process")
        .reports("still running: 0 of 1 processes have ended, and Go writes counters at the end")
        .says("podcov eject ends the prepared pods");
    Podcov::new("eject", namespace.name()).run().ends_with(0).reports("1 of 1 process");
}

#[test]
fn eject_takes_one_of_several_and_discards_when_asked() {
    let namespace = Namespace::new("eject-one");
    for name in ["one", "two"] {
        namespace.start(&deployment(name, 1, &[]));
    }
    Podcov::new("inject", namespace.name()).arguments(["--all"]).run().ends_with(0);
    Podcov::new("eject", namespace.name())
        .arguments(["deploy/one"])
        .run()
        .ends_with(0)
        .reports("1 of 1 pod, 1 of 1 process");
    let prepared = namespace.get(&["deployments", "-l", "podcov.dev/run"]);
    assert_eq!(prepared["items"][0]["metadata"]["name"], "two", "the other one stays prepared");
    let discarded = Podcov::new("eject", namespace.name()).arguments(["--discard"]).run().ends_with(0);
    assert!(!discarded.run_directory().exists());
    namespace.assert_untouched();
}

#[test]
fn manifests_are_prepared_applied_and_put_back() {
    let namespace = Namespace::new("manifests");
    namespace.start(&deployment("probe", 1, &[]));
    let before = namespace.as_written("deployment/probe");
    let spec = pod_spec(&[container("probe", 8080, &[])]);
    let manifests = [workload("Deployment", "probe", 1, &spec), service("probe")];
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("probe.yaml");
    let text: Vec<String> = manifests.iter().map(Value::to_string).collect();
    fs::write(&file, format!("---\n{}\n", text.join("\n---\n"))).expect("it can be written");

    let injected = Podcov::bare(["inject", "-f"])
        .arguments([&file])
        .run()
        .ends_with(0)
        .says("kubectl apply --server-side");
    cluster::pipe(
        &["apply", "--server-side", "--force-conflicts", "-n", namespace.name(), "-f", "-"],
        &injected.stdout,
    );
    cluster::run(&["rollout", "status", "-n", namespace.name(), "deployment/probe"]);
    let outcome = Podcov::new("eject", namespace.name()).run().ends_with(0);
    assert_eq!(counter_files(&outcome.run_directory()).len(), 1);
    let after = namespace.as_written("deployment/probe");
    assert_eq!(before["spec"], after["spec"]);
    namespace.assert_untouched();

    let prepared = directory.path().join("prepared.yaml");
    fs::write(&prepared, &injected.stdout).expect("it can be written");
    let ejected = Podcov::bare(["eject", "-f"]).arguments([&prepared]).run().ends_with(0);
    // kubectl is the judge of what a stream of YAML means.
    let as_json = |path: &Path| {
        let arguments = ["create", "--dry-run=client", "--validate=false", "-o", "json", "-f"];
        output(cluster::kubectl().args(arguments).arg(path))
    };
    let put_back = directory.path().join("put-back.yaml");
    fs::write(&put_back, &ejected.stdout).expect("it can be written");
    assert_eq!(as_json(&put_back), as_json(&file));
}

#[test]
fn it_answers_to_kubectl() {
    let namespace = Namespace::new("plugin");
    namespace.start(&deployment("probe", 1, &[]));
    let directory = tempfile::tempdir().expect("a temporary directory");
    symlink(&*PODCOV, directory.path().join("kubectl-podcov")).expect("a link");
    let path = format!("{}:{}", directory.path().display(), std::env::var("PATH").expect("a path"));
    let plugin = |arguments: &[&str]| {
        let mut command: Command = cluster::kubectl();
        output(command.arg("podcov").args(arguments).env("PATH", &path).current_dir(directory.path()))
    };
    assert!(plugin(&["run", "--help"]).contains("kubectl podcov run -n shop deploy/api"));
    let summary = plugin(&["run", "-n", namespace.name(), "deploy/probe", "--", "true"]);
    assert!(summary.contains("1 of 1 pod, 1 of 1 process"), "{summary}");
}
