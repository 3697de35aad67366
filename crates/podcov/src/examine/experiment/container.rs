//! In a container of the engine of this machine: the image as it is, with its user and without privileges.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use podcov_doctor::facts::running_workload::ContainerFacts;

use super::engine::{LABEL, engine, output, silently};
use super::trial_name::TrialName;
use super::{Ended, LOOK_INTERVAL, RUN, STOPPED, Subject, fresh_directory};
use crate::interrupt::Interrupt;

/// Where the fresh directory is in it.
const DIRECTORY: &str = "/podcov-trial";

/// Of the names.
const PREFIX: &str = "podcov-trial-";

/// Removed with its value.
struct Container {
    engine: &'static str,
    name: TrialName,
}

impl Drop for Container {
    fn drop(&mut self) {
        silently(Command::new(self.engine).args(["rm", "--force", "--volumes", self.name.as_str()]));
    }
}

/// Runs an image of the engine for a while, and tells it to end.
pub fn run(image: &str, subject: &Subject, interrupt: &Interrupt) -> Result<ContainerFacts, String> {
    let directory = fresh_directory()?;
    let engine = engine()?;
    // It has its name before it is there: whoever stops podcov in between leaves nothing.
    let container = Container { engine, name: TrialName::new(PREFIX)? };
    let mut command = Command::new(engine);
    command.args(["run", "--detach", "--pull", "never", "--security-opt", "no-new-privileges"]);
    command.args(["--name", container.name.as_str(), "--label", LABEL, "--volume"]);
    command.arg(format!("{}:{DIRECTORY}", directory.path().display()));
    for (name, value) in &subject.environment {
        command.arg("--env").arg(format!("{name}={value}"));
    }
    command.arg("--env").arg(format!("GOCOVERDIR={DIRECTORY}"));
    let mut words = subject.command.iter().chain(&subject.args);
    if !subject.command.is_empty() {
        command.arg("--entrypoint").args(words.next());
    }
    output(command.arg(image).args(words))?;
    container.runs_for(RUN, interrupt)?;
    let asked = Instant::now();
    let is_running = container.is_running()?;
    if is_running {
        let own = container.state("{{.Config.StopSignal}}")?;
        let signal = if own.is_empty() { "TERM" } else { &own };
        output(Command::new(engine).args(["kill", "--signal", signal, container.name.as_str()]))?;
        container.runs_for(subject.grace, interrupt)?;
        if container.is_running()? {
            output(Command::new(engine).args(["kill", container.name.as_str()]))?;
        }
    }
    let took = i64::try_from(asked.elapsed().as_secs()).ok().filter(|_| is_running);
    let exit_code = output(Command::new(engine).args(["wait", container.name.as_str()]))?;
    let is_out_of_memory = container.state("{{.State.OOMKilled}}")? == "true";
    let ended = Ended {
        exit_code: exit_code.trim().parse().map_err(|_| format!("{exit_code} is no exit code"))?,
        reason: if is_out_of_memory { "OOMKilled".to_owned() } else { String::new() },
        seconds_after_request: took,
        log: container.log()?,
    };
    Ok(subject.facts(&ended, directory.path()))
}

/// Removes containers that podcovs of this machine have left which were killed. Returns their names.
pub fn remove_abandoned(engine: &'static str) -> Vec<String> {
    let filter = format!("label={LABEL}");
    let list = ["ps", "--all", "--filter", &filter, "--format", "{{.Names}}"];
    let names = output(Command::new(engine).args(list)).unwrap_or_default();
    let abandoned = names.lines().filter_map(|name| TrialName::abandoned(PREFIX, name));
    abandoned
        .map(|name| Container { engine, name })
        .map(|it| format!("container {}", it.name.as_str()))
        .collect()
}

impl Container {
    /// Returns as soon as it has ended.
    fn runs_for(&self, patience: Duration, interrupt: &Interrupt) -> Result<(), String> {
        let deadline = Instant::now() + patience;
        while self.is_running()? && Instant::now() < deadline {
            if interrupt.is_requested() {
                return Err(STOPPED.to_owned());
            }
            std::thread::sleep(LOOK_INTERVAL);
        }
        Ok(())
    }

    fn is_running(&self) -> Result<bool, String> {
        Ok(self.state("{{.State.Running}}")? == "true")
    }

    fn state(&self, format: &str) -> Result<String, String> {
        let text =
            output(Command::new(self.engine).args(["inspect", "--format", format, self.name.as_str()]))?;
        Ok(text.trim().to_owned())
    }

    fn log(&self) -> Result<String, String> {
        let logs = Command::new(self.engine)
            .args(["logs", "--tail", "2000", self.name.as_str()])
            .stdin(Stdio::null())
            .output();
        let logs = logs.map_err(|error| error.to_string())?;
        Ok(String::from_utf8_lossy(&logs.stderr).into_owned())
    }
}
