//! How processes end during and after the tests, and what the result says of it.

use podcov_e2e::{
    counter_files,
    namespace::Namespace,
    podcov::Podcov,
    probe::{directory_of_start, runs_of_worked},
    workload::{deployment, request, service},
};
use serde_json::json;

#[test]
fn the_exit_code_of_the_tests_is_podcovs() {
    let namespace = Namespace::new("exit-code");
    namespace.start(&deployment("probe", 1, &[]));
    let outcome = Podcov::new("run", namespace.name())
        .arguments(["deploy/probe", "--", "sh", "-c", "exit 7"])
        .run()
        .ends_with(7)
        .says("tests          exit code 7")
        .reports("1 of 1 pod");
    assert_eq!(outcome.record()["tests"]["exit_code"], 7);
}

#[test]
fn a_container_that_restarts_during_the_tests_counts_each_time() {
    let namespace = Namespace::new("restart");
    namespace.start(&deployment("probe", 1, &[]));
    namespace.apply(&service("probe"));
    // The answer is lost with the process; the tests go on when the container is back.
    let exit = request(namespace.name(), "probe", "exit?code=0").join(" ");
    let work = request(namespace.name(), "probe", "work").join(" ");
    let tests = format!("{exit}; until {work}; do sleep 0.2; done");
    let outcome = Podcov::new("run", namespace.name())
        .arguments(["deploy/probe", "--", "sh", "-c", &tests])
        .run()
        .ends_with(0)
        .reports("1 of 1 pod, 2 of 2 processes");
    let directories: Vec<String> = counter_files(&outcome.run_directory())
        .iter()
        .filter_map(|path| Some(path.parent()?.file_name()?.to_string_lossy().into_owned()))
        .collect();
    assert_eq!(directories.len(), 2);
    for directory in ["probe-0", "probe-1"] {
        assert!(directories.iter().any(|name| name == directory), "{directories:?}");
    }
}

#[test]
fn children_of_a_process_count_as_well() {
    let namespace = Namespace::new("children");
    namespace.start(&deployment("probe", 1, &[]));
    namespace.apply(&service("probe"));
    Podcov::new("run", namespace.name())
        .arguments(["deploy/probe", "--"])
        .arguments(request(namespace.name(), "probe", "children?count=5"))
        .run()
        .ends_with(0)
        .reports("1 of 1 pod, 6 of 6 processes");
}

#[test]
fn without_supervision_a_killed_process_is_a_loss_with_its_reason_and_the_rest_counts() {
    let namespace = Namespace::new("killed");
    let mut probe = deployment("probe", 2, &[]);
    probe["spec"]["template"]["spec"]["containers"][0]["resources"] = json!({"limits": {"memory": "48Mi"}});
    namespace.start(&probe);
    namespace.apply(&service("probe"));
    let kill = request(namespace.name(), "probe", "exhaust").join(" ");
    let tests = format!("{kill} || true");
    let run = || Podcov::new("run", namespace.name()).arguments(["deploy/probe", "--capture", "files"]);
    let outcome = run()
        .arguments(["--", "sh", "-c", &tests])
        .run()
        .ends_with(3)
        .reports("2 of 3 processes")
        .reports("exit code 137 (OOMKilled: out of memory)");
    let lost: Vec<_> = outcome.record()["captures"]
        .as_array()
        .expect("captures")
        .iter()
        .filter(|capture| capture["outcome"]["state"] == "lost")
        .map(|capture| capture["outcome"]["reason"].clone())
        .collect();
    assert_eq!(lost, ["killed"]);
    let captures = outcome.record()["captures"].clone();
    let diagnoses =
        captures.as_array().expect("captures").iter().filter_map(|it| it["diagnosis"]["id"].as_str());
    assert_eq!(diagnoses.collect::<Vec<_>>(), ["out-of-memory"]);
    let page = std::fs::read_to_string(outcome.run_directory().join("index.html")).expect("a page");
    assert!(page.contains("137"), "the page says it too");
    run().arguments(["--allow-incomplete", "--", "sh", "-c", &tests]).run().ends_with(0);
}

#[test]
fn a_killed_process_keeps_its_counters() {
    let namespace = Namespace::new("killed-supervised");
    namespace.start(&deployment("probe", 1, &[]));
    namespace.apply(&service("probe"));
    // What is lost with the process is the answer, and nothing else.
    let work = request(namespace.name(), "probe", "work").join(" ");
    let kill = request(namespace.name(), "probe", "kill").join(" ");
    let tests = format!("{work} && {{ {kill}; until {work}; do sleep 0.2; done; }}");
    let outcome = Podcov::new("run", namespace.name())
        .arguments(["deploy/probe", "--", "sh", "-c", &tests])
        .run()
        .ends_with(0)
        .says("prepared       probe (supervised)")
        .reports("1 of 1 pod, 2 of 2 processes");
    assert_eq!(
        runs_of_worked(&directory_of_start(&outcome.run_directory(), "probe-0")),
        1,
        "the process that was killed did work"
    );
    let captures = outcome.record()["captures"].clone();
    let ways: Vec<_> = captures.as_array().expect("captures").iter().map(|capture| &capture["way"]).collect();
    assert_eq!(ways, ["supervised", "supervised"]);
    namespace.assert_untouched();
}

#[test]
fn an_unhandled_sigterm_keeps_the_counters() {
    let namespace = Namespace::new("sigterm-supervised");
    namespace.start(&deployment("probe", 1, &["-die-on-sigterm"]));
    namespace.apply(&service("probe"));
    let before = namespace.as_written("deployment/probe");
    let outcome = Podcov::new("run", namespace.name())
        .arguments(["deploy/probe", "--"])
        .arguments(request(namespace.name(), "probe", "work"))
        .run()
        .ends_with(0)
        .reports("1 of 1 pod, 1 of 1 process");
    assert_eq!(runs_of_worked(&directory_of_start(&outcome.run_directory(), "probe-0")), 1);
    assert_eq!(before, namespace.as_written("deployment/probe"));
    namespace.assert_untouched();
}

#[test]
fn without_supervision_a_program_that_dies_of_sigterm_is_named() {
    let namespace = Namespace::new("sigterm");
    namespace.start(&deployment("probe", 1, &["-die-on-sigterm"]));
    Podcov::new("run", namespace.name())
        .arguments(["deploy/probe", "--capture", "files", "--", "true"])
        .run()
        .ends_with(3)
        .reports("0 of 1 process")
        .reports("SIGTERM that the program does not handle")
        .reports("sigterm-unhandled: ")
        .reports("which is not 0 %");
    namespace.assert_untouched();
}

#[test]
fn a_full_volume_is_named() {
    let namespace = Namespace::new("disk-full");
    namespace.start(&deployment("probe", 1, &["-fill-gocoverdir"]));
    Podcov::new("run", namespace.name())
        .arguments([
            "deploy/probe",
            "--capture",
            "files",
            "--data-in-memory",
            "--data-limit",
            "2Mi",
            "--",
            "true",
        ])
        .run()
        .ends_with(3)
        .reports("the data volume is full");
}

#[test]
fn the_record_is_the_output_when_it_is_asked_for() {
    let namespace = Namespace::new("json");
    namespace.start(&deployment("probe", 1, &[]));
    let outcome = Podcov::new("run", namespace.name())
        .arguments(["deploy/probe", "--output", "json", "--", "echo", "a line of the tests"])
        .run()
        .ends_with(0)
        .says("a line of the tests");
    let printed: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("nothing but JSON");
    assert_eq!(printed, outcome.record());
    assert_eq!(printed["captures"][0]["outcome"]["state"], "heard");
}
