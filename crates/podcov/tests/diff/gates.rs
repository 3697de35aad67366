//! Gates: what they say, what podcov ends with, and that none passes on missing data.

use std::fs;

use crate::project::Project;

fn changed() -> Project {
    let project = Project::new();
    project.replace(
        "cart/cart.go",
        "\tc.items[name] += count\n",
        "\tif count > 99 {\n\t\tcount = 99\n\t}\n\tc.items[name] += count\n",
    );
    project.commit("a limit");
    project.measure("data", &["tea"]);
    project
}

#[test]
fn a_missed_gate_says_what_is_missing_and_where_it_is_cheapest() {
    let project = changed();
    // One of two changed lines ran. 90 % of 2 is 1.8: both are needed.
    project.diff(["../data", "--fail-under-changed", "90"]).with_code(4).printing(&[
        "✗ gate changed lines: 50.0 % of 2 lines, 90 % asked for: 1 more of the 1 that did not run",
        "the most is in cart/cart.go:13 (1)",
    ]);
    project
        .diff(["../data", "--fail-under-changed", "50"])
        .with_code(0)
        .printing(&["✓ gate changed lines: 50.0 % of 2 lines"]);
    // The largest gap is Remove: all of its 4 statements, up to its return.
    project
        .diff(["../data", "--fail-under", "99"])
        .with_code(4)
        .printing(&["✗ gate total: ", "the most is in example.com/shop/cart/cart.go:19-24 (4)"]);
}

#[test]
fn a_gate_on_changed_lines_passes_where_no_changed_line_can_run() {
    let project = Project::new();
    project.write("README.md", "# Shop\n");
    project.replace("cart/cart.go", "// Cart counts.\n", "// Cart counts well.\n");
    project.measure("data", &["tea"]);
    project
        .diff(["../data", "--fail-under-changed", "100"])
        .with_code(0)
        .printing(&["✓ gate changed lines: no changed line can run"]);
}

#[test]
fn no_gate_passes_on_missing_data() {
    let project = changed();
    project.write("tool/main.go", "package main\n\nfunc main() {\n\tprintln(1)\n}\n");
    project.diff(["../data", "--fail-under-changed", "1"]).with_code(4).printing(&[
        "✗ gate changed lines: cannot be judged: nothing is known of tool/main.go (not in the coverage data",
    ]);
    project.diff(["../data", "--fail-under-package", "example.com/none/...=1"]).with_code(4).printing(&[
        "✗ gate packages example.com/none/...: cannot be judged: the data has none of the packages that are meant",
    ]);
    project
        .diff(["../data", "--fail-under-file", "example.com/shop/none.go=1"])
        .with_code(4)
        .printing(&["✗ gate files example.com/shop/none.go: cannot be judged"]);
}

#[test]
fn packages_and_files_are_judged_one_by_one() {
    let project = changed();
    project
        .diff([
            "../data",
            "--fail-under-package",
            "example.com/shop/...=80",
            "--fail-under-file",
            "...main.go=1",
        ])
        .with_code(4)
        .printing(&[
            "✓ gate package example.com/shop: 80.0 %",
            "✗ gate package example.com/shop/cart: ",
            "✓ gate file example.com/shop/main.go: 80.0 %",
        ]);
}

#[test]
fn missing_data_comes_before_a_missed_gate_and_a_gate_can_insist_on_all_of_it() {
    let project = changed();
    let metadata = fs::read_dir(project.place.path("data")).unwrap().map(|entry| entry.unwrap().path());
    let metadata = metadata.into_iter().find(|path| path.to_str().unwrap().contains("covmeta")).unwrap();
    let silent = project.place.path("silent");
    fs::create_dir(&silent).unwrap();
    fs::write(silent.join("covmeta.0123456789abcdef0123456789abcdef"), fs::read(&metadata).unwrap()).unwrap();
    let data = ["../data", "../silent"];
    let run = |arguments: &[&str]| project.diff(data.iter().chain(arguments));
    run(&["--fail-under-changed", "1"]).with_code(3).printing(&["✗ missing: "]);
    run(&["--fail-under-changed", "100"]).with_code(3);
    run(&["--fail-under-changed", "100", "--allow-incomplete"]).with_code(4);
    run(&["--fail-under-changed", "1", "--allow-incomplete"]).with_code(0);
    run(&["--fail-on-incomplete", "--allow-incomplete"])
        .with_code(4)
        .printing(&["✗ gate complete: data is missing: "]);
    project
        .diff(["../data", "--fail-on-incomplete"])
        .with_code(0)
        .printing(&["✓ gate complete: nothing that was expected is missing"]);
}

#[test]
fn report_and_run_judge_what_they_show() {
    let project = changed();
    let report = |arguments: &[&str]| {
        project.place.podcov(["report", "data", "--source", "checkout"].iter().chain(arguments))
    };
    report(&["--fail-under", "40"]).with_code(0).saying(&["✓ gate total: "]);
    let percent = project.place.record()["summary"]["percent"].as_f64().unwrap();
    assert!((40.0..99.0).contains(&percent), "{percent}");
    report(&["--fail-under", "99", "-o", "other"]).with_code(4).saying(&[
        "✗ gate total: ",
        "99 % asked for",
        "the most is in example.com/shop/cart/cart.go:19-24 (4)",
    ]);
    report(&["--fail-under", "high"]).with_code(2);

    let program = project.place.path("program");
    let run = |goal: &str, test: &str| {
        project.place.podcov([
            "run",
            "--exec",
            &format!("{} tea", program.display()),
            "--fail-under",
            goal,
            "--",
            test,
        ])
    };
    run("40", "true").with_code(0).saying(&["✓ gate total: "]);
    run("99", "true").with_code(4).saying(&["✗ gate total: "]);
    // The tests' own code comes first.
    run("99", "false").with_code(1);
}
