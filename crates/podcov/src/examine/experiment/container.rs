//! In a container of the engine of this machine: the image as it is, with its user and without privileges.

use std::process::{Command, Stdio};
use std::time::Instant;

use podcov_doctor::facts::running_workload::ContainerFacts;

use super::{Ended, LOOK_INTERVAL, RUN, Subject, fresh_directory};

/// Where the fresh directory is in it.
const DIRECTORY: &str = "/podcov-trial";

/// Removed with its value.
struct Container {
    engine: &'static str,
    id: String,
}

impl Drop for Container {
    fn drop(&mut self) {
        let mut command = Command::new(self.engine);
        command.args(["rm", "--force", "--volumes", &self.id]);
        let _ = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

/// Runs an image of the engine for a while, and tells it to end.
pub fn run(image: &str, subject: &Subject) -> Result<ContainerFacts, String> {
    let directory = fresh_directory()?;
    let engine = ["docker", "podman"].into_iter().find(|engine| which::which(engine).is_ok());
    let engine = engine.ok_or("there is neither docker nor podman on the PATH")?;
    let mut command = Command::new(engine);
    command.args(["run", "--detach", "--pull", "never", "--security-opt", "no-new-privileges", "--volume"]);
    command.arg(format!("{}:{DIRECTORY}", directory.path().display()));
    for (name, value) in &subject.environment {
        command.arg("--env").arg(format!("{name}={value}"));
    }
    command.arg("--env").arg(format!("GOCOVERDIR={DIRECTORY}"));
    let mut words = subject.command.iter().chain(&subject.args);
    if !subject.command.is_empty() {
        command.arg("--entrypoint").args(words.next());
    }
    let id = output(command.arg(image).args(words))?;
    let container = Container { engine, id: id.trim().to_owned() };
    let deadline = Instant::now() + RUN;
    while container.state("{{.State.Running}}")? == "true" && Instant::now() < deadline {
        std::thread::sleep(LOOK_INTERVAL);
    }
    let asked = Instant::now();
    let is_running = container.state("{{.State.Running}}")? == "true";
    if is_running {
        let grace = subject.grace.as_secs().to_string();
        output(Command::new(engine).args(["stop", "--time", &grace, &container.id]))?;
    }
    let took = i64::try_from(asked.elapsed().as_secs()).ok().filter(|_| is_running);
    let exit_code = container.state("{{.State.ExitCode}}")?;
    let is_out_of_memory = container.state("{{.State.OOMKilled}}")? == "true";
    let ended = Ended {
        exit_code: exit_code.parse().map_err(|_| format!("{exit_code} is no exit code"))?,
        reason: if is_out_of_memory { "OOMKilled".to_owned() } else { String::new() },
        seconds_after_request: took,
        log: container.log()?,
    };
    Ok(subject.facts(&ended, directory.path()))
}

impl Container {
    fn state(&self, format: &str) -> Result<String, String> {
        let text = output(Command::new(self.engine).args(["inspect", "--format", format, &self.id]))?;
        Ok(text.trim().to_owned())
    }

    fn log(&self) -> Result<String, String> {
        let logs = Command::new(self.engine)
            .args(["logs", "--tail", "2000", &self.id])
            .stdin(Stdio::null())
            .output();
        let logs = logs.map_err(|error| error.to_string())?;
        Ok(String::from_utf8_lossy(&logs.stderr).into_owned())
    }
}

fn output(command: &mut Command) -> Result<String, String> {
    let result = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    if result.status.success() {
        return Ok(String::from_utf8_lossy(&result.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&result.stderr).trim().to_owned())
}
