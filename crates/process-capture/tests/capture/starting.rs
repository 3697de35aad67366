//! Snapshots from the first moment of a process on.

use std::process::Command;

use podcov_go_programs::{Covered, Linking, LiveProgram};
use podcov_process_capture::{Process, Reason};

use crate::live::{Live, assert_same, assert_same_counters, executable, program, wait_for};

fn first_snapshot_is_complete(linking: Linking, covered: Covered) {
    let executable = executable(LiveProgram { release: "local", mode: "count", linking, covered });
    for _ in 0..20 {
        let mut live = Live::spawn(&mut Command::new(&executable));
        let is_early = |reason: &Reason| matches!(reason, Reason::Starting | Reason::NoModuleData);
        let mut process = wait_for("the kernel to load the program", || match Process::attach(live.id()) {
            Ok(process) => Some(process),
            Err(error) if is_early(&error.reason) => None,
            Err(error) => panic!("{error}: {}", error.reason),
        });
        let first = wait_for("the packages to be initialised", || match process.snapshot() {
            Ok(snapshot) => Some(snapshot),
            Err(error) if is_early(&error.reason) => None,
            Err(error) => panic!("{error}: {}", error.reason),
        });
        live.expect("ready");
        let later = live.snapshot();
        assert_eq!(first.hash(), later.hash(), "{linking:?} {covered:?}");
        // The runtime goes on counting.
        if covered != Covered::ProgramAndRuntime {
            assert_same_counters(&process.snapshot().unwrap().counter_file(), &later.counter_file(), "later");
        }
    }
}

#[test]
fn the_first_snapshot_has_all_packages() {
    first_snapshot_is_complete(Linking::Stripped, Covered::Program);
    first_snapshot_is_complete(Linking::Plain, Covered::ProgramAndRuntime);
    first_snapshot_is_complete(Linking::StrippedPositionIndependent, Covered::Program);
    first_snapshot_is_complete(Linking::Stripped, Covered::WithoutMain);
}

#[test]
fn a_program_without_coverage_says_so() {
    for linking in [Linking::Stripped, Linking::NoSectionHeadersPositionIndependent] {
        let program = LiveProgram { release: "local", mode: "count", linking, covered: Covered::Nothing };
        let live = Live::start(program);
        let refused = Process::attach(live.id()).err().unwrap();
        assert!(
            matches!(&refused.reason, Reason::NotInstrumented { executable } if executable.starts_with('/')),
            "{refused:?}"
        );
    }
}

#[test]
fn a_shell_says_that_it_is_not_gos() {
    let mut shell = Command::new("/bin/sh")
        .args(["-c", "read line"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let id = podcov_process_capture::ProcessId::new(shell.id()).unwrap();
    let refused = Process::attach(id).err().unwrap();
    assert!(matches!(refused.reason, Reason::NotGo { .. }), "{refused:?}");
    drop(shell.stdin.take());
    shell.wait().unwrap();
}

#[test]
fn a_process_is_read_once_it_is_the_program() {
    let mut command = Command::new("/bin/sh");
    let program = executable(program("count", Covered::Program));
    command.arg("-c").arg("echo shell; read line; exec \"$0\"").arg(program);
    let mut live = Live::spawn(&mut command);
    live.expect("shell");
    let refused = Process::attach(live.id()).err().unwrap();
    assert!(matches!(refused.reason, Reason::NotGo { .. }), "{refused:?}");
    live.say("go on");
    live.expect("ready");
    live.snapshot();
}

/// `exec` ends a program, not the process: counters of the next program are never taken for those of this one.
#[test]
fn a_process_that_became_another_program_is_gone() {
    let mut live = Live::start(program("count", Covered::Program));
    let mut process = live.attach();
    live.work(2);
    process.snapshot().unwrap();
    live.say("again");
    live.expect("ready");
    assert!(process.is_running());
    assert!(matches!(process.snapshot().unwrap_err().reason, Reason::Gone));
    let snapshot = live.snapshot();
    assert_same(&snapshot, &live.finish(), "the new program");
}
