//! Flags as Go's flag package takes them, and command lines that make no sense.

use std::fs;
use std::path::Path;
use std::process::Command;

use podcov_go_programs::{Answer, Release};

use crate::comparison::{difference, podcov};

/// Stands for the directory that a command line may write to.
const OUTPUT: &str = "OUTPUT";

pub fn flags_are_spelled_as_go_spells_them(release: &Release) {
    for line in [
        "percent -i=data/api,data/worker",
        "percent -i data/api,data/worker",
        "percent --i=data/api,data/worker",
        "percent --i data/api,data/worker",
        "percent -i=data/worker -i=data/api",
        "percent -i=data/api -pkg example.com/shop/cmd/...",
        "percent -i=data/api --pkg=example.com/shop/cmd/...",
        "percent --pkg example.com/shop/cmd/... -i=data/api",
        "percent -i=data/api -pkg=",
        "percent -i=data/api -pkg=...",
        "percent -i=data/api -pkg=,example.com/shop/internal/cart,",
        "percent -i=data/api -pkg=example.com/shop/.../cart",
        "percent -i=data/api -pkg=example.com/shop/internal/cart/...",
        "percent -i=data/api -pkg=example.com/shop/internal/c",
        "percent -i=data/api -pkg=no.such/package",
        "percent -i=data/api --",
        "percent -i=data/api -v=0 -h=false -hw=false",
        "percent -i=data/api -cpuprofile OUTPUT/../cpu -memprofile=OUTPUT/../memory -memprofilerate 1",
        "percent -i data/api -o OUTPUT/profile",
        "percent -i data/api/ --o=OUTPUT/profile",
        "textfmt -i data/api -o OUTPUT/profile",
        "textfmt -o=OUTPUT/profile -i=data/api,data/api",
        "func -i=./data/api,data/../data/worker",
        "merge -i data/api,data/worker -o OUTPUT -pcombine",
        "merge -i=data/api,data/worker -o=OUTPUT --pcombine",
        "merge -i=data/api,data/worker -o=OUTPUT -pcombine=true",
        "merge -i=data/api,data/worker -o=OUTPUT -pcombine=1",
        "merge -i=data/api,data/worker -o=OUTPUT -pcombine=false",
        "merge -pcombine -i=data/api,data/worker -o=OUTPUT",
        "merge -pcombine=T -i data/api -i data/worker -o OUTPUT",
        "debugdump -i=data/api -live",
        "debugdump -i=data/api --live=true",
        "debugdump -live=false -i=data/api",
        "debugdump -live=F -i=data/api",
        "intersect -i=data/api -o=OUTPUT",
        "intersect -i=data/api,data/api,data/api -o=OUTPUT",
        "subtract -i=data/api,data/api -o=OUTPUT",
    ] {
        let [expected, answer] = both(release, line);
        assert_eq!(expected.code, Some(0), "{line}: {}", expected.stderr);
        assert_eq!(difference(&expected, &answer, false), None, "{line}");
    }
}

pub fn command_lines_without_sense_end_as_those_of_covdata(release: &Release) {
    for line in [
        "",
        "percentage -i=data/api",
        "percent",
        "percent -i=",
        "percent data/api",
        "percent -i=data/api data/worker",
        "percent -i",
        "percent -i=data/api -no-such-flag",
        "percent -i=data/api -live",
        "textfmt -i=data/api",
        "merge -i=data/api",
        "merge -i=data/api -o=OUTPUT -pcombine=perhaps",
        "subtract -i=data/api -o=OUTPUT",
        "subtract -i=data/api,data/api,data/worker -o=OUTPUT",
        "intersect -i=data/api",
    ] {
        let [expected, answer] = both(release, line);
        assert_eq!(expected.code, Some(2), "{line}: {}", expected.stderr);
        assert_eq!(answer.code, expected.code, "{line}: {}", answer.stderr);
        assert!(answer.files.is_empty(), "{line}: {:?}", answer.files.keys());
        assert!(answer.stdout.is_empty(), "{line}: {}", String::from_utf8_lossy(&answer.stdout));
        assert!(!answer.stderr.is_empty(), "{line}");
    }
}

pub fn a_directory_that_is_not_there_fails_as_with_covdata(release: &Release) {
    for line in [
        "percent -i=nowhere",
        "func -i=data/api,nowhere",
        "merge -i=nowhere,data/api -o=OUTPUT",
        "pkglist -i=,",
    ] {
        let [expected, answer] = both(release, line);
        assert_eq!(expected.code, Some(1), "{line}: {}", expected.stderr);
        assert_eq!(answer.code, expected.code, "{line}: {}", answer.stderr);
        assert!(!answer.stderr.is_empty(), "{line}");
    }
}

/// What covdata and podcov do with a command line among the data of two programs.
fn both(release: &Release, line: &str) -> [Answer; 2] {
    let scenario = release.scenario("atomic");
    [Command::new(&release.covdata), podcov()].map(|mut command| {
        let place = tempfile::tempdir().unwrap();
        let output = place.path().join("output");
        fs::create_dir(&output).unwrap();
        command.current_dir(scenario.directory()).env_remove("GOCOVERDIR").args(arguments(line, &output));
        Answer::of(command, &output)
    })
}

fn arguments(line: &str, output: &Path) -> Vec<String> {
    let output = output.display().to_string();
    line.split_whitespace().map(|argument| argument.replace(OUTPUT, &output)).collect()
}
