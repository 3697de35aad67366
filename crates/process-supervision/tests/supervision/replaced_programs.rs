//! `execve`: another program in the same process.

use crate::program::executable;
use crate::supervised::as_without;

/// What a process has to be reported with that counted to `counter`, became another program, and ended.
#[track_caller]
fn assert_replaced(program: &[&str], counter: &str) {
    let (_, log) = as_without(program);
    log.assert_whole();
    let [process] = log.processes()[..] else { panic!("{log:?}") };
    let told = log.of(process);
    assert_eq!(told.len(), 5, "{told:?}");
    assert!(told[1].starts_with("exec readable counter=") && told[1].contains(counter), "{told:?}");
    assert!(told[2].starts_with("image "), "{told:?}");
}

#[test]
fn the_memory_of_the_old_program_is_seen_before_it_is_replaced() {
    assert_replaced(&[executable(), "exec", "sh", "-c", "exit 4"], "=7");
    assert_replaced(&[executable(), "exec", executable(), "exit"], "=7");
}

#[test]
fn another_thread_than_the_first_can_replace_the_program() {
    assert_replaced(&[executable(), "exec-other-thread", executable(), "exit"], "=7");
}

#[test]
fn busy_threads_end_before_the_program_is_replaced() {
    assert_replaced(&[executable(), "busy-exec", "true"], "");
}

#[test]
fn often_and_at_once() {
    for _ in 0..30 {
        assert_replaced(&[executable(), "exec", executable(), "exit"], "=7");
        assert_replaced(&[executable(), "exec-other-thread", "true"], "=7");
    }
}

#[test]
fn a_program_that_cannot_be_replaced_goes_on() {
    let (status, log) = as_without(&[executable(), "exec-nothing"]);
    assert_eq!(status.code(), Some(5));
    log.assert_whole();
    assert!(log.all("exec").is_empty(), "{log:?}");
}

#[test]
fn a_shell_that_becomes_the_program_is_one_process() {
    let script = format!("exec {} exit", executable());
    let (status, log) = as_without(&["sh", "-c", &script]);
    assert_eq!(status.code(), Some(3));
    log.assert_whole();
    assert_eq!(log.processes().len(), 1, "{log:?}");
    assert_eq!(log.all("image").len(), 2, "{log:?}");
}
