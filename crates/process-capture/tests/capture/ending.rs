//! Snapshots of a process that is stopped at its exit, however it comes to that.

use nix::sys::ptrace;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use podcov_go_programs::{Covered, Linking, LiveProgram};
use podcov_process_capture::Snapshot;

use crate::live::{Live, RELEASES, assert_same, assert_same_counters};

/// Lets the process go on until its leader is about to end.
fn run_to_exit(pid: Pid) {
    loop {
        match waitpid(pid, None).unwrap() {
            WaitStatus::PtraceEvent(_, _, event) if event == ptrace::Event::PTRACE_EVENT_EXIT as i32 => {
                return;
            }
            WaitStatus::Stopped(_, signal) => ptrace::cont(pid, signal).unwrap(),
            WaitStatus::PtraceEvent(..) => ptrace::cont(pid, None).unwrap(),
            other => panic!("{other:?}"),
        }
    }
}

/// Ends a process by a signal, or lets main return, and takes a snapshot at the last moment.
fn snapshot_at_exit(mut live: Live, signal: Option<Signal>, attach_early: bool) -> (Snapshot, Live) {
    let pid = Pid::from_raw(i32::try_from(live.child.id()).unwrap());
    let early = attach_early.then(|| live.attach());
    ptrace::seize(pid, ptrace::Options::PTRACE_O_TRACEEXIT).unwrap();
    match signal {
        Some(signal) => kill(pid, signal).unwrap(),
        None => live.end_input(),
    }
    run_to_exit(pid);
    let mut process = early.unwrap_or_else(|| live.attach());
    let snapshot = process.snapshot().unwrap_or_else(|error| panic!("{error}: {}", error.reason));
    ptrace::detach(pid, None).unwrap();
    live.child.wait().unwrap();
    (snapshot, live)
}

fn start(release: &'static str, linking: Linking) -> Live {
    let program = LiveProgram { release, mode: "count", linking, covered: Covered::Program };
    let mut live = Live::start(program);
    live.work(2);
    live
}

#[test]
fn a_killed_process_keeps_its_counters() {
    for (release, linking) in RELEASES.into_iter().zip([
        Linking::Stripped,
        Linking::StrippedPositionIndependent,
        Linking::NoSectionHeaders,
        Linking::StaticPositionIndependent,
        Linking::Plain,
    ]) {
        for attach_early in [true, false] {
            for signal in [Signal::SIGKILL, Signal::SIGTERM] {
                let (snapshot, killed) =
                    snapshot_at_exit(start(release, linking), Some(signal), attach_early);
                assert_eq!(killed.written().counters, None, "Go loses them");
                // A twin of it ends well. Its number is another one.
                let twin = start(release, linking).finish().counters.unwrap().1;
                let context = format!("{release} {linking:?} {signal} {attach_early}");
                assert_same_counters(&snapshot.counter_file(), &twin, &context);
            }
        }
    }
}

#[test]
fn at_the_end_of_a_process_there_is_what_it_wrote() {
    for release in RELEASES {
        let (snapshot, live) = snapshot_at_exit(start(release, Linking::Stripped), None, false);
        assert_same(&snapshot, &live.written(), release);
    }
}
