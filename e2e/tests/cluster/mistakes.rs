//! What users get wrong, and what their clusters do to them.

use std::process::Command;

use podcov_e2e::{
    cluster, engine,
    image::IMAGES,
    namespace::Namespace,
    output,
    podcov::Podcov,
    workload::{container, deployment, pod_spec, workload},
};
use serde_json::json;

#[test]
fn names_that_do_not_exist_are_named() {
    let namespace = Namespace::new("names");
    let run = |arguments: &[&str]| Podcov::bare(["run"]).arguments(arguments).arguments(["--", "true"]).run();
    run(&["-n", "e2e-nowhere", "deploy/api"]).ends_with(1).says("no namespace \"e2e-nowhere\"").says("Hint:");
    run(&["-n", namespace.name(), "deploy/api"])
        .ends_with(1)
        .says("no deployment \"api\" in namespace \"e2e-names\"")
        .says("Hint: see what there is: kubectl get");
    run(&["--context", "nowhere", "deploy/api"])
        .ends_with(1)
        .says("no context \"nowhere\" in the kubeconfig; it has: kind-podcov");
    run(&["-n", namespace.name(), "job/api"]).ends_with(2).says("the kinds are deployment");
    run(&["-n", namespace.name(), "-l", "app=nobody"]).ends_with(1).says("-l app=nobody matches no workload");
    run(&[]).ends_with(2).says("there is nothing to measure");
}

#[test]
fn a_test_command_that_is_not_there_changes_nothing() {
    let namespace = Namespace::new("no-command");
    namespace.start(&deployment("probe", 1, &[]));
    Podcov::new("run", namespace.name())
        .arguments(["deploy/probe", "--", "no-such-command"])
        .run()
        .ends_with(127)
        .says("no-such-command");
    assert_eq!(namespace.get(&["deployment/probe"])["metadata"]["generation"], 1);
}

#[test]
fn a_binary_without_coverage_is_said_before_the_tests() {
    let namespace = Namespace::new("no-coverage");
    let mut plain = deployment("probe", 1, &[]);
    plain["spec"]["template"]["spec"]["containers"][0]["image"] = json!(IMAGES.probe_without_coverage);
    namespace.start(&plain);
    let outcome = Podcov::new("run", namespace.name())
        .arguments(["deploy/probe", "--", "sh", "-c", "echo the tests ran"])
        .run()
        .ends_with(1)
        .says("container probe: no process was built with coverage")
        .says("Hint: build it with go build -cover");
    assert!(!outcome.stdout.contains("the tests ran"));
    Podcov::new("inject", namespace.name())
        .arguments(["deploy/probe"])
        .run()
        .ends_with(1)
        .says("no process was built with coverage")
        .says("put back");
    namespace.assert_untouched();
}

#[test]
fn a_workload_that_is_scaled_to_0_is_refused() {
    let namespace = Namespace::new("scaled-to-0");
    namespace.apply(&deployment("probe", 0, &[]));
    Podcov::new("run", namespace.name())
        .arguments(["deploy/probe", "--", "true"])
        .run()
        .ends_with(1)
        .says("deployment e2e-scaled-to-0/probe is scaled to 0: no pod would run");
}

#[test]
fn a_program_that_does_not_start_once_prepared_shows_its_log_and_is_put_back() {
    let namespace = Namespace::new("refuses");
    namespace.start(&deployment("probe", 1, &["-refuse-gocoverdir"]));
    let before = namespace.as_written("deployment/probe");
    Podcov::new("run", namespace.name())
        .arguments(["deploy/probe", "--", "true"])
        .run()
        .ends_with(1)
        .says("deployment e2e-refuses/probe does not get ready")
        .says("last with exit code 1")
        .says("probe: GOCOVERDIR is not a setting of this service")
        .says("put back       probe");
    assert_eq!(before, namespace.as_written("deployment/probe"));
    namespace.assert_untouched();
}

#[test]
fn a_stateful_set_that_does_not_start_once_prepared_is_put_back() {
    let namespace = Namespace::new("refuses-stateful");
    let spec = pod_spec(&[container("probe", 8080, &["-refuse-gocoverdir"])]);
    namespace.start(&workload("StatefulSet", "probe", 2, &spec));
    let before = namespace.as_written("statefulset/probe");
    Podcov::new("run", namespace.name())
        .arguments(["statefulset/probe", "--", "true"])
        .run()
        .ends_with(1)
        .says("does not get ready")
        .says("put back       probe");
    assert_eq!(before, namespace.as_written("statefulset/probe"));
    namespace.assert_untouched();
}

#[test]
fn a_workload_that_was_never_ready_is_put_back_all_the_same() {
    let namespace = Namespace::new("broken-before");
    namespace.apply(&deployment("probe", 1, &["-ready-after=1h"]));
    let before = namespace.as_written("deployment/probe");
    Podcov::new("run", namespace.name())
        .arguments(["deploy/probe", "--timeout", "5s", "--", "true"])
        .run()
        .ends_with(1)
        .says("0 of 1 pods were ready after 5 s");
    assert_eq!(before, namespace.as_written("deployment/probe"));
    namespace.assert_untouched();
}

#[test]
fn a_rollout_that_never_gets_ready_ends_at_its_deadline_with_the_reason() {
    let namespace = Namespace::new("never-ready");
    namespace.start(&deployment("probe", 1, &["-unready-with-gocoverdir"]));
    let before = namespace.as_written("deployment/probe");
    Podcov::new("run", namespace.name())
        .arguments(["deploy/probe", "--timeout", "10s", "--", "true"])
        .run()
        .ends_with(1)
        .says("0 of 1 pods were ready after 10 s")
        .says("Unhealthy");
    assert_eq!(before, namespace.as_written("deployment/probe"));
    namespace.assert_untouched();
}

#[test]
fn an_image_that_cannot_be_had_is_named() {
    let namespace = Namespace::new("no-image");
    namespace.start(&deployment("probe", 1, &[]));
    Podcov::new("run", namespace.name())
        .arguments(["deploy/probe", "--image", "podcov-probe:nowhere", "--", "true"])
        .run()
        .ends_with(1)
        .says("podcov-probe:nowhere")
        .says("put back       probe");
    namespace.assert_untouched();
}

#[test]
fn an_image_whose_name_means_another_one_by_now_is_not_believed() {
    let namespace = Namespace::new("moved-name");
    let name = "podcov-probe:moved";
    let rename = |image: &str| drop(output(Command::new("docker").args(["tag", image, name])));
    rename(IMAGES.probe);
    engine::load(&[name]);
    let mut probe = deployment("probe", 1, &[]);
    probe["spec"]["template"]["spec"]["containers"][0]["image"] = json!(name);
    namespace.start(&probe);
    rename(IMAGES.probe_without_coverage);
    let run = || Podcov::new("run", namespace.name()).arguments(["deploy/probe"]);
    let outcome = run()
        .arguments(["--", "true"])
        .run()
        .ends_with(0)
        .says("is not known to be the image that the pods run")
        .says("prepared       probe (files)")
        .reports("1 of 1 pod, 1 of 1 process");
    assert_eq!(outcome.record()["captures"][0]["way"], "files");
    assert!(outcome.record()["notes"][0].as_str().is_some_and(|note| note.contains("read from files")));
    run()
        .arguments(["--capture", "supervised", "--", "true"])
        .run()
        .ends_with(1)
        .says("container probe cannot be supervised")
        .says("--entrypoint 'probe=");
    namespace.assert_untouched();
}

#[test]
fn what_the_namespace_does_not_admit_is_said_in_its_words() {
    let namespace = Namespace::new("quota");
    namespace.start(&deployment("probe", 1, &[]));
    // Room for the one pod there is, and for no other.
    cluster::run(&["create", "quota", "pods", "-n", namespace.name(), "--hard=pods=1"]);
    Podcov::new("run", namespace.name())
        .arguments(["deploy/probe", "--", "true"])
        .run()
        .ends_with(1)
        .says("exceeded quota: pods")
        .says("put back       probe");
    namespace.assert_untouched();
}

#[test]
fn a_second_run_is_refused_with_the_reason_and_may_take_over() {
    let namespace = Namespace::new("two-runs");
    namespace.start(&deployment("probe", 1, &[]));
    let before = namespace.as_written("deployment/probe");
    let run = |tests: &str| {
        Podcov::new("run", namespace.name()).arguments(["deploy/probe", "--", "sh", "-c", tests])
    };
    let mut first = run("exec sleep 600").start();
    first.wait_for("instrumented ");
    run("true").run().ends_with(1).says("is already prepared by run").says("--force");

    let second = Podcov::new("run", namespace.name())
        .arguments(["deploy/probe", "--force", "--", "true"])
        .run()
        .ends_with(0)
        .reports("1 of 1 pod, 1 of 1 process");
    first.signal(nix::sys::signal::Signal::SIGINT);
    // The pod that was taken from it ended, and its data came here.
    first.wait().ends_with(130).reports("1 of 1 pod, 1 of 1 process");
    drop(second);
    assert_eq!(before, namespace.as_written("deployment/probe"));
    namespace.assert_untouched();
}

#[test]
fn two_runs_on_two_workloads_do_not_meet() {
    let namespace = Namespace::new("side-by-side");
    for name in ["one", "two"] {
        namespace.start(&workload("Deployment", name, 1, &pod_spec(&[container("probe", 8080, &[])])));
    }
    let start = |name: &str| {
        Podcov::new("run", namespace.name())
            .arguments([&format!("deploy/{name}"), "--", "sleep", "2"])
            .start()
    };
    let runs = ["one", "two"].map(start);
    for run in runs {
        run.wait().ends_with(0).reports("1 of 1 pod, 1 of 1 process");
    }
    namespace.assert_untouched();
}
