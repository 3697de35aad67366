//! Several processes, and several files of one.

use std::io::Write;
use std::process::Command;

use podcov_agent_protocol::{CountersFrom, Moment, ProcessEnding};

use crate::place::{Place, program};

#[test]
fn two_processes_of_one_program_both_count() {
    let (place, program) = (Place::new(), program());
    assert_eq!(place.run(&[&program, "run", &program, "return"]).0, 0);
    place.assert_has_everything(2);
    assert_eq!(place.records().len(), 2);
    assert_eq!(place.names().len(), 5, "the meta-data are the same: {:?}", place.names());
}

#[test]
fn processes_that_start_and_end_quickly_count() {
    let (place, program) = (Place::new(), program());
    let script = "for i in 1 2 3 4 5 6 7 8 9 10; do \"$0\" exit & \"$0\" panic; done; wait";
    assert_eq!(place.run(&["sh", "-c", script, &program]).0, 0);
    place.assert_has_everything(20);
    let endings: Vec<_> = place.records().into_iter().map(|record| record.ending.unwrap()).collect();
    for code in [2, 3] {
        let expected = ProcessEnding::Exited(code);
        assert_eq!(endings.iter().filter(|ending| **ending == expected).count(), 10, "{endings:?}");
    }
}

#[test]
fn a_process_that_writes_its_counters_several_times_counts_once() {
    let (place, program) = (Place::new(), program());
    assert_eq!(place.run(&[&program, "flush"]).0, 0);
    place.assert_has_everything(1);
    assert_eq!(place.records()[0].counters, CountersFrom::Memory(Moment::End));
}

#[test]
fn a_process_that_outlives_the_program_counts_to_its_end() {
    let (place, program) = (Place::new(), program());
    let script = "\"$0\" orphan 200 & while ! test -s \"$LEDGER\"/counted.$!; do sleep 0.01; done; exit 4";
    assert_eq!(place.run(&["sh", "-c", script, &program]).0, 4);
    place.assert_has_everything(1);
    assert_eq!(place.records()[0].ending, Some(ProcessEnding::Exited(0)));
}

#[test]
fn a_full_disk_is_said_and_the_program_ends_as_ever() {
    let (place, program) = (Place::new(), program());
    let namespace = ["unshare", "--mount", "sh", "-c"];
    let can = Command::new(namespace[0]).args(&namespace[1..]).arg("mount -t tmpfs none /mnt").status();
    if !can.is_ok_and(|status| status.success()) {
        // Not captured by the test harness.
        let _ = writeln!(std::io::stderr(), "SKIPPED a_full_disk_is_said: nothing can be mounted here");
        return;
    }
    let data = place.data();
    // Meta-data need one page, and there is no other.
    let script = format!("mount -t tmpfs -o size=4k none {} && exec \"$0\" \"$@\"", data.display());
    let words = namespace.map(str::to_owned).into_iter().chain([script]);
    let words: Vec<_> = words.chain(place.supervised(60_000, &[&program, "exit"])).collect();
    let (code, output) = place.start(&words).end();
    assert_eq!(code, 3, "{output}");
    assert!(output.contains("No space left on device"), "{output}");
    assert!(output.contains("nothing of the end of"), "{output}");
}
