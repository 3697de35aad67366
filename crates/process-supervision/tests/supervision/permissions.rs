//! Where the program cannot be traced, or traces itself: it runs as it would have run.

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use nix::sys::signal::Signal;

use crate::program::executable;
use crate::supervised::{Place, Running, SUPERVISE};

/// Runs a program below a supervisor that may not trace, and returns why it does not.
#[track_caller]
fn not_followed(place: &Place, forbid: &[&str], how: &str, expected: (Option<i32>, Option<i32>)) -> String {
    let words = place.command(&[], &[executable(), how]);
    let words: Vec<&str> = forbid.iter().copied().chain(words.iter().map(String::as_str)).collect();
    let (status, _) = place.start(&words).end();
    assert_eq!((status.code(), status.signal()), expected, "{how}");
    let log = place.log();
    assert!(log.processes().is_empty(), "{log:?}");
    assert!(log.only("ended").ends_with(" not followed"), "{log:?}");
    log.only("not-followed").split_once(' ').unwrap().1.to_owned()
}

#[test]
fn without_permission_it_runs_unfollowed() {
    for (how, expected) in [("exit", (Some(3), None)), ("kill-self", (None, Some(9)))] {
        let why = not_followed(&Place::new(), &[executable(), "refuse-ptrace"], how, expected);
        assert!(why.contains("not permit"), "{why}");
    }
}

#[test]
fn where_ptrace_kills_it_runs_unfollowed() {
    for (how, expected) in [("exit", (Some(3), None)), ("kill-self", (None, Some(9)))] {
        let why = not_followed(&Place::new(), &[executable(), "kill-for-ptrace"], how, expected);
        assert!(why.contains("seccomp"), "{why}");
    }
}

#[test]
fn signals_are_forwarded_to_what_is_not_followed() {
    let place = Place::new();
    let words = place.command(&[], &[executable(), "handle"]);
    let mut below =
        place.start(&[&[executable().to_owned(), "refuse-ptrace".to_owned()][..], &words].concat());
    assert_eq!(below.line(), "ready");
    below.signal(Signal::SIGTERM);
    let (status, output) = below.end();
    assert!(status.success());
    assert_eq!(output, "got terminated\n");
}

#[test]
fn a_supervisor_below_a_supervisor_runs_its_program() {
    let place = Place::new();
    let (status, output) = place.start(&place.command(&[], &[SUPERVISE, "--", executable(), "exit"])).end();
    assert_eq!((status.code(), output.as_str()), (Some(3), ""));
    let log = place.log();
    log.assert_whole();
    assert_eq!(log.processes().len(), 2, "{log:?}");
}

#[test]
fn a_debugger_can_trace() {
    let place = Place::new();
    // Known by its name.
    let debugger = place.copy_as("dlv", executable(), 0o755);
    let debugger = debugger.as_str();
    for program in [vec![debugger, "trace"], vec!["sh", "-c", "\"$0\" trace; exit $?", debugger]] {
        let place = Place::new();
        let (status, output) = place.start(&place.command(&[], &program)).end();
        assert_eq!((status.code(), output.as_str()), (Some(0), "traced\n"));
        let log = place.log();
        assert!(log.only("not-followed").contains("dlv traces processes itself"), "{log:?}");
    }
}

#[test]
fn a_process_that_hides_its_memory_ends_the_same_way() {
    let (status, log) = crate::supervised::as_without(&[executable(), "hide"]);
    assert_eq!(status.code(), Some(6));
    assert_eq!(log.all("exiting").len(), 1, "{log:?}");
}

#[test]
fn a_process_that_hides_from_another_user_is_followed() {
    let place = Place::new();
    let Some(user) = another_user("a_process_that_hides_from_another_user_is_followed") else { return };
    let (supervise, program) = (place.copy(SUPERVISE, 0o755), place.copy(executable(), 0o755));
    let (status, _) =
        start_as(user, &place, &supervise, &[&program, "hide-exec", "sh", "-c", "exit 4"]).end();
    assert_eq!(status.code(), Some(4));
    let log = place.log();
    assert_eq!(
        [log.all("exec").len(), log.all("exiting").len(), log.all("gone").len()],
        [1, 1, 1],
        "{log:?}"
    );
    assert!(!log.only("exiting").contains("not final"), "{log:?}");
}

#[test]
fn a_program_with_privileges_of_its_own_keeps_them() {
    let tools = Place::new();
    let Some(user) = another_user("a_program_with_privileges_of_its_own_keeps_them") else { return };
    let (supervise, id) = (tools.copy(SUPERVISE, 0o755), tools.copy("/usr/bin/id", 0o4755));
    for (program, expected, how_many) in [
        (&[&*id, "-u"][..], "0\n", 1),
        (&["sh", "-c", &format!("{id} -u; {id} -u; exec {id} -u")], "0\n0\n0\n", 3),
    ] {
        let place = Place::new();
        let (status, output) = start_as(user, &place, &supervise, program).end();
        let log = place.log();
        assert_eq!((status.code(), output.as_str()), (Some(0), expected), "{log:?}");
        let not_followed = log.all("not-followed");
        assert_eq!(not_followed.len(), how_many, "{log:?}");
        assert!(not_followed.iter().all(|line| line.contains("privileges")), "{log:?}");
    }
}

/// The words before a command that make it another user's, with nothing but what that user may. None where that cannot
/// be done.
fn another_user(test: &str) -> Option<&'static [&'static str]> {
    const USER: &[&str] = &["setpriv", "--reuid", "65532", "--regid", "65532", "--clear-groups"];
    let can =
        Command::new(USER[0]).args(&USER[1..]).arg("true").status().is_ok_and(|status| status.success());
    if !can {
        // Not captured by the test harness.
        let _ = writeln!(std::io::stderr(), "SKIPPED {test}: this user cannot become another");
    }
    can.then_some(USER)
}

fn start_as(user: &[&str], place: &Place, supervise: &str, program: &[&str]) -> Running {
    let words = place.command(&[], program);
    let words = user.iter().copied().chain([supervise]).chain(words[1..].iter().map(String::as_str));
    place.start(&words.collect::<Vec<_>>())
}
