//! Waiting by condition, with a deadline that says what was waited for. For tests only.
#![allow(clippy::missing_panics_doc, reason = "what does not come fails the test")]

use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

/// Far longer than anything takes on one machine, also while other builds use it.
pub const LONG: Duration = Duration::from_mins(2);

/// How soon it is looked again; less often what takes long, since looking may start programs.
const SOONEST: Duration = Duration::from_millis(5);
const LATEST: Duration = Duration::from_millis(200);

/// Waits until something is so. `what` says it in words.
#[track_caller]
pub fn until(what: &str, condition: impl FnMut() -> bool) {
    until_within(what, LONG, condition);
}

/// The same for what may take longer.
#[track_caller]
pub fn until_within(what: &str, patience: Duration, mut condition: impl FnMut() -> bool) {
    wait(what, patience, || condition().then_some(()));
}

/// Waits until there is a value.
#[track_caller]
pub fn until_some<T>(what: &str, value: impl FnMut() -> Option<T>) -> T {
    wait(what, LONG, value)
}

/// Waits until a process has ended.
#[track_caller]
pub fn until_exit(what: &str, child: &mut Child) -> ExitStatus {
    until_some(what, || child.try_wait().expect("it is a child of this process"))
}

#[track_caller]
fn wait<T>(what: &str, patience: Duration, mut value: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = value() {
            return value;
        }
        let waited = started.elapsed();
        assert!(waited < patience, "waited {} s for this: {what}", patience.as_secs());
        thread::sleep((waited / 20).clamp(SOONEST, LATEST));
    }
}
