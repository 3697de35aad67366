//! What code that was not changed has lost since an earlier run.

use std::fs;

use serde_json::json;

use crate::project::{CART, Project, go_in};

#[test]
fn a_function_that_moved_and_lost_coverage_is_named_where_it_is_now() {
    let project = Project::new();
    project.measure("before", &["tea", "remove"]);
    // The same functions in another order, with a new one above.
    let (head, rest) = CART.split_once("func (c *Cart) Add").unwrap();
    let (add, remove) = rest.split_once("func (c *Cart) Remove").unwrap();
    let moved = format!(
        "{head}func (c *Cart) Has(name string) bool {{\n\treturn c.items[name] > 0\n}}\n\nfunc (c *Cart) Remove{remove}\nfunc (c *Cart) Add{add}"
    );
    project.write("cart/cart.go", &moved);
    project.commit("in another order");
    project.measure("now", &["tea"]);

    let document = project.document(["../now", "--against", "../before"]);
    let against = &document["against"];
    let names: Vec<&str> =
        against["lost"].as_array().unwrap().iter().map(|lost| lost["function"].as_str().unwrap()).collect();
    // main no longer takes that branch, and Remove is not called.
    assert_eq!(names, ["main", "*Cart.Remove"], "{document:#}");
    let remove = &against["lost"][1];
    // By hand: all of its statements ran, the branch included; now none does. Its blocks are 3 + 1 + 1 statements.
    assert_eq!(remove["before"], json!({"total": 4, "covered": 4, "percent": 100.0}));
    assert_eq!(remove["after"], json!({"total": 4, "covered": 0, "percent": 0.0}));
    let first = remove["lines"][0][0].as_u64().unwrap();
    let line = moved.lines().nth(usize::try_from(first).unwrap() - 1).unwrap();
    assert!(line.contains("Remove(name string"), "{line}");
    assert_eq!(against["packages_missing"], json!([]));

    project.diff(["../now", "--against", "../before", "--fail-on-regression"]).with_code(4).printing(&[
        "example.com/shop/cart.(*Cart).Remove: 4 statements ran and do not run now",
        "✗ gate no regression",
    ]);
}

#[test]
fn nothing_is_lost_when_the_same_runs() {
    let project = Project::new();
    project.measure("before", &["tea", "remove"]);
    project.replace("cart/cart.go", "// Cart counts.\n", "// Cart counts\n// what is in it.\n");
    project.commit("a comment");
    project.measure("now", &["remove", "tea"]);
    project.diff(["../now", "--against", "../before", "--fail-on-regression"]).with_code(0).printing(&[
        "✓ untouched code lost nothing since ../before (4 functions compared)",
        "✓ gate no regression",
    ]);
}

#[test]
fn changed_lines_are_not_held_against_the_earlier_run() {
    let project = Project::new();
    project.measure("before", &["tea", "remove"]);
    project.replace("cart/cart.go", "\t\tdelete(c.items, name)\n", "\t\tc.items[name] = 0\n");
    project.commit("kept");
    // One is left, so the changed line does not run. Nothing else is lost.
    project.measure("now", &["tea", "tea", "remove"]);
    let document = project.document(["../now", "--against", "../before"]);
    assert_eq!(document["against"]["lost"], json!([]));
    assert_eq!(document["files"][0]["lines"]["not_covered"], json!([19]));
}

#[test]
fn a_package_that_is_missing_now_is_no_loss_and_no_pass() {
    let project = Project::new();
    project.measure("before", &["tea"]);
    project.measure_with(&["-coverpkg=example.com/shop"], "now", &["tea"]);
    let arguments = ["../now", "--against", "../before", "--fail-on-regression"];
    project.diff(arguments).with_code(4).printing(&[
        "✗ package example.com/shop/cart has data in ../before, and none now",
        "✗ gate no regression: cannot be judged: nothing is known of package example.com/shop/cart now",
    ]);
    // One that the checkout no longer has was removed on purpose.
    fs::remove_dir_all(project.path("cart")).unwrap();
    project.write("main.go", "package main\n\nfunc main() {}\n");
    project.measure("without", &[]);
    project.diff(["../without", "--against", "../before", "--fail-on-regression"]).with_code(0);
}

#[test]
fn runs_and_profiles_can_be_compared_too() {
    let project = Project::new();
    let program = project.place.path("program");
    let exec = |output: &str, arguments: &[&str]| {
        project.measure("unused", &[]);
        let mut command = vec!["exec", "-o", output, "--", program.to_str().unwrap()];
        command.extend(arguments);
        project.place.podcov(command).with_code(0);
    };
    exec("before", &["tea", "remove"]);
    project.replace("cart/cart.go", "// Cart counts.\n", "// Cart\n// counts.\n");
    exec("now", &["tea"]);
    project
        .diff(["../now", "--against", "../before"])
        .with_code(0)
        .printing(&["example.com/shop/cart.(*Cart).Remove"]);
    // As artifacts of a pipeline, without the data. The report knows what the data does.
    for name in ["before", "now"] {
        let report =
            ["report", name, "--source", "checkout", "--format", &format!("json={name}.json"), "--quiet"];
        project.place.podcov(report).with_code(0);
    }
    let of_data = project.document(["../now", "--against", "../before"])["against"].clone();
    let mut of_reports = project.document(["../now.json", "--against", "../before.json"])["against"].clone();
    assert_eq!(of_reports["name"], "../before.json");
    of_reports["name"] = of_data["name"].clone();
    assert_eq!(of_reports, of_data);
    // The profile knows files.
    fs::remove_dir_all(project.place.path("before/data")).unwrap();
    project
        .diff(["../now", "--against", "../before"])
        .with_code(0)
        .printing(&["example.com/shop/cart/cart.go: 4 statements ran and do not run now"]);
    project
        .diff(["../now/coverage.txt", "--against", "../before/coverage.txt"])
        .with_code(0)
        .printing(&["example.com/shop/cart/cart.go: 4 statements ran and do not run now"]);
}

#[test]
fn a_report_of_a_run_that_lost_data_is_no_clean_comparison() {
    let project = Project::new();
    project.measure("before", &["tea", "remove"]);
    let counters = fs::read_dir(project.place.path("before")).unwrap().find_map(|entry| {
        let path = entry.unwrap().path();
        path.file_name().unwrap().to_str().unwrap().starts_with("covcounters.").then_some(path)
    });
    // Of another process, and cut off.
    let (counters, cut) = (counters.clone().unwrap(), fs::read(counters.unwrap()).unwrap());
    fs::write(counters.with_extension("1"), &cut[..cut.len() / 2]).unwrap();
    let report = ["report", "before", "--source", "checkout", "--format", "json=before.json"];
    project.place.podcov(report).with_code(3);
    project.measure("now", &["tea", "remove"]);
    project
        .diff(["../now", "--against", "../before.json", "--fail-on-regression"])
        .with_code(4)
        .printing(&["../before.json: set aside", "✗ gate no regression"]);
}

#[test]
fn a_document_that_is_no_report_is_named() {
    let project = Project::new();
    project.measure("now", &["tea"]);
    fs::write(project.place.path("other.json"), "{\"format\": \"lcov\"}").unwrap();
    project
        .diff(["../now", "--against", "../other.json"])
        .with_code(1)
        .saying(&["../other.json", "--format json"]);
}

#[test]
fn a_report_of_several_kinds_of_test_is_compared_with_all_of_them() {
    let project = Project::new();
    // What the unit tests ran, the program does not.
    project.write(
        "cart/cart_test.go",
        "package cart\n\nimport \"testing\"\n\nfunc TestRemove(t *testing.T) { New().Remove(\"tea\", 1) }\n",
    );
    go_in(&project.path(""), &["test", "-coverprofile=../unit.out", "./cart"]);
    project.measure("e2e", &["tea"]);
    let label =
        ["report", "--label", "unit=unit.out", "--label", "e2e=e2e", "--source", "checkout", "-o", "both"];
    project.place.podcov(label).with_code(0);
    let lost = |now: &str| {
        let document = project.document([now, "--against", "../both"]);
        document["against"]["lost"]
            .as_array()
            .unwrap()
            .iter()
            .map(|lost| lost["function"].clone())
            .collect::<Vec<_>>()
    };
    assert!(lost("../both").is_empty());
    assert_eq!(lost("../e2e"), [json!("*Cart.Remove")]);
    fs::remove_file(project.place.path("unit.out")).unwrap();
    project.diff(["../both"]).with_code(3).printing(&["unit.out"]);
}
