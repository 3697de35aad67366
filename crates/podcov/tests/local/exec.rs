//! `podcov exec -- PROGRAM`: one program, and hundreds of short runs.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;
use podcov_wait as wait;

use crate::go::{self, Release};
use crate::place::{Place, kill_all};

#[test]
fn a_program_has_its_own_streams_and_exit_code_and_its_coverage_is_reported() {
    let place = Place::new();
    let input = place.path("input");
    fs::write(&input, "from outside\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_podcov"));
    command.args(["exec", "--", go::program(), "print", "world"]).current_dir(place.path(""));
    command.stdin(fs::File::open(input).unwrap());
    let ended = place.start_command(command).end().with_code(0);
    assert_eq!(ended.output, "hello world\nfrom outside\n");
    ended.saying(&["aside\n", "1 of 1 program, 1 of 1 process", "of statements", "report"]);

    let data = [place.path("coverage/data/program")];
    assert_eq!(go::blocks(&place.path("coverage/coverage.txt")), go::textfmt(Release::Newest, &data));
    let percent = place.record()["summary"]["percent"].as_f64().unwrap();
    assert_eq!(format!("{percent:.1}%"), go::covdata_total(Release::Newest, &data));
    assert!(place.path("coverage/index.html").exists());

    let ended = place.podcov(["exec", "--quiet", "--", go::program(), "exit", "77"]).with_code(77);
    assert_eq!((ended.output.as_str(), ended.errors.as_str()), ("", ""));
    assert!(place.record()["finished"].is_string());
}

#[test]
fn a_long_input_goes_through_to_the_program() {
    let place = Place::new();
    let mut podcov = Command::new(env!("CARGO_BIN_EXE_podcov"))
        .args(["exec", "--quiet", "--", go::program(), "print"])
        .current_dir(place.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let text = "0123456789abcde\n".repeat(100_000);
    let (mut input, sent) = (podcov.stdin.take().unwrap(), text.clone());
    let sender = std::thread::spawn(move || input.write_all(sent.as_bytes()).unwrap());
    let output = podcov.wait_with_output().unwrap();
    sender.join().unwrap();
    assert!(output.status.success());
    assert!(output.stdout == ["hello\n", &text].concat().into_bytes(), "{} bytes", output.stdout.len());
}

#[test]
fn every_signal_is_the_programs_own_to_answer() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
        let place = Place::new();
        let podcov = place.start(["exec", "--", go::program(), "signals"]);
        wait::until("the program waits", || podcov.output().contains("waiting"));
        podcov.signal(signal);
        podcov.end().with_code(40 + signal as i32).saying(&["1 of 1 program, 1 of 1 process"]);
    }
}

#[test]
fn a_program_that_a_signal_ends_keeps_its_counters_and_its_code_is_the_shells() {
    let place = Place::new();
    let podcov = place.start([
        "exec",
        "--",
        "sh",
        "-c",
        &format!("echo started; exec {} serve 127.0.0.1:0 abrupt", go::program()),
    ]);
    wait::until("the program runs", || podcov.output().contains("listening"));
    podcov.signal(Signal::SIGTERM);
    podcov.end().with_code(128 + 15).saying(&["1 of 1 program, 1 of 1 process"]);
    let record = place.record();
    let capture = &record["captures"][0];
    assert_eq!((&capture["outcome"]["state"], &capture["way"]), (&"heard".into(), &"supervised".into()));
    assert_eq!(capture["processes"][0]["ending"]["signal"], 15);
}

#[test]
fn a_panic_keeps_its_counters_and_the_programs_own_exit_code() {
    let place = Place::new();
    place
        .podcov(["exec", "--", go::program(), "panic"])
        .with_code(2)
        .saying(&["panic: at the disco", "1 of 1 program, 1 of 1 process"]);
}

#[test]
fn a_program_without_coverage_is_said_to_be_so() {
    let place = Place::new();
    let program = go::program_without_coverage();
    let why = "it was not built with go build -cover, or -coverpkg leaves its main package out";
    place.podcov(["exec", "--", program, "exit", "0"]).with_code(3).saying(&[why, "which is not 0 %"]);
    place.podcov(["exec", "--allow-incomplete", "--", program, "exit", "0"]).with_code(0).saying(&[why]);
    place.podcov(["exec", "--", program, "exit", "5"]).with_code(5).saying(&[why]);
    place.podcov(["exec", "--append", "-o", "many", "--", program, "exit", "0"]).with_code(3).saying(&[why]);
    place.podcov(["report", "many"]).with_code(1).saying(&["there is no coverage data in many"]);
}

#[test]
fn programs_that_cannot_be_started_are_named() {
    let place = Place::new();
    fs::write(place.path("plain-text"), "no program").unwrap();
    for (program, code, message) in [
        ("no-such-program", 127, "there is no `no-such-program` on PATH"),
        ("./no-such-program", 127, "there is no `./no-such-program`"),
        ("./plain-text", 126, "`./plain-text` is not executable"),
    ] {
        place.podcov(["exec", "--", program]).with_code(code).saying(&[message]);
        place.podcov(["exec", "--append", "--", program]).with_code(code).saying(&[message]);
    }
    assert!(!place.path("coverage").exists());
    place.podcov(["exec"]).with_code(2);
}

#[test]
fn children_of_a_program_are_measured_with_it() {
    let place = Place::new();
    place
        .podcov(["exec", "--", go::program(), "spawn", "20"])
        .with_code(0)
        .saying(&["1 of 1 program, 21 of 21 processes"]);
    let data = place.path("coverage/data/program");
    assert_eq!(go::files(&data, "covcounters.").len(), 21);
    assert_eq!(go::blocks(&place.path("coverage/coverage.txt")), go::textfmt(Release::Newest, &[data]));
}

#[test]
fn every_one_of_hundreds_of_runs_at_once_counts() {
    const RUNS: usize = 240;
    const AT_ONCE: usize = 16;
    let place = Place::new();
    let run = |number: usize| {
        // Every tenth run is of another program, which has children of its own.
        let arguments = if number.is_multiple_of(10) { ["spawn", "1"] } else { ["exit", "0"] };
        let append = ["exec", "--append", "--quiet", "--", go::program()];
        let ended = place.podcov(append.into_iter().chain(arguments)).with_code(0);
        assert_eq!(ended.errors, "");
    };
    std::thread::scope(|scope| {
        for first in 0..AT_ONCE {
            let run = &run;
            scope.spawn(move || (first..RUNS).step_by(AT_ONCE).for_each(run));
        }
    });

    let data = place.path("coverage/data/program");
    let processes = RUNS + RUNS / 10;
    assert_eq!(go::files(&data, "covcounters.").len(), processes);
    let record = place.record();
    assert_eq!(record["captures"].as_array().unwrap().len(), 1);
    assert_eq!(record["captures"][0]["processes_captured"], processes);
    place
        .podcov(["report", "coverage"])
        .with_code(0)
        .printing(&[&format!("1 of 1 program, {processes} of {processes} processes")]);
    assert_eq!(go::blocks(&place.path("coverage/coverage.txt")), go::textfmt(Release::Newest, &[data]));
}

#[test]
fn runs_of_several_programs_are_kept_apart_and_reported_together() {
    let place = Place::new();
    let shop = go::shop_service(Release::Newest, "api");
    place.podcov(["exec", "--append", "--", go::program(), "exit", "0"]).with_code(0);
    place.podcov(["exec", "--append", "--", &shop, "--help"]).with_code(0);
    place.podcov(["report", "coverage"]).with_code(0).printing(&[
        "2 of 2 programs",
        "program",
        "api",
        "both",
    ]);
    let data = [place.path("coverage/data/api"), place.path("coverage/data/program")];
    assert_eq!(go::data_directories(&place.path("coverage/data")), data);
    assert_eq!(go::blocks(&place.path("coverage/coverage.txt")), go::textfmt(Release::Newest, &data));
}

#[test]
fn a_loss_among_many_runs_is_said_at_once_and_in_the_report() {
    let place = Place::new();
    place.podcov(["exec", "--append", "--", go::program(), "exit", "0"]).with_code(0);
    let without = place.podcov(["exec", "--append", "--", go::program_without_coverage(), "exit", "0"]);
    without.with_code(3).saying(&["✗ lost", "plain: it was not built with go build -cover"]);
    place.podcov(["report", "coverage"]).with_code(3).printing(&["1 of 2 programs, 1 of 1 process"]);
}

#[test]
fn of_a_podcov_that_is_killed_among_many_runs_the_report_has_what_was_last_read() {
    killed_among_many_runs()
        .podcov(["report", "coverage"])
        .with_code(3)
        .printing(&["2 of 2 processes", "its end was not seen; its counters are those of"]);
}

#[test]
fn a_podcov_that_is_killed_before_it_reads_is_missing_in_the_report() {
    let place = killed_among_many_runs();
    // Whether it has read by then is chance.
    fs::remove_dir_all(latest_of_run(&place)).unwrap();
    place
        .podcov(["report", "coverage"])
        .with_code(3)
        .printing(&["1 of 2 processes", "has no counters: its process still runs, or was killed"]);
}

fn killed_among_many_runs() -> Place {
    let place = Place::new();
    place.podcov(["exec", "--append", "--", go::program(), "exit", "0"]).with_code(0);
    let mark = place.path("mark").display().to_string();
    let podcov = place.start(["exec", "--append", "--", go::program(), "signals", &mark]);
    wait::until("the program waits", || podcov.output().contains("waiting"));
    wait::until("the program was read", || {
        let latest = latest_of_run(&place);
        latest.is_dir() && !go::files(&latest, "covcounters.").is_empty()
    });
    podcov.signal(Signal::SIGKILL);
    podcov.end().with_code(128 + 9);
    kill_all(&mark);
    place
}

/// Where the run that did not end keeps what was last read.
fn latest_of_run(place: &Place) -> PathBuf {
    let runs = fs::read_dir(place.path("coverage/data/program")).unwrap().map(|entry| entry.unwrap().path());
    runs.map(|run| run.join(".latest")).find(|latest| latest.is_dir()).unwrap_or_default()
}

#[test]
fn a_run_that_was_alone_is_replaced_and_one_that_is_added_to_is_not() {
    let place = Place::new();
    let files = || go::files(&place.path("coverage/data/program"), "covcounters.").len();
    for _ in 0..2 {
        place.podcov(["exec", "--", go::program(), "exit", "0"]).with_code(0);
        assert_eq!(files(), 1);
    }
    place.podcov(["exec", "--append", "--", go::program(), "exit", "0"]).with_code(0);
    assert_eq!(files(), 2);
    assert!(place.record()["summary"].is_null(), "the figures are those of the data before");
}
