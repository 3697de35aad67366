//! As PID 1 of a PID namespace, as in a container.

use std::io::Write;
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use podcov_wait as wait;

use crate::program::{children, executable};
use crate::supervised::{Place, Running, SUPERVISE};

/// The user that containers without root often have.
const USER: &str = "65532";

/// A command in a PID namespace of its own, as root or as a user with nothing. None where that cannot be done.
fn contained(test: &str, words: &[String], as_root: bool) -> Option<Vec<String>> {
    let namespace = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
    let user = [
        "setpriv",
        "--reuid",
        USER,
        "--regid",
        USER,
        "--clear-groups",
        "--no-new-privs",
        "--bounding-set=-all",
    ];
    let user: &[&str] = if as_root { &[] } else { &user };
    let prefix: Vec<String> = namespace.iter().chain(user).map(|word| (*word).to_owned()).collect();
    let can =
        Command::new(&prefix[0]).args(&prefix[1..]).arg("true").status().is_ok_and(|status| status.success());
    if !can {
        // Not captured by the test harness.
        let _ = writeln!(std::io::stderr(), "SKIPPED {test}: no PID namespace can be made here");
        return None;
    }
    Some([&prefix, words].concat())
}

/// Starts a program below a supervisor that is PID 1.
fn start(test: &str, place: &Place, program: &[&str], as_root: bool) -> Option<Running> {
    // Others may not enter the build's directories.
    let copies = [SUPERVISE, executable()].map(|file| place.copy(file, 0o755));
    let mut words = place.command(&["--leave"], program);
    for word in &mut words {
        *word = word.replace(SUPERVISE, &copies[0]).replace(executable(), &copies[1]);
    }
    contained(test, &words, as_root).map(|words| place.start(&words))
}

#[test]
fn signals_are_forwarded_and_the_status_is_kept() {
    for as_root in [true, false] {
        let place = Place::new();
        let Some(mut below) =
            start("signals_are_forwarded_and_the_status_is_kept", &place, &[executable(), "handle"], as_root)
        else {
            return;
        };
        assert_eq!(below.line(), "ready");
        let supervisor = children(below.id())[0];
        kill(Pid::from_raw(supervisor), Signal::SIGTERM).unwrap();
        let (status, output) = below.end();
        assert_eq!((status.code(), output.as_str()), (Some(0), "got terminated\n"));
        place.log().assert_whole();
        assert!(place.log().only("exiting").ends_with("counter=1"), "{:?}", place.log());
    }
}

#[test]
fn a_program_that_is_killed_ends_it_as_a_shell_would() {
    for as_root in [true, false] {
        for (how, code) in [("kill-self", 137), ("exit", 3), ("panic", 2)] {
            let place = Place::new();
            let test = "a_program_that_is_killed_ends_it_as_a_shell_would";
            let Some(below) = start(test, &place, &[executable(), how], as_root) else { return };
            assert_eq!(below.end().0.code(), Some(code));
            place.log().assert_whole();
        }
    }
}

#[test]
fn orphans_are_reaped_and_seen() {
    let place = Place::new();
    let script = format!(
        "for i in $(seq 20); do (sh -c '{} exit &') ; done
        until test $(cat /proc/[0-9]*/stat | wc -l) -le 4; do sleep 0.01; done; grep -c zombie /proc/[0-9]*/status
        exit 5",
        executable()
    );
    let Some(below) = start("orphans_are_reaped_and_seen", &place, &["sh", "-c", &script], true) else {
        return;
    };
    let (status, output) = below.end();
    assert_eq!(status.code(), Some(5), "{output}");
    assert!(output.lines().all(|line| line.ends_with(":0")), "{output}");
    let log = place.log();
    log.assert_whole();
    assert_eq!(log.all("exiting").iter().filter(|line| line.contains("status: 3")).count(), 20);
}

#[test]
fn who_lives_on_is_looked_at_before_the_kernel_kills_it() {
    let place = Place::new();
    let program = [executable(), "leave-child", executable(), "handle"];
    let Some(mut below) =
        start("who_lives_on_is_looked_at_before_the_kernel_kills_it", &place, &program, false)
    else {
        return;
    };
    // It may be killed before it gets so far.
    below.line();
    assert_eq!(wait::until_exit("the end", &mut below.child).code(), Some(137));
    if let [left] = place.log().all("left")[..] {
        assert!(left.contains("readable"), "{left}");
    } else {
        assert!(
            place.log().all("left").is_empty() && place.log().processes().len() == 1,
            "{:?}",
            place.log()
        );
    }
}

#[test]
fn a_signal_that_is_not_handled_does_what_it_does_to_the_first_process() {
    let test = "a_signal_that_is_not_handled_does_what_it_does_to_the_first_process";
    // Go's runtime sends it to itself then, and exits when that has no effect. Of shells, only SIGINT is noticed.
    let shell = ["sh", "-c", "trap 'exit 6' USR1; echo ready; while true; do sleep 0.01; done"];
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let end = |is_supervised: bool| {
            [&[executable(), "wait"][..], &shell].map(|program| {
                let place = Place::new();
                let mut below = if is_supervised {
                    start(test, &place, program, false)?
                } else {
                    let copy = place.copy(executable(), 0o755);
                    let words = program.iter().map(|word| word.replace(executable(), &copy));
                    place.start(&contained(test, &words.collect::<Vec<_>>(), false)?)
                };
                assert_eq!(below.line(), "ready");
                let first = Pid::from_raw(children(below.id())[0]);
                for signal in [signal, Signal::SIGUSR1] {
                    // It may have ended.
                    let _ = kill(first, signal);
                }
                below.end().0.code()
            })
        };
        let alone = end(false);
        assert_eq!(end(true), alone, "{signal}");
        let [program, shell] = alone;
        assert!(program.is_none() || (program, shell.is_some()) == (Some(2), true), "{alone:?}");
    }
}
