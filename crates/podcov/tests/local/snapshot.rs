//! `podcov snapshot process/PID`: what running processes have counted, and what ran between two looks at them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use podcov_go_programs::{Covered, Linking, LiveProgram};
use tempfile::TempDir;

use crate::go::{self, Release};
use crate::place::Place;

const MODES: [&str; 3] = ["set", "count", "atomic"];
/// Of distroless images.
pub const USER: u32 = 65_532;

/// A process that works when it is told to, and where it writes its data when it ends.
pub struct Live {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    data: TempDir,
}

impl Live {
    fn start(mode: &'static str) -> Self {
        Self::start_command(&mut Command::new(executable(mode, Covered::Program)))
    }

    pub fn start_command(command: &mut Command) -> Self {
        let data = tempfile::tempdir().unwrap();
        let command = command.env("GOCOVERDIR", data.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut live = Self { input: child.stdin.take(), output, child, data };
        live.expect("ready");
        live
    }

    pub fn target(&self) -> String {
        format!("process/{}", self.child.id())
    }

    pub fn work(&mut self, rounds: u32) {
        writeln!(self.input.as_mut().unwrap(), "{rounds}").unwrap();
        self.expect("done");
    }

    fn expect(&mut self, line: &str) {
        let mut read = String::new();
        self.output.read_line(&mut read).unwrap();
        assert_eq!(read.trim_end(), line);
    }

    /// Has it return from main, and gives what Go says of the data that it then wrote.
    fn finish(mut self) -> Counts {
        self.end();
        counts(self.data.path())
    }

    /// Has it return from main.
    pub fn end(&mut self) {
        drop(self.input.take());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // It has ended already if all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Copies an executable for all users, by another process: a file that this one writes could not be executed while any
/// test forks.
pub fn install(from: &Path, to: &Path) {
    let mut install = Command::new("install");
    let installed = install.arg("--mode=0755").arg(from).arg(to).status().unwrap();
    assert!(installed.success(), "{install:?}");
}

pub fn executable(mode: &'static str, covered: Covered) -> PathBuf {
    let program = LiveProgram { release: "local", mode, linking: Linking::Static, covered };
    program.executable(Path::new(env!("CARGO_TARGET_TMPDIR")))
}

/// How often each block ran.
pub type Counts = BTreeMap<String, u32>;

/// As Go's own tool reads a directory.
pub fn counts(directory: &Path) -> Counts {
    let blocks = go::textfmt(Release::Newest, &[directory.to_owned()]);
    let of = |block: &String| {
        let (block, count) = block.rsplit_once(' ').unwrap();
        (block.to_owned(), count.parse().unwrap())
    };
    blocks.iter().map(of).collect()
}

/// What ran in between, of what a process wrote that did no more and of one that did.
fn difference(mode: &str, later: &Counts, earlier: &Counts) -> Counts {
    let of = |(block, count): (&String, &u32)| {
        let before = earlier[block];
        let count = if mode == "set" { u32::from(*count > before) } else { count - before };
        (block.clone(), count)
    };
    later.iter().map(of).collect()
}

impl Place {
    /// The only data directory of a run.
    #[track_caller]
    pub fn data_of(&self, run: &str) -> PathBuf {
        let directories = go::data_directories(&self.path(run).join("data"));
        assert_eq!(directories.len(), 1, "{directories:?}");
        directories[0].clone()
    }
}

#[test]
fn a_snapshot_is_what_the_process_writes_itself_later() {
    for mode in MODES {
        let place = Place::new();
        let mut live = Live::start(mode);
        live.work(2);
        let ended = place.podcov(["snapshot", &live.target()]).with_code(0);
        ended.saying(&["✓ read", mode, &format!("process {}", live.child.id())]).printing(&[
            "1 of 1 program, 1 of 1 process",
            "of statements",
            "report",
        ]);
        let record = place.record();
        assert_eq!(record["captures"][0]["way"], "attached");
        assert!(record["finished"].is_string());
        assert!(place.text("coverage/index.html").contains("memory of the running process"));
        let data = place.data_of("coverage");
        assert_eq!(
            go::blocks(&place.path("coverage/coverage.txt")),
            go::textfmt(Release::Newest, std::slice::from_ref(&data))
        );
        let snapshot = counts(&data);
        assert!(snapshot.values().any(|count| *count > 0));
        assert_eq!(snapshot, live.finish(), "{mode}");
        place.podcov(["report", "coverage"]).with_code(0).printing(&["1 of 1 program, 1 of 1 process"]);
    }
}

#[test]
fn a_process_that_is_killed_afterwards_has_left_its_counters() {
    let place = Place::new();
    let mut live = Live::start("atomic");
    live.work(1);
    place.podcov(["snapshot", &live.target(), "-o", "live"]).with_code(0);
    live.child.kill().unwrap();
    live.child.wait().unwrap();
    assert!(go::files(live.data.path(), "covcounters.").is_empty(), "Go could not write them");

    let mut twin = Live::start("atomic");
    twin.work(1);
    assert_eq!(counts(&place.data_of("live")), twin.finish());
}

#[test]
fn the_difference_of_two_snapshots_is_what_ran_in_between() {
    for mode in MODES {
        let place = Place::new();
        let mut live = Live::start(mode);
        let target = live.target();
        place.podcov(["snapshot", &target, "-o", "first"]).with_code(0);
        live.work(4);
        let second = place.podcov(["snapshot", &target, "-o", "second", "--since", "first"]);
        second.with_code(0).printing(&["! only what ran since the snapshot of"]);
        let third = place.podcov(["snapshot", &target, "-o", "third", "--since", "second"]).with_code(0);
        assert_eq!(third.output.contains("counts in mode set"), mode == "set", "{}", third.output);
        live.work(7);
        place.podcov(["snapshot", &target, "-o", "fourth", "--since", "second"]).with_code(0);

        let of_twin = |rounds: &[u32]| {
            let mut twin = Live::start(mode);
            for count in rounds {
                twin.work(*count);
            }
            twin.finish()
        };
        let (nothing, once, twice) = (of_twin(&[]), of_twin(&[4]), of_twin(&[4, 7]));
        assert_eq!(counts(&place.data_of("second")), difference(mode, &once, &nothing), "{mode}");
        assert!(counts(&place.data_of("third")).values().all(|count| *count == 0), "{mode}: nothing ran");
        assert_eq!(counts(&place.data_of("fourth")), difference(mode, &twice, &once), "{mode}");
        assert_eq!(live.finish(), twice, "{mode}: the process noticed nothing");
    }
}

#[test]
fn processes_that_are_new_count_whole_and_those_that_ended_are_missing() {
    let place = Place::new();
    let [old, new] = ["count", "atomic"].map(Live::start);
    place.podcov(["snapshot", &old.target(), "-o", "before"]).with_code(0);
    let ended = format!("process {} has ended since the earlier snapshot", old.child.id());
    old.finish();
    let since = ["snapshot", &new.target(), "-o", "after", "--since", "before"];
    let whole = format!("new since then, and counted whole: process {}", new.child.id());
    place.podcov(since).with_code(3).saying(&["✗ lost"]).printing(&[
        &whole,
        &ended,
        "1 of 2 programs, 1 of 2 processes",
    ]);
    place.podcov(since.into_iter().chain(["--allow-incomplete"])).with_code(0).printing(&[&ended]);
    assert_eq!(counts(&place.data_of("after")), new.finish());
}

#[test]
fn a_process_that_has_become_the_same_program_again_counts_whole() {
    let place = Place::new();
    let (when, data) = (place.path("when"), place.path("gocoverdir"));
    fs::create_dir(&data).unwrap();
    let mut command = Command::new(go::program());
    command.arg("again").arg(&when).env("GOCOVERDIR", &data).stdout(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
    let target = format!("process/{}", process.id());
    assert_eq!(output.next().unwrap().unwrap(), "waiting");
    place.podcov(["snapshot", &target, "-o", "before"]).with_code(0);
    fs::write(when, "").unwrap();
    assert_eq!(output.next().unwrap().unwrap(), "waiting");
    let after = place.podcov(["snapshot", &target, "-o", "after", "--since", "before"]);
    kill(Pid::from_raw(process.id().cast_signed()), Signal::SIGTERM).unwrap();
    process.wait().unwrap();
    after.with_code(3).printing(&["new since then, and counted whole", "has become another program"]);
    // Nothing but a goroutine that may not have begun when it was read.
    let afterwards = difference("atomic", &counts(&data), &counts(&place.data_of("after")));
    assert!(afterwards.values().sum::<u32>() <= 1, "{afterwards:?}");
}

#[test]
fn every_instrumented_process_below_a_shell_is_read() {
    let place = Place::new();
    let [one, other] = ["count", "atomic"].map(|mode| executable(mode, Covered::Program));
    let script = format!(
        "mkfifo wait; {} < wait & exec 3> wait; {} ; exec 3>&-; wait",
        one.display(),
        other.display()
    );
    let mut command = Command::new("sh");
    let mut shell =
        Live::start_command(command.arg("-c").arg(script).current_dir(place.path("")).stderr(Stdio::null()));
    shell.expect("ready");
    let target = format!("process/{}", shell.child.id());
    // Twice the same is once.
    place
        .podcov(["snapshot", &target, &target])
        .with_code(0)
        .saying(&["2 processes"])
        .printing(&["1 of 1 program, 2 of 2 processes"]);
    let data = place.data_of("coverage");
    assert_eq!(go::files(&data, "covcounters.").len(), 2);
    assert_eq!(go::files(&data, "covmeta.").len(), 2);
    for mode in ["count", "atomic"] {
        assert!(place.path(format!("coverage/coverage-{mode}.txt")).exists());
    }
}

#[test]
fn what_has_no_counters_is_said_to_have_none_and_the_rest_is_read() {
    let place = Place::new();
    let live = Live::start("atomic");
    let plain = Live::start_command(&mut Command::new(executable("atomic", Covered::Nothing)));
    let mut sleep = Command::new("sleep").arg("600").spawn().unwrap();
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    let [sleeping, gone] = [sleep.id(), gone.id()].map(|process| format!("process/{process}"));
    let ended = place.podcov(["snapshot", &sleeping, &plain.target(), &gone, &live.target()]);
    sleep.kill().unwrap();
    sleep.wait().unwrap();
    ended
        .with_code(3)
        .saying(&[
            "is not a program of Go's",
            "was built without coverage: use go build -cover",
            "there is no such process",
        ])
        .printing(&["1 of 4 programs", "no data: process", "out of reach: process"]);
    assert_eq!(counts(&place.data_of("coverage")), live.finish());
}

#[test]
fn a_process_of_another_user_is_denied_with_the_next_step_and_the_rest_is_read() {
    if !geteuid().is_root() {
        // Past the capturing of what tests print.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED snapshot of other users: only root can start their processes"
        );
        return;
    }
    let place = Place::new();
    let copy = |file: &Path, name: &str| {
        let copy = place.path(name);
        install(file, &copy);
        copy
    };
    fs::set_permissions(place.path(""), fs::Permissions::from_mode(0o777)).unwrap();
    let podcov = copy(Path::new(env!("CARGO_BIN_EXE_podcov")), "podcov");
    let program = copy(&executable("atomic", Covered::Program), "server");
    let denied = Live::start("count");
    // Its data is in a directory of root's, and it is not told of here.
    let own = Live::start_command(Command::new(program).uid(USER).gid(USER).stderr(Stdio::null()));
    let snapshot = |targets: &[String]| {
        let mut command = Command::new(&podcov);
        command.arg("snapshot").args(targets).uid(USER).gid(USER).current_dir(place.path(""));
        place.start_command(command).end()
    };
    let why = "permission denied: it runs as user 0, and this one as 65532 without CAP_SYS_PTRACE; run podcov as user 0 or as root";
    let ended = snapshot(&[denied.target(), own.target()]).with_code(3);
    ended.saying(&[why, "✓ read           server"]).printing(&[why, "1 of 2 programs, 1 of 2 processes"]);
    snapshot(&[denied.target()]).with_code(3).printing(&[why, "0 of 1 process", "which is not 0 %"]);
    snapshot(&[own.target()]).with_code(0);
}

#[test]
fn a_command_line_that_cannot_be_followed_reads_nothing() {
    let place = Place::new();
    let live = Live::start("count");
    for (arguments, message) in [
        (&["snapshot"][..], "<TARGET>"),
        (&["snapshot", "4711"], "a target is process/PID, container/NAME, or a workload"),
        (&["snapshot", "process/0"], "process/ is followed by a process ID"),
        (&["snapshot", "service/api"], "or a workload such as deploy/api"),
        (&["snapshot", &live.target(), "--source", "nowhere"], "--source nowhere is not a directory"),
        (&["snapshot", &live.target(), "--since", "nowhere"], "there is no earlier snapshot in nowhere"),
    ] {
        place.podcov(arguments).with_code(2).saying(&[message]);
    }
    assert!(!place.path("coverage").exists());
    place.podcov(["exec", "-o", "other", "--", go::program(), "exit", "0"]).with_code(0);
    place.podcov(["snapshot", &live.target(), "--since", "other"]).with_code(2).saying(&[
        "there is no earlier snapshot in other",
        "Hint: --since names a directory that podcov snapshot",
    ]);
    place.podcov(["snapshot", &live.target()]).with_code(0);
    let before = place.text("coverage/run.json");
    place
        .podcov(["snapshot", &live.target(), "--since", "./coverage/"])
        .with_code(2)
        .saying(&["the new snapshot would replace the earlier one", "-o DIR"]);
    assert_eq!(place.text("coverage/run.json"), before);
}

#[test]
fn an_earlier_snapshot_that_is_damaged_is_missing_and_named() {
    let place = Place::new();
    let live = Live::start("count");
    place.podcov(["snapshot", &live.target(), "-o", "before"]).with_code(0);
    let kept = go::files(&place.path("before/snapshot"), &live.child.id().to_string());
    fs::write(&kept[0], "damaged").unwrap();
    let ended = place.podcov(["snapshot", &live.target(), "-o", "after", "--since", "before"]).with_code(3);
    ended
        .saying(&["cannot be compared with before/snapshot/"])
        .printing(&["0 of 1 process", "which is not 0 %"]);
}

#[test]
fn the_document_is_printed_for_programs() {
    let place = Place::new();
    let live = Live::start("count");
    let ended = place.podcov(["snapshot", &live.target(), "--output", "json"]).with_code(0);
    assert_eq!(ended.output, place.text("coverage/run.json"));
}
