//! What each format says, and that no name in the data can make it say something else.

#![allow(clippy::unwrap_used, reason = "what a test calls may panic like the test")]

mod common;

use common::{pod, run, section};
use go_coverage::CounterMode;
use go_source::Sources;
use podcov_report::formats::{Document, Format, Rows};
use podcov_report::run::{LossReason, Outcome, Run};
use podcov_report::{Error, Exclusions, Report, Section, SourceFiles, Versions};

fn written(report: &Report<'_>, format: Format) -> Result<String, Error> {
    let document = Document { report, baseline: None, rows: Rows::Functions };
    let mut output = Vec::new();
    document.write(format, &mut output)?;
    Ok(String::from_utf8(output).unwrap())
}

fn heard() -> Run {
    run(vec![pod("deployment/api", "api-1", Outcome::Heard)])
}

fn of_file(file: &str, counts: &[u32]) -> Vec<Section> {
    vec![section("all", CounterMode::Atomic, file, counts)]
}

#[test]
fn lcov_has_functions_and_lines_of_each_file() {
    let (run, files) = (heard(), SourceFiles::default());
    let report = Report {
        run: &run,
        sections: of_file("m/f.go", &[3, 0]),
        kinds: Vec::new(),
        tests: None,
        files: &files,
        versions: &Versions::default(),
    };
    let expected =
        "TN:\nSF:m/f.go\nFN:1,F\nFNDA:3,F\nFNF:1\nFNH:1\nDA:1,3\nDA:2,0\nLF:2\nLH:1\nend_of_record\n";
    assert_eq!(written(&report, Format::Lcov).unwrap(), expected);
}

#[test]
fn the_table_shows_each_kind_beside_the_whole() {
    let (run, files) = (heard(), SourceFiles::default());
    let kind = |label: &str, counts| {
        Section::new(label, section("", CounterMode::Atomic, "m/f.go", counts).profile().clone())
    };
    let kinds = vec![kind("unit", &[1, 0, 0]), kind("e2e", &[1, 1, 0])];
    let report = Report {
        run: &run,
        sections: of_file("m/f.go", &[2, 1, 0]),
        kinds,
        tests: None,
        files: &files,
        versions: &Versions::default(),
    };
    insta::assert_snapshot!(written(&report, Format::Table).unwrap(), @r"
    percent  covered      of     unit      e2e  function
     66.7 %        4       6   33.3 %   66.7 %  m/f.go:1 F
     66.7 %        4       6   33.3 %   66.7 %  total
    ");
}

#[test]
fn markdown_is_short_and_says_what_is_missing() {
    let lost = Outcome::Lost { reason: LossReason::Killed, detail: "exit code 137".to_owned() };
    let run = run(vec![pod("deployment/api", "api-1", Outcome::Heard), pod("deployment/api", "api-2", lost)]);
    let files = SourceFiles::default();
    let report = Report {
        run: &run,
        sections: of_file("m/f.go", &[3, 0]),
        kinds: Vec::new(),
        tests: None,
        files: &files,
        versions: &Versions::default(),
    };
    insta::assert_snapshot!(written(&report, Format::Markdown).unwrap());
}

/// SonarQube refuses a report with lines beyond the end of a file.
#[test]
fn sonar_has_no_lines_of_a_file_that_has_changed_since_it_was_built() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("main.go");
    let named = path.to_str().unwrap();
    let (run, sections) = (heard(), of_file(named, &[1, 0]));
    let sonar = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let files = SourceFiles::look_up(&Sources::default(), [sections[0].profile()]);
        let versions = Versions::default();
        let report = Report {
            run: &run,
            sections: sections.clone(),
            kinds: Vec::new(),
            tests: None,
            files: &files,
            versions: &versions,
        };
        written(&report, Format::Sonar).unwrap()
    };
    assert_eq!(sonar("aaaa\nbbbb\n").matches("<lineToCover").count(), 2);
    let changed = sonar("aaaa\n");
    assert!(!changed.contains("<file") && changed.contains("<coverage"), "{changed}");
}

#[test]
fn without_data_no_format_shows_a_number() {
    let (run, files) = (run(Vec::new()), SourceFiles::default());
    let report = Report {
        run: &run,
        sections: Vec::new(),
        kinds: Vec::new(),
        tests: None,
        files: &files,
        versions: &Versions::default(),
    };
    for format in Format::ALL {
        match written(&report, format) {
            // In the page's own styles there are other numbers.
            Ok(text) => assert!(format == Format::Html || !text.contains("0.0"), "{format:?}: {text}"),
            Err(error) => assert!(matches!(error, Error::NoData), "{format:?}: {error}"),
        }
    }
    assert!(written(&report, Format::Json).unwrap().contains("\"percent\":null"));
    assert!(written(&report, Format::Badge).unwrap().contains("unknown"));
}

const HOSTILE: &str = "evil.example/../\"'><script>alert(1)</script>&\u{1b}[2J\nSF:/etc/passwd\r\n| `x` | \u{0}\u{202e}]]>/a,b.go";

#[test]
fn hostile_names_are_inert_in_every_format() {
    let mut run = heard();
    run.notes.push(HOSTILE.to_owned());
    let files = SourceFiles::default();
    let mut profile = of_file(HOSTILE, &[1, 0])[0].profile().clone();
    for function in &mut profile.packages[0].functions {
        function.name = format!("F{HOSTILE}");
    }
    let sections = vec![Section::new("all", profile)];
    let kinds = vec![Section::new(HOSTILE, sections[0].profile().clone())];
    let report =
        Report { run: &run, sections, kinds, tests: None, files: &files, versions: &Versions::default() };
    for format in Format::ALL {
        let text = written(&report, format).unwrap();
        // Go's own text profile has names as they are, and in a page they are text.
        if !matches!(format, Format::Textfmt | Format::Html) {
            let harmful = |character: char| character.is_control() && !matches!(character, '\n' | '\t');
            assert!(!text.contains(harmful), "{format:?} has a control character");
            assert!(!text.contains('\u{202e}') || format == Format::Json, "{format:?}");
            assert!(!text.lines().any(|line| line.starts_with("SF:/etc/passwd")), "{format:?}: {text}");
        }
        if matches!(format, Format::Cobertura | Format::Sonar | Format::Badge | Format::Html) {
            assert!(!text.contains("<script>alert"), "{format:?}: {text}");
        }
    }
    let markdown = written(&report, Format::Markdown).unwrap();
    let outside_of_code: String = markdown.split('`').step_by(2).collect();
    assert!(!outside_of_code.contains("<script>"), "{markdown}");
    let lcov = written(&report, Format::Lcov).unwrap();
    assert_eq!(lcov.matches("\nSF:").count(), 1, "{lcov}");
}

#[test]
fn what_is_left_out_is_left_out_of_every_part() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    write("go.mod", "module m\n");
    write("generated.go", "// Code generated by x. DO NOT EDIT.\n\npackage m\n\n\n\n");
    write("own.go", "package m {\n  aaaa\n// nocover\n  bbbbbbbb\n  cccc\n");
    let sources = Sources::discover_with_module_cache(directory.path(), None).unwrap();
    let mut profile = section("all", CounterMode::Set, "m/generated.go", &[1]).profile().clone();
    let own = section("all", CounterMode::Set, "m/own.go", &[1, 1, 0, 1, 0]).profile().clone();
    profile.packages.extend(own.packages);
    let files = SourceFiles::look_up(&sources, [&profile]);
    let exclusions = Exclusions { generated: true, ignore_comments: true, ..Exclusions::default() };
    let decisions = exclusions.decide(&profile, &files);
    let before = profile.totals_with_literals();
    let excluded = decisions.apply(&mut profile);
    let reasons: Vec<_> = excluded
        .iter()
        .map(|part| (part.reason.as_str(), part.files, part.statements, part.covered))
        .collect();
    assert_eq!(reasons, [("comment", 1, 2, 2), ("generated", 1, 2, 2)]);
    let after = profile.totals_with_literals();
    assert_eq!((after.statements, after.covered), (before.statements - 4, before.covered - 4));
    assert_eq!(decisions.problems().collect::<Vec<_>>(), [""; 0]);
}
