//! Every way to end: the same status as without supervision, and the memory was there.

use std::os::unix::process::ExitStatusExt;

use nix::sys::signal::Signal;

use crate::program::executable;
use crate::supervised::{Place, as_without};

#[track_caller]
fn ends_as_without(how: &str) -> crate::log::Log {
    let (_, log) = as_without(&[executable(), how]);
    log.assert_whole();
    assert_eq!(log.processes().len(), 1, "{log:?}");
    log
}

#[test]
fn a_program_that_ends_by_itself_ends_the_same_way() {
    for how in ["return", "exit", "log-fatal"] {
        ends_as_without(how);
    }
}

#[test]
fn a_program_that_crashes_ends_the_same_way() {
    for how in ["panic", "goroutine-panic", "map-write", "nil"] {
        ends_as_without(how);
    }
}

#[test]
fn a_stack_overflow_ends_the_same_way() {
    ends_as_without("stack-overflow");
}

#[test]
fn a_program_that_kills_itself_ends_the_same_way() {
    for how in ["kill-self", "abort-self"] {
        ends_as_without(how);
    }
}

#[test]
fn a_program_that_leaves_a_core_file_ends_the_same_way() {
    let place = Place::new();
    let script = format!(
        "cd {} && ulimit -c unlimited && GOTRACEBACK=crash exec {} panic",
        place.path().display(),
        executable()
    );
    let (status, log) = as_without(&["sh", "-c", &script]);
    assert_eq!(status.signal(), Some(6));
    log.assert_whole();
}

#[test]
fn counters_have_their_last_values_at_the_end() {
    for how in ["busy-exit", "busy-kill"] {
        let log = ends_as_without(how);
        assert!(log.only("exiting").contains("counter="), "{log:?}");
    }
    let log = ends_as_without("threads");
    assert!(log.only("exiting").ends_with("counter=300"), "{log:?}");
}

#[test]
fn the_first_thread_can_end_before_the_others() {
    let log = ends_as_without("first-thread-ends");
    let exiting = log.only("exiting");
    assert!(exiting.contains("status: 3") && exiting.ends_with("counter=9"), "{log:?}");
}

#[test]
fn an_unhandled_signal_ends_it_the_same_way() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGHUP, Signal::SIGKILL] {
        let place = Place::new();
        let words = [executable(), "busy-wait"];
        let mut alone = place.start(&words);
        let mut below = place.start(&place.command(&[], &words));
        for running in [&mut alone, &mut below] {
            assert_eq!(running.line(), "ready");
        }
        let program = place.log().processes()[0];
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(program), signal).unwrap();
        alone.signal(signal);
        let (expected, status) = (alone.end().0, below.end().0);
        assert_eq!((expected.code(), expected.signal()), (status.code(), status.signal()), "{signal}");
        place.log().assert_whole();
    }
}

#[test]
fn a_shell_ends_the_same_way() {
    for script in ["exit 9", "true", "kill -9 $$", "kill -s TERM $$", "kill -s PIPE $$", "kill -s SEGV $$"] {
        let (_, log) = as_without(&["sh", "-c", script]);
        log.assert_whole();
    }
}

#[test]
fn what_does_not_exist_is_not_started() {
    let place = Place::new();
    for program in ["/nowhere/program", "no-such-program", "/etc/passwd"] {
        let (status, _) = place.start(&place.command(&[], &[program])).end();
        assert_eq!(status.code(), Some(127), "{program}");
    }
    assert!(place.log().processes().is_empty());
}

#[test]
fn the_program_finds_what_it_would_find_without() {
    // Arguments, environment, directory, mask, dispositions, limits, open files, process group.
    let script = r"
        printf '%s|' $0 $# $2
        pwd; umask; ulimit -n; env | grep -v '^_=' | sort
        grep -E '^(SigBlk|Umask|NoNewPrivs|Seccomp):' /proc/self/status
        # Without the real-time signals, of which libc takes some for itself.
        echo $((0x$(sed -n 's/^SigIgn:\t*//p' /proc/self/status) & 0x7fffffff))
        cat <&5
        cut -d ' ' -f 5-8 /proc/self/stat
        tr '\0' '|' < /proc/$$/cmdline
    ";
    let outer = |words: &[String]| {
        let quoted: Vec<_> = words.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
        let set_up = "trap '' USR1 CHLD; umask 027; ulimit -n 500; cd /tmp; exec 5<<< open";
        vec!["bash".to_owned(), "-c".to_owned(), format!("{set_up}; exec {}", quoted.join(" "))]
    };
    let place = Place::new();
    let program = ["bash", "-c", script, "zero", "one", "two words", ""];
    let plain: Vec<String> = program.map(str::to_owned).into();
    let (expected_status, expected) = place.start(&outer(&plain)).end();
    let (status, output) = place.start(&outer(&place.command(&[], &program))).end();
    assert!(expected.contains("two words") && expected.contains("open"), "{expected}");
    assert_eq!(expected_status.code(), status.code());
    assert_eq!(expected, output);
}

#[test]
fn the_supervisor_is_the_parent() {
    let place = Place::new();
    let words = place.command(&[], &[executable(), "wait"]);
    let mut below = place.start(&words);
    below.line();
    assert_eq!(crate::program::children(below.id()), place.log().processes());
    below.signal(Signal::SIGKILL);
}
