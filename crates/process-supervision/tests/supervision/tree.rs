//! Children, orphans, and what is left behind.

use std::os::unix::process::ExitStatusExt;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use podcov_wait as wait;

use crate::program::{executable, tracer};
use crate::supervised::{Place, as_without};

#[test]
fn a_shell_and_its_child_are_two_processes() {
    let script = format!("{} exit; echo $?; exit 8", executable());
    let (status, log) = as_without(&["sh", "-c", &script]);
    assert_eq!(status.code(), Some(8));
    log.assert_whole();
    assert_eq!(log.processes().len(), 2, "{log:?}");
}

#[test]
fn many_children_from_many_threads_are_all_seen() {
    let (status, log) = as_without(&[executable(), "children", executable(), "count"]);
    assert!(status.success());
    log.assert_whole();
    assert_eq!(log.processes().len(), 201);
    // The program has 0 itself; the child that could not become a program has its memory, and is none.
    assert_eq!(log.all("exiting").iter().filter(|line| line.ends_with("counter=5")).count(), 200, "{log:?}");
}

#[test]
fn grandchildren_are_seen() {
    let script = format!("sh -c '(sh -c \"{} exit; true\"); true'; true", executable());
    let (_, log) = as_without(&["sh", "-c", &script]);
    log.assert_whole();
    assert!(log.all("image").iter().any(|line| line.ends_with(" program")), "{log:?}");
}

#[test]
fn descendants_are_waited_for_after_the_program_was_killed() {
    let place = Place::new();
    let mut below = place.start(&place.command(&[], &[executable(), "leave-child", executable(), "handle"]));
    assert_eq!(below.line(), "ready");
    wait::until_some("the end of the program", || place.log().all("program-ended").first().map(|_| ()));
    let child = *place.log().processes().last().unwrap();
    assert_eq!(below.child.try_wait().unwrap(), None);
    kill(Pid::from_raw(child), Signal::SIGTERM).unwrap();
    let (status, output) = below.end();
    assert_eq!((status.signal(), output.as_str()), (Some(9), "got terminated\n"));
    place.log().assert_whole();
}

#[test]
fn a_signal_ends_the_waiting_for_descendants() {
    let place = Place::new();
    let mut below = place.start(&place.command(&[], &[executable(), "leave-child", executable(), "handle"]));
    assert_eq!(below.line(), "ready");
    wait::until_some("the end of the program", || place.log().all("program-ended").first().map(|_| ()));
    below.signal(Signal::SIGTERM);
    assert_left(&place, below);
}

#[test]
fn descendants_that_are_left_run_on() {
    let place = Place::new();
    let program = [executable(), "leave-child", executable(), "handle"];
    let mut below = place.start(&place.command(&["--leave"], &program));
    assert_eq!(below.line(), "ready");
    assert_left(&place, below);
}

/// The supervisor ends, and the program's child runs on as if there had been none.
#[track_caller]
fn assert_left(place: &Place, mut below: crate::supervised::Running) {
    let status = wait::until_exit("the supervisor's end", &mut below.child);
    assert_eq!(status.signal(), Some(9));
    let child: i32 = place.log().only("left").split(' ').next().unwrap().parse().unwrap();
    assert_eq!(tracer(child), Some(0));
    kill(Pid::from_raw(child), Signal::SIGTERM).unwrap();
    assert_eq!(below.line(), "got terminated");
    assert!(place.log().only("left").contains("readable"));
}

#[test]
fn the_tree_survives_a_supervisor_that_is_killed() {
    let place = Place::new();
    let script = format!("{} handle; echo $?", executable());
    let mut below = place.start(&place.command(&[], &["sh", "-c", &script]));
    assert_eq!(below.line(), "ready");
    let processes = place.log().processes();
    below.signal(Signal::SIGKILL);
    for process in &processes {
        wait::until("the tracer's end", || tracer(*process) == Some(0));
    }
    kill(Pid::from_raw(processes[1]), Signal::SIGTERM).unwrap();
    assert_eq!([below.line(), below.line()], ["got terminated", "0"]);
}

#[test]
fn a_program_can_be_told_that_its_supervisor_was_killed() {
    let place = Place::new();
    let mut below = place.start(&place.command(&["--ends-with-supervisor"], &[executable(), "handle"]));
    assert_eq!(below.line(), "ready");
    below.signal(Signal::SIGKILL);
    assert_eq!(below.line(), "got terminated");
}

#[test]
fn a_process_that_is_killed_while_it_is_held_does_not_hang() {
    // Each kills the others again and again, also while they end.
    let script = format!(
        "for i in 1 2 3 4 5 6 7 8; do {} busy-exit & pids=\"$pids $!\"; done
        for i in $(seq 300); do kill -9 $pids 2> /dev/null; done; wait; exit 6",
        executable()
    );
    let place = Place::new();
    let (status, _) = place.start(&place.command(&[], &["bash", "-c", &script])).end();
    assert_eq!(status.code(), Some(6));
    let log = place.log();
    assert_eq!(log.all("gone").len(), log.processes().len(), "{log:?}");
}

#[test]
fn the_observer_is_called_from_time_to_time() {
    let place = Place::new();
    let mut below = place.start(&place.command(&["--tick=20"], &[executable(), "handle"]));
    assert_eq!(below.line(), "ready");
    let ticks = || std::fs::read_to_string(place.path().join("log")).unwrap().matches("tick\n").count();
    wait::until("three ticks", || ticks() >= 3);
    below.signal(Signal::SIGTERM);
    assert!(below.end().0.success());
}
