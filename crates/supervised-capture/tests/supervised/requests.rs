//! All processes are read when somebody asks.

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use podcov_agent_protocol::{REQUESTS_DIRECTORY, is_coverage_file_name};
use podcov_supervised_capture::{Answer, Request};
use podcov_wait as wait;

use crate::counts::{self, Kept, Ledger};
use crate::place::{Place, program};

/// No reading is due before the test is over.
const NEVER: u32 = 3_600_000;
const LONG: Duration = Duration::from_mins(1);

fn answer(place: &Place) -> Answer {
    let request = Request::make(&place.data()).unwrap().expect("a supervision");
    request.wait(Instant::now() + LONG).expect("an answer")
}

/// What the request was answered with, as a directory of Go's.
fn answered(place: &Place) -> Kept {
    let directory = tempfile::tempdir().unwrap();
    let names = place.names().into_iter().map(|name| place.data().join(name));
    let latest = fs::read_dir(place.latest()).unwrap().map(|entry| entry.unwrap().path());
    for path in names.chain(latest).filter(|path| path.is_file()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if is_coverage_file_name(name) {
            fs::copy(&path, directory.path().join(name)).unwrap();
        }
    }
    counts::compare(counts::profile(directory.path()).as_deref(), &Ledger::read(&place.ledger()), "atomic")
}

#[test]
fn what_lives_and_what_has_ended_is_answered_together() {
    let (place, program) = (Place::new(), program());
    let script = "\"$0\" return; \"$0\" panic; exec \"$0\" wait";
    let running = place.start(&place.supervised(NEVER, &["sh", "-c", script, &program]));
    running.until_ready();
    assert_eq!(answer(&place), Answer::Done);
    assert_eq!(answered(&place), Kept::Everything);
    running.signal(Signal::SIGTERM);
    running.end();
    place.assert_has_everything(3);
}

#[test]
fn requests_at_once_are_all_answered_and_leave_nothing() {
    let (place, program) = (Place::new(), program());
    let running = place.start(&place.supervised(NEVER, &[&program, "wait"]));
    running.until_ready();
    let requests: Vec<Request> =
        (0..100).map(|_| Request::make(&place.data()).unwrap().expect("a supervision")).collect();
    for request in &requests {
        assert_eq!(request.wait(Instant::now() + LONG), Some(Answer::Done));
    }
    assert_eq!(fs::read_dir(place.data().join(REQUESTS_DIRECTORY)).unwrap().count(), 0);
}

#[test]
fn nobody_is_asked_where_nothing_is_supervised() {
    let (place, program) = (Place::new(), program());
    assert!(Request::make(&place.data()).unwrap().is_none(), "before it began");
    let running = place.start(&place.supervised(NEVER, &[&program, "handle"]));
    running.until_ready();
    running.signal(Signal::SIGTERM);
    running.end();
    assert!(Request::make(&place.data()).unwrap().is_none(), "after it has ended");
    place.assert_has_everything(1);
}

#[test]
fn a_supervision_that_cannot_be_asked_is_not_taken_for_one_that_has_ended() {
    let (place, program) = (Place::new(), program());
    let running = place.start(&place.supervised(NEVER, &[&program, "wait"]));
    running.until_ready();
    fs::rename(place.data().join(REQUESTS_DIRECTORY), place.path("away")).unwrap();
    assert_eq!(Request::make(&place.data()).unwrap_err().kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn a_supervision_that_was_killed_answers_nobody() {
    let (place, program) = (Place::new(), program());
    let running = place.start(&place.supervised(NEVER, &[&program, "wait"]));
    running.until_ready();
    // While it is stopped, it cannot answer.
    running.signal(Signal::SIGSTOP);
    let request = Request::make(&place.data()).unwrap().expect("a supervision");
    assert_eq!(request.answer(), None);
    running.signal(Signal::SIGKILL);
    running.end();
    assert_eq!(request.wait(Instant::now() + LONG), Some(Answer::Gone));
}

#[test]
fn what_cannot_be_kept_is_refused_each_time_and_said_once_until_it_works_again() {
    let (place, program) = (Place::new(), program());
    let running = place.start(&place.supervised(NEVER, &[&program, "wait"]));
    running.until_ready();
    wait::until("the meta-data is kept", || place.names().iter().any(|name| name.starts_with("covmeta.")));
    let said = || running.output().matches("cannot keep what was counted so far").count();
    for times in 1..=2 {
        // It may be writing there, so that only moving the directory away takes it away at once.
        fs::rename(place.latest(), place.path("away")).unwrap();
        assert_eq!([answer(&place), answer(&place)], [Answer::Refused; 2]);
        assert_eq!(said(), times, "{}", running.output());
        fs::rename(place.path("away"), place.latest()).unwrap();
        assert_eq!(answer(&place), Answer::Done);
    }
}
