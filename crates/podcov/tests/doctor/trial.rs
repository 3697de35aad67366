//! `podcov doctor --try`: programs that really run, here and in containers; for each place where data can stop, one whose data
//! stops there. Pods are tried by the tests on a cluster.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{engine_answers, ids, lay_out};

/// What is left behind is looked for in the whole engine.
static ENGINE: Mutex<()> = Mutex::new(());

/// A program that runs until it is told to end.
const WAITS: &str = "package main

import (
\t\"os\"
\t\"os/signal\"
\t\"syscall\"

\t\"example.com/tried/internal/work\"
)

func main() {
\twork.Do()
\tsignals := make(chan os.Signal, 1)
\tsignal.Notify(signals, syscall.SIGTERM)
\t<-signals
}
";
const WORK: &str = "package work\n\nfunc Do() {}\n";
/// What this machine has, and an image of a program alone has not.
const NEEDS_USERS: &str = "package work

import \"os\"

func Do() {
\tif _, err := os.ReadFile(\"/etc/passwd\"); err != nil {
\t\tpanic(err)
\t}
}
";

fn module(work: &str) -> tempfile::TempDir {
    lay_out(&[
        ("go.mod", "module example.com/tried\n\ngo 1.22\n".to_owned()),
        ("main.go", WAITS.to_owned()),
        ("internal/work/work.go", work.to_owned()),
    ])
}

/// The command, with no cluster.
fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_podcov"));
    command.current_dir(directory).args(["doctor", "--try", "--output", "json"]).args(arguments);
    command.env("NO_COLOR", "1").env("KUBECONFIG", directory.join("no-cluster")).stdin(Stdio::null());
    command
}

/// The others wait meanwhile.
fn engine(test: &str) -> Option<MutexGuard<'static, ()>> {
    let guard = ENGINE.lock().unwrap_or_else(PoisonError::into_inner);
    engine_answers(test).then_some(guard)
}

fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn left_behind() -> String {
    docker(&["ps", "--all", "--quiet", "--filter", "label=podcov.dev/role=trial"])
        + &docker(&["images", "--quiet", "podcov.dev/trial"])
}

/// The places that were reached, with what was said of each.
fn places(output: &Output) -> Vec<(String, String)> {
    let document: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let found = document["diagnoses"].as_array().unwrap().iter().filter_map(|found| {
        let (_, place) = found["subject"].as_str()?.split_once(", tried: ")?;
        let place = place.split(',').next()?;
        Some((place.to_owned(), found["severity"].as_str()?.to_owned()))
    });
    found.collect()
}

fn is(output: &Output, place: &str, severity: &str) -> bool {
    places(output).contains(&(place.to_owned(), severity.to_owned()))
}

#[test]
fn data_of_a_healthy_package_appears_here_and_in_a_container() {
    let Some(_guard) = engine("data_of_a_healthy_package_appears_here_and_in_a_container") else { return };
    let module = module(WORK);
    let output = command(module.path(), &["--yes", "."]).output().unwrap();
    assert_eq!(ids(&output), Vec::<String>::new());
    for place in ["local build", "container"] {
        assert!(is(&output, place, "ok"), "{place}: {:?}", places(&output));
    }
    assert!(is(&output, "pod", "unknown"), "there is no cluster: {:?}", places(&output));
    assert_eq!(left_behind(), "");
}

#[test]
fn data_that_stops_at_the_build_is_said_of_the_local_build_alone() {
    let Some(_guard) = engine("data_that_stops_at_the_build_is_said_of_the_local_build_alone") else {
        return;
    };
    let module = module(WORK);
    let flags = "-coverpkg=example.com/tried/internal/...";
    let output = command(module.path(), &["--yes", "."]).env("GOFLAGS", flags).output().unwrap();
    assert_eq!(ids(&output), ["main-not-covered"]);
    assert!(is(&output, "local build", "error") && !is(&output, "container", "ok"));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn data_that_stops_in_the_container_appears_here_before() {
    let Some(_guard) = engine("data_that_stops_in_the_container_appears_here_before") else { return };
    let module = module(NEEDS_USERS);
    let binary = module.path().join("bin");
    let mut build = Command::new("go");
    build.args(["build", "-cover", "-o"]).arg(&binary).arg(".");
    assert!(build.current_dir(module.path()).env("CGO_ENABLED", "0").status().unwrap().success());
    let output = command(module.path(), &["--yes", "./bin"]).output().unwrap();
    assert_eq!(ids(&output), ["panicked"]);
    assert!(is(&output, "local build", "ok") && is(&output, "container", "error"), "{:?}", places(&output));
    assert_eq!(left_behind(), "");
}

#[test]
fn an_image_is_tried_as_its_user() {
    let Some(_guard) = engine("an_image_is_tried_as_its_user") else { return };
    let module = module(WORK);
    let build = Command::new("go")
        .args(["build", "-cover", "-o", "app", "."])
        .current_dir(module.path())
        .env("CGO_ENABLED", "0")
        .status();
    assert!(build.unwrap().success());
    fs::write(
        module.path().join("Dockerfile"),
        "FROM scratch\nCOPY app /app\nUSER 4711\nENTRYPOINT [\"/app\"]\n",
    )
    .unwrap();
    let name = format!("podcov-tried:{}", std::process::id());
    let build = Command::new("docker")
        .args(["build", "--quiet", "--tag", &name, "."])
        .current_dir(module.path())
        .output()
        .unwrap();
    assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
    let output = command(module.path(), &["--yes", &name]).output().unwrap();
    Command::new("docker").args(["rmi", &name]).output().unwrap();
    assert_eq!(ids(&output), Vec::<String>::new());
    assert!(is(&output, "local build", "ok") && is(&output, "container", "ok"), "{:?}", places(&output));
    assert_eq!(left_behind(), "");
}

#[test]
fn nothing_is_run_without_a_yes() {
    let module = module(WORK);
    let output = command(module.path(), &["."]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    for words in ["go build -cover", "a container", "--yes"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(output.stdout.is_empty());
}

#[test]
fn whoever_stops_it_finds_nothing_left() {
    let Some(_guard) = engine("whoever_stops_it_finds_nothing_left") else { return };
    let module = module(WORK);
    let mut child =
        command(module.path(), &["--yes", "."]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    podcov_wait::until("an image or a container is made", || {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it made anything");
        !left_behind().is_empty()
    });
    let process = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
    nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGINT).unwrap();
    assert_eq!(podcov_wait::until_exit("podcov ends", &mut child).code(), Some(130));
    assert_eq!(left_behind(), "");
}

#[test]
fn what_a_killed_one_leaves_in_the_engine_is_removed_by_the_next_and_that_of_a_living_one_is_not() {
    let test =
        "what_a_killed_one_leaves_in_the_engine_is_removed_by_the_next_and_that_of_a_living_one_is_not";
    let Some(_guard) = engine(test) else { return };
    let module = module(WORK);
    let start =
        || command(module.path(), &["--yes", "."]).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut killed = start().unwrap();
    podcov_wait::until("a container runs", || {
        assert!(killed.try_wait().unwrap().is_none(), "it ended before it made anything");
        !running_containers().is_empty()
    });
    killed.kill().unwrap();
    killed.wait().unwrap();
    let left = running_containers();
    assert!(!left.is_empty(), "nobody has removed it");

    let mut living = start().unwrap();
    podcov_wait::until("what was left is removed, and another container runs", || {
        assert!(living.try_wait().unwrap().is_none(), "it ended before it made anything");
        let running = running_containers();
        !running.is_empty() && !running.contains(&left[0])
    });
    let its_own = running_containers();
    let output = command(module.path(), &["--yes", "--output", "text", "."]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("left by an earlier podcov"), "{its_own:?} are in use: {said}");
    assert_eq!(podcov_wait::until_exit("the living one ends", &mut living).code(), Some(0));
    assert_eq!(left_behind(), "");
}

fn running_containers() -> Vec<String> {
    let running = docker(&["ps", "--quiet", "--filter", "label=podcov.dev/role=trial"]);
    running.lines().map(str::to_owned).collect()
}
