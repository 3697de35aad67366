//! Reports in the formats of other tools, each read by its consumer. What is measured is a service of the shop.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::builds::Builds;
use crate::go::{self, Release, measure};
use crate::place::Place;

/// Whether these are installed; if one is not, it is said that the test was skipped.
fn can_run(test: &str, programs: &[&str]) -> bool {
    let missing = programs.iter().find(|program| which::which(program).is_err());
    if let Some(program) = missing {
        let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {program} is not installed");
    }
    missing.is_none()
}

/// What a program says; it has to succeed.
fn said_by(place: &Place, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(place.path("")).output().unwrap();
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{program} {}: {said}", arguments.join(" "));
    said
}

/// Data of a service that ran a little, reported in every format.
fn reported() -> Place {
    let (place, source) = (Place::new(), go::shop());
    measure(&go::shop_service(Release::Newest, "api"), &["--help"], &place.path("data"));
    let formats = [
        "table=table.txt",
        "markdown=report.md",
        "json=report.json",
        "lcov=coverage.info",
        "cobertura=cobertura.xml",
        "sonar=sonar.xml",
        "textfmt=textfmt.txt",
        "func=func.txt",
        "badge=badge.svg",
        "html=page.html",
    ];
    let flags = formats.iter().flat_map(|format| ["--format", format]);
    let arguments = ["report", "data", "--source", source.to_str().unwrap()];
    place.podcov(arguments.into_iter().chain(flags)).with_code(0);
    place
}

/// Lines and covered lines, from the JSON document.
fn lines(place: &Place) -> (u64, u64) {
    let lines = &json(place, "report.json")["lines"];
    (lines["executable"].as_u64().unwrap(), lines["covered"].as_u64().unwrap())
}

fn json(place: &Place, name: &str) -> Value {
    serde_json::from_slice(&fs::read(place.path(name)).unwrap()).unwrap()
}

fn testdata(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join(name).canonicalize().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn go_reads_the_text_profile_and_counts_what_func_counts() {
    let place = reported();
    assert_eq!(go::blocks(&place.path("textfmt.txt")), go::textfmt(Release::Newest, &[place.path("data")]));
    let total = go::cover_total(Release::Newest, &go::shop(), &place.path("textfmt.txt"));
    assert_eq!(place.text("func.txt").split_whitespace().last(), Some(total.as_str()));
}

#[test]
fn genhtml_finds_every_file_and_line_of_the_lcov_trace() {
    if !can_run("genhtml_finds_every_file_and_line_of_the_lcov_trace", &["genhtml", "lcov"]) {
        return;
    }
    let place = reported();
    let sources = place.path("coverage.info");
    // Paths are relative to the checkout, where lcov is run.
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).current_dir(go::shop()).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{program}: {said}");
        said
    };
    let page = place.path("genhtml");
    let said = run("genhtml", &["-o", page.to_str().unwrap(), sources.to_str().unwrap()]);
    let (executable, covered) = lines(&place);
    assert!(said.contains(&format!("({covered} of {executable} lines)")), "{said}");
    assert!(!said.to_lowercase().contains("warning"), "{said}");
    let summary = run("lcov", &["--summary", sources.to_str().unwrap()]);
    assert!(summary.contains(&format!("({covered} of {executable} lines)")), "{summary}");
}

#[test]
fn cobertura_is_valid_and_pycobertura_counts_the_same_lines() {
    if !can_run(
        "cobertura_is_valid_and_pycobertura_counts_the_same_lines",
        &["xmllint", "pycobertura", "lcov_cobertura"],
    ) {
        return;
    }
    let place = reported();
    let grammar = testdata("testdata/formats/coverage-04.dtd");
    said_by(&place, "xmllint", &["--noout", "--nonet", "--dtdvalid", &grammar, "cobertura.xml"]);
    let document: Value =
        serde_json::from_str(&said_by(&place, "pycobertura", &["show", "--format", "json", "cobertura.xml"]))
            .unwrap();
    let (executable, covered) = lines(&place);
    assert_eq!(document["total"]["Stmts"], executable);
    assert_eq!(document["total"]["Miss"], executable - covered);
    // The converter of the lcov trace comes to the same.
    said_by(&place, "lcov_cobertura", &["coverage.info", "--output", "converted.xml"]);
    let converted = fs::read_to_string(place.path("converted.xml")).unwrap();
    assert!(converted.contains(&format!("lines-covered=\"{covered}\"")), "{}", &converted[..400]);
    assert!(converted.contains(&format!("lines-valid=\"{executable}\"")));
}

#[test]
fn sonarqube_s_schema_accepts_the_generic_coverage() {
    if !can_run("sonarqube_s_schema_accepts_the_generic_coverage", &["xmllint"]) {
        return;
    }
    let place = reported();
    let schema = testdata("testdata/formats/sonar-generic-coverage.xsd");
    said_by(&place, "xmllint", &["--noout", "--nonet", "--schema", &schema, "sonar.xml"]);
    let (executable, covered) = lines(&place);
    let text = place.text("sonar.xml");
    assert_eq!(text.matches("<lineToCover").count() as u64, executable);
    assert_eq!(text.matches("covered=\"true\"").count() as u64, covered);
    assert!(text.contains("path=\"cmd/api/main.go\""), "paths are relative to the checkout");
}

/// Fails if a document in the place is another one than docs say.
fn keeps_to_its_schema(place: &Place, document: &str) {
    said_by(place, "check-jsonschema", &["--schemafile", &testdata("docs/report.schema.json"), document]);
}

#[test]
fn a_document_of_several_versions_keeps_to_its_schema() {
    if !can_run("a_document_of_several_versions_keeps_to_its_schema", &["check-jsonschema"]) {
        return;
    }
    let builds = Builds::changed();
    builds.report(&["data"]);
    keeps_to_its_schema(&builds.place, "report.json");
}

#[test]
fn the_json_document_keeps_to_its_schema() {
    if !can_run("the_json_document_keeps_to_its_schema", &["check-jsonschema"]) {
        return;
    }
    let place = reported();
    keeps_to_its_schema(&place, "report.json");
    let schema = testdata("docs/report.schema.json");
    let document = json(&place, "report.json");
    assert_eq!(document["totals"]["percent"], place.record()["summary"]["percent"]);
    fs::write(place.path("wrong.json"), place.text("report.json").replace("\"is_complete\"", "\"complete\""))
        .unwrap();
    let refused = Command::new("check-jsonschema")
        .args(["--schemafile", &schema, "wrong.json"])
        .current_dir(place.path(""))
        .output()
        .unwrap();
    assert!(!refused.status.success(), "the schema accepts anything");
}

#[test]
fn the_json_document_says_what_built_each_program() {
    if !can_run("the_json_document_says_what_built_each_program", &["check-jsonschema"]) {
        return;
    }
    let place = Place::new();
    place.podcov(["exec", "--", go::program(), "exit", "0"]).with_code(0);
    place.podcov(["report", "coverage", "--format", "json=report.json", "-o", "report"]).with_code(0);
    keeps_to_its_schema(&place, "report.json");
    let programs = &json(&place, "report.json")["run"]["programs"];
    let built_by = go::built_by(go::program());
    assert_eq!(
        programs,
        &serde_json::json!([{ "part": "program", "program": go::program(), "go_version": built_by }])
    );
    assert!(place.text("report/index.html").contains(&format!("Go {}", built_by.trim_start_matches("go"))));
}

#[test]
fn a_format_on_standard_output_is_all_there_is() {
    let place = reported();
    let source = go::shop();
    let ended = place.podcov(["report", "data", "--source", source.to_str().unwrap(), "--format", "lcov"]);
    assert_eq!(ended.output, place.text("coverage.info"));
    assert!(ended.errors.contains("of statements"), "{}", ended.errors);
    let both = place.podcov(["report", "data", "--format", "lcov", "--output", "json"]);
    both.with_code(2);
}

#[test]
fn a_table_has_the_worst_first_and_the_total_last() {
    let place = reported();
    let text = place.text("table.txt");
    let shares: Vec<f64> =
        text.lines().skip(1).map(|line| line.split_whitespace().next().unwrap().parse().unwrap()).collect();
    let (total, packages) = shares.split_last().unwrap();
    assert!(packages.is_sorted(), "{text}");
    assert!(packages.len() > 2 && text.lines().last().unwrap().ends_with("total"), "{text}");
    let figure = place.record()["summary"]["percent"].as_f64().unwrap();
    assert!((figure - total).abs() < 0.06, "{figure} {text}");
}

#[test]
fn markdown_shows_the_change_against_an_earlier_report() {
    let place = reported();
    let report = |data: &str| {
        let source = go::shop();
        let arguments = [
            "report",
            data,
            "--source",
            source.to_str().unwrap(),
            "-o",
            "next",
            "--format",
            "markdown",
            "--baseline",
            "report.json",
        ];
        place.podcov(arguments).output
    };
    assert!(report("data").contains("(±0.0)"));
    // A run that fails goes another way.
    let api = go::shop_service(Release::Newest, "api");
    let _ = Command::new(api).arg("--no-such-flag").env("GOCOVERDIR", place.path("data")).output().unwrap();
    let text = report("data");
    assert!(text.contains("(+") && text.contains("| Change |"), "{text}");
}

#[test]
fn what_is_excluded_is_counted_and_said() {
    let place = Place::new();
    measure(&go::shop_service(Release::Newest, "api"), &["--help"], &place.path("data"));
    let source = go::shop();
    let report = |flags: &[&str]| {
        let arguments = ["report", "data", "--source", source.to_str().unwrap(), "--output", "json"];
        let ended = place.podcov(arguments.iter().chain(flags));
        (serde_json::from_str::<Value>(&ended.output).unwrap(), ended.errors)
    };
    let (all, _) = report(&[]);
    let (less, errors) = report(&["--exclude", "cmd", "--exclude", "no-such-thing"]);
    let excluded = &less["excluded"][0];
    assert_eq!(excluded["reason"], "pattern cmd");
    let statements = |record: &Value| record["summary"]["statements"].as_u64().unwrap();
    assert_eq!(statements(&less) + excluded["statements"].as_u64().unwrap(), statements(&all));
    assert!(excluded["statements"].as_u64().unwrap() > 0);
    assert!(errors.contains("no-such-thing matches no file"), "{errors}");
    assert!(!place.text("coverage/coverage.txt").contains("/cmd/"));
}

#[test]
fn settings_come_from_flags_then_the_environment_then_the_file() {
    let place = Place::new();
    measure(go::program(), &["exit", "0"], &place.path("data"));
    fs::write(
        place.path("podcov.toml"),
        "output-dir = \"from-file\"\n[formats]\nlcov = \"from-file.info\"\n",
    )
    .unwrap();
    place.podcov(["report", "data"]).with_code(0);
    assert!(place.path("from-file/index.html").is_file() && place.path("from-file.info").is_file());

    let mut command = Command::new(env!("CARGO_BIN_EXE_podcov"));
    command
        .args(["report", "data"])
        .current_dir(place.path(""))
        .env("PODCOV_FORMAT", "lcov=from-environment.info");
    place.start_command(command).end().with_code(0);
    assert!(place.path("from-environment.info").is_file());
    place.podcov(["report", "data", "--format", "lcov=from-flag.info", "-o", "from-flag"]).with_code(0);
    assert!(place.path("from-flag.info").is_file() && place.path("from-flag/index.html").is_file());

    fs::write(place.path("podcov.toml"), "[exclude]\ngenerate = true\n").unwrap();
    let ended = place.podcov(["report", "data"]);
    assert!(
        ended.errors.contains("podcov.toml: line 2") && ended.errors.contains("generate"),
        "{}",
        ended.errors
    );
    ended.with_code(2);
}

/// The text profile of `go test` of the shop's own unit tests.
fn unit_profile(place: &Place) -> PathBuf {
    let profile = place.path("unit.out");
    let output = Command::new("go")
        .args(["test", "-covermode=atomic", "-coverpkg=./...", "./internal/..."])
        .arg(format!("-coverprofile={}", profile.display()))
        .env("CGO_ENABLED", "0")
        .current_dir(go::shop())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    profile
}

/// Of the statements of a text profile, each once: with function literals, which `go tool cover -func` leaves out.
fn share_of_blocks(profile: &str) -> String {
    let mut blocks = BTreeMap::<&str, (f64, bool)>::new();
    for line in profile.lines().skip(1) {
        let [count, statements, place] = line.rsplitn(3, ' ').collect::<Vec<_>>().try_into().unwrap();
        let block = blocks.entry(place).or_insert((statements.parse().unwrap(), false));
        block.1 |= count != "0";
    }
    let sum = |blocks: Vec<&(f64, bool)>| blocks.iter().map(|(statements, _)| statements).sum::<f64>();
    let covered = blocks.values().filter(|(_, ran)| *ran).collect();
    format!("{:.1}%", 100.0 * sum(covered) / sum(blocks.values().collect()))
}

#[test]
fn unit_tests_and_end_to_end_tests_are_one_number_and_two() {
    let place = Place::new();
    measure(&go::shop_service(Release::Newest, "api"), &["--help"], &place.path("e2e"));
    let profile = unit_profile(&place);
    let source = go::shop();
    let arguments = [
        "report",
        "--label",
        "unit=unit.out",
        "--label",
        "e2e=e2e",
        "--source",
        source.to_str().unwrap(),
        "--format",
        "json=report.json",
        "--format",
        "table=table.txt",
        "--fail-under",
        "100",
    ];
    let ended = place.podcov(arguments).with_code(4).printing(&["unit   ", "e2e   ", "both   "]);
    let document = json(&place, "report.json");
    // Judged is what is shown: neither kind alone.
    let total = document["totals"]["percent"].as_f64().unwrap();
    let judged = format!("✗ gate total: {total:.1} % of {} statements", document["totals"]["statements"]);
    assert!(ended.errors.contains(&judged), "{judged}: {}", ended.errors);
    let share = |kind: &Value| format!("{:.1}%", kind["totals"]["percent"].as_f64().unwrap());
    let kinds = document["kinds"].as_array().unwrap();
    assert_eq!(kinds.iter().map(|kind| kind["label"].as_str().unwrap()).collect::<Vec<_>>(), ["unit", "e2e"]);
    assert_eq!(share(&kinds[0]), share_of_blocks(&fs::read_to_string(&profile).unwrap()));
    assert_eq!(share(&kinds[1]), go::covdata_total(Release::Newest, &[place.path("e2e")]));
    let mut both = fs::read_to_string(&profile).unwrap();
    for block in go::textfmt(Release::Newest, &[place.path("e2e")]) {
        let _ = writeln!(both, "{block}");
    }
    assert_eq!(share(&document), share_of_blocks(&both));
    assert!(
        place.text("table.txt").lines().next().unwrap().contains("unit      e2e"),
        "{}",
        place.text("table.txt")
    );
}

#[test]
fn a_kind_that_is_not_there_is_missing_and_not_zero() {
    let place = Place::new();
    unit_profile(&place);
    let source = go::shop();
    let arguments = [
        "report",
        "--label",
        "unit=unit.out",
        "--label",
        "e2e=no-such-directory",
        "--source",
        source.to_str().unwrap(),
        "--format",
        "json=report.json",
    ];
    place.podcov(arguments).with_code(3).printing(&["e2e", "no-such-directory is not there"]);
    let document = json(&place, "report.json");
    assert_eq!(document["kinds"].as_array().unwrap().len(), 1, "{}", document["kinds"]);
    assert_eq!(document["run"]["is_complete"], false);
}

#[test]
fn without_data_no_format_says_zero() {
    let place = Place::new();
    fs::create_dir(place.path("data")).unwrap();
    fs::write(place.path("coverage.info"), "of an earlier report").unwrap();
    measure(go::program(), &["exit", "0"], &place.path("data"));
    // Meta-data without counters, as of processes that were killed.
    for file in go::files(&place.path("data"), "covcounters.") {
        fs::remove_file(file).unwrap();
    }
    let ended = place.podcov(["exec", "--", "true"]);
    assert_ne!(ended.code, 0);
    let arguments = ["report", "coverage", "--format", "lcov=coverage.info", "--format", "badge=badge.svg"];
    let ended = place.podcov(arguments);
    assert_ne!(ended.code, 0);
    assert!(!place.text("badge.svg").contains("0.0"), "{}", place.text("badge.svg"));
    assert!(!place.text("coverage.info").contains("DA:"), "{}", ended.errors);
}
