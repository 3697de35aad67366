//! Counters of pods that run, and go on running.

use std::time::Duration;

use nix::sys::signal::Signal;
use podcov_e2e::{
    cluster,
    namespace::Namespace,
    podcov::Podcov,
    probe::{runs_of_worked, work},
    until_within,
    workload::{deployment, request, service},
};

#[test]
fn a_snapshot_has_what_pods_have_counted_by_now_and_takes_nothing_away() {
    let namespace = Namespace::new("live");
    namespace.start(&deployment("probe", 2, &[]));
    namespace.apply(&service("probe"));
    Podcov::new("inject", namespace.name()).arguments(["deploy/probe"]).run().ends_with(0);
    let pods = || {
        let pods = namespace.get(&["pods", "-l", "podcov.dev/run"]);
        let uids =
            pods["items"].as_array().expect("pods").iter().map(|pod| pod["metadata"]["uid"].to_string());
        uids.collect::<Vec<_>>()
    };
    let before = pods();

    work(namespace.name(), "probe", 3);
    let first = Podcov::new("snapshot", namespace.name()).arguments(["deploy/probe"]).run();
    let first = first.ends_with(0).reports("2 of 2 pods, 2 of 2 processes");
    assert_eq!(runs_of_worked(&first.run_directory()), 3);
    let captures = first.record()["captures"].clone();
    let ways: Vec<_> = captures.as_array().expect("captures").iter().map(|capture| &capture["way"]).collect();
    assert_eq!(ways, ["supervised", "supervised"]);

    work(namespace.name(), "probe", 2);
    let arguments = ["-l", "app=probe", "--since", "coverage", "-o", "since"];
    let second = Podcov::new("snapshot", namespace.name()).arguments(arguments).in_directory_of(&first).run();
    let second = second.ends_with(0).reports("2 of 2 pods, 2 of 2 processes");
    assert_eq!(runs_of_worked(&second.run_directory().with_file_name("since")), 2);

    assert_eq!(pods(), before, "the pods are those of before");
    let ejected = Podcov::new("eject", namespace.name()).run().ends_with(0).reports("2 of 2 processes");
    assert_eq!(runs_of_worked(&ejected.run_directory()), 5);
    namespace.assert_untouched();
}

#[test]
fn a_process_that_was_killed_between_two_snapshots_counts_to_its_end() {
    let namespace = Namespace::new("live-killed");
    namespace.start(&deployment("probe", 1, &[]));
    namespace.apply(&service("probe"));
    Podcov::new("inject", namespace.name()).arguments(["deploy/probe"]).run().ends_with(0);
    work(namespace.name(), "probe", 1);
    let first = Podcov::new("snapshot", namespace.name()).arguments(["deploy/probe"]).run().ends_with(0);

    work(namespace.name(), "probe", 2);
    let exit = request(namespace.name(), "probe", "exit?code=3");
    let _answer_is_lost_with_the_process = cluster::kubectl().args(&exit[1..]).output();
    until_within("the container is back", Duration::from_mins(2), || {
        let pods = namespace.get(&["pods", "-l", "app=probe"]);
        let status = &pods["items"][0]["status"]["containerStatuses"][0];
        status["restartCount"] == 1 && status["ready"] == true
    });
    work(namespace.name(), "probe", 4);
    let arguments = ["deploy/probe", "--since", "coverage", "-o", "since"];
    let second = Podcov::new("snapshot", namespace.name()).arguments(arguments).in_directory_of(&first).run();
    let second = second.ends_with(0).reports("1 of 1 pod, 2 of 2 processes");
    assert_eq!(runs_of_worked(&second.run_directory().with_file_name("since")), 6);
    Podcov::new("eject", namespace.name()).run().ends_with(0);
}

#[test]
fn pods_that_no_agent_reads_are_said_with_the_next_step() {
    let namespace = Namespace::new("live-unread");
    namespace.start(&deployment("files", 1, &[]));
    namespace.start(&deployment("plain", 1, &[]));
    let inject = ["deploy/files", "--capture", "files"];
    Podcov::new("inject", namespace.name()).arguments(inject).run().ends_with(0);
    Podcov::new("snapshot", namespace.name())
        .arguments(["--all"])
        .run()
        .ends_with(2)
        .says("reading pods that were not prepared, or only to hand over files, takes a privileged pod on their nodes")
        .says("agree with --yes")
        .says("podcov run and podcov inject, with --capture supervised, need no privilege");
    Podcov::new("snapshot", namespace.name()).arguments(["deploy/files"]).run().ends_with(2).says(
        "reading pods that were prepared only to hand over files takes a privileged pod on their nodes",
    );
    Podcov::new("eject", namespace.name()).run();
}

#[test]
fn what_running_pods_have_counted_is_kept_while_the_tests_run() {
    let namespace = Namespace::new("live-kept");
    namespace.start(&deployment("probe", 1, &[]));
    namespace.apply(&service("probe"));
    let worked = request(namespace.name(), "probe", "work").join(" ");
    let tests = format!("{worked}; {worked}; {worked}; sleep 3600");
    let mut running =
        Podcov::new("run", namespace.name()).arguments(["deploy/probe", "--", "sh", "-c", &tests]).start();
    running.wait_for("atomic, 1 package");
    let directory = running.path().join("coverage");
    until_within("what the process has counted is here", Duration::from_mins(2), || {
        runs_of_worked(&directory) == 3
    });
    running.signal(Signal::SIGKILL);
    let killed = running.wait();
    assert_eq!(runs_of_worked(&killed.run_directory()), 3, "the directory is whole");
    let report = Podcov::bare(["report", "coverage"]).in_directory_of(&killed).run().ends_with(3);
    report.says("did not end").reports("its counters are those of");

    work(namespace.name(), "probe", 2);
    let ejected = Podcov::new("eject", namespace.name()).in_directory_of(&killed).run().ends_with(0);
    let ejected = ejected.reports("1 of 1 pod, 1 of 1 process");
    assert_eq!(runs_of_worked(&ejected.run_directory()), 5, "a process counts once");
    let built_by = &ejected.record()["captures"][0]["processes"][0]["go_version"];
    assert!(built_by.as_str().is_some_and(|version| version.starts_with("go1.")), "{built_by}");
    namespace.assert_untouched();
}

#[test]
#[ignore = "long: waits until a pod has not ended in time"]
fn a_pod_that_does_not_end_counts_as_it_was_read_after_the_tests() {
    let namespace = Namespace::new("live-endless");
    let mut probe = deployment("probe", 1, &["-slow-stop=1h"]);
    probe["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = serde_json::json!(3600);
    namespace.start(&probe);
    namespace.apply(&service("probe"));
    let outcome = Podcov::new("run", namespace.name())
        .arguments(["deploy/probe", "--timeout", "30s", "--collect-timeout", "1s", "--"])
        .arguments(request(namespace.name(), "probe", "work"))
        .run()
        .ends_with(0)
        .says("not every prepared pod ended within")
        .reports("1 of 1 pod, 1 of 1 process");
    assert_eq!(runs_of_worked(&outcome.run_directory()), 1);
    let process = &outcome.record()["captures"][0]["processes"][0];
    assert!(process["read_at"]["interval"]["seconds_after_start"].as_f64().is_some_and(|age| age > 0.0));
    cluster::run(&["delete", "pods", "--all", "--force", "-n", namespace.name()]);
}
