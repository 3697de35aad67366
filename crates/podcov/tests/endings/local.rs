//! A program on this machine, alone or below `podcov exec`.

use std::fs;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use podcov_wait as wait;

use crate::builds::Build;
use crate::counts::{self, Ledger};
use crate::endings::{Action, Ending};
use crate::place::{Place, Running, runs};
use crate::seen::Seen;

/// As it is without podcov: its data are where GOCOVERDIR says.
pub fn alone(ending: &Ending, build: Build) -> Seen {
    let place = Place::new();
    let data = place.path("data");
    fs::create_dir(&data).unwrap();
    let words = ending.command(build.executable(ending.covered).to_str().unwrap());
    // What starts programs in tests takes the variable away.
    let mut command = with_all_signals();
    command.arg(format!("GOCOVERDIR={}", data.display())).args(words);
    let code = end(&place, command, ending);
    let kept = counts::compare(counts::profile(&data).as_deref(), &ledger(&place), build.mode);
    Seen { kept, code }
}

/// Below podcov, whose own profile is what counts.
pub fn below_podcov(ending: &Ending, build: Build) -> Seen {
    let place = Place::new();
    let words = ending.command(build.executable(ending.covered).to_str().unwrap());
    let mut command = with_all_signals();
    command.args([env!("CARGO_BIN_EXE_podcov"), "exec", "--allow-incomplete", "--"]).args(words);
    command.current_dir(place.path(""));
    let code = end(&place, command, ending);
    let profile = fs::read_to_string(place.path("coverage/coverage.txt")).ok();
    let kept = counts::compare(profile.as_deref(), &ledger(&place), build.mode);
    Seen { kept, code }
}

/// Starts what its arguments say, also where these tests run in the background: a shell lets that ignore some signals.
fn with_all_signals() -> Command {
    let mut command = Command::new("env");
    command.arg("--default-signal=INT,QUIT");
    command
}

fn ledger(place: &Place) -> Ledger {
    Ledger::read(&place.path("ledger"))
}

/// Starts it, does what the ending wants, and waits for its end.
fn end(place: &Place, mut command: Command, ending: &Ending) -> i32 {
    fs::create_dir(place.path("ledger")).unwrap();
    command.env("LEDGER", place.path("ledger")).stdin(Stdio::null());
    let running = place.start_command(command);
    match ending.action {
        Action::Nothing => {}
        Action::Signal(signal) => {
            until_ready(&running, 1);
            running.signal(signal);
        }
        Action::Kill => {
            until_ready(&running, 1);
            kill_program(place);
        }
        Action::Drain => {
            until_ready(&running, 1);
            running.signal(Signal::SIGTERM);
            until_ready(&running, 2);
            kill_program(place);
        }
        Action::KillAll => unreachable!("in containers only"),
    }
    let code = running.end().code;
    wait::until("every process of the program has ended", || {
        processes(place).into_iter().all(|process| !runs(process))
    });
    code
}

fn until_ready(running: &Running, times: usize) {
    wait::until("the program is ready", || running.output().matches("ready\n").count() >= times);
}

/// The one that was started first.
fn kill_program(place: &Place) {
    let first = processes(place).into_iter().min().unwrap();
    kill(Pid::from_raw(first), Signal::SIGKILL).unwrap();
}

/// Those that have counted: each has a file of its number.
fn processes(place: &Place) -> Vec<i32> {
    let names = fs::read_dir(place.path("ledger")).unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.to_str().unwrap().rsplit_once('.').unwrap().1.parse().unwrap()).collect()
}
