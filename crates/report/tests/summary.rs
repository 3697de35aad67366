//! The end of a run as a terminal shows it.

mod common;

use common::{pod, run, section};
use go_coverage::CounterMode;
use podcov_report::run::{LossReason, Outcome, Run, SetAside};
use podcov_report::{Report, Section, SourceFiles, Versions, summary};

fn shown(run: &Run, sections: Vec<Section>) -> String {
    let files = SourceFiles::default();
    let lines = summary(&Report {
        run,
        sections,
        kinds: Vec::new(),
        tests: None,
        files: &files,
        versions: &Versions::default(),
    });
    lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn sections(labels: &[&str]) -> Vec<Section> {
    let counts = |number: usize| (0..7).map(|unit| u32::from(unit % (number + 2) == 0)).collect::<Vec<_>>();
    let make =
        |(number, label): (usize, &&str)| section(label, CounterMode::Atomic, "m/f.go", &counts(number));
    labels.iter().enumerate().map(make).collect()
}

fn lost(reason: LossReason, detail: &str) -> Outcome {
    Outcome::Lost { reason, detail: detail.to_owned() }
}

#[test]
fn two_workloads_stand_side_by_side() {
    let run = run(vec![
        pod("deployment/api", "api-1", Outcome::Heard),
        pod("deployment/api", "api-2", Outcome::Heard),
        pod("deployment/worker", "worker-1", Outcome::Heard),
    ]);
    insta::assert_snapshot!(shown(&run, sections(&["all", "deployment/api", "deployment/worker"])), @r"
    ✓ collected      3 of 3 pods, 3 of 3 processes            1.6 MB
      api      42.9 %      worker   28.6 %      both   57.1 %  of statements
    ");
}

#[test]
fn many_workloads_get_a_line_each_and_the_same_name_is_told_apart() {
    let run = run(vec![pod("deployment/api", "api-1", Outcome::Heard)]);
    let labels = ["all", "deployment/api", "statefulset/db", "daemonset/api", "job/migrate"];
    insta::assert_snapshot!(shown(&run, sections(&labels)), @r"
    ✓ collected      1 of 1 pod, 1 of 1 process               525.0 kB
      deployment/api   42.9 %
      db               28.6 %
      daemonset/api    28.6 %
      migrate          28.6 %
      all              57.1 %  of statements
    ");
}

#[test]
fn one_workload_is_the_total() {
    let run = run(vec![pod("deployment/api", "api-1", Outcome::Heard)]);
    insta::assert_snapshot!(shown(&run, sections(&["all"])), @r"
    ✓ collected      1 of 1 pod, 1 of 1 process               525.0 kB
      total   57.1 %  of statements
    ");
    insta::assert_snapshot!(shown(&run, sections(&["all", "deployment/api"])), @r"
    ✓ collected      1 of 1 pod, 1 of 1 process               525.0 kB
      api   57.1 %  of statements
    ");
}

#[test]
fn every_loss_has_a_line_with_its_reason() {
    let mut half = pod("deployment/api", "api-3", Outcome::Heard);
    half.processes_started = 3;
    let mut run = run(vec![
        pod("deployment/api", "api-1", Outcome::Heard),
        pod("deployment/api", "api-2", lost(LossReason::Killed, "exit code 137 (OOMKilled)")),
        pod("deployment/api", "api-4", lost(LossReason::Unreachable, "")),
        pod("deployment/api", "api-5", Outcome::NotInstrumented),
        half,
    ]);
    run.set_aside.push(SetAside { file: "data/x".to_owned(), reason: "truncated".to_owned() });
    run.notes.push("GOCOVERDIR was overridden\n\u{1b}[2Jin api".to_owned());
    insta::assert_snapshot!(shown(&run, sections(&["all"])), @r"
    ✗ collected      2 of 4 pods, 2 of 6 processes            2.6 MB
    ✗ pod shop/api-2 container api: ended without writing counters: exit code 137 (OOMKilled)
    ✗ pod shop/api-4 container api: out of reach
    ✗ pod shop/api-3 container api: 2 of 3 processes handed over no counters
    ✗ set aside data/x: truncated
    ! GOCOVERDIR was overridden  [2Jin api
      total   57.1 %  of statements
    ");
}

#[test]
fn no_data_at_all_is_said_with_likely_causes() {
    let lost = pod("deployment/api", "api-1", lost(LossReason::NoData, "no file in the volume"));
    insta::assert_snapshot!(shown(&run(vec![lost]), Vec::new()), @r"
    ✗ collected      0 of 1 pod, 0 of 1 process               525.0 kB
    ✗ pod shop/api-1 container api: no data: no file in the volume
    ✗ no coverage data: nothing is known of what ran, which is not 0 %
        likely: the program was not built with `go build -cover`
        or: -coverpkg leaves out the main package, and then Go writes nothing at all
        or: the program that ran is another one than was built (an older image, another container)
        or: GOCOVERDIR was not set for it, or is not writable there
    ");
    insta::assert_snapshot!(shown(&run(Vec::new()), Vec::new()), @r"
    ✗ no coverage data: nothing is known of what ran, which is not 0 %
        likely: the program was not built with `go build -cover`
        or: -coverpkg leaves out the main package, and then Go writes nothing at all
        or: the program that ran is another one than was built (an older image, another container)
        or: GOCOVERDIR was not set for it, or is not writable there
    ");
}

#[test]
fn meta_data_without_counters_is_not_zero_percent() {
    let api = pod("deployment/api", "api-1", lost(LossReason::Killed, "exit code 2"));
    let nothing = || vec![section("all", CounterMode::Set, "m/f.go", &[0, 0])];
    insta::assert_snapshot!(shown(&run(vec![api.clone()]), nothing()), @r"
    ✗ collected      0 of 1 pod, 0 of 1 process               525.0 kB
    ✗ pod shop/api-1 container api: ended without writing counters: exit code 2
    ✗ no coverage data: nothing is known of what ran, which is not 0 %
        the programs are built with coverage and started, but no counters came from them
        likely: they were killed before they could write them (exit code 137, 143, or 2 with a panic)
        or: they still run, as Go writes counters only when a program ends
    ");

    // One of two workloads is silent: the other's figures stand.
    let run = run(vec![api, pod("deployment/worker", "worker-1", Outcome::Heard)]);
    let mut sections = sections(&["all", "deployment/api", "deployment/worker"]);
    sections[1] = section("deployment/api", CounterMode::Atomic, "m/f.go", &[0, 0]);
    insta::assert_snapshot!(shown(&run, sections.clone()), @r"
    ✗ collected      1 of 2 pods, 1 of 2 processes            1.1 MB
    ✗ pod shop/api-1 container api: ended without writing counters: exit code 2
      api         –        worker   28.6 %      both   57.1 %  of statements
    ");
    let figures = podcov_report::figures(&run, &sections);
    assert_eq!(figures.workloads[0].percent, None);
    assert!(figures.workloads[1].percent.is_some());
}

#[test]
fn nothing_that_ran_is_zero_percent_when_it_was_heard() {
    let run = run(vec![pod("deployment/api", "api-1", Outcome::Heard)]);
    insta::assert_snapshot!(shown(&run, vec![section("all", CounterMode::Set, "m/f.go", &[0, 0])]), @r"
    ✓ collected      1 of 1 pod, 1 of 1 process               525.0 kB
      total    0.0 %  of statements
    ");
}
