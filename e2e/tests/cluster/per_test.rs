//! What each test of a Go test suite ran in the pods of two workloads. How often each asks for work is written in the
//! suite; Go's own tools read what is kept.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Stdio},
};

use podcov_e2e::{
    cluster::kubectl,
    namespace::Namespace,
    podcov::{Outcome, PODCOV, Podcov},
    probe::runs_of_worked,
    repository,
    workload::{deployment, service},
};
use serde_json::Value;

const WORKLOADS: [&str; 2] = ["one", "two"];

/// `kubectl proxy`, for as long as it is there: the way from the tests to the services.
struct Proxy {
    child: Child,
    address: String,
}

impl Proxy {
    fn start() -> Self {
        let mut child =
            kubectl().args(["proxy", "--port=0"]).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("an output");
        BufReader::new(output).read_line(&mut line).expect("it says where it listens");
        let address = line.trim().rsplit(' ').next().expect("an address").to_owned();
        Self { child, address }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(namespace: &Namespace, tests: &str) -> Outcome {
    let proxy = Proxy::start();
    let server = |name: &&str| {
        let path = format!("api/v1/namespaces/{}/services/{name}:8080/proxy", namespace.name());
        format!("http://{}/{path}", proxy.address)
    };
    let servers: Vec<String> = WORKLOADS.iter().map(server).collect();
    let suite = repository().join("crates/podcov/tests/local/suite");
    let path = |path: &Path| path.display().to_string();
    let podcov = Podcov::new("run", namespace.name());
    let variables = [
        format!("SERVERS={}", servers.join(" ")),
        format!("COVERAGE={}", path(&podcov.path().join("coverage"))),
        format!("MEETING={}", path(podcov.path())),
        format!("PODCOV={}", path(&PODCOV)),
    ];
    podcov
        .arguments(["--per-test", "deploy/one", "deploy/two", "--", "env"])
        .arguments(variables)
        .arguments(["go", "-C", &path(&suite), "test", "-count=1", "-v", "-run", tests, "."])
        .run()
}

/// How often `worked` ran in an entry of `tests.json`.
fn worked(outcome: &Outcome, test: &str) -> u64 {
    let directory = outcome.run_directory();
    let record = std::fs::read_to_string(directory.join("tests.json")).expect("which tests ran what");
    let mapping: Value = serde_json::from_str(&record).expect("JSON");
    let tests = mapping["tests"].as_array().expect("tests");
    let entry =
        tests.iter().find(|entry| entry["name"] == test).unwrap_or_else(|| panic!("{test}: {tests:?}"));
    runs_of_worked(&directory.join(entry["directory"].as_str().expect("it ran something")))
}

#[test]
fn what_is_captured_from_files_is_said_to_be_in_no_test() {
    let namespace = Namespace::new("per-test-files");
    namespace.start(&deployment("probe", 1, &[]));
    Podcov::new("run", namespace.name())
        .arguments(["--per-test", "--capture", "files", "deploy/probe", "--", "echo", "=== RUN   TestA"])
        .run()
        .ends_with(0)
        .says(
            "container probe: its processes are not read while they run, so that what they run is in no test",
        );
}

#[test]
fn each_test_has_what_it_ran_in_all_pods() {
    let namespace = Namespace::new("per-test");
    for workload in WORKLOADS {
        namespace.start(&deployment(workload, 1, &[]));
        namespace.apply(&service(workload));
    }
    let outcome = run(&namespace, "^Test[ABCPQ]$").ends_with(0).reports("2 of 2 pods, 2 of 2 processes");
    assert_eq!(worked(&outcome, "TestB"), 10);
    assert_eq!(worked(&outcome, "TestC"), 10);
    assert_eq!(worked(&outcome, "TestP + TestQ"), 20);
    let first = worked(&outcome, "TestA");
    assert_eq!(first, first.max(40), "all but what it ran in its first moments");
    namespace.assert_untouched();

    let outcome = run(&namespace, "^Test(Marks|Kill)$").ends_with(0).reports("2 of 2 pods");
    for number in 2..=10 {
        assert_eq!(worked(&outcome, &format!("mark {number}")), 2 * number);
    }
    assert_eq!(worked(&outcome, "mark 1"), 202, "one that goes on later has both parts");
    assert_eq!(worked(&outcome, "kill"), 6, "what a process that ended counted is in it");
    namespace.assert_untouched();
}
