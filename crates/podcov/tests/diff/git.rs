//! Repositories that make it hard: clones without history, no git, and files that would like to be executed.

use std::fs;

use crate::project::{Project, git_in};

#[test]
fn the_base_by_default_is_what_the_remote_says_or_a_usual_name() {
    let project = Project::new();
    project.measure("data", &["tea"]);
    let said = |project: &Project, name: &str| {
        project
            .diff(["../data"])
            .with_code(0)
            .printing(&[&format!("since {name} (merge base "), "the base by default"]);
    };
    said(&project, "main");
    let url = project.path("").display().to_string();
    git_in(&project.place.path(""), &["clone", "--quiet", "--branch", "change", &url, "clone"]);
    fs::rename(project.path(""), project.place.path("origin")).unwrap();
    fs::rename(project.place.path("clone"), project.path("")).unwrap();
    said(&project, "origin/change");
    project.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"]);
    said(&project, "origin/main");
    project.git(&["symbolic-ref", "--delete", "refs/remotes/origin/HEAD"]);
    said(&project, "origin/main");

    project.git(&["branch", "-r", "--delete", "origin/main"]);
    project.diff(["../data"]).with_code(1).saying(&[
        "Error: no base to compare with: there is no origin/HEAD and no origin/main, origin/master, main, master",
        "Hint: name the branch that the change is for: --base BRANCH",
    ]);
    project
        .diff(["../data", "--base", "origin/gone"])
        .with_code(1)
        .saying(&["git knows no commit origin/gone", "git fetch origin gone"]);
}

#[test]
fn a_shallow_clone_says_that_it_is_one_and_how_to_mend_it() {
    let project = Project::new();
    project.write("cart/new.go", "package cart\n\nfunc Fresh() int {\n\treturn 1\n}\n");
    project.commit("new");
    project.git(&["checkout", "--quiet", "main"]);
    project.write("README.md", "#\n");
    project.commit("meanwhile");
    project.measure("data", &["tea"]);
    let url = format!("file://{}", project.path("").display());
    let place = project.place.path("");
    git_in(
        &place,
        &["clone", "--quiet", "--depth=1", "--no-single-branch", "--branch", "change", &url, "shallow"],
    );
    let shallow = |arguments: &[&str]| {
        let mut command = project.command(arguments);
        command.current_dir(project.place.path("shallow"));
        project.place.start_command(command).end()
    };
    shallow(&["../data", "--base", "origin/main"]).with_code(1).saying(&[
        "Error: origin/main and HEAD have no common commit",
        "is a shallow clone, which lacks older commits",
        "Hint: bring them here: git fetch --unshallow origin",
        "fetch-depth: 0",
    ]);
    // What it says helps.
    git_in(&project.place.path("shallow"), &["fetch", "--quiet", "--unshallow", "origin"]);
    shallow(&["../data", "--base", "origin/main"]).with_code(0).printing(&["cart/new.go"]);
}

#[test]
fn where_there_is_no_repository_or_no_git_a_patch_is_the_way() {
    let project = Project::new();
    project.measure("data", &["tea"]);
    let patch = project.git(&["diff", "HEAD"]);
    let mut without_git = project.command(["../data"]);
    without_git.env("PATH", project.place.path("data"));
    project.place.start_command(without_git).end().with_code(1).saying(&[
        "Error: there is no `git` on PATH, which says what has changed",
        "podcov diff --patch FILE",
    ]);
    fs::remove_dir_all(project.path(".git")).unwrap();
    project.diff(["../data"]).with_code(1).saying(&[
        "Error: . is in no working tree of git",
        "Hint: name the checkout with --source DIR",
        "podcov diff --patch -",
    ]);
    project.diff_of_patch(patch.as_bytes(), &["../data"]).with_code(0);
}

#[test]
fn nothing_in_the_repository_is_executed_and_no_setting_changes_the_answer() {
    let project = Project::new();
    project.replace(
        "cart/cart.go",
        "\tc.items[name] += count\n",
        "\tc.items[name] = c.items[name] + count\n",
    );
    project.commit("a change");
    project.measure("data", &["tea"]);
    let before = project.document(["../data"])["files"].clone();
    assert_eq!(before.as_array().unwrap().len(), 1);

    let trap = project.place.path("trap");
    let springs = format!("touch {}; cat", trap.display());
    project.write(".gitattributes", "*.go diff=evil\n");
    for (key, value) in [
        ("diff.external", springs.as_str()),
        ("diff.evil.command", springs.as_str()),
        ("diff.evil.textconv", springs.as_str()),
        ("core.pager", springs.as_str()),
        ("core.fsmonitor", springs.as_str()),
        ("diff.noprefix", "true"),
        ("diff.mnemonicPrefix", "true"),
        ("diff.relative", "true"),
        ("diff.context", "9"),
        ("diff.submodule", "log"),
        ("diff.orderFile", "nowhere"),
        ("diff.renames", "false"),
        ("color.ui", "always"),
        ("core.quotePath", "false"),
    ] {
        project.git(&["config", key, value]);
    }
    let mut command = project.command(["../data", "--format", "json"]);
    command.env("GIT_EXTERNAL_DIFF", &springs).env("GIT_DIFF_OPTS", "-u7").env("PAGER", &springs);
    let ended = project.place.start_command(command).end();
    let document: serde_json::Value = serde_json::from_str(&ended.output).unwrap();
    assert_eq!(document["files"], before);
    assert!(!trap.exists(), "something of the repository was executed");
}

#[test]
fn a_name_that_begins_with_a_dash_is_no_option() {
    let project = Project::new();
    project.measure("data", &["tea"]);
    for hostile in ["--base=--output=stolen", "--range=--output=stolen..HEAD", "--range=--all"] {
        let ended = project.diff(["../data", hostile]).with_code_in(&[1, 2]);
        assert!(
            ended.errors.contains("git knows no commit --") || ended.errors.contains("is no range"),
            "{ended:?}"
        );
    }
    assert!(!project.path("stolen").exists());
    project.git(&["update-ref", "refs/heads/-main", "main"]);
    project.diff(["../data", "--base=refs/heads/-main"]).with_code(0);
}

#[test]
fn a_submodule_is_named() {
    let project = Project::new();
    let other = Project::new();
    let url = other.path("").display().to_string();
    project.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &url, "inner"]);
    project.commit("a submodule");
    project.measure("data", &["tea"]);
    project
        .diff(["../data"])
        .with_code(0)
        .printing(&["inner ", "a submodule: measure it in its own repository"]);
}

#[test]
fn an_option_that_contradicts_another_is_refused() {
    let project = Project::new();
    project.diff(["--base", "main", "--patch", "-"]).with_code(2);
    project.diff(["--range", "main..HEAD", "--patch", "-"]).with_code(2);
    project.diff(["--fail-on-regression"]).with_code(2).saying(&["--against"]);
    project.diff(["--fail-under-changed", "101"]).with_code(2).saying(&["a percentage from 0 to 100"]);
    project.diff(["--range", "main"]).with_code(2).saying(&["--range main is no range", "main..HEAD"]);
}
