//! Which processes are those of another one, and which are the same as before.

use std::process::{Command, Stdio};

use podcov_go_programs::Covered;
use podcov_process_capture::{
    Process, ProcessId, descendants, is_of_container, processes_of_container, start_time,
};

use crate::live::{Live, executable, program, wait_for};

#[test]
fn children_and_their_children_are_descendants() {
    let program = executable(program("count", Covered::Program));
    let script = format!("sh -c '{0}; true'; true", program.display());
    let shell = Live::start_command(Command::new("sh").arg("-c").arg(script));
    let found = descendants(shell.id()).unwrap();
    assert_eq!(found.len(), 2, "the other shell and the program: {found:?}");
    let read = found.iter().filter(|process| Process::attach(**process).is_ok());
    assert_eq!(read.count(), 1);
    assert!(!found.contains(&shell.id()));
    // It has no PID namespace of its own.
    let mut family = processes_of_container(shell.id()).unwrap();
    family.retain(|process| *process != shell.id());
    assert_eq!(family, found);
    assert!(!is_of_container(shell.id(), &"0123456789abcdef".repeat(4)).unwrap());
    assert!(!is_of_container(shell.id(), "").unwrap());
    shell.finish();
}

#[test]
fn a_process_that_has_ended_has_no_start_also_before_its_parent_knows() {
    let mut child = Command::new("true").spawn().unwrap();
    let process = ProcessId::new(child.id()).unwrap();
    wait_for("the end of a process", || start_time(process).is_none().then_some(()));
    child.wait().unwrap();
    assert!(start_time(process).is_none());
}

#[test]
fn a_process_keeps_its_key_and_another_execution_of_the_program_has_another() {
    let program = executable(program("count", Covered::Program));
    let keys = [(); 2].map(|()| {
        let mut live = Live::start_command(Command::new(&program).stderr(Stdio::null()));
        let key = live.attach().key();
        assert_eq!(live.attach().key(), key, "as long as it runs");
        live.work(1);
        assert_eq!(live.attach().key(), key, "also when it works");
        key
    });
    assert_ne!(keys[0].start_of_stack, keys[1].start_of_stack);
}
