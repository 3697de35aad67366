//! When the tests may begin, and what is said of services that do not get so far.

use std::net::TcpListener;

use nix::sys::signal::Signal;

use crate::go;
use crate::place::{Place, free_address, processes};

#[test]
fn a_url_is_waited_for_until_it_answers_with_success() {
    let place = Place::new();
    let address = free_address();
    let service = format!("{} serve {address} graceful", go::program());
    let url = format!("http://{address}/ready");
    // It listens at once, and answers 503 a few times. The tests see what the URL answers then.
    let wait_for = |address: &str| {
        let tests = ["--", go::program(), "get", &url];
        place.podcov(["run", "--exec", &service, "--ready", address].into_iter().chain(tests)).with_code(0)
    };
    assert!(!wait_for(&url).output.contains("not yet"));
    wait_for(&address).saying(&["✓ started", "ready after"]).printing(&["not yet"]);
}

#[test]
fn a_service_that_never_gets_ready_is_named_with_what_was_seen_and_its_log() {
    let place = Place::new();
    let address = free_address();
    let service = format!("{} serve {address} graceful", go::program());
    let url = format!("http://{address}/never");
    let tests = ["--", "touch", "tests-ran"];
    let run = |patience: &str| {
        let arguments = ["run", "--exec", &service, "--ready", &url, "--ready-timeout", patience];
        place.podcov(arguments.into_iter().chain(tests)).with_code(1)
    };
    // It may take longer until it listens.
    let ended = ["600ms", "30s"].into_iter().map(run);
    let ended = ended.into_iter().find(|ended| !ended.errors.contains("refused")).unwrap();
    ended.saying(&[
        &format!("Error: {url} was not ready within "),
        "s: HTTP status 503",
        "--ready-timeout",
        "listening",
    ]);
    assert!(!place.path("tests-ran").exists());
    assert_eq!(processes(&address), Vec::<i32>::new());
    assert!(place.record()["finished"].is_string());

    let nobody = free_address();
    let arguments = ["run", "--exec", &service, "--ready", &nobody, "--ready-timeout", "300ms"];
    place
        .podcov(arguments.into_iter().chain(tests))
        .with_code(1)
        .saying(&[&format!("{nobody} was not ready within 0.3s"), "Connection refused"]);
}

#[test]
fn a_service_that_dies_at_its_start_is_named_with_its_log() {
    let place = Place::new();
    let service = format!("{} fail /etc/shop.conf", go::program());
    let address = free_address();
    let arguments = ["run", "--exec", &service, "--ready", &address, "--", "touch", "tests-ran"];
    place.podcov(arguments).with_code(1).saying(&[
        "Error: program ended with exit code 7 before it was ready",
        "no configuration at /etc/shop.conf",
    ]);
    assert!(!place.path("tests-ran").exists());
}

#[test]
fn a_service_that_dies_when_the_tests_may_have_begun_is_named_all_the_same() {
    for option in ["--quiet", "--allow-incomplete"] {
        let place = Place::new();
        let service = format!("{} fail /etc/shop.conf", go::program());
        let podcov = place.start(["run", "--exec", &service, option, "--", go::program(), "signals"]);
        podcov.wait_for_error("with exit code 7");
        podcov.signal(Signal::SIGTERM);
        let ended = podcov.end().with_code_in(&[1, 143]);
        ended.saying(&["program ended ", "no configuration at /etc/shop.conf"]);
    }
}

#[test]
fn what_listens_already_is_not_taken_for_the_service() {
    let place = Place::new();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let service = format!("{} serve {address} graceful", go::program());
    place
        .podcov(["run", "--exec", &service, "--ready", &address, "--", "true"])
        .with_code(1)
        .saying(&[&format!("something listens on {address} already")]);
    assert!(!place.path("coverage").exists());
}

#[test]
fn addresses_that_make_no_sense_are_refused() {
    let place = Place::new();
    let service = format!("{} exit 0", go::program());
    for (address, message) in [
        ("8080", "this is no address to wait for"),
        ("https://localhost", "of a service that speaks https only, name host:port"),
        ("worker=:8080", "there is no service worker"),
    ] {
        let arguments = ["run", "--exec", &service, "--ready", address, "--", "true"];
        place.podcov(arguments).with_code(2).saying(&[message]);
    }
    place.podcov(["run", "--ready", ":8080", "--", "true"]).with_code(2).saying(&["--exec"]);
}
