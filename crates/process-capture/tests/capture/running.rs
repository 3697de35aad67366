//! Snapshots of one process, one after the other.

use std::collections::HashMap;

use go_coverage::CounterFile;
use podcov_go_programs::Covered;
use podcov_process_capture::{Process, ProcessId, Reason, Snapshot};
use podcov_wait as wait;

use crate::live::{Live, MODES, program};

type Counts = HashMap<(u32, u32), Vec<u32>>;

fn counts(file: &[u8]) -> Counts {
    let file = CounterFile::parse(file).unwrap();
    let functions = file.segments()[0].functions();
    functions.map(|record| ((record.package(), record.function()), record.counters().collect())).collect()
}

/// What programs that did `before`, and `before` and `after`, wrote: the difference is what `after` did.
#[test]
fn a_difference_is_what_ran_between() {
    for mode in MODES {
        let own = |after: Option<u32>| {
            let mut live = Live::start(program(mode, Covered::Program));
            if let Some(rounds) = after {
                live.work(rounds);
            }
            counts(&live.finish().counters.unwrap().1)
        };
        let (before, both) = (own(None), own(Some(4)));
        let expected: Counts = both
            .into_iter()
            .map(|(function, counts)| {
                let none = vec![0; counts.len()];
                let before = before.get(&function).unwrap_or(&none);
                let pairs = counts.iter().zip(before);
                let difference = pairs.map(|(count, before)| match mode {
                    "set" => u32::from(*count > *before),
                    _ => count - before,
                });
                (function, difference.collect::<Vec<_>>())
            })
            .filter(|(_, counts)| counts.iter().any(|count| *count > 0))
            .collect();

        let mut live = Live::start(program(mode, Covered::Program));
        let mut process = live.attach();
        let earlier = process.snapshot().unwrap();
        live.work(4);
        let later = process.snapshot().unwrap();
        assert_eq!(counts(&later.since(&earlier).unwrap().counter_file()), expected, "{mode}");
        if mode != "set" {
            assert!(!expected.is_empty());
        }
        let nothing = later.since(&later).unwrap();
        assert_eq!(nothing.counters().functions().count(), 0);
    }
}

#[test]
fn two_processes_have_no_difference() {
    let [one, other] = [(); 2].map(|()| Live::start(program("count", Covered::Program)));
    let refused = one.snapshot().since(&other.snapshot());
    assert!(matches!(refused, Err(Reason::OtherProcess)));
}

#[test]
fn a_busy_program_is_read_whole_every_time() {
    let mut live = Live::start(program("atomic", Covered::Program));
    let mut process = live.attach();
    live.say("forever");
    let mut previous: Option<Snapshot> = None;
    // On a busy machine it may not run at all for so long.
    wait::until("it counts between two reads", || {
        let mut grown = 0;
        for _ in 0..500 {
            let snapshot = process.snapshot().unwrap();
            assert_eq!(snapshot.counters().stray_words(), 0);
            if let Some(previous) = &previous {
                let before: HashMap<_, _> = functions(previous).collect();
                for (function, counters) in functions(&snapshot) {
                    let Some(before) = before.get(&function) else { continue };
                    assert!(before.iter().zip(&counters).all(|(before, now)| before <= now), "{function:?}");
                    grown += usize::from(before != &counters);
                }
            }
            previous = Some(snapshot);
        }
        grown > 0
    });
}

fn functions(snapshot: &Snapshot) -> impl Iterator<Item = ((u32, u32), Vec<u32>)> {
    let functions = snapshot.counters().functions();
    functions.map(|(package, function, counters)| ((package, function), counters.to_vec()))
}

#[test]
fn a_process_that_ended_is_gone() {
    let live = Live::start(program("count", Covered::Program));
    let (id, mut process) = (live.id(), live.attach());
    assert!(process.is_running());
    live.finish();
    assert!(!process.is_running());
    assert!(matches!(process.snapshot().unwrap_err().reason, Reason::Gone));
    assert!(matches!(Process::attach(id).err().unwrap().reason, Reason::Gone));
}

#[test]
fn a_process_can_be_read_by_another_thread() {
    let live = Live::start(program("count", Covered::Program));
    let mut process = live.attach();
    let snapshot = std::thread::spawn(move || process.snapshot().unwrap()).join().unwrap();
    assert_eq!(snapshot.process().id, live.id());
}

#[test]
fn numbers_that_no_process_has_are_none() {
    assert_eq!(ProcessId::new(0), None);
    assert_eq!(ProcessId::new(u32::MAX), None);
}
