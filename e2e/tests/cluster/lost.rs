//! What becomes of counters when nobody is left to read the end of their processes: the last reading counts, and its age is
//! said.

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;
use podcov_e2e::{
    cluster,
    namespace::Namespace,
    node,
    podcov::{Outcome, Podcov, Running},
    probe::runs_of_worked,
    until_within,
    workload::{deployment, request, service},
};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_mins(2);

/// A run whose tests let one pod work, and go on until they are told to end.
struct Tests {
    podcov: Running,
    end: PathBuf,
}

impl Tests {
    /// Returns when what the pod has counted is in the run directory.
    fn start(namespace: &Namespace) -> Self {
        namespace.start(&deployment("probe", 1, &[]));
        namespace.apply(&service("probe"));
        let work = request(namespace.name(), "probe", "work").join(" ");
        let podcov = Podcov::new("run", namespace.name());
        let end = podcov.path().join("end");
        let tests = format!("{work} && until [ -e {} ]; do sleep 0.1; done", end.display());
        let podcov = podcov.arguments(["deploy/probe", "--", "sh", "-c", &tests]).start();
        let directory = podcov.path().join("coverage");
        until_within("what the pod has counted is here", PATIENCE, || runs_of_worked(&directory) == 1);
        Self { podcov, end }
    }

    fn end(self) -> Outcome {
        File::create(self.end).expect("a file");
        self.podcov.wait()
    }
}

fn prepared_pod(namespace: &Namespace) -> Value {
    let pods = namespace.get(&["pods", "-l", "podcov.dev/run"]);
    pods["items"][0].clone()
}

/// The one process whose end nobody saw was read while the tests ran.
fn assert_read_during_the_tests(outcome: &Outcome) {
    let record = outcome.record();
    let captures = record["captures"].as_array().expect("captures");
    let processes = captures.iter().filter_map(|capture| capture["processes"].as_array()).flatten();
    let intervals: Vec<_> = processes.filter_map(|process| process["read_at"].get("interval")).collect();
    let [interval] = intervals[..] else { panic!("one process has no end: {record}") };
    let age = interval["seconds_before_end"].as_f64().expect("an age");
    // It was read while the tests ran, and ended before them; Kubernetes tells times in whole seconds.
    let tests = record["tests"]["seconds"].as_f64().expect("how long they ran");
    assert!((0.0..tests + 1.0).contains(&age), "{interval}, and the tests ran for {tests} s");
    let page = std::fs::read_to_string(outcome.run_directory().join("index.html")).expect("a page");
    assert!(page.contains("before its end"), "the page says it too");
}

#[test]
fn a_pod_that_is_lost_with_its_agents_counts_as_it_was_last_read() {
    let namespace = Namespace::new("lost-pod");
    let tests = Tests::start(&namespace);
    let pod = prepared_pod(&namespace);
    // As on a node that is gone: nothing answers any more, and at last the pod is given up.
    node::signal_all(&pod, Signal::SIGSTOP);
    let name = pod["metadata"]["name"].as_str().expect("a name");
    cluster::run(&["delete", "pod", name, "-n", namespace.name(), "--force", "--grace-period=0"]);
    let outcome =
        tests.end().ends_with(3).reports("out of reach").reports("its end was not seen").reports("at most");
    assert_eq!(runs_of_worked(&outcome.run_directory()), 1);
    assert_read_during_the_tests(&outcome);
    namespace.assert_untouched();
}

#[test]
fn a_pod_that_is_killed_whole_counts_as_it_was_last_read() {
    let namespace = Namespace::new("lost-agents");
    let tests = Tests::start(&namespace);
    node::signal_all(&prepared_pod(&namespace), Signal::SIGKILL);
    until_within("its containers are started again", PATIENCE, || {
        let status = &prepared_pod(&namespace)["status"]["containerStatuses"][0];
        status["restartCount"] == 1 && status["ready"] == true
    });
    let outcome = tests
        .end()
        .ends_with(3)
        .reports("2 of 2 processes")
        .reports("its end was not seen")
        .reports("before its end");
    assert_eq!(runs_of_worked(&outcome.run_directory()), 1);
    assert_read_during_the_tests(&outcome);
    namespace.assert_untouched();
}
