//! Builds of changed sources in one report: what agrees is joined, what does not is shown apart, and said.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::go::{self, Release, measure};
use crate::place::Place;

const MODULE: &str = "module example.com/m\n\ngo 1.22\n";
const MAIN: &str = r#"package main

import (
	"os"

	"example.com/m/lib"
)

func main() {
	for _, word := range os.Args[1:] {
		lib.Same(word)
		lib.Changed(word)
	}
}
"#;
const OLD: &str = r#"package lib

func Same(word string) int {
	if word == "long" {
		return 2
	}
	return 1
}

func Changed(word string) int {
	if word == "long" {
		return 4
	}
	return 3
}
"#;
const NEW: &str = r#"package lib

func Same(word string) int {
	if word == "long" {
		return 2
	}
	return 1
}

func Changed(word string) int {
	number := len(word)
	if word == "short" {
		number++
		return number
	}
	return number * 2
}
"#;
const TEST: &str = r#"package lib

import "testing"

func TestChanged(t *testing.T) { Changed("long") }
"#;

/// Two checkouts, and data of each: the old one ran `long` once, the new one `short` twice.
pub struct Builds {
    pub place: Place,
}

impl Builds {
    /// Of changed sources.
    pub fn changed() -> Self {
        Self::new(OLD, NEW)
    }

    fn new(old: &str, new: &str) -> Self {
        let place = Place::new();
        for (name, source, arguments) in [("old", old, &["long"][..]), ("new", new, &["short", "short"][..])]
        {
            let checkout = place.path(format!("src-{name}"));
            fs::create_dir_all(checkout.join("lib")).unwrap();
            fs::write(checkout.join("go.mod"), MODULE).unwrap();
            fs::write(checkout.join("main.go"), MAIN).unwrap();
            fs::write(checkout.join("lib/lib.go"), source).unwrap();
            fs::write(checkout.join("lib/lib_test.go"), TEST).unwrap();
            let executable = place.path(name.to_owned() + ".exe");
            // What differs is the version of the sources; without it, Go would write the same meta-data twice.
            run_go(
                &checkout,
                &[
                    "build",
                    "-cover",
                    "-covermode=count",
                    "-coverpkg=./...",
                    "-o",
                    executable.to_str().unwrap(),
                    ".",
                ],
            );
            measure(executable.to_str().unwrap(), arguments, &place.path(format!("data/{name}")));
        }
        Self { place }
    }

    /// The data of both in one directory, as of a deployment that was rolled out anew during the tests.
    fn mixed(&self) {
        fs::create_dir(self.place.path("mixed")).unwrap();
        for name in ["old", "new"] {
            for file in go::files(&self.place.path(format!("data/{name}")), "cov") {
                fs::copy(&file, self.place.path("mixed").join(file.file_name().unwrap())).unwrap();
            }
        }
    }

    /// Every format, and what podcov says.
    pub fn report(&self, arguments: &[&str]) -> (Value, String) {
        let formats = ["table=table.txt", "markdown=report.md", "lcov=lcov.info", "cobertura=cobertura.xml"];
        let formats = formats.iter().chain(&["sonar=sonar.xml", "json=report.json"]);
        let formats = formats.flat_map(|format| ["--format", format]);
        let arguments: Vec<&str> = ["report", "--source", "src-new", "--by", "file"]
            .into_iter()
            .chain(formats)
            .chain(arguments.iter().copied())
            .collect();
        let ended = self.place.podcov(arguments).with_code(0);
        (serde_json::from_str(&self.place.text("report.json")).unwrap(), ended.errors)
    }

    fn oracle(&self, name: &str) -> String {
        go::covdata_total(Release::Newest, &[self.place.path(format!("data/{name}"))])
    }
}

#[test]
fn functions_of_two_builds_are_joined_where_they_agree_and_apart_where_not() {
    let builds = Builds::changed();
    builds.mixed();
    let (document, errors) = builds.report(&["mixed"]);
    assert!(
        errors.contains("builds have different versions of 1 file, such as example.com/m/lib/lib.go"),
        "{errors}"
    );

    let file = file(&document, "lib/lib.go");
    let versions = file["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 2, "{versions:?}");
    // The one that the checkout has comes first.
    assert_eq!(counts(&versions[0]), [("Same", vec![3, 1, 2]), ("Changed", vec![2, 2, 0])].map(named).into());
    assert_eq!(counts(&versions[1]), [("Same", vec![3, 1, 2]), ("Changed", vec![1, 1, 0])].map(named).into());
    assert_ne!(versions[0]["builds"], versions[1]["builds"]);
    assert_eq!(file["functions"], versions[0]["functions"]);
    assert_eq!(file["lines"], versions[0]["lines"]);
    let both = go::covdata_total(
        Release::Newest,
        &["old", "new"].map(|name| builds.place.path(format!("data/{name}"))),
    );
    assert_eq!(share(&document), both, "all versions count in the total");

    // Each build by itself is as Go says.
    let parts: BTreeSet<String> = document["parts"].as_array().unwrap().iter().map(share).collect();
    assert_eq!(parts, ["old", "new"].map(|name| builds.oracle(name)).into());

    // A file is in these formats once.
    let lines: BTreeMap<u64, u64> = stretches(&versions[0]["lines"]);
    assert_eq!(lines_of_trace(&builds.place.text("lcov.info"), "lib/lib.go"), lines);
    for format in ["cobertura.xml", "sonar.xml"] {
        assert_eq!(builds.place.text(format).matches("lib/lib.go").count(), 1, "{format}");
    }
    for format in ["table.txt", "report.md"] {
        assert_eq!(builds.place.text(format).matches("as in ").count(), 2, "{}", builds.place.text(format));
    }
}

#[test]
fn parts_that_are_builds_stand_in_the_report_once() {
    let builds = Builds::changed();
    let (document, errors) = builds.report(&["data"]);
    assert!(errors.contains("different versions of 1 file"), "{errors}");
    let parts: Vec<(&str, String)> = document["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| (part["label"].as_str().unwrap(), share(part)))
        .collect();
    assert_eq!(parts, [("new", builds.oracle("new")), ("old", builds.oracle("old"))]);
    let versions = &file(&document, "lib/lib.go")["versions"];
    assert_eq!((&versions[0]["builds"][0], &versions[1]["builds"][0]), (&"new".into(), &"old".into()));
}

#[test]
fn builds_of_one_workload_are_called_after_their_pods() {
    let builds = Builds::changed();
    fs::create_dir_all(builds.place.path("run/api")).unwrap();
    for (data, pod) in [("new", "api-7d9-a"), ("old", "api\u{1b}[2J")] {
        let pod = builds.place.path(format!("run/api/{pod}"));
        fs::rename(builds.place.path(format!("data/{data}")), pod).unwrap();
    }
    let (document, errors) = builds.report(&["run"]);
    let versions = &file(&document, "lib/lib.go")["versions"];
    assert!(!errors.contains('\u{1b}'), "{errors:?}");
    for (version, pod) in [(0, "api-7d9-a"), (1, "api\u{1b}[2J")] {
        let label = versions[version]["builds"][0].as_str().unwrap();
        assert!(label.starts_with("build ") && label.ends_with(&format!(" (api: {pod})")), "{label}");
        let said = label.replace('\u{1b}', "\u{fffd}");
        assert!(errors.contains(&format!("that of {said}")), "{errors}");
    }
}

#[test]
fn a_unit_test_of_another_version_is_apart_from_the_end_to_end_tests() {
    let builds = Builds::changed();
    let profile = builds.place.path("unit.out");
    let flags = ["test", "-covermode=count", &format!("-coverprofile={}", profile.display()), "./lib"];
    run_go(&builds.place.path("src-old"), &flags);
    let labels = ["--label", "unit=unit.out", "--label", "e2e=data/new"];
    let (document, errors) = builds.report(&labels);
    assert!(errors.contains("different versions of 1 file"), "{errors}");
    let versions = &file(&document, "lib/lib.go")["versions"];
    assert_eq!(counts(&versions[0])["Changed"], [2, 2, 0]);
    let old: Vec<u64> =
        versions[1]["functions"].as_array().unwrap().iter().flat_map(blocks).map(|block| block[5]).collect();
    assert_eq!(old, [2, 0, 2, 1, 1, 0], "{versions}");
    assert_eq!(versions[1]["builds"][0], "unit.out");
    let unit = document["parts"].as_array().unwrap().iter().find(|part| part["label"] == "unit.out").unwrap();
    assert_eq!(share(unit), go::cover_total(Release::Newest, &builds.place.path("src-old"), &profile));
}

#[test]
fn builds_of_the_same_sources_are_joined_without_a_word() {
    // The main package differs in a constant, which no position shows.
    let builds = Builds::new(NEW, NEW);
    let main = MAIN.replace("lib.Same(word)", "lib.Same(word); lib.Same(word)");
    fs::write(builds.place.path("src-old/main.go"), main).unwrap();
    fs::rename(builds.place.path("src-old"), builds.place.path("src-other")).unwrap();
    let profile = builds.place.path("unit.out");
    let flags = ["test", "-covermode=count", &format!("-coverprofile={}", profile.display()), "./lib"];
    run_go(&builds.place.path("src-new"), &flags);
    let (document, errors) = builds.report(&["--label", "unit=unit.out", "--label", "e2e=data"]);
    assert!(!errors.contains("version"), "{errors}");
    assert_eq!(file(&document, "lib/lib.go").get("versions"), None);
    assert_eq!(builds.place.text("table.txt").matches("as in ").count(), 0);
}

fn run_go(directory: &Path, arguments: &[&str]) {
    let output = Command::new("go")
        .args(arguments)
        .current_dir(directory)
        .envs([("GOFLAGS", "-buildvcs=false"), ("GOWORK", "off"), ("CGO_ENABLED", "0")])
        .env_remove("GOCOVERDIR")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn file<'a>(document: &'a Value, path: &str) -> &'a Value {
    let mut files = document["packages"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|package| package["files"].as_array().unwrap());
    files.find(|file| file["path"] == path).unwrap_or_else(|| panic!("no {path} in {document}"))
}

fn named((name, counts): (&str, Vec<u64>)) -> (String, Vec<u64>) {
    (name.to_owned(), counts)
}

/// The count of each block of each function, by place.
fn counts(version: &Value) -> BTreeMap<String, Vec<u64>> {
    let functions = version["functions"].as_array().unwrap().iter();
    functions
        .map(|function| {
            let counts = blocks(function).into_iter().map(|block| block[5]).collect();
            (function["name"].as_str().unwrap().to_owned(), counts)
        })
        .collect()
}

fn blocks(function: &Value) -> Vec<[u64; 6]> {
    let mut blocks: Vec<[u64; 6]> = serde_json::from_value(function["blocks"].clone()).unwrap();
    blocks.sort_unstable();
    blocks
}

fn share(part: &Value) -> String {
    format!("{:.1}%", part["totals"]["percent"].as_f64().unwrap())
}

fn stretches(lines: &Value) -> BTreeMap<u64, u64> {
    let number = |stretch: &Value, key: &str| stretch[key].as_u64().unwrap();
    let stretches = lines.as_array().unwrap().iter();
    stretches
        .flat_map(|stretch| {
            let hits = number(stretch, "hits");
            (number(stretch, "first")..=number(stretch, "last")).map(move |line| (line, hits))
        })
        .collect()
}

/// Hits by line of a file of an lcov trace.
fn lines_of_trace(trace: &str, path: &str) -> BTreeMap<u64, u64> {
    let record =
        trace.split("end_of_record").find(|record| record.contains(&format!("SF:{path}\n"))).unwrap();
    let lines = record.lines().filter_map(|line| line.strip_prefix("DA:")?.split_once(','));
    lines.map(|(line, hits)| (line.parse().unwrap(), hits.parse().unwrap())).collect()
}
