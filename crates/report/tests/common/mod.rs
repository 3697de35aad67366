//! Small runs and profiles.

#![allow(dead_code, reason = "each test file uses its own part")]

use go_coverage::{CounterMode, Function, Package, Profile, Unit};
use podcov_report::Section;
use podcov_report::run::{Capture, Origin, Outcome, Run, SCHEMA_VERSION, Tests, Way};

/// A run of the shop's tests with these captures.
pub fn run(captures: Vec<Capture>) -> Run {
    Run {
        schema_version: SCHEMA_VERSION,
        id: "k7f2".to_owned(),
        podcov_version: "0.1.0".to_owned(),
        started: "2026-11-03T09:12:44Z".to_owned(),
        finished: None,
        tests: Some(Tests {
            command: ["go", "test", "./e2e/..."].map(str::to_owned).to_vec(),
            exit_code: Some(0),
            seconds: 293.0,
            interrupted: false,
        }),
        captures,
        set_aside: Vec::new(),
        excluded: Vec::new(),
        inputs: Vec::new(),
        notes: Vec::new(),
        summary: None,
    }
}

/// A container of a pod; one of one process was captured if it was heard.
pub fn pod(workload: &str, pod: &str, outcome: Outcome) -> Capture {
    Capture {
        origin: Origin::Pod {
            namespace: "shop".to_owned(),
            workload: workload.to_owned(),
            pod: pod.to_owned(),
            pod_uid: format!("uid-{pod}"),
            container: "api".to_owned(),
            restart: 0,
        },
        directory: format!("data/{pod}"),
        way: Way::Files,
        processes_started: 1,
        processes_captured: u32::from(outcome == Outcome::Heard),
        bytes: 525_000,
        outcome,
        processes: Vec::new(),
        diagnosis: None,
    }
}

/// One function in one file, a unit a line with two statements each.
pub fn section(label: &str, mode: CounterMode, file: &str, counts: &[u32]) -> Section {
    let unit = |(line, count): (u32, &u32)| Unit {
        start_line: line,
        start_column: 2,
        end_line: line,
        end_column: 5,
        statements: 2,
        count: *count,
    };
    let function = Function {
        name: "F".to_owned(),
        file: file.to_owned(),
        is_literal: false,
        units: (1..).zip(counts).map(unit).collect(),
    };
    let import_path = file.rsplit_once('/').map_or("", |(path, _)| path).to_owned();
    let packages = vec![Package { import_path, functions: vec![function] }];
    Section::new(label, Profile { mode, packages })
}
