//! Go's covdata reads what podcov wrote, and says of it what it says of the data that it was made from.

use std::fs;
use std::path::Path;
use std::process::Command;

use podcov_go_programs::{Answer, Call, Release};

use crate::comparison::{ORPHANS, difference, podcov};

pub fn covdata_reads_what_merge_wrote(release: &Release) {
    check(release, &[]);
}

pub fn covdata_reads_what_merging_programs_wrote(release: &Release) {
    check(release, &["-pcombine"]);
}

fn check(release: &Release, flags: &[&str]) {
    let mut compared = 0;
    for scenario in &release.scenarios {
        let place = tempfile::tempdir().unwrap();
        let merged = place.path().join("merged");
        let mut merge = podcov();
        merge.current_dir(scenario.directory()).arg("merge").args(flags);
        merge.arg(format!("-i={}", scenario.inputs().join(","))).arg(format!("-o={}", merged.display()));
        fs::create_dir(&merged).unwrap();
        let answer = Answer::of(merge, &merged);
        let code = if answer.stderr.contains(ORPHANS) { 3 } else { 0 };
        assert_eq!(answer.code, Some(code), "{}: {}", scenario.name, answer.stderr);

        for (call, expected) in scenario.answers() {
            if ["percent", "textfmt"].contains(&&*call.name) && expected.code == Some(0) {
                let answer = read(release, &call, &merged, &place.path().join(&call.name));
                let difference = difference(&expected, &answer, scenario.has_common_blocks());
                assert_eq!(difference, None, "{}: {}", scenario.name, call.name);
                compared += 1;
            }
        }
    }
    assert!(compared > 10, "{compared}");
}

/// Lets Go do with the merged data what the call did with the data that it was made from.
fn read(release: &Release, call: &Call, merged: &Path, output: &Path) -> Answer {
    fs::create_dir(output).unwrap();
    let mut command = Command::new(&release.covdata);
    command.arg(call.subcommand).arg(format!("-i={}", merged.display()));
    if call.subcommand == "textfmt" {
        command.arg(format!("-o={}", output.join("profile").display()));
    }
    Answer::of(command, output)
}
