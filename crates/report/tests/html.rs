//! The page as text: what is in it, and that nothing in it is mistaken for markup. How it looks and works is seen in a
//! browser (e2e/browser).

#![allow(clippy::unwrap_used, reason = "what a test calls may panic like the test")]

mod common;

use std::fs;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::{pod, run, section};
use go_coverage::CounterMode;
use go_source::Sources;
use podcov_report::run::{LossReason, Outcome, Run};
use podcov_report::tests::{BlockTests, FileTests, TESTS_SCHEMA_VERSION, Test, TestMapping};
use podcov_report::{Page, Report, Section, SourceFiles, Versions, html};
use serde_json::Value;

fn page(run: &Run, sections: Vec<Section>, sources: &Sources) -> String {
    let files = SourceFiles::look_up(sources, sections.iter().map(Section::profile));
    let mut page = Vec::new();
    html(
        &Report {
            run,
            sections,
            kinds: Vec::new(),
            tests: None,
            files: &files,
            versions: &Versions::default(),
        },
        &mut page,
    )
    .unwrap();
    String::from_utf8(page).unwrap()
}

fn block(page: &str, id: &str) -> Value {
    serde_json::from_str(text_of(page, "application/json", id)).unwrap()
}

/// The data of a file, as the page's script unpacks it.
fn file_block(page: &str, id: &str) -> Value {
    let packed = STANDARD.decode(text_of(page, "application/octet-stream", id)).unwrap();
    let mut text = String::new();
    flate2::read::DeflateDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
    let (figures, source) =
        text.split_once('\n').map_or((text.as_str(), None), |(one, other)| (one, Some(other)));
    let mut data: Value = serde_json::from_str(figures).unwrap();
    data["source"] = source.into();
    data
}

fn text_of<'p>(page: &'p str, kind: &str, id: &str) -> &'p str {
    let start = format!("<script type=\"{kind}\" id=\"{id}\">");
    let (_, rest) = page.split_once(&start).unwrap();
    rest.split_once("</script>").unwrap().0
}

fn checkout(text: &str) -> (tempfile::TempDir, Sources) {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("go.mod"), "module m\n").unwrap();
    fs::write(directory.path().join("f.go"), text).unwrap();
    let sources = Sources::discover_with_module_cache(directory.path(), None).unwrap();
    (directory, sources)
}

#[test]
fn sections_of_one_build_share_ranges_and_the_source() {
    let (_directory, sources) = checkout("\ta()\n\tb()\n");
    let run = run(vec![pod("deployment/api", "api-1", Outcome::Heard)]);
    let sections = vec![
        section("all", CounterMode::Atomic, "m/f.go", &[3, 0]),
        section("deployment/api", CounterMode::Atomic, "m/f.go", &[2, 0]),
        section("deployment/old", CounterMode::Atomic, "m/f.go", &[1]),
        section("deployment/other", CounterMode::Atomic, "m/g.go", &[1]),
    ];
    let page = page(&run, sections, &sources);
    let index = block(&page, "index");
    assert_eq!(index["files"][0]["name"], "m/f.go");
    assert_eq!(index["files"][0]["totals"], serde_json::json!([[4, 2], [4, 2], [2, 2], null]));
    let file = file_block(&page, "file-0");
    assert_eq!(file["source"], "\ta()\n\tb()\n");
    assert_eq!(file["shapes"].as_array().unwrap().len(), 2);
    assert_eq!(file["shapes"][0]["units"], serde_json::json!([1, 2, 1, 5, 2, 2, 2, 2, 5, 2]));
    assert_eq!(file["sections"], serde_json::json!([[0, [3, 0]], [0, [2, 0]], [1, [1]], null]));
}

#[test]
fn a_source_that_is_missing_or_of_another_version_is_said_and_not_shown() {
    let (_directory, sources) = checkout("\ta()\n");
    let run = run(vec![pod("deployment/api", "api-1", Outcome::Heard)]);
    let of = |file: &str| page(&run, vec![section("all", CounterMode::Set, file, &[1, 0, 1])], &sources);
    let misfit = file_block(&of("m/f.go"), "file-0");
    assert_eq!(misfit["source"], Value::Null);
    assert!(misfit["shapes"][0]["misfit"].as_str().unwrap().contains("not the version that was built"));
    let missing = file_block(&of("other/f.go"), "file-0");
    assert!(missing["missing"].as_str().unwrap().contains("none of the modules"));
    assert_eq!(missing["shapes"][0]["functions"], serde_json::json!([["F", 3]]));
}

#[test]
fn nothing_hostile_becomes_markup() {
    let markup = "</script><script>alert(1)</script>\"'<!--";
    let mut run = run(vec![pod(
        markup,
        markup,
        Outcome::Lost { reason: LossReason::Killed, detail: markup.to_owned() },
    )]);
    run.notes.push(markup.to_owned());
    run.id = markup.to_owned();
    run.tests.as_mut().unwrap().command.push(markup.to_owned());
    let file = format!("m/{markup}.go");
    let sections =
        vec![section("all", CounterMode::Set, &file, &[1]), section(markup, CounterMode::Set, &file, &[1])];
    let (_directory, sources) = checkout("");
    let page = page(&run, sections, &sources);
    assert!(!page.contains("alert(1)</"), "{page}");
    // One script and three data blocks are ours.
    assert_eq!(page.matches("<script").count(), 4);
    assert_eq!(page.matches("</script").count(), 4);
    assert_eq!(block(&page, "index")["files"][0]["name"], file.as_str());
    assert_eq!(block(&page, "index")["sections"][1]["label"], markup);
}

#[test]
fn a_file_has_the_counts_of_each_kind_and_the_tests_of_each_block() {
    let (_directory, sources) = checkout("\ta()\n\tb()\n\tc()\n");
    let run = run(vec![pod("deployment/api", "api-1", Outcome::Heard)]);
    let kind = |label: &str, counts: &[u32]| {
        Section::new(label, section(label, CounterMode::Atomic, "m/f.go", counts).profile().clone())
    };
    let block_of_line = |line, tests: &[u32]| BlockTests {
        start_line: line,
        start_column: 2,
        end_line: line,
        end_column: 5,
        tests: tests.to_vec(),
    };
    let test = |name: &str| Test {
        name: name.to_owned(),
        members: Vec::new(),
        directory: None,
        seconds: 1.0,
        notes: Vec::new(),
    };
    let mapping = TestMapping {
        schema_version: TESTS_SCHEMA_VERSION,
        tests: vec![test("TestA"), test("TestB")],
        files: vec![FileTests {
            file: "m/f.go".to_owned(),
            blocks: vec![block_of_line(1, &[0, 1]), block_of_line(2, &[0, 1]), block_of_line(3, &[1])],
        }],
    };
    let sections = vec![section("all", CounterMode::Atomic, "m/f.go", &[3, 4, 0])];
    let files = SourceFiles::look_up(&sources, sections.iter().map(Section::profile));
    let report = Report {
        run: &run,
        sections,
        kinds: vec![kind("unit", &[3, 0, 0]), kind("e2e", &[0, 4, 0])],
        files: &files,
        versions: &Versions::default(),
        tests: Some(&mapping),
    };
    let mut page = Vec::new();
    html(&report, &mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    let index = block(&page, "index");
    assert_eq!(index["kinds"][1]["label"], "e2e");
    // Two statements a line: neither, unit alone, E2E alone, both.
    assert_eq!(index["files"][0]["kinds"], serde_json::json!([2, 2, 2, 0]));
    assert_eq!(index["tests"][1]["name"], "TestB");
    let file = file_block(&page, "file-0");
    assert_eq!(file["kinds"], serde_json::json!([[0, [3, 0, 0]], [0, [0, 4, 0]]]));
    assert_eq!(file["tests"]["sets"], serde_json::json!([[0, 1], [1]]));
    assert_eq!(file["tests"]["blocks"], serde_json::json!([1, 2, 1, 5, 0, 2, 2, 2, 5, 0, 3, 2, 3, 5, 1]));
    assert_eq!(block(&page, "functions"), serde_json::json!([[["F"], [1, 6, 4]]]));
}

#[test]
fn only_a_page_that_follows_a_run_asks_for_anything() {
    let run = run(vec![pod("deployment/api", "api-1", Outcome::Heard)]);
    let files = SourceFiles::default();
    let sections = vec![section("all", CounterMode::Set, "m/f.go", &[1])];
    let report = Report {
        run: &run,
        sections,
        kinds: Vec::new(),
        files: &files,
        versions: &Versions::default(),
        tests: None,
    };
    let (mut page, mut live) = (Vec::new(), Vec::new());
    html(&report, &mut page).unwrap();
    Page::new(&report).live(7, false).write_beginning(&mut live).unwrap();
    let (page, live) = (String::from_utf8(page).unwrap(), String::from_utf8(live).unwrap());
    assert!(!page.contains("connect-src") && !page.contains("fetch("));
    assert!(live.contains("connect-src 'self'") && live.contains("data-version=\"7\""));
}

#[test]
fn characters_that_turn_text_around_are_named() {
    let mut run = run(vec![pod("deployment/api", "api-1", Outcome::Heard)]);
    run.notes.push("safe\u{202e}elif\u{1b}[2J".to_owned());
    let page = page(&run, Vec::new(), &Sources::default());
    assert!(page.contains("safe‹U+202E›elif‹U+001B›[2J"));
    assert!(!page.contains(['\u{202e}', '\u{1b}']));
}

#[test]
fn without_data_the_page_says_so_and_why() {
    let lost = Outcome::Lost { reason: LossReason::NoData, detail: "no file in the volume".to_owned() };
    let run = run(vec![pod("deployment/api", "api-1", lost)]);
    let page = page(&run, Vec::new(), &Sources::default());
    assert!(page.contains("No coverage data") && page.contains("not built with"), "{page}");
    assert!(page.contains("no file in the volume"));
    assert!(!page.contains("id=\"index\"") && !page.contains("0.0 %"));
}

#[test]
fn a_part_without_counters_has_no_figures() {
    let silent =
        pod("deployment/api", "api-1", Outcome::Lost { reason: LossReason::Killed, detail: String::new() });
    let run = run(vec![silent, pod("deployment/worker", "worker-1", Outcome::Heard)]);
    let sections = vec![
        section("all", CounterMode::Set, "m/f.go", &[1, 0]),
        section("deployment/api", CounterMode::Set, "m/f.go", &[0, 0]),
        section("deployment/worker", CounterMode::Set, "m/f.go", &[1, 0]),
    ];
    let page = page(&run, sections, &Sources::default());
    let index = block(&page, "index");
    assert_eq!(index["sections"][1]["heard"], false);
    assert_eq!(index["files"][0]["totals"][1], Value::Null);
    assert!(page.contains("no counters came"));
}

#[test]
fn the_page_needs_nothing_else() {
    let (_directory, sources) = checkout("");
    let run = run(vec![pod("deployment/api", "api-1", Outcome::Heard)]);
    let page = page(&run, vec![section("all", CounterMode::Set, "m/f.go", &[1])], &sources);
    let svg_names = page.matches("http://www.w3.org/2000/svg").count();
    assert_eq!(page.matches("http").count() - page.matches("http-equiv").count(), svg_names);
    assert!(page.contains("default-src &#39;none&#39;") || page.contains("default-src 'none'"));
    assert!(!page.contains("unsafe-inline"));
}
