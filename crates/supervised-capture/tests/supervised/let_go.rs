//! What a debugger runs is followed no longer: it can have one tracer only, and that is the debugger.

use std::process::Command;

use nix::sys::signal::{Signal, kill};
use podcov_agent_protocol::{CountersFrom, Moment};
use podcov_wait as wait;

use crate::place::{Place, program};

/// What it is called makes it a debugger.
fn debugger(place: &Place) -> String {
    let debugger = place.path("dlv");
    // By another process: a file that this one writes could not be executed while any test forks.
    let shell = std::fs::canonicalize("/bin/sh").unwrap();
    let installed = Command::new("install").arg(shell).arg(&debugger).status().unwrap();
    assert!(installed.success());
    debugger.to_str().unwrap().to_owned()
}

#[test]
fn what_was_last_read_is_used_of_a_process_that_is_killed_below_a_debugger() {
    let (place, program) = (Place::new(), program());
    let debugger = debugger(&place);
    // One of the same program is followed, so that its meta-data alone would not tell of the other.
    let script = "\"$0\" return; \"$1\" -c '\"$0\" wait; exit 0' \"$0\"";
    let running = place.start(&place.supervised(100, &["sh", "-c", script, &program, &debugger]));
    running.until_ready();
    place.until_read_again();
    let process = *place.processes().iter().find(|process| kill(**process, None).is_ok()).unwrap();
    kill(process, Signal::SIGKILL).unwrap();
    let (code, output) = running.end();
    assert_eq!(code, 0, "{output}");
    assert!(output.contains("dlv traces processes itself"), "{output}");
    place.assert_has_everything(2);
    let records = place.records();
    let record = records.iter().find(|record| record.process_id == process.as_raw().cast_unsigned()).unwrap();
    assert!(matches!(record.counters, CountersFrom::Memory(Moment::Interval { .. })), "{record:?}");
    assert_eq!((records.len(), record.ending), (2, None));
}

#[test]
fn what_a_process_below_a_debugger_writes_itself_is_used() {
    let (place, program) = (Place::new(), program());
    let debugger = debugger(&place);
    let running =
        place.start(&place.supervised(60_000, &[&debugger, "-c", "\"$0\" handle; exit 7", &program]));
    running.until_ready();
    wait::until("the process below the debugger is known", || {
        place.names().iter().any(|name| name.starts_with("covmeta."))
    });
    kill(place.processes()[0], Signal::SIGTERM).unwrap();
    let (code, output) = running.end();
    assert_eq!(code, 7, "{output}");
    place.assert_has_everything(1);
    let records = place.records();
    let [record] = records.as_slice() else { panic!("{records:?}") };
    let CountersFrom::OwnFiles(reason) = &record.counters else { panic!("{record:?}") };
    assert!(reason.contains("dlv traces processes itself"), "{reason}");
}

#[test]
fn a_process_that_outlives_the_debugger_is_read_when_it_is_left() {
    let (place, program) = (Place::new(), program());
    let debugger = debugger(&place);
    // Not before it was seen to count.
    let script = "\"$0\" wait & while ! ls \"$1\"/covmeta.* > /dev/null 2>&1; do sleep 0.01; done";
    let data = place.data();
    let words = [&debugger, "-c", script, &program, data.to_str().unwrap()];
    let running = place.start(&place.supervised(60_000, &words));
    let (code, output) = running.end();
    assert_eq!(code, 0, "{output}");
    place.assert_has_everything(1);
    assert_eq!(place.records()[0].counters, CountersFrom::Memory(Moment::Left));
}
