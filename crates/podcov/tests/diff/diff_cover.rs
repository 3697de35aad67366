//! diff-cover as the oracle, which reads podcov's Cobertura and lcov: releases of a real module, one after the other in git.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::place::Place;
use crate::project::{git_in, lines_of};

const MODULE: &str = "github.com/hashicorp/golang-lru/v2";
const RELEASES: [&str; 3] = ["v2.0.2", "v2.0.4", "v2.0.7"];

#[test]
fn changed_lines_are_covered_as_diff_cover_says() {
    if which::which("diff-cover").is_err() {
        let test = "changed_lines_are_covered_as_diff_cover_says";
        let _ = writeln!(std::io::stderr(), "SKIPPED {test}: diff-cover is not installed");
        return;
    }
    let place = Place::new();
    let checkout = place.path("checkout");
    fs::create_dir(&checkout).unwrap();
    git_in(&checkout, &["init", "--quiet", "--initial-branch=main"]);
    for release in RELEASES {
        commit(&checkout, release);
    }
    let profile = place.path("unit.out");
    // Some of its tests alone, so that not everything ran.
    let coverage = format!("-coverprofile={}", profile.display());
    said_by(&checkout, "go", &["test", "-run=TestLRU|TestTwoQ", "-coverpkg=./...", &coverage, "./..."]);
    let profile = profile.to_str().unwrap();
    place
        .podcov([
            "report",
            profile,
            "--source",
            "checkout",
            "--format",
            "cobertura=coverage.xml",
            "--format",
            "lcov=coverage.info",
        ])
        .with_code(0);

    for base in ["HEAD~1", "HEAD~2"] {
        let document = changed_lines(&place, base, profile);
        for report in ["../coverage.xml", "../coverage.info"] {
            let arguments = [report, "--compare-branch", base, "--format", "json:../diff-cover.json"];
            said_by(&checkout, "diff-cover", &arguments);
            let theirs: Value = serde_json::from_str(&place.text("diff-cover.json")).unwrap();
            compare(&document, &theirs, &checkout, &format!("{report} since {base}"));
        }
    }
}

/// By definition, diff-cover's lines are more: it knows lines of blocks, with the comments, empty lines and brackets in
/// them, also where a bracket is all that a block has of its first line; and a line that ran in part is covered.
fn compare(document: &Value, theirs: &Value, checkout: &Path, what: &str) {
    let (mut compared, mut uncovered) = (0, 0);
    for (path, stats) in theirs["src_stats"].as_object().unwrap() {
        let numbers = |key: &str| -> BTreeSet<u32> {
            serde_json::from_value::<Vec<u32>>(stats[key].clone()).unwrap().into_iter().collect()
        };
        let (violations, covered) = (numbers("violation_lines"), numbers("covered_lines"));
        let text = fs::read_to_string(checkout.join(path)).unwrap();
        let text: Vec<&str> = text.lines().collect();
        let has_code = |line: &u32| {
            let code = text[*line as usize - 1].split("//").next().unwrap().trim();
            // A block begins after all that is there.
            let is_before_block = code == "} else {"
                || (code.starts_with("func ") && code.ends_with('{'))
                || (code.starts_with("case ") && code.ends_with(':'));
            !is_before_block && code.chars().any(|character| !"{}()[],; ".contains(character))
        };
        let expected: BTreeMap<u32, &str> = (violations.iter().map(|line| (*line, "not covered")))
            .chain(covered.iter().map(|line| (*line, "ran")))
            .filter(|(line, _)| has_code(line))
            .collect();
        let ours = lines_of(document, path);
        let ours: BTreeMap<u32, &str> = ours
            .iter()
            .map(|(line, state)| (*line, if state == "not_covered" { "not covered" } else { "ran" }))
            .collect();
        assert_eq!(ours, expected, "{path}, {what}");
        compared += ours.len();
        uncovered += ours.values().filter(|state| **state == "not covered").count();
    }
    assert!(compared > 20 && uncovered > 0, "{what}: {compared} lines, {uncovered} of them uncovered");
    let total = document["lines"]["total"].as_u64().unwrap();
    assert_eq!(total, compared as u64, "{what}: a file that diff-cover does not know");
}

/// As podcov says.
fn changed_lines(place: &Place, base: &str, profile: &str) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_podcov"));
    command.args(["diff", profile, "--base", base, "--format", "json"]).current_dir(place.path("checkout"));
    let ended = place.start_command(command).end();
    serde_json::from_str(&ended.output).unwrap_or_else(|_| panic!("{}{}", ended.output, ended.errors))
}

/// Makes the checkout what a release is.
fn commit(checkout: &Path, release: &str) {
    let query = format!("{MODULE}@{release}");
    let downloaded = said_by(Path::new("/"), "go", &["mod", "download", "-json", &query]);
    let downloaded: Value = serde_json::from_str(&downloaded).unwrap();
    for entry in fs::read_dir(checkout).unwrap().map(|entry| entry.unwrap().path()) {
        match entry.is_dir() {
            true if entry.ends_with(".git") => {}
            true => fs::remove_dir_all(entry).unwrap(),
            false => fs::remove_file(entry).unwrap(),
        }
    }
    let from = format!("{}/.", downloaded["Dir"].as_str().unwrap());
    said_by(checkout, "cp", &["-r", "--no-preserve=mode", &from, "."]);
    git_in(checkout, &["add", "--all"]);
    git_in(checkout, &["commit", "--quiet", "--message", release]);
}

/// What a program says; it has to succeed.
fn said_by(directory: &Path, program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(directory).env("GOWORK", "off").env("GOFLAGS", "-mod=mod");
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{program} {}: {said}{errors}", arguments.join(" "));
    said
}
