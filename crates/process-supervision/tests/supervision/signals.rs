//! Signals to the supervisor, to its group, and to processes of the tree.

use nix::libc;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use podcov_wait as wait;

use crate::program::{executable, is_stopped};
use crate::supervised::{Place, Running};

fn counting(place: &Place) -> Running {
    let mut below = place.start(&place.command(&[], &[executable(), "signals"]));
    assert_eq!(below.line(), "ready");
    below
}

#[test]
fn every_signal_is_forwarded() {
    let place = Place::new();
    let mut below = counting(&place);
    // Those that cannot be caught or that this program does not count, and the one that ends it.
    let left_out = [libc::SIGKILL, libc::SIGSTOP, libc::SIGCHLD, libc::SIGURG, libc::SIGTERM];
    // Go does not let a program take SIGPROF or the fault signals without doing something of its own.
    let of_go = [libc::SIGPROF, libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP];
    let signals = (1..=64).filter(|signal| {
        !left_out.contains(signal) && !of_go.contains(signal) && !(32..=34).contains(signal)
    });
    for signal in signals {
        send(below.id(), signal);
        assert_eq!(below.line(), format!("got {signal}"));
    }
    below.signal(Signal::SIGTERM);
    let (status, output) = below.end();
    assert!(status.success());
    assert_eq!(output, "got 15\n");
}

/// Any number: nix knows no real-time signals.
fn send(process: i32, signal: i32) {
    let status = std::process::Command::new("bash")
        .args(["-c", &format!("kill -{signal} {process}")])
        .status()
        .unwrap();
    assert!(status.success(), "{signal}");
}

#[test]
fn a_signal_to_the_whole_group_comes_once() {
    let place = Place::new();
    let command = place.command(&[], &[executable(), "signals"]).join(" ");
    // With job control, a shell gives the job a group of its own, and `kill %1` signals that.
    let script = format!("set -m; {command} & read line; kill %1; wait %1; echo $?");
    for _ in 0..5 {
        let mut shell = place.start(&["bash", "-c", &script]);
        assert_eq!(shell.line(), "ready");
        shell.say("now");
        assert_eq!(shell.end().1, "got 15\n0\n");
    }
}

#[test]
fn a_signal_to_the_whole_group_that_ends_the_program_is_one_request_to_end_also_if_it_is_taken_later() {
    for _ in 0..10 {
        let place = Place::new();
        let script = format!("{} handle; true", executable());
        let mut below = place.start(&place.command(&[], &["sh", "-c", &script]));
        assert_eq!(below.line(), "ready");
        let processes = place.log().processes();
        let [shell, handles] = processes[..] else { panic!("{processes:?}") };
        // Both wait for the supervisor, which may see either first.
        below.signal(Signal::SIGSTOP);
        wait::until("the supervisor stops", || is_stopped(below.id()));
        for process in [shell, below.id()] {
            kill(Pid::from_raw(process), Signal::SIGTERM).unwrap();
        }
        below.signal(Signal::SIGCONT);
        wait::until("the end of the shell", || !place.log().all("program-ended").is_empty());
        kill(Pid::from_raw(handles), Signal::SIGTERM).unwrap();
        assert_eq!(below.end().1, "got terminated\n");
        place.log().assert_whole();
    }
}

#[test]
fn a_signal_from_the_program_to_its_group_comes_once() {
    let place = Place::new();
    let script = format!(
        "trap : USR1; {} signals & read line; kill -s USR1 0; read line; kill -s TERM $!; wait $!",
        executable()
    );
    let words = place.command(&[], &["bash", "-c", &script]);
    // A group of its own, without this test.
    let mut below = place.start(&[&["setsid".to_owned(), "--wait".to_owned()][..], &words].concat());
    assert_eq!(below.line(), "ready");
    below.say("now");
    // Of two signals that wait, any may come first.
    assert_eq!(below.line(), "got 10");
    below.say("now");
    let (status, output) = below.end();
    assert!(status.success(), "{status}");
    assert_eq!(output, "got 15\n");
}

#[test]
fn a_process_that_is_stopped_stays_stopped_until_it_is_continued() {
    let place = Place::new();
    let mut below = place.start(&place.command(&[], &[executable(), "busy-wait"]));
    assert_eq!(below.line(), "ready");
    let program = Pid::from_raw(place.log().processes()[0]);
    kill(program, Signal::SIGSTOP).unwrap();
    wait::until("the stop", || is_stopped(program.as_raw()));
    // The supervisor goes on, for the others.
    assert!(!is_stopped(below.id()));
    kill(program, Signal::SIGCONT).unwrap();
    wait::until("the program to go on", || !is_stopped(program.as_raw()));
    below.signal(Signal::SIGTERM);
    below.end();
    place.log().assert_whole();
}

#[test]
fn a_shell_in_the_tree_controls_its_jobs() {
    let place = Place::new();
    let script = format!(
        "set -m; {} busy-wait & kill -STOP %1; until jobs -s | grep -q Stopped; do sleep 0.01; done
        kill -CONT %1; until jobs -r | grep -q Running; do sleep 0.01; done; kill -KILL %1; wait %1; echo $?",
        executable()
    );
    let (_, output) = place.start(&place.command(&[], &["bash", "-c", &script])).end();
    // It may be stopped before it says that it is ready.
    assert!(output.ends_with("137\n"), "{output}");
}

#[test]
fn a_stopped_program_is_killed() {
    let place = Place::new();
    let mut below = place.start(&place.command(&[], &[executable(), "busy-wait"]));
    assert_eq!(below.line(), "ready");
    let program = Pid::from_raw(place.log().processes()[0]);
    kill(program, Signal::SIGSTOP).unwrap();
    wait::until("the stop", || is_stopped(program.as_raw()));
    kill(program, Signal::SIGKILL).unwrap();
    below.end();
    place.log().assert_whole();
}
