//! `podcov serve`: the page of a run while it goes on, and who is answered.

use std::io::{Read, Write};
use std::net::TcpStream;

use nix::sys::signal::Signal;
use podcov_wait as wait;
use serde_json::Value;

use crate::go;
use crate::place::{Place, Running, free_address, kill_all};

/// A podcov that serves `coverage`, and its address.
struct Served {
    podcov: Running,
    address: String,
}

impl Served {
    fn start(place: &Place) -> Self {
        let podcov = place.start(["serve", "coverage"]);
        let address = wait::until_some("podcov says its address", || {
            let output = podcov.output();
            output.strip_suffix("/\n").and_then(|url| url.strip_prefix("http://")).map(str::to_owned)
        });
        Self { podcov, address }
    }

    fn ask(&self, method: &str, path: &str, host: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn get(&self, path: &str) -> String {
        self.ask("GET", path, &self.address)
    }

    fn state(&self) -> Value {
        let answer = self.get("/state");
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// Waits for a state; returns the page.
    fn page_when(&self, what: &str, is_wanted: impl Fn(&Value) -> bool) -> String {
        wait::until(what, || is_wanted(&self.state()));
        self.get("/")
    }
}

#[test]
fn a_page_follows_a_run_from_before_it_begins_until_another_one_takes_its_place() {
    let place = Place::new();
    let served = Served::start(&place);
    let page = served.page_when("that there is no run is said", |state| {
        state["problem"].as_str().is_some_and(|problem| problem.contains("There is no run in coverage"))
    });
    assert!(page.contains("No coverage data yet"), "{page}");

    let address = free_address();
    let service = format!("{} serve {address} graceful", go::program());
    let tests = ["--", go::program(), "signals"];
    let run = place.start(["run", "--exec", &service, "--ready", &address].into_iter().chain(tests));
    wait::until("the tests run", || run.output().contains("waiting"));
    // The service has not ended: what is shown was read from its memory meanwhile.
    served.page_when("counters of the living service are shown", |state| {
        state["is_running"] == true && served.get("/").contains("id=\"file-0\"")
    });
    let running = served.state()["version"].as_u64().unwrap();
    run.signal(Signal::SIGTERM);
    run.end();
    let page = served.page_when("the end is shown", |state| {
        state["is_running"] == false && state["version"].as_u64() > Some(running)
    });
    assert!(page.contains("✓ complete"), "{page}");
    assert_eq!(served.state()["problem"], Value::Null);

    std::fs::rename(place.path("coverage"), place.path("earlier")).unwrap();
    let page = served.page_when("that the run is gone is said", |state| state["problem"].is_string());
    assert!(page.contains("✓ complete"), "what was last known stays");
    place.podcov(["exec", "--", go::program(), "main"]);
    served.page_when("the next run is shown", |state| {
        state["problem"].is_null() && state["is_running"] == false
    });

    served.podcov.signal(Signal::SIGINT);
    served.podcov.end().with_code(0).saying(&["following", "coverage"]);
}

#[test]
fn the_page_of_a_run_whose_podcov_was_killed_says_so_and_lists_what_is_missing_and_how_old_the_rest_is() {
    let place = Place::new();
    let served = Served::start(&place);
    let address = free_address();
    let service = format!("{} serve {address} stubborn", go::program());
    let ready = ["--ready", &address, "--", go::program(), "signals", &address];
    let run = place.start(["run", "--exec", &service].into_iter().chain(ready));
    let page = served.page_when("counters of the living service are shown", |state| {
        state["is_running"] == true && served.get("/").contains("id=\"file-0\"")
    });
    assert!(page.contains("What is missing is known when the run has ended"), "{page}");
    assert!(!page.contains("Missing from this report"), "{page}");
    run.signal(Signal::SIGKILL);
    run.end();
    let page = served.page_when("its end is shown", was_killed);
    // The service lives on, and so does what was read of it.
    assert!(page.contains("id=\"file-0\""), "{page}");
    assert!(page.contains("✗ incomplete") && page.contains("0 of 1 program, 1 of 1 process"), "{page}");
    assert!(page.contains("Missing from this report"), "{page}");
    assert!(page.contains("its end was not seen; its counters are those of"), "{page}");
    assert!(page.contains("not known: the run did not end") && !page.contains("so far"), "{page}");
    assert!(served.state()["age"].is_number());
    kill_all(&address);

    let service = format!("{} serve {} graceful", go::program(), free_address());
    place.start(["run", "--exec", &service, "--", "true"]).end().with_code(0);
    served.page_when("the next run is shown", |state| {
        state["is_running"] == false && state["problem"].is_null()
    });
}

#[test]
fn the_page_of_a_run_that_is_added_to_follows_its_programs_and_the_run_is_not_replaced_meanwhile() {
    let place = Place::new();
    let served = Served::start(&place);
    let append = |arguments: &[&str]| {
        place.start(["exec", "--append", "--", go::program()].iter().chain(arguments).copied())
    };
    for _ in 0..2 {
        let program = append(&["signals"]);
        let page = served.page_when("counters of the living program are shown", |state| {
            state["is_running"] == true && served.get("/").contains("id=\"file-0\"")
        });
        assert_eq!(served.state()["problem"], Value::Null);
        assert!(page.contains("What is missing is known when the run has ended"), "{page}");
        // Another one that ends first does not end the run.
        let before = served.state()["version"].as_u64();
        append(&["exit", "0"]).end().with_code(0);
        served.page_when("that one is shown", |state| state["version"].as_u64() > before);
        assert_eq!(served.state()["is_running"], true);
        place
            .podcov(["exec", "--", go::program(), "exit", "0"])
            .with_code(1)
            .saying(&["podcov exec --append runs a program for coverage", "-o DIR"]);
        program.signal(Signal::SIGTERM);
        program.end();
        served.page_when("its end is shown", |state| {
            state["is_running"] == false && state["problem"].is_null()
        });
    }
    let files = go::files(&place.path("coverage/data/program"), "covcounters.");
    assert_eq!(files.len(), 4, "nothing was removed: {files:?}");

    let program = append(&["signals", "mark-of-the-killed"]);
    served.page_when("the next one is shown to run", |state| state["is_running"] == true);
    program.signal(Signal::SIGKILL);
    program.end();
    served.page_when("its podcov is gone", |state| state["is_running"] == false);
    kill_all("mark-of-the-killed");
}

#[test]
fn the_page_of_a_run_that_was_killed_before_there_was_any_data_says_what_has_left_none() {
    let place = Place::new();
    let served = Served::start(&place);
    let run = place.start(["run", "--exec", "sleep 1000", "--ready", &free_address(), "--", "true"]);
    served.page_when("the service is shown", |state| {
        state["is_running"] == true && served.get("/").contains("program sleep")
    });
    run.signal(Signal::SIGKILL);
    run.end();
    let page = served.page_when("its end is shown", was_killed);
    assert!(page.contains("No coverage data</span>"), "{page}");
    assert!(
        page.contains("<strong>program sleep</strong>: no data: nothing that it counted was here"),
        "{page}"
    );
    assert_eq!(served.state()["age"], Value::Null, "there is nothing that has an age");
}

fn was_killed(state: &Value) -> bool {
    state["is_running"] == false
        && state["problem"].as_str().is_some_and(|problem| problem.contains("its podcov was killed"))
}

#[test]
fn only_this_machine_is_answered_under_its_own_name_and_nothing_can_be_changed() {
    let place = Place::new();
    let served = Served::start(&place);
    let port = served.address.rsplit_once(':').unwrap().1;
    let status = |answer: String| answer.split(' ').nth(1).map(str::to_owned).unwrap();
    assert_eq!(status(served.ask("GET", "/state", &format!("localhost:{port}"))), "200");
    // A name that an attacker's name server says is 127.0.0.1.
    for host in [format!("evil.example:{port}"), "evil.example".to_owned(), String::new()] {
        let answer = served.ask("GET", "/", &host);
        assert_eq!(status(answer.clone()), "403", "{host}: {answer}");
        assert!(!answer.contains("<html"));
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        assert_eq!(status(served.ask(method, "/state", &served.address)), "405", "{method}");
    }
    for path in ["/run.json", "/../run.json", "/%2e%2e/etc/passwd", "/data/"] {
        assert_eq!(status(served.get(path)), "404", "{path}");
    }
    let answer = served.get("/state").to_ascii_lowercase();
    for header in
        ["x-frame-options: deny", "cross-origin-resource-policy: same-origin", "cache-control: no-store"]
    {
        assert!(answer.contains(header), "{answer}");
    }
    assert!(!answer.contains("access-control-allow-origin"));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    place
        .podcov(["serve", "--port", &port])
        .with_code(1)
        .saying(&[&format!("cannot listen on 127.0.0.1:{port}"), "leave out --port"]);
}
