//! `podcov doctor` as it is called: each broken case is laid out with real files and gets its id and no other finding
//! that matters; its healthy twin gets none. What was produced stands in the table of docs/diagnoses/README.md.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cases;
mod healthy;
mod produced;
mod programs;
mod trial;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cases::{CASES, Case, HEALTHY, UNDECIDED};
use programs::{PROGRAMS, Program};

fn doctor(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_podcov"));
    command.current_dir(directory).arg("doctor").args(arguments).env("NO_COLOR", "1").output().unwrap()
}

/// The ids of errors and warnings.
fn ids(output: &Output) -> Vec<String> {
    ids_of(output, &["error", "warning"])
}

fn ids_of(output: &Output, severities: &[&str]) -> Vec<String> {
    let document: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let found = document["diagnoses"].as_array().unwrap().iter();
    let found = found.filter(|found| severities.contains(&found["severity"].as_str().unwrap()));
    found.map(|found| found["id"].as_str().unwrap().to_owned()).collect()
}

/// Whether there is a container engine. Past the capture of the test harness, so that script/test sees what was not tried.
fn engine_answers(test: &str) -> bool {
    let answer = Command::new("docker").args(["info", "--format", "{{.ServerVersion}}"]).output();
    let answers = answer.is_ok_and(|answer| answer.status.success());
    if !answers {
        let _ = writeln!(std::io::stderr(), "SKIPPED {test}: no container engine answers to `docker info`");
    }
    answers
}

fn lay_out(files: &[(&str, String)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

fn examine(files: &[(&str, String)], arguments: &[&str]) -> (Vec<String>, Option<i32>) {
    let directory = lay_out(files);
    let output = doctor(directory.path(), &[arguments, &["--output", "json"]].concat());
    (ids(&output), output.status.code())
}

#[test]
fn each_broken_case_gets_its_id_and_no_other() {
    for case in CASES {
        let (found, code) = examine(&(case.files)(), case.arguments);
        assert_eq!(found, [case.id], "{}", case.how);
        assert_eq!(code, Some(i32::from(!case.is_warning)), "{}", case.how);
    }
}

#[test]
fn healthy_twins_get_none() {
    for (how, files, arguments) in HEALTHY {
        assert_eq!(examine(&files(), arguments), (Vec::new(), Some(0)), "{how}");
    }
}

/// The Dockerfile of the original report has all that people suspect, and a plain one nothing of it.
#[test]
fn what_people_suspect_is_answered_where_it_is_there() {
    let suspected = [
        "harmless-distroless",
        "harmless-multi-stage-copy",
        "harmless-nonroot",
        "harmless-rebuild-all",
        "harmless-static-linking",
        "harmless-stripping",
        "harmless-trimpath",
    ];
    let plain = "FROM golang:1.26\nWORKDIR /src\nCOPY . .\nRUN go build -cover -o /api ./cmd/api\nENTRYPOINT [\"/api\"]\n";
    for (text, expected) in [(cases::BUILD, &suspected[..]), (plain, &[])] {
        let directory = lay_out(&[("Dockerfile", text.to_owned())]);
        let output = doctor(directory.path(), &["Dockerfile", "--output", "json"]);
        let mut notes = ids_of(&output, &["note"]);
        notes.retain(|id| id.starts_with("harmless-"));
        notes.sort();
        assert_eq!(notes, expected, "{text}");
    }
}

#[test]
fn what_files_do_not_tell_is_neither_right_nor_wrong() {
    for (how, files, arguments) in UNDECIDED {
        assert_eq!(examine(&files(), arguments), (Vec::new(), Some(2)), "{how}");
    }
}

fn real_data(release: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/coverage").join(release);
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.ends_with("textfmt"))
        .collect();
    files.sort();
    files
}

/// Copies the files whose names begin so.
fn copy(release: &str, prefix: &str, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in real_data(release) {
        let name = file.file_name().unwrap().to_str().unwrap();
        if name.starts_with(prefix) {
            fs::copy(&file, to.join(name)).unwrap();
        }
    }
}

type Layout = fn(&Path);

/// What is done to real data, the row of the symptoms, and what is then found.
const DATA: &[(&str, &str, Layout, &[&str], i32)] = &[
    ("-", "real data of Go 1.26, as it is", |to| copy("go1.26.8", "cov", to), &[], 0),
    ("1", "an empty directory", |to| fs::create_dir_all(to).unwrap(), &["no-data"], 1),
    (
        "23, 42",
        "real covmeta without its counters",
        |to| copy("go1.26.8", "covmeta", to),
        &["counters-missing"],
        1,
    ),
    (
        "40, 41",
        "real counters without their covmeta",
        |to| copy("go1.26.8", "covcounters", to),
        &["orphan-counters"],
        1,
    ),
    (
        "19",
        "only tmp.cov* files of 0 bytes",
        |to| {
            fs::create_dir_all(to).unwrap();
            fs::write(to.join("tmp.covmeta.7ab2fa8839165a1ac2960f583bcf6b321795480394910539784"), "")
                .unwrap();
        },
        &["temporary-files-left"],
        1,
    ),
    (
        "44",
        "real data of one program, built by Go 1.26 and by Go 1.27",
        |to| {
            copy("go1.26.8", "cov", to);
            copy("go1.27.3", "cov", to);
        },
        &["mixed-builds"],
        0,
    ),
    (
        "46",
        "a real counter file that was cut off",
        |to| {
            copy("go1.26.8", "cov", to);
            let counters = fs::read_dir(to).unwrap().map(|entry| entry.unwrap().path());
            let one = counters.filter(|path| path.to_str().unwrap().contains("covcounters")).min().unwrap();
            let bytes = fs::read(&one).unwrap();
            fs::write(one, &bytes[..bytes.len() - 20]).unwrap();
        },
        &["damaged-file"],
        1,
    ),
    (
        "40",
        "real data, and more of it in a directory below",
        |to| {
            copy("go1.26.8", "cov", to);
            copy("go1.26.8", "cov", &to.join("worker"));
        },
        &["data-in-subdirectories"],
        0,
    ),
    (
        "26",
        "a program that writes its counters three times while it runs, and at its end",
        produced::cumulative,
        &["cumulative-snapshots"],
        0,
    ),
    (
        "43",
        "one program, built with -covermode=set and with -covermode=count",
        produced::mixed_modes,
        &["mixed-modes"],
        1,
    ),
    ("23, 42", "a program that is killed", produced::killed, &["counters-missing"], 1),
];

#[test]
fn data_directories_and_archives_are_judged_alike() {
    for (_, how, layout, expected, code) in DATA {
        let directory = tempfile::tempdir().unwrap();
        layout(&directory.path().join("data"));
        let found = doctor(directory.path(), &["data", "--output", "json"]);
        assert_eq!(
            (ids(&found).as_slice(), found.status.code()),
            (owned(expected).as_slice(), Some(*code)),
            "{how}"
        );

        let status =
            Command::new("tar").args(["-czf", "data.tgz", "data"]).current_dir(directory.path()).status();
        assert!(status.unwrap().success());
        let found = doctor(directory.path(), &["data.tgz", "--output", "json"]);
        assert_eq!(ids(&found), owned(expected), "{how}, in an archive");
    }
}

fn owned(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[test]
fn what_cannot_be_looked_at_ends_with_2() {
    let directory = lay_out(&[("broken.yaml", "a: [".to_owned()), ("empty.yaml", "a: b\n".to_owned())]);
    for argument in ["./nothing", "broken.yaml", "empty.yaml"] {
        let output = doctor(directory.path(), &[argument]);
        assert_eq!(output.status.code(), Some(2), "{argument}");
        assert!(String::from_utf8(output.stdout).unwrap().contains("could not be looked at"), "{argument}");
    }
}

#[test]
fn hostile_names_do_not_reach_the_terminal() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: \"a\\e[2Jb\"}\nspec: {containers: [{name: \"c\\e[31m\"}]}\n";
    let directory = lay_out(&[("pod.yaml", text.to_owned())]);
    let output = doctor(directory.path(), &["pod.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!output.stdout.contains(&0x1b));
}

/// The rows, in the order of the symptoms.
fn table() -> String {
    let mut rows: Vec<(u32, String)> = Vec::new();
    let mut add = |row: &str, how: &str, id: &str| {
        let number = row.split([',', ' ']).next().and_then(|row| row.parse().ok()).unwrap_or(u32::MAX);
        rows.push((number, format!("| {row} | {how} | [{id}]({id}.md) |\n")));
    };
    for Case { row, how, id, .. } in CASES {
        add(row, how, id);
    }
    for Program { row, how, id, .. } in PROGRAMS {
        add(row, how, id);
    }
    for (row, how, _, ids, _) in DATA {
        if let [id] = ids {
            add(row, how, id);
        }
    }
    rows.sort();
    rows.into_iter().map(|(_, line)| line).collect()
}

#[test]
fn the_table_of_cases_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/diagnoses/README.md");
    let page = fs::read_to_string(&path).unwrap();
    let (begin, end) = ("<!-- begin: offline cases -->\n", "<!-- end: offline cases -->\n");
    let (before, rest) = page.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let expected =
        format!("{before}{begin}| Row | How it is produced | Id |\n|---|---|---|\n{}{end}{after}", table());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &expected).unwrap();
    } else {
        assert_eq!(page, expected, "refresh it: UPDATE_DOCS=1 cargo test -p podcov --test doctor");
    }
}
