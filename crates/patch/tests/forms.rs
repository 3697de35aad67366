//! The forms of a report, read as their consumers read them; with names that would like to be more than names.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;

use go_coverage::{Totals, Unit};
use podcov_patch::{
    Against, Change, ChangedFile, ChangedLines, Comparison, DiffReport, FileChange, Kind, LineState,
    LostFunction, NotMeasured, github, json, markdown, sarif, text,
};
use podcov_report::gates::Verdict;
use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::Value;

const HOSTILE: &str =
    "a|b/<script>alert(1)</script>,line=9::`x`\n::error::@all %0A *b* [l](http://x)\u{1b}[2J\u{202e}.go";

/// Three changed lines of which one ran, one ran in part and one did not.
fn measured(path: &str) -> ChangedFile {
    let change = FileChange {
        old_path: Some("old|name.go".to_owned()),
        new_path: Some(path.to_owned()),
        change: Change::Renamed,
        kind: Kind::Text,
        lines: [2, 3, 4].into_iter().collect(),
        is_of_git: true,
    };
    let source =
        "func F() {\n\tran()\n\tf := func() { g() } // ```\u{1b}[2J</details>\n\tdid_not(\"<script>\")\n}\n";
    let unit = |start_line, start_column, end_line, end_column, count| Unit {
        start_line,
        start_column,
        end_line,
        end_column,
        statements: 1,
        count,
    };
    let units = [unit(1, 10, 3, 14, 1), unit(3, 14, 3, 21, 0), unit(4, 2, 4, 20, 0)];
    let lines = ChangedLines::of(&change, &units, source);
    let expected = [(2, LineState::Covered), (3, LineState::Partial), (4, LineState::NotCovered)];
    assert_eq!(lines.lines, BTreeMap::from(expected));
    ChangedFile { path: path.to_owned(), old_path: change.old_path, coverage: Ok(lines) }
}

fn report(name: &str) -> DiffReport {
    let lost = LostFunction {
        package: "example.com/shop".to_owned(),
        name: "*Cart.Add".to_owned(),
        file: name.to_owned(),
        units: vec![Unit {
            start_line: 4,
            start_column: 2,
            end_line: 5,
            end_column: 3,
            statements: 2,
            count: 0,
        }],
        before: Totals { statements: 3, covered: 3 },
        after: Totals { statements: 3, covered: 1 },
    };
    let mut report = DiffReport {
        changes: format!("since {name}"),
        data: name.to_owned(),
        missing: vec![format!("{name}: killed")],
        notes: vec![name.to_owned()],
        files: vec![
            measured(name),
            ChangedFile {
                path: format!("missing/{name}"),
                old_path: None,
                coverage: Err(NotMeasured::NotInData),
            },
            ChangedFile { path: "README.md".to_owned(), old_path: None, coverage: Err(NotMeasured::NotGo) },
        ],
        against: Some(Against {
            name: name.to_owned(),
            comparison: Comparison { lost: vec![lost], functions_compared: 7, ..Comparison::default() },
            packages_missing: vec![name.to_owned()],
            missing: vec![name.to_owned()],
        }),
        verdicts: vec![Verdict::passed("total", "fine")],
    };
    report.verdicts.push(report.judge_changed_lines("90".parse().unwrap()));
    report.verdicts.push(report.judge_regression());
    report
}

#[test]
fn sarif_has_the_form_that_its_schema_asks_for() {
    // Of languages the published schema has a pattern that is none: a bracket in it is closed twice.
    let schema = include_str!("../../../testdata/schemas/sarif-2.1.0.json").replace("{2}]?$", "{2}$");
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::draft7::options().should_validate_formats(true).build(&schema).unwrap();
    for name in ["internal/cart/cart.go", HOSTILE, "na\u{ef}ve dir/x.go"] {
        let log: Value = serde_json::from_str(&sarif(&report(name), "0.1.0").unwrap()).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&log)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
        let results = log["runs"][0]["results"].as_array().unwrap();
        let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
        for result in results {
            assert!(rules.iter().any(|rule| rule["id"] == result["ruleId"]), "{result}");
        }
        let place = &results[0]["locations"][0]["physicalLocation"];
        assert_eq!((&place["region"]["startLine"], &place["region"]["endLine"]), (&3.into(), &4.into()));
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert_eq!(percent_decoded(uri), name);
    }
    // The schema says no to what is none.
    let mut broken: Value = serde_json::from_str(&sarif(&report("x.go"), "0.1.0").unwrap()).unwrap();
    broken["runs"][0]["results"][0]["level"] = "fatal".into();
    assert!(!validator.is_valid(&broken));
}

fn percent_decoded(uri: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = uri.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        if *byte == b'%' {
            bytes.push(u8::from_str_radix(str::from_utf8(&after[..2]).unwrap(), 16).unwrap());
            rest = &after[2..];
        } else {
            bytes.push(*byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// A command as the runner of GitHub Actions takes it apart: `::LEVEL NAME=VALUE,…::MESSAGE`.
fn command(line: &str) -> (String, BTreeMap<String, String>, String) {
    let rest = line.strip_prefix("::").unwrap_or_else(|| panic!("{line:?} is no command"));
    let (head, message) = rest.split_once("::").unwrap();
    let (level, properties) = head.split_once(' ').unwrap();
    let unescaped = |text: &str| {
        text.replace("%0D", "\r")
            .replace("%0A", "\n")
            .replace("%3A", ":")
            .replace("%2C", ",")
            .replace("%25", "%")
    };
    let properties = properties.split(',').map(|property| property.split_once('=').unwrap());
    let properties = properties.map(|(name, value)| (name.to_owned(), unescaped(value))).collect();
    (level.to_owned(), properties, message.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%"))
}

#[test]
fn annotations_are_what_the_runner_of_github_reads() {
    for name in ["internal/cart/cart.go", HOSTILE] {
        let output = github(&report(name));
        let commands: Vec<_> = output.lines().map(command).collect();
        let levels: Vec<&str> = commands.iter().map(|(level, ..)| level.as_str()).collect();
        assert_eq!(
            levels,
            ["warning", "warning", "warning", "warning", "warning", "error", "error", "notice"]
        );
        let (_, place, message) = &commands[0];
        // What drives a terminal is gone; the rest of the name is the name.
        assert_eq!(place["file"], name.replace('\u{1b}', " "));
        assert_eq!((place["line"].as_str(), place["endLine"].as_str()), ("3", "4"));
        assert_eq!(message, "Lines 3 to 4 were changed and did not run.");
        assert_eq!(commands[7].2, "33.3 % of the changed lines ran (1 of 3 lines)");
    }
}

#[test]
fn markdown_is_a_table_and_no_name_is_markup() {
    for name in ["internal/cart/cart.go", HOSTILE] {
        let document = markdown(&report(name));
        let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
        let mut cells_of_rows = Vec::new();
        let (mut visible, mut tags) = (String::new(), Vec::new());
        for event in Parser::new_ext(&document, options) {
            match event {
                Event::Start(Tag::TableRow | Tag::TableHead) => cells_of_rows.push(0),
                Event::Start(Tag::TableCell) => *cells_of_rows.last_mut().unwrap() += 1,
                Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::Emphasis) => {
                    panic!("markup in {document}")
                }
                Event::Text(text) | Event::Code(text) => visible.push_str(&text),
                Event::Html(tag) | Event::InlineHtml(tag) => tags.push(tag.trim().to_owned()),
                _ => {}
            }
        }
        // A table of the files, with three, and one of the functions, with one; each with a head.
        assert_eq!(cells_of_rows, [4, 4, 4, 4, 4, 4], "{document}");
        let own = [
            "<code>",
            "</code>",
            "<br>",
            "<sub>",
            "</sub>",
            "<details><summary>What did not run</summary>",
            "</details>",
        ];
        assert!(tags.iter().all(|tag| own.contains(&tag.as_str())), "{tags:?} in {document}");
        assert!(visible.contains(&name.replace(char::is_control, " ").replace('\u{202e}', " ")), "{visible}");
        assert!(visible.contains("Coverage of the change: 33.3 % (1 of 3 lines)"), "{visible}");
        assert!(visible.contains("did_not(\"<script>\")"), "{visible}");
        assert!(!document.contains("@all") && !document.contains('\u{1b}'), "{document}");
    }
}

#[test]
fn a_markdown_of_very_much_stays_small_enough_for_a_comment() {
    let mut report = report("x.go");
    report.files = (0..3_000).map(|number| measured(&format!("internal/package{number}/file.go"))).collect();
    let document = markdown(&report);
    assert!(document.chars().count() < 65_536, "{}", document.len());
    assert!(document.contains("and 2950 other files") && document.trim_end().ends_with("</sub>"));
}

#[test]
fn lines_of_a_terminal_stay_lines() {
    for line in text(&report(HOSTILE)) {
        assert!(!line.text.contains(|c: char| c.is_control() || c == '\u{202e}'), "{line:?}");
    }
}

#[test]
fn the_document_says_the_same_as_the_report() {
    let document: Value = serde_json::from_str(&json(&report(HOSTILE)).unwrap()).unwrap();
    assert_eq!(document["schema_version"], 1);
    let file = &document["files"][0];
    assert_eq!(file["path"], HOSTILE);
    assert_eq!(file["lines"]["covered"], serde_json::json!([2]));
    assert_eq!(file["lines"]["partial"], serde_json::json!([3]));
    assert_eq!(file["lines"]["not_covered"], serde_json::json!([4]));
    assert_eq!(file["statements"], serde_json::json!({"total": 3, "covered": 1, "percent": 100.0 / 3.0}));
    assert_eq!(document["files"][1]["lines"], Value::Null);
    assert_eq!(document["gates"][1]["passed"], false);
    assert_eq!(document["against"]["lost"][0]["lines"], serde_json::json!([[4, 5]]));
}
