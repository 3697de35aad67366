//! The supervision itself is killed: what was last read is what there is.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::sys::signal::Signal;
use podcov_agent_protocol::{CountersFrom, Moment, ProcessRecord};
use podcov_supervised_capture::recover;
use podcov_wait as wait;

use crate::place::{Place, Running, program};

/// Milliseconds between two readings.
const INTERVAL: u32 = 300;

/// Starts a program, waits until it is ready and was read once more, and kills the supervision.
fn killed(place: &Place, words: &[&str]) {
    let running = place.start(&place.supervised(INTERVAL, words));
    running.until_ready();
    place.until_read_again();
    kill(running);
}

fn kill(running: Running) {
    running.signal(Signal::SIGKILL);
    assert_eq!(running.end().0, 137);
}

/// How long after 1970 a process was read.
fn read_at(record: &ProcessRecord) -> Duration {
    let CountersFrom::Memory(Moment::Interval { age_milliseconds }) = record.counters else {
        panic!("{record:?}")
    };
    Duration::from_nanos(record.started_unix_nanoseconds) + Duration::from_millis(age_milliseconds)
}

#[test]
fn what_was_last_read_is_recovered_once() {
    let (place, program) = (Place::new(), program());
    killed(&place, &[&program, "wait"]);
    assert_eq!(recover(&place.data()), 1);
    place.assert_has_everything(1);
    let records = place.records();
    read_at(&records[0]);
    assert_eq!((records.len(), records[0].ending), (1, None));
    assert_eq!(recover(&place.data()), 0);
    place.assert_has_everything(1);
}

#[test]
fn what_is_recovered_is_of_the_last_reading() {
    let (place, program) = (Place::new(), program());
    let running = place.start(&place.supervised(INTERVAL, &[&program, "busy"]));
    running.until_ready();
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    place.until_read_again();
    kill(running);
    assert_eq!(recover(&place.data()), 1);
    let read_at = read_at(&place.records()[0]);
    assert!(read_at > time, "{read_at:?}, {time:?}");
    place.assert_is_final();
}

#[test]
fn a_process_that_ended_before_is_not_counted_twice() {
    let (place, program) = (Place::new(), program());
    let script = "\"$0\" return; \"$0\" panic; exec \"$0\" wait";
    killed(&place, &["sh", "-c", script, &program]);
    assert_eq!(recover(&place.data()), 1);
    place.assert_has_everything(3);
    let ended = place.records().into_iter().filter(|record| record.ending.is_some());
    assert_eq!(ended.count(), 2);
}

#[test]
fn nothing_is_recovered_while_the_supervision_lives() {
    let (place, program) = (Place::new(), program());
    let running = place.start(&place.supervised(300, &[&program, "handle"]));
    running.until_ready();
    place.until_read_again();
    assert_eq!(recover(&place.data()), 0);
    running.signal(Signal::SIGTERM);
    assert_eq!(running.end().0, 0);
    place.assert_has_everything(1);
}

#[test]
fn once_it_is_asked_to_end_a_program_is_read_more_often() {
    let (place, program) = (Place::new(), program());
    let running = place.start(&place.supervised(3_600_000, &[&program, "drain"]));
    running.until_ready();
    running.signal(Signal::SIGTERM);
    wait::until("the program is at it", || running.output().matches("ready\n").count() == 2);
    place.until_read_again();
    kill(running);
    assert_eq!(recover(&place.data()), 1);
    place.assert_has_everything(1);
}

#[test]
fn counters_that_were_kept_just_before_are_not_recovered_again() {
    let (place, program) = (Place::new(), program());
    killed(&place, &[&program, "wait"]);
    // As if the process had ended, and its record had not been written yet.
    let files = fs::read_dir(place.latest()).unwrap().map(|file| file.unwrap().path());
    let latest = files.into_iter().find(|path| path.to_str().unwrap().contains("covcounters.")).unwrap();
    let name = latest.file_name().unwrap().to_str().unwrap();
    let (process, _) = name.rsplit_once('.').unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    fs::copy(&latest, place.data().join(format!("{process}.{now}"))).unwrap();
    assert_eq!(recover(&place.data()), 0);
    place.assert_has_everything(1);
}
