//! Where nothing may be traced: what processes write themselves is what is kept.

use std::path::Path;
use std::sync::OnceLock;

use nix::sys::signal::Signal;
use podcov_go_programs::installed_go;
use podcov_supervised_capture::recover;
use podcov_wait as wait;

use crate::place::{Place, program};

/// The words before a command in which ptrace is refused.
fn without_ptrace(words: Vec<String>) -> Vec<String> {
    static PROGRAM: OnceLock<String> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| {
        let executable = Path::new(env!("CARGO_TARGET_TMPDIR")).join("refuse-ptrace");
        let executable = executable.to_str().unwrap().to_owned();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../process-supervision/testdata/program");
        let _ = installed_go(&["build", "-C", source, "-buildvcs=false", "-o", &executable, "."]);
        executable
    });
    [program.clone(), "refuse-ptrace".to_owned()].into_iter().chain(words).collect()
}

#[test]
fn what_a_process_writes_itself_is_used() {
    let (place, program) = (Place::new(), program());
    let words = without_ptrace(place.supervised(60_000, &[&program, "run", &program, "exit"]));
    // The parent fails because its child does.
    let (code, output) = place.start(&words).end();
    assert_eq!(code, 1, "{output}");
    assert!(output.contains("is not followed"), "{output}");
    place.assert_has_everything(2);
}

#[test]
fn what_a_process_did_not_write_is_missing_and_said() {
    let (place, program) = (Place::new(), program());
    let words = without_ptrace(place.supervised(60_000, &[&program, "panic"]));
    let (code, output) = place.start(&words).end();
    assert_eq!(code, 2, "{output}");
    assert!(output.contains("it writes its coverage itself, if it ends well"), "{output}");
    assert!(!place.names().iter().any(|name| name.starts_with("covcounters.")), "{:?}", place.names());
    place.assert_is_final();
}

#[test]
fn what_a_process_writes_after_the_supervision_was_killed_is_recovered() {
    let (place, program) = (Place::new(), program());
    let running = place.start(&without_ptrace(place.supervised(60_000, &[&program, "handle"])));
    running.until_ready();
    running.signal(Signal::SIGKILL);
    assert_eq!(running.end().0, 137);
    let process = place.processes()[0];
    nix::sys::signal::kill(process, Signal::SIGTERM).unwrap();
    wait::until("the process has written its counters", || {
        place.own().iter().any(|name| name.starts_with("covcounters."))
    });
    assert_eq!(recover(&place.data()), 1);
    place.assert_has_everything(1);
    assert_eq!(recover(&place.data()), 0);
}
