//! Ctrl-C, SIGTERM and kill -9, in every phase of a run.

use std::fs;

use nix::sys::signal::Signal;
use podcov_wait as wait;

use crate::go;
use crate::place::{Place, Running, free_address, kill_all, processes};

#[test]
fn ctrl_c_while_services_start_ends_them_and_reports_what_they_did() {
    let place = Place::new();
    let address = free_address();
    let podcov = start_without_tests(&place, &address);
    wait_for_log(&place, "listening");
    podcov.signal(Signal::SIGINT);
    podcov
        .end()
        .with_code(130)
        .saying(&["stopped by Ctrl-C; the tests did not run"])
        .printing(&["1 of 1 program, 1 of 1 process", "stopped by Ctrl-C before the tests"]);
    assert_reported(&place);
    assert!(place.record()["tests"].is_null());
    assert_eq!(processes(&address), Vec::<i32>::new());
}

#[test]
fn ctrl_c_during_the_tests_reaches_them_and_reports() {
    let place = Place::new();
    let address = free_address();
    let podcov = start(&place, &address, "graceful", &[go::program(), "signals"]);
    wait::until("the tests run", || podcov.output().contains("waiting"));
    podcov.signal(Signal::SIGINT);
    podcov
        .end()
        .with_code(130)
        .saying(&["✗ tests", "interrupted, exit code 42"])
        .printing(&["1 of 1 program, 1 of 1 process"]);
    assert_reported(&place);
    assert_eq!(place.record()["tests"]["interrupted"], true);
    assert_eq!(processes(&address), Vec::<i32>::new());
}

#[test]
fn tests_that_ignore_ctrl_c_are_killed_by_a_second_one() {
    let place = Place::new();
    let (address, tests) = (free_address(), free_address());
    let deaf = ["sh", "-c", &format!("trap '' INT; exec {} serve {tests} graceful", go::program())];
    let podcov = start(&place, &address, "graceful", &deaf);
    wait::until("the tests run", || podcov.output().contains("listening"));
    podcov.signal(Signal::SIGINT);
    // Of one kind, the system would join the two.
    podcov.signal(Signal::SIGHUP);
    wait::until("podcov goes on to stop the services", || podcov.errors().contains("✗ tests"));
    podcov.end().with_code_in(&[129, 130]);
    assert_reported(&place);
    assert_eq!(processes(&tests), Vec::<i32>::new());
}

#[test]
fn ctrl_c_while_services_stop_lets_them_write_their_data() {
    let place = Place::new();
    let release = place.path("release");
    let patient = format!("patient {}", release.display());
    let podcov = start(&place, &free_address(), &patient, &["true"]);
    wait_for_log(&place, "stopping");
    podcov.signal(Signal::SIGINT);
    podcov.wait_for_error("stopped by Ctrl-C; waiting for program to end, once more kills them");
    fs::write(release, "").unwrap();
    podcov.end().with_code(130).printing(&["1 of 1 program, 1 of 1 process"]);
    assert_reported(&place);
}

#[test]
fn a_second_ctrl_c_while_services_stop_kills_them_and_keeps_their_counters() {
    let place = Place::new();
    let address = free_address();
    let podcov = start(&place, &address, "patient /no/such/file", &["true"]);
    wait_for_log(&place, "stopping");
    podcov.signal(Signal::SIGINT);
    podcov.wait_for_error("once more kills them");
    podcov.signal(Signal::SIGINT);
    podcov.end().with_code(130).printing(&["1 of 1 program, 1 of 1 process"]);
    assert_reported(&place);
    assert_eq!(processes(&address), Vec::<i32>::new());
}

#[test]
fn sigterm_is_an_interruption_of_its_own() {
    let place = Place::new();
    let podcov = start(&place, &free_address(), "graceful", &[go::program(), "signals"]);
    wait::until("the tests run", || podcov.output().contains("waiting"));
    podcov.signal(Signal::SIGTERM);
    podcov.end().with_code(143).saying(&["interrupted, exit code 55"]);
    assert_reported(&place);
}

#[test]
fn a_podcov_that_is_killed_while_services_start_leaves_a_record_and_no_service() {
    let place = Place::new();
    let address = free_address();
    let podcov = start_without_tests(&place, &address);
    wait_for_log(&place, "listening");
    killed_and_reported(&place, podcov, &address);
}

#[test]
fn a_podcov_that_is_killed_during_the_tests_leaves_a_record_and_no_service() {
    let place = Place::new();
    let address = free_address();
    let tests = free_address();
    let podcov = start(&place, &address, "graceful", &[go::program(), "serve", &tests, "graceful"]);
    wait::until("the tests run", || podcov.output().contains("listening"));
    killed_and_reported(&place, podcov, &address);
    kill_all(&tests);
}

#[test]
fn a_podcov_that_is_killed_while_services_stop_leaves_a_record_and_no_service() {
    let place = Place::new();
    let address = free_address();
    let release = place.path("release");
    let podcov = start(&place, &address, &format!("patient {}", release.display()), &["true"]);
    wait_for_log(&place, "stopping");
    fs::write(release, "").unwrap();
    killed_and_reported(&place, podcov, &address);
}

#[test]
fn of_a_service_that_is_killed_with_its_parent_what_was_last_read_is_reported_as_that() {
    let place = Place::new();
    let address = free_address();
    let podcov = start(&place, &address, "stubborn", &[go::program(), "signals", &address]);
    wait::until("the tests run", || podcov.output().contains("waiting"));
    wait::until("the service was read", || {
        !go::files(&place.path("coverage/data/program/.latest"), "covcounters.").is_empty()
    });
    podcov.signal(Signal::SIGKILL);
    podcov.end().with_code(128 + 9);
    kill_all(&address);
    assert!(place.record()["finished"].is_null());
    place
        .podcov(["report", "coverage"])
        .with_code(3)
        .saying(&["did not end"])
        .printing(&["its end was not seen; its counters are those of", "1 of 1 process"]);
}

#[test]
fn the_record_has_what_was_read_of_programs_that_run_also_when_podcov_is_killed() {
    let address = free_address();
    let service = format!("{} serve {address} stubborn", go::program());
    let run = ["run", "--exec", &service, "--", go::program(), "signals", &address];
    let exec = ["exec", "--", go::program(), "serve", &address, "stubborn"];
    for command in [&run[..], &exec[..]] {
        let place = Place::new();
        let podcov = place.start(command);
        let capture = || place.record()["captures"][0].clone();
        wait::until("the record has what was read of the program", || {
            place.path("coverage/run.json").exists()
                && capture()["processes"][0]["read_at"]["interval"]["seconds_after_start"].is_number()
        });
        podcov.signal(Signal::SIGKILL);
        podcov.end().with_code(128 + 9);
        assert!(place.record()["finished"].is_null());
        let capture = capture();
        assert_eq!(capture["origin"]["name"], "program", "{capture}");
        assert_eq!(capture["way"], "supervised", "{capture}");
        assert_eq!((&capture["processes_started"], &capture["processes_captured"]), (&1.into(), &1.into()));
        assert_eq!(capture["outcome"]["reason"], "still_running", "{capture}");
        let detail = capture["outcome"]["detail"].as_str().unwrap();
        assert!(
            detail.starts_with("what it counts after 2") && detail.ends_with(" UTC is not here"),
            "{detail}"
        );
        kill_all(&address);
    }
}

#[test]
fn a_run_that_did_not_end_is_kept_by_the_next() {
    let place = Place::new();
    let address = free_address();
    let podcov = start_without_tests(&place, &address);
    wait_for_log(&place, "listening");
    podcov.signal(Signal::SIGKILL);
    podcov.end().with_code(128 + 9);
    wait_until_gone(&address);
    let id = place.record()["id"].as_str().unwrap().to_owned();

    let next = start(&place, &free_address(), "graceful", &["true"]);
    let aside = format!("coverage-{id}");
    next.end().with_code(0).saying(&["coverage holds a run that did not end", &format!("moved to {aside}")]);
    assert_eq!(place.record_in(&aside)["id"], id);
    place.podcov(["report", &aside]).with_code(0);
}

/// The tests begin when the service answers: before that, it may not be asked to end in its own way.
fn start(place: &Place, address: &str, ending: &str, tests: &[&str]) -> Running {
    start_when_ready(place, address, ending, address, tests)
}

/// The service is never ready.
fn start_without_tests(place: &Place, address: &str) -> Running {
    start_when_ready(place, address, "graceful", &free_address(), &["true"])
}

fn start_when_ready(place: &Place, address: &str, ending: &str, ready: &str, tests: &[&str]) -> Running {
    let service = format!("{} serve {address} {ending}", go::program());
    let arguments = ["run", "--exec", &service, "--ready", ready, "--"];
    place.start(arguments.into_iter().chain(tests.iter().copied()))
}

fn wait_for_log(place: &Place, text: &str) {
    wait::until(&format!("the service says {text}"), || {
        place.text("coverage/logs/program.log").contains(text)
    });
}

fn wait_until_gone(address: &str) {
    wait::until(&format!("the service at {address} has ended"), || processes(address).is_empty());
}

/// Podcov is killed; the service hears of it, writes its data, and the report has it.
fn killed_and_reported(place: &Place, podcov: Running, address: &str) {
    podcov.signal(Signal::SIGKILL);
    podcov.end().with_code(128 + 9);
    assert!(place.record()["finished"].is_null());
    wait_until_gone(address);
    place
        .podcov(["report", "coverage"])
        .with_code(0)
        .saying(&["did not end; this is what it left"])
        .printing(&["1 of 1 program, 1 of 1 process", "of statements"]);
    assert!(place.record()["finished"].is_null(), "nobody has seen it end");
    assert!(place.path("coverage/index.html").exists());
}

fn assert_reported(place: &Place) {
    assert!(place.record()["finished"].is_string());
    assert!(place.path("coverage/coverage.txt").exists());
    assert!(place.path("coverage/index.html").exists());
}
