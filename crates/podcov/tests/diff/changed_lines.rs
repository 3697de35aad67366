//! Which lines are changed, and which of them ran.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::place::Place;
use crate::project::{Project, file, go_in, lines_by_go, lines_of};

/// A changed line with a comment, a branch that does not run, and one that does.
fn change(project: &Project) {
    project.replace(
        "cart/cart.go",
        "\tc.items[name] += count\n",
        "\t// Nobody buys as many.\n\tif count > 99 || name == \"\" {\n\t\tcount = 99\n\t} else if count == 1 {\n\t\tcount += 0\n\t}\n\n\tc.items[name] += count\n",
    );
}

/// The lines that git blames on the change, with what Go says of them.
fn expected(project: &Project, data: &str, path: &str) -> BTreeMap<u32, String> {
    let blamed = project.blamed("main", path);
    assert!(!blamed.is_empty());
    project.by_go(data, path).into_iter().filter(|(line, _)| blamed.contains(line)).collect()
}

#[test]
fn changed_lines_are_those_of_git_and_run_or_not_as_go_says() {
    let project = Project::new();
    change(&project);
    project.commit("a limit");
    project.measure("data", &["tea"]);
    let document = project.document(["../data"]);
    let expected = expected(&project, "data", "cart/cart.go");
    assert_eq!(lines_of(&document, "cart/cart.go"), expected);
    let states = |wanted: &str| expected.values().filter(|state| *state == wanted).count();
    assert_eq!((states("covered"), states("not_covered")), (3, 1), "{expected:?}");
    // Braces, the comment and the empty line cannot run.
    assert_eq!(document["lines"], json!({"total": 4, "covered": 3, "percent": 75.0}));

    project.diff(["../data"]).with_code(0).printing(&[
        "since main (merge base ",
        "the base by default",
        "1 of 1 program, 1 of 1 process",
        "75.0 %",
        "3 of 4 lines",
        "✗     14  \t\tcount = 99".replace('\t', "    ").as_str(),
    ]);
}

#[test]
fn what_is_not_committed_and_what_git_does_not_know_yet_is_changed() {
    let project = Project::new();
    change(&project);
    project.commit("a limit");
    let document = |project: &Project| project.document(["../data"]);
    // Not committed: another line in the same function.
    project.replace(
        "cart/cart.go",
        "\treturn c.items[name]\n}\n\nfunc (c *Cart) Remove",
        "\tlast := c.items[name]\n\treturn last\n}\n\nfunc (c *Cart) Remove",
    );
    // Not known: a file.
    project
        .write("cart/total.go", "package cart\n\nfunc (c *Cart) Total() int {\n\treturn len(c.items)\n}\n");
    project.measure("data", &["tea"]);
    let before = document(&project);
    assert_eq!(lines_of(&before, "cart/total.go"), BTreeMap::from([(4, "not_covered".to_owned())]));

    // Git's index does not matter, and neither does a commit.
    project.git(&["add", "--all"]);
    assert_eq!(document(&project)["files"], before["files"]);
    project.commit("all of it");
    assert_eq!(document(&project)["files"], before["files"]);
    assert_eq!(lines_of(&before, "cart/cart.go"), expected(&project, "data", "cart/cart.go"));
}

#[test]
fn what_the_base_did_meanwhile_is_not_of_the_change() {
    let project = Project::new();
    change(&project);
    project.commit("a limit");
    project.git(&["checkout", "--quiet", "main"]);
    project.write("cart/other.go", "package cart\n\nfunc Other() int {\n\treturn 1\n}\n");
    project.commit("meanwhile");
    project.git(&["checkout", "--quiet", "change"]);
    project.measure("data", &["tea"]);
    let paths = |document: &Value| -> Vec<String> {
        let files = document["files"].as_array().unwrap();
        files.iter().map(|file| file["path"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(paths(&project.document(["../data"])), ["cart/cart.go"]);
    // Three dots are the merge base as well; two compare with what main is now.
    assert_eq!(paths(&project.document(["../data", "--range", "main...change"])), ["cart/cart.go"]);
    assert_eq!(paths(&project.document(["../data", "--range", "main..change"])), ["cart/cart.go"]);
    project.git(&["checkout", "--quiet", "main"]);
    let document = project.document(["../data", "--range", "change..main"]);
    assert_eq!(paths(&document), ["cart/other.go"], "what it takes back has no lines");
}

#[test]
fn a_renamed_file_has_only_its_changed_lines() {
    let project = Project::new();
    project.git(&["mv", "cart/cart.go", "cart/basket.go"]);
    project.replace(
        "cart/basket.go",
        "\tc.items[name] -= count\n",
        "\tc.items[name] = c.items[name] - count\n",
    );
    project.commit("a better name");
    project.measure("data", &["tea"]);
    let document = project.document(["../data"]);
    assert_eq!(file(&document, "cart/basket.go")["old_path"], "cart/cart.go");
    assert_eq!(lines_of(&document, "cart/basket.go"), BTreeMap::from([(17, "not_covered".to_owned())]));
    assert_eq!(document["files"].as_array().unwrap().len(), 1);
}

#[test]
fn line_ends_of_windows_do_not_matter() {
    let project = Project::new();
    change(&project);
    let text = fs::read_to_string(project.path("cart/cart.go")).unwrap();
    project.measure("unix", &["tea"]);
    let unix = project.document(["../unix"]);
    project.write("cart/cart.go", &text.replace('\n', "\r\n"));
    project.measure("windows", &["tea"]);
    // Every line has changed; those that had before are the same.
    let windows = project.document(["../windows"]);
    let (unix, windows) = (lines_of(&unix, "cart/cart.go"), lines_of(&windows, "cart/cart.go"));
    assert!(!unix.is_empty() && unix.iter().all(|(line, state)| windows[line] == *state), "{windows:?}");
    assert!(windows.len() > unix.len());
}

#[test]
fn a_patch_says_what_git_would() {
    let project = Project::new();
    change(&project);
    project.commit("a limit");
    project.measure("data", &["tea"]);
    let expected = project.document(["../data"])["files"].clone();
    let of_patch = |patch: &str| -> Value {
        let ended = project.diff_of_patch(patch.as_bytes(), &["../data", "--format", "json"]).with_code(0);
        serde_json::from_str::<Value>(&ended.output).unwrap()["files"].clone()
    };
    assert_eq!(of_patch(&project.git(&["diff", "main"])), expected);
    assert_eq!(of_patch(&project.git(&["format-patch", "--stdout", "main"])), expected);
    assert_eq!(of_patch(&project.git(&["diff", "--no-prefix", "main"])), expected);
    // Of `diff`, without git, and with other directories before the names.
    project.git(&["worktree", "add", "--quiet", "../old", "main"]);
    let diff = Command::new("diff")
        .args(["-ruN", "-x", ".git", "old", "checkout"])
        .current_dir(project.place.path(""))
        .output()
        .unwrap();
    fs::rename(project.path(".git"), project.place.path("gone")).unwrap();
    let of_diff = of_patch(&String::from_utf8(diff.stdout).unwrap());
    assert_eq!(of_diff, expected);
}

#[test]
fn a_patch_that_cannot_be_read_is_an_error() {
    let project = Project::new();
    project.measure("data", &["tea"]);
    project.diff_of_patch(b"--- a/x.go\n+++ b/x.go\n@@ -1 +1 @@\n-x\n", &["../data"]).with_code(1).saying(&[
        "Error: cannot read the patch",
        "ends before what begins in line 3 is complete",
        "Hint: a unified diff is what `git diff`",
    ]);
    let twice = "--- a/x.go\n+++ b/x.go\n@@ -1 +1 @@\n-x\n+y\n".repeat(2);
    project
        .diff_of_patch(twice.as_bytes(), &["../data"])
        .with_code(1)
        .saying(&["the patch changes x.go more than once", "git diff BASE HEAD"]);
    // Nothing at all is a change of nothing.
    project.diff_of_patch(b"", &["../data"]).with_code(0).printing(&["no line of any file was changed"]);
}

#[test]
fn files_without_data_are_named_with_the_reason_and_are_neither_0_nor_100_percent() {
    let project = Project::new();
    project.write("README.md", "# Shop\n");
    project
        .write("cart/cart_test.go", "package cart\n\nimport \"testing\"\n\nfunc TestAdd(t *testing.T) {}\n");
    project.write("cart/testdata/x.go", "package x\n\nfunc F() {}\n");
    project.write("cart/kinds.go", "package cart\n\ntype Kind int\n");
    project.write("cart/windows.go", "//go:build windows\n\npackage cart\n\nfunc W() int {\n\treturn 1\n}\n");
    project.write("tool/main.go", "package main\n\nfunc main() {\n\tprintln(1)\n}\n");
    project.write("names/names.go", "package names\n\nconst Tea = \"tea\"\n");
    project.write("deploy/-dash.go", "package deploy\n");
    project.commit("much of it");
    project.measure("data", &["tea"]);
    let document = project.document(["../data"]);
    let told = |path: &str| {
        let file = file(&document, path);
        (file["state"].as_str().unwrap(), file["reason"].as_str().unwrap().split(':').next().unwrap())
    };
    assert_eq!(told("README.md"), ("nothing_to_measure", "not Go"));
    assert_eq!(told("cart/cart_test.go"), ("nothing_to_measure", "a test file"));
    assert_eq!(told("cart/testdata/x.go"), ("nothing_to_measure", "not part of a package"));
    assert_eq!(told("cart/kinds.go"), ("nothing_to_measure", "no statements in what was built"));
    assert_eq!(told("cart/windows.go"), ("nothing_to_measure", "no statements in what was built"));
    assert_eq!(told("names/names.go"), ("nothing_to_measure", "no statements in what was built"));
    assert_eq!(told("deploy/-dash.go"), ("nothing_to_measure", "no statements in what was built"));
    assert_eq!(told("tool/main.go"), ("missing", "not in the coverage data"));
    assert_eq!(document["lines"], json!({"total": 0, "covered": 0, "percent": null}));

    let ended =
        project.diff(["../data"]).with_code(0).printing(&["✗ tool/main.go", "not in the coverage data"]);
    assert!(!ended.output.contains(" 0.0 %") && !ended.output.contains("100.0 %"), "{}", ended.output);
}

#[test]
fn data_of_another_version_of_the_source_is_not_held_against_it() {
    let project = Project::new();
    project.measure("data", &["tea"]);
    // Fewer lines than the data speaks of.
    project.write("cart/cart.go", "package cart\n\nfunc New() int {\n\treturn 1\n}\n");
    let document = project.document(["../data"]);
    let cart = file(&document, "cart/cart.go");
    assert_eq!(cart["state"], "missing");
    assert!(cart["reason"].as_str().unwrap().contains("is not the version that was built"), "{cart}");
    project
        .diff(["../data", "--fail-under-changed", "1"])
        .with_code(4)
        .printing(&["✗ gate changed lines: cannot be judged: nothing is known of cart/cart.go"]);
}

#[test]
fn every_line_of_a_real_module_is_seen_as_go_sees_it() {
    let place = Place::new();
    let module = place.path("checkout");
    let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/shop");
    let copied = Command::new("cp").arg("-r").arg(&shop).arg(&module).status().unwrap();
    assert!(copied.success());
    let profile = place.path("profile.txt");
    let output = format!("-coverprofile={}", profile.display());
    go_in(&module, &["test", "-coverpkg=./internal/...", &output, "./internal/..."]);
    // Compared with nothing: every line is new.
    let project = Project { place };
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    project.git(&["commit", "--quiet", "--allow-empty", "--message", "nothing"]);
    project.git(&["checkout", "--quiet", "-b", "change"]);
    project.commit("everything");
    let document = project.document(["../profile.txt"]);

    let text = fs::read_to_string(&profile).unwrap();
    let mut files: Vec<&str> = text.lines().skip(1).map(|line| line.rsplit_once(':').unwrap().0).collect();
    files.sort_unstable();
    files.dedup();
    assert!(files.len() > 10, "{files:?}");
    for name in files {
        let path = name.strip_prefix("example.com/shop/").unwrap();
        assert_eq!(lines_of(&document, path), lines_by_go(&profile, name, &project.path(path)), "{path}");
    }
}
