//! For tests, and to try it by hand: `DIRECTORY MILLISECONDS PROGRAM ARGUMENT…` runs a program, keeps what it counts in a
//! directory, reads all processes that often, and ends as the program did. Processes that it leaves behind are waited for.
#![allow(clippy::unwrap_used, reason = "a test's program that cannot go on has failed")]

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
fn main() {
    use podcov_supervised_capture::{Descendants, Settings, Signals, run};

    let signals = Signals::take().unwrap();
    let mut words = std::env::args_os().skip(1);
    let settings = Settings {
        directory: words.next().unwrap().into(),
        interval: std::time::Duration::from_millis(words.next().unwrap().to_str().unwrap().parse().unwrap()),
        descendants: Descendants::WaitFor,
        program_ends_with_supervisor: false,
    };
    let mut command = std::process::Command::new(words.next().unwrap());
    command.args(words);
    run(command, settings, signals, |message| eprintln!("{message}")).unwrap().imitate();
}
