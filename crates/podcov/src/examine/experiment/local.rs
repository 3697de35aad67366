//! On this machine: the program alone.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use podcov_doctor::facts::running_workload::ContainerFacts;

use super::{Ended, LOOK_INTERVAL, RUN, STOPPED, Subject, fresh_directory};
use crate::interrupt::Interrupt;

/// Ends with its value, if it has not ended.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs it for a while, and tells it to end.
pub fn run(program: &Path, subject: &Subject, interrupt: &Interrupt) -> Result<ContainerFacts, String> {
    let directory = fresh_directory()?;
    let place = fresh_directory()?;
    let log = place.path().join("log");
    let output = std::fs::File::create(&log).map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    let words = subject.command.iter().skip(1).chain(&subject.args);
    command.args(words).envs(subject.environment.iter().cloned()).env("GOCOVERDIR", directory.path());
    command.current_dir(place.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(output);
    let child = command.spawn().map_err(|error| format!("cannot start it: {error}"))?;
    let mut child = Program(child);
    let (status, took) = if let Some(status) = wait(&mut child, RUN, interrupt)? {
        (status, None)
    } else {
        let asked = Instant::now();
        ask_to_end(&child.0)?;
        let status = match wait(&mut child, subject.grace, interrupt)? {
            Some(status) => status,
            None => child.0.kill().and_then(|()| child.0.wait()).map_err(|error| error.to_string())?,
        };
        (status, i64::try_from(asked.elapsed().as_secs()).ok())
    };
    let log = std::fs::read(&log).map_err(|error| error.to_string())?;
    let ended = Ended {
        exit_code: code(status),
        reason: String::new(),
        seconds_after_request: took,
        log: String::from_utf8_lossy(&log).into_owned(),
    };
    Ok(subject.facts(&ended, directory.path()))
}

fn wait(
    program: &mut Program,
    patience: Duration,
    interrupt: &Interrupt,
) -> Result<Option<ExitStatus>, String> {
    let deadline = Instant::now() + patience;
    loop {
        if interrupt.is_requested() {
            return Err(STOPPED.to_owned());
        }
        let status = program.0.try_wait().map_err(|error| error.to_string())?;
        if status.is_some() || Instant::now() >= deadline {
            return Ok(status);
        }
        std::thread::sleep(LOOK_INTERVAL);
    }
}

#[cfg(unix)]
fn ask_to_end(child: &Child) -> Result<(), String> {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    let process = i32::try_from(child.id()).map_err(|error| error.to_string())?;
    kill(Pid::from_raw(process), Signal::SIGTERM).map_err(|error| error.to_string())
}

#[cfg(not(unix))]
fn ask_to_end(_child: &Child) -> Result<(), String> {
    Err("only Unix has SIGTERM".to_owned())
}

#[cfg(unix)]
fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;

    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

#[cfg(not(unix))]
fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or(0)
}
