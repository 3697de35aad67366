//! Waiting by condition, with a deadline that says what was waited for.

use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

/// Far longer than anything takes here, also while other builds use the machine.
pub const LONG: Duration = Duration::from_mins(1);

const INTERVAL: Duration = Duration::from_millis(5);

/// Waits until there is a value.
#[track_caller]
pub fn until<T>(what: &str, mut value: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LONG;
    loop {
        if let Some(value) = value() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited {LONG:?} for {what}");
        thread::sleep(INTERVAL);
    }
}

/// Waits until something is so.
#[track_caller]
pub fn until_true(what: &str, mut condition: impl FnMut() -> bool) {
    until(what, || condition().then_some(()));
}

/// Waits until a process has ended.
#[track_caller]
pub fn until_exit(what: &str, child: &mut Child) -> ExitStatus {
    until(what, || child.try_wait().unwrap())
}
