//! Counters of pods that run, and go on running.

use podcov_e2e::{
    namespace::Namespace,
    podcov::Podcov,
    probe::{runs_of_worked, work},
    workload::{deployment, service},
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
    let exit = podcov_e2e::workload::request(namespace.name(), "probe", "exit?code=3");
    let _answer_is_lost_with_the_process = podcov_e2e::cluster::kubectl().args(&exit[1..]).output();
    podcov_e2e::wait_until("the container is back", std::time::Duration::from_mins(2), || {
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
        .ends_with(3)
        .says("no agent is the parent of its program")
        .says("podcov collect takes them")
        .says("it was not prepared")
        .says("podcov inject");
    Podcov::new("eject", namespace.name()).run();
}
