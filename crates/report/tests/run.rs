//! The record of a run: its JSON form, and what counts as complete.

mod common;

use common::{pod, run};
use podcov_report::run::{Capture, Completeness, LossReason, Origin, Outcome, Run, SetAside, Summary, Way};

fn lost() -> Outcome {
    Outcome::Lost { reason: LossReason::Killed, detail: "exit code 137".to_owned() }
}

#[test]
fn json_leads_back_to_the_same_run() {
    let mut full = run(vec![
        pod("deployment/api", "api-1", Outcome::Heard),
        pod("deployment/api", "api-2", lost()),
        pod("deployment/api", "api-3", Outcome::NotInstrumented),
        Capture {
            origin: Origin::Local { name: "worker".to_owned(), command: vec!["./worker".to_owned()] },
            ..pod("", "", Outcome::Heard)
        },
    ]);
    full.set_aside = vec![SetAside { file: "data/x".to_owned(), reason: "truncated".to_owned() }];
    full.notes = vec!["a note".to_owned()];
    full.summary =
        Some(Summary { statements: 3, covered: 2, percent: Some(66.666_666), workloads: Vec::new() });
    let text = serde_json::to_string_pretty(&full).unwrap();
    assert_eq!(serde_json::from_str::<Run>(&text).unwrap(), full);
}

#[test]
fn the_words_of_the_json_form_stay() {
    let value = serde_json::to_value(run(vec![pod("deployment/api", "api-1", lost())])).unwrap();
    let capture = &value["captures"][0];
    assert_eq!(value["schema_version"], 1);
    assert_eq!(capture["origin"]["kind"], "pod");
    assert_eq!(capture["way"], "files");
    assert_eq!(capture["outcome"]["state"], "lost");
    assert_eq!(capture["outcome"]["reason"], "killed");
}

#[test]
fn lists_that_an_older_writer_left_out_are_empty() {
    let mut value = serde_json::to_value(run(Vec::new())).unwrap();
    let fields = value.as_object_mut().unwrap();
    fields.remove("notes");
    fields.remove("set_aside");
    assert_eq!(serde_json::from_value::<Run>(value).unwrap(), run(Vec::new()));
}

#[test]
fn a_run_without_captures_is_not_complete() {
    assert_eq!(run(Vec::new()).completeness(), Completeness::default());
    assert!(!run(Vec::new()).completeness().is_complete());
    let bystander = run(vec![pod("deployment/api", "api-1", Outcome::NotInstrumented)]);
    assert!(!bystander.completeness().is_complete());
}

#[test]
fn a_pod_is_heard_when_each_of_its_containers_is() {
    let heard = || pod("deployment/api", "api-1", Outcome::Heard);
    assert!(run(vec![heard()]).completeness().is_complete());
    assert!(
        run(vec![heard(), pod("deployment/api", "api-1", Outcome::NotInstrumented)])
            .completeness()
            .is_complete()
    );
    let half = run(vec![
        heard(),
        pod("deployment/api", "api-1", lost()),
        pod("deployment/api", "api-2", Outcome::Heard),
    ]);
    assert_eq!(
        half.completeness(),
        Completeness { pods_expected: 2, pods_heard: 1, processes_started: 3, processes_captured: 2 }
    );
    assert!(!half.completeness().is_complete());
}

#[test]
fn a_process_that_handed_over_nothing_makes_a_run_incomplete() {
    let mut capture = pod("deployment/api", "api-1", Outcome::Heard);
    capture.processes_started = 2;
    assert!(!run(vec![capture]).completeness().is_complete());
}

#[test]
fn the_way_is_one_that_is_known() {
    assert!(serde_json::from_str::<Way>("\"guessed\"").is_err());
}
