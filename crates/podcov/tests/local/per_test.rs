//! `podcov run --per-test` and `podcov mark`: what each test of a real Go test suite ran. What has to be counted is written
//! in the suite; Go's own tools read what is kept.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::go::{self, Release};
use crate::place::{Ended, Place, free_address};

/// A run of the suite against two servers.
struct Suite {
    place: Place,
    servers: Vec<String>,
}

impl Suite {
    fn new() -> Self {
        let place = Place::new();
        go::compile_suite();
        fs::create_dir(place.path("meeting")).unwrap();
        Self { place, servers: vec![free_address(), free_address()] }
    }

    fn run(&self, server: &str, tests: &[&str]) -> Ended {
        let mut arguments = vec!["run".to_owned(), "--per-test".to_owned()];
        for (name, address) in ["one", "two"].iter().zip(&self.servers) {
            let link = self.place.path(name);
            std::os::unix::fs::symlink(server, &link).unwrap();
            arguments.extend(["--exec".to_owned(), format!("{} -listen={address}", link.display())]);
            arguments.extend(["--ready".to_owned(), format!("{name}=http://{address}/readyz")]);
        }
        let servers: Vec<String> = self.servers.iter().map(|address| format!("http://{address}")).collect();
        arguments.extend([
            "-o".to_owned(),
            self.place.path("coverage").display().to_string(),
            "--".to_owned(),
        ]);
        arguments.extend(["env".to_owned(), format!("SERVERS={}", servers.join(" "))]);
        arguments.push(format!("COVERAGE={}", self.place.path("coverage").display()));
        arguments.push(format!("MEETING={}", self.place.path("meeting").display()));
        arguments.push(format!("PODCOV={}", env!("CARGO_BIN_EXE_podcov")));
        arguments.extend(tests.iter().map(|word| (*word).to_owned()));
        self.place.start_in(&go::suite_sources(), arguments).end()
    }

    /// How often the tests of an entry asked both servers for each kind of work, as Go's own tools read its directory.
    fn counts(&self, test: &str) -> Vec<(char, u64)> {
        let entry = self.entry(test);
        let directory = self.place.path("coverage").join(entry["directory"].as_str().unwrap());
        works(&go::textfmt(Release::Newest, &[directory]).into_iter().collect::<Vec<_>>())
    }

    fn mapping(&self) -> Value {
        serde_json::from_str(&self.place.text("coverage/tests.json")).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let mapping = self.mapping();
        let tests = mapping["tests"].as_array().unwrap();
        tests.iter().map(|test| test["name"].as_str().unwrap().to_owned()).collect()
    }

    fn entry(&self, name: &str) -> Value {
        let mapping = self.mapping();
        let tests = mapping["tests"].as_array().unwrap();
        tests.iter().find(|test| test["name"] == name).unwrap_or_else(|| panic!("{name}: {tests:?}")).clone()
    }

    /// The tests that ran the function of a kind of work.
    fn tests_of(&self, kind: char) -> Vec<String> {
        let (mapping, names, line) = (self.mapping(), self.names(), line_of(kind));
        let file = mapping["files"].as_array().unwrap().iter();
        let mut file = file.filter(|file| file["file"] == "example.com/suite/server/main.go");
        let blocks = file.next().unwrap()["blocks"].as_array().unwrap().clone();
        let block = blocks.into_iter().find(|block| block["start_line"] == line);
        let tests = block.map(|block| block["tests"].as_array().unwrap().clone()).unwrap_or_default();
        tests.iter().map(|test| names[usize::try_from(test.as_u64().unwrap()).unwrap()].clone()).collect()
    }
}

/// The line of the function that counts a kind of work.
fn line_of(kind: char) -> u64 {
    let source = fs::read_to_string(go::suite_sources().join("server/main.go")).unwrap();
    let line = source.lines().position(|line| line.starts_with(&format!("func {kind}()"))).unwrap();
    u64::try_from(line).unwrap() + 1
}

/// The kinds of work that ran, and how often.
fn works(blocks: &[String]) -> Vec<(char, u64)> {
    let kinds = ['a', 'b', 'c', 'p', 'q', 'x'];
    let count = |kind: char| {
        let start = format!("example.com/suite/server/main.go:{}.", line_of(kind));
        let block = blocks.iter().find(|block| block.starts_with(&start)).unwrap();
        (kind, block.rsplit(' ').next().unwrap().parse().unwrap())
    };
    kinds.into_iter().map(count).filter(|(_, count)| *count > 0).collect()
}

const GO_TEST: [&str; 4] = ["go", "test", "-count=1", "-v"];

#[test]
fn each_test_has_what_it_alone_ran_as_its_output_tells() {
    let suite = Suite::new();
    let tests = [&GO_TEST[..], &["-run", "^Test[ABCPQ]$", "."]].concat();
    let ended = suite.run(go::suite_server("atomic"), &tests).with_code(0);
    let ended = ended.saying(&["by test", "3 tests", "1 group that cannot be told apart"]);
    assert!(ended.output.contains("=== RUN   TestA\n"), "their output is podcov's:\n{}", ended.output);

    assert_eq!(suite.names(), ["TestA", "TestB", "TestC", "TestP + TestQ"]);
    // Two servers were asked.
    assert_eq!(suite.counts("TestB"), [('b', 6), ('c', 4)]);
    assert_eq!(suite.counts("TestC"), [('c', 10)]);
    assert_eq!(suite.counts("TestP + TestQ"), [('p', 8), ('q', 12)]);
    assert_eq!(suite.entry("TestP + TestQ")["members"], serde_json::json!(["TestP", "TestQ"]));
    let first = suite.counts("TestA");
    assert!(matches!(first[..], [('a', 40..)]), "all but what it ran in its first moments: {first:?}");
    assert_eq!(suite.tests_of('c'), ["TestB", "TestC"]);
    assert_eq!(suite.tests_of('p'), ["TestP + TestQ"]);
    assert_eq!(suite.tests_of('x'), Vec::<String>::new());
    // What each test ran is no data of its own beside that of the run.
    assert_eq!(works_of_run(&suite), [('b', 6), ('c', 14), ('p', 8), ('q', 12)]);
    suite.place.podcov(["report", "coverage"]).with_code(0);
    assert_eq!(works_of_run(&suite), [('b', 6), ('c', 14), ('p', 8), ('q', 12)]);
}

/// The same of the whole run, without what TestA did until it was read.
fn works_of_run(suite: &Suite) -> Vec<(char, u64)> {
    let blocks: Vec<String> = go::blocks(&suite.place.path("coverage/coverage.txt")).into_iter().collect();
    works(&blocks).into_iter().filter(|(kind, _)| *kind != 'a').collect()
}

#[test]
fn the_output_of_go_test_json_tells_as_well_and_passes_through() {
    let suite = Suite::new();
    let tests = ["go", "test", "-count=1", "-json", "-run", "^Test[ABC]$", "."];
    let ended = suite.run(go::suite_server("atomic"), &tests).with_code(0);
    assert!(ended.output.lines().any(|line| line.starts_with('{') && line.contains("TestB")));
    assert_eq!(suite.names(), ["TestA", "TestB", "TestC"]);
    assert_eq!(suite.counts("TestB"), [('b', 6), ('c', 4)]);
}

/// By each way in which Ginkgo's specs are run. One of them is skipped, and one pending. What the suite asks for before
/// them is none of theirs.
#[test]
fn each_spec_of_ginkgo_has_what_it_alone_ran() {
    let one = "servers do one kind of work";
    let two = "servers do two kinds of work";
    let prepared = "servers when there is something to prepare do that as well";
    let entry = "servers with entries of six";
    let ways: [&[&str]; 3] = [
        &["test", "-count=1", "-v", ".", "-ginkgo.v"],
        &["test", "-count=1", "-json", ".", "-ginkgo.v"],
        &["run", "github.com/onsi/ginkgo/v2/ginkgo", "-v"],
    ];
    go::compile_ginkgo_suite();
    for way in ways {
        let suite = Suite::new();
        let ended = suite.run(go::suite_server("atomic"), &[&["go", "-C", "ginkgo"], way].concat());
        ended.with_code(0).saying(&["by test"]);
        let is_of_suite = |name: &str| name == "TestServers" || name.ends_with("Suite]");
        let is_spec = |name: &String| !is_of_suite(name) && suite.entry(name)["directory"].is_string();
        let names: Vec<String> = suite.names().into_iter().filter(is_spec).collect();
        assert_eq!(names, [one, two, prepared, entry], "{way:?}");
        assert_eq!(suite.counts(two), [('b', 6), ('c', 4)], "{way:?}");
        assert_eq!(suite.counts(prepared), [('c', 10), ('p', 8)], "{way:?}");
        assert_eq!(suite.counts(one), [('a', 40)], "{way:?}");
        assert_eq!(suite.tests_of('q'), [entry], "{way:?}");
        assert_eq!(suite.tests_of('c'), [two, prepared], "{way:?}");
    }
}

#[test]
fn tests_that_mark_are_exact_also_if_a_server_ends() {
    let suite = Suite::new();
    let tests = [&GO_TEST[..], &["-run", "^Test(Marks|Kill)$", "."]].concat();
    suite
        .run(go::suite_server("atomic"), &tests)
        .with_code(0)
        .saying(&["ended during the tests with exit code 3"]);
    let marked: Vec<String> = (1..=10).map(|number| format!("mark {number}")).collect();
    let names = suite.names();
    assert_eq!(
        names.iter().filter(|name| name.starts_with("mark ")).collect::<Vec<_>>(),
        marked.iter().collect::<Vec<_>>()
    );
    for number in 2..=10 {
        assert_eq!(suite.counts(&format!("mark {number}")), [('x', 2 * number)]);
    }
    assert_eq!(suite.counts("mark 1"), [('x', 202)], "one that goes on later has both parts");
    assert_eq!(suite.counts("kill"), [('x', 6)], "what a process that ended counted is in it");
    assert_eq!(suite.tests_of('a'), Vec::<String>::new(), "what ran between marks belongs to none");
}

/// The reading at the end of `first` fails for one of the servers: what that ran is of `first` or of `second`, and no test
/// has it that did not run it.
#[test]
fn what_was_not_read_at_a_mark_belongs_to_both_tests_together_and_is_said() {
    let suite = Suite::new();
    let tests = [&GO_TEST[..], &["-run", "^TestUnread$", "."]].concat();
    let ended = suite.run(go::suite_server("atomic"), &tests).with_code(0);
    let unread = "two: not everything that it counted could be read and kept";
    let ended =
        ended.saying(&[&format!("not read between tests: {unread}"), "1 group that cannot be told apart"]);
    assert_eq!(ended.errors.matches("not read between tests").count(), 1, "{}", ended.errors);

    // Until its first mark, the test has its own name, and runs nothing.
    let names: Vec<String> = suite.names().into_iter().filter(|name| name != "TestUnread").collect();
    assert_eq!(names, ["first", "second", "first + second", "third"]);
    assert_eq!(suite.counts("first"), [('b', 3)], "of one server");
    assert_eq!(suite.counts("second"), [('c', 2)], "of one server");
    assert_eq!(suite.counts("first + second"), [('b', 3), ('c', 2)], "of the other one");
    assert_eq!(suite.counts("third"), [('x', 2)], "everything was read again");
    assert_eq!(suite.tests_of('b'), ["first", "first + second"]);
    let notes = |test: &str| suite.entry(test)["notes"].clone();
    assert_eq!(notes("first"), serde_json::json!([format!("not read at its end: {unread}")]));
    let apart = format!("cannot be told apart: not read in between: {unread}");
    assert_eq!(notes("first + second"), serde_json::json!([apart]));
    assert_eq!([notes("second"), notes("third")], [Value::Null, Value::Null], "the healthy ones are silent");
}

#[test]
fn without_boundaries_it_says_so_and_what_to_do() {
    let suite = Suite::new();
    suite
        .run(go::suite_server("atomic"), &["true"])
        .with_code(0)
        .saying(&["no test is known by itself: they printed nothing; run go test -v or -json"]);
    assert_eq!(suite.names(), Vec::<String>::new());
    let notes = suite.place.record()["notes"].to_string();
    assert!(notes.contains("no test is known by itself"), "{notes}");
}

#[test]
fn mode_set_is_said_to_count_once() {
    let suite = Suite::new();
    let tests = [&GO_TEST[..], &["-run", "^TestTwice$", "."]].concat();
    suite
        .run(go::suite_server("set"), &tests)
        .with_code(0)
        .saying(&["counts for no later test", "-covermode=atomic"]);
    assert_eq!(suite.tests_of('b'), ["second"]);
    assert_eq!(suite.tests_of('c'), ["first"], "the second ran it as well, which mode set does not tell");
}

#[test]
fn a_mark_without_a_run_says_what_is_missing() {
    let place = Place::new();
    place.podcov(["mark", "TestA"]).with_code(2).saying(&["PODCOV_MARK is not set", "podcov run --per-test"]);
    let nobody = format!("http://{}/x", free_address());
    place
        .podcov(["mark", "TestA", "--address", &nobody])
        .with_code(1)
        .saying(&["no podcov answers at", "while podcov run --per-test runs the tests"]);
    assert!(!Path::new(&place.path("coverage")).exists());
}
