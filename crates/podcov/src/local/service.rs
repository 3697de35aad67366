//! One service: read from its command line, started in a process group of its own, and stopped.
//!
//! Owns its processes. A group of its own keeps Ctrl-C away from it, so that it is stopped after the tests and
//! not with them, and lets a wrapper's children be stopped with it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use podcov_report::run::Origin;
use tokio::sync::watch;

use super::capture::Program;
use super::launch::{self, Role};
use crate::error::CommandError;
use crate::interrupt::Interrupt;
use crate::run_directory::RunDirectory;
use crate::test_command::{find_program, program_name, shell_exit_code};

/// A service that can be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Short, and unique in the run.
    pub name: String,
    pub environment: Vec<(String, String)>,
    /// Program and arguments.
    pub words: Vec<String>,
}

/// A service that was started.
#[derive(Debug)]
pub struct Service {
    pub program: Program,
    /// Its standard output and error.
    pub log: PathBuf,
    /// The user was told that it ended.
    pub end_is_known: bool,
    /// Of what started its program, which leads the group.
    pub process_id: u32,
}

/// How a process came to its end.
#[derive(Clone, Copy, Debug)]
pub struct Ending {
    /// None when it could not be learnt.
    pub status: Option<ExitStatus>,
    /// It ran until it was asked to end.
    pub was_asked: bool,
    /// It was not given the time to end by itself.
    pub forced: Option<Forced>,
}

/// Why a process was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forced {
    /// It ran on for this long after it was asked to end.
    Deadline(Duration),
    /// The user asked a second time.
    User,
}

/// The tail of a log: enough to see why a service ended.
pub fn log_tail(log: &Path) -> String {
    const LINES: usize = 20;
    const BYTES: i64 = 16 * 1024;
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        if length > BYTES.unsigned_abs() {
            file.seek(SeekFrom::End(-BYTES))?;
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let text = String::from_utf8_lossy(&read().unwrap_or_default()).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

/// Reads the values of --exec and finds their programs; nothing is started.
pub fn plans(commands: &[String]) -> Result<Vec<Plan>, CommandError> {
    let mut plans: Vec<Plan> = Vec::new();
    for command in commands {
        let mut plan = plan(command)?;
        let taken = |name: &str| plans.iter().any(|other| other.name == name);
        if taken(&plan.name) {
            let numbered = (2..).map(|number| format!("{}-{number}", plan.name));
            plan.name = numbered.into_iter().find(|name| !taken(name)).unwrap_or_default();
        }
        plans.push(plan);
    }
    Ok(plans)
}

fn plan(command: &str) -> Result<Plan, CommandError> {
    let mut words = shlex::split(command).ok_or_else(|| {
        CommandError::usage(format!("--exec {command:?} ends within quotes or after a backslash"))
    })?;
    let assignments = words.iter().take_while(|word| assignment(word).is_some()).count();
    let program_and_arguments = words.split_off(assignments);
    let environment = words.iter().filter_map(|word| assignment(word)).collect();
    let Some(program) = program_and_arguments.first() else {
        return Err(CommandError::usage(format!("--exec {command:?} names no program")));
    };
    find_program(program)?;
    Ok(Plan { name: program_name(program), environment, words: program_and_arguments })
}

/// `NAME=VALUE`, as shells take it before a command.
fn assignment(word: &str) -> Option<(String, String)> {
    let (name, value) = word.split_once('=')?;
    let is_name = |name: &str| {
        !name.is_empty()
            && !name.starts_with(|first: char| first.is_ascii_digit())
            && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
    };
    is_name(name).then(|| (name.to_owned(), value.to_owned()))
}

impl Service {
    /// Starts it, with a covdata directory of its own.
    pub fn start(plan: Plan, run: &RunDirectory) -> Result<Self, CommandError> {
        let directory = run.program_directory(&plan.name)?;
        let log = run.log_file(&plan.name)?;
        let failed = |what: &str, error: std::io::Error| {
            CommandError::failure(format!("cannot {what} {}", plan.name)).caused_by(error)
        };
        // A service may change its working directory, and Go looks GOCOVERDIR up at each write.
        let absolute = std::path::absolute(&directory).map_err(|error| failed("find data of", error))?;
        let output = File::create(&log).map_err(|error| failed("write the log of", error))?;
        let errors = output.try_clone().map_err(|error| failed("write the log of", error))?;
        let mut command = launch::command(Role::Service, plan.words[0].as_ref(), &plan.words[1..]);
        command
            .envs(plan.environment.iter().map(|(name, value)| (name, value)))
            .env("GOCOVERDIR", absolute)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(|error| failed("start", error))?;
        let process_id = child.id().unwrap_or_default();
        let (sender, status) = watch::channel(None);
        tokio::spawn(async move {
            if let Ok(status) = child.wait().await {
                sender.send_replace(Some(status));
            }
        });
        let origin = Origin::Local { name: plan.name, command: plan.words };
        let program = Program { origin, directory, status };
        Ok(Self { program, log, end_is_known: false, process_id })
    }

    /// What the user calls it.
    pub fn name(&self) -> &str {
        self.program.name()
    }

    /// How it ended; none while it runs.
    pub fn status(&self) -> Option<ExitStatus> {
        self.program.status()
    }

    /// Waits for its end.
    pub async fn ended(&self) {
        // An error says that nobody waits for it any more, which happens after its end only.
        let _ = self.program.status.clone().wait_for(Option::is_some).await;
    }

    async fn stop(&self, timeout: Duration, interrupt: &Interrupt) -> Ending {
        let was_asked = self.status().is_none();
        // A first request to stop is being followed here already; another one means at once.
        let followed = interrupt.requests().max(1);
        self.group(GroupSignal::Terminate);
        let all_ended = async {
            self.ended().await;
            while self.group(GroupSignal::Look) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let forced = tokio::select! {
            () = all_ended => None,
            () = tokio::time::sleep(timeout) => Some(Forced::Deadline(timeout)),
            _ = interrupt.request(followed) => Some(Forced::User),
        };
        if forced.is_some() {
            // A process may be started while others are killed.
            while self.group(GroupSignal::Kill) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            self.ended().await;
        }
        Ending { status: self.status(), was_asked, forced }
    }

    /// Signals all processes of its group; tells whether there are any.
    #[cfg(unix)]
    fn group(&self, signal: GroupSignal) -> bool {
        use nix::sys::signal::{Signal, killpg};
        use nix::sys::wait::{WaitPidFlag, waitpid};
        use nix::unistd::Pid;

        let Some(group) = i32::try_from(self.process_id).ok().filter(|id| *id > 1).map(Pid::from_raw) else {
            return false;
        };
        if self.status().is_some() {
            // Children of the service that outlived it are ours to reap where we are the subreaper.
            while waitpid(Pid::from_raw(-group.as_raw()), Some(WaitPidFlag::WNOHANG))
                .is_ok_and(|status| status.pid().is_some())
            {}
        }
        let signal = match signal {
            GroupSignal::Look => None,
            GroupSignal::Terminate => Some(Signal::SIGTERM),
            GroupSignal::Kill if cfg!(target_os = "linux") => return kill_supervised(group),
            GroupSignal::Kill => Some(Signal::SIGKILL),
        };
        killpg(group, signal).is_ok()
    }

    #[cfg(windows)]
    fn group(&self, _signal: GroupSignal) -> bool {
        false
    }
}

/// Kills all processes of a group but its leader, which reads what they have counted, and then ends by itself.
#[cfg(unix)]
fn kill_supervised(leader: nix::unistd::Pid) -> bool {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::{Pid, getpgid};

    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).map(Pid::from_raw);
    let members = processes.filter(|process| *process != leader && getpgid(Some(*process)) == Ok(leader));
    members.filter(|process| kill(*process, Signal::SIGKILL).is_ok()).count() > 0
}

#[derive(Clone, Copy)]
enum GroupSignal {
    Look,
    Terminate,
    Kill,
}

/// Lets children of services that outlive their parent become podcov's, so that their end can be seen.
pub fn adopt_orphans() {
    // Where this is refused, a wrapper's children are waited for by their group alone.
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_child_subreaper(true);
}

/// Whether processes that were started here still run, after their parent has ended.
#[cfg(target_os = "linux")]
pub fn children_are_left() -> bool {
    use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => return true,
            Ok(_) => {}
            // Usually: there are none.
            Err(_) => return false,
        }
    }
}

/// Elsewhere it cannot be known, and data is left where a child may still write to.
#[cfg(not(target_os = "linux"))]
pub fn children_are_left() -> bool {
    true
}

/// Stops all of them at once.
pub async fn stop_all(services: &[Service], timeout: Duration, interrupt: &Interrupt) -> Vec<Ending> {
    join_all(services.iter().map(|service| service.stop(timeout, interrupt))).await
}

/// The next service that ends without the user knowing; waits for ever when there is none.
pub async fn next_end(services: &[Service]) -> usize {
    let watched = services.iter().enumerate().filter(|(_, service)| !service.end_is_known);
    let mut ends: FuturesUnordered<_> = watched
        .map(|(index, service)| async move {
            service.ended().await;
            index
        })
        .collect();
    match ends.next().await {
        Some(index) => index,
        None => std::future::pending().await,
    }
}

/// `api, worker`.
pub fn names(services: &[Service]) -> String {
    let names: Vec<&str> = services.iter().map(Service::name).collect();
    names.join(", ")
}

/// `exit code 2`, `SIGKILL`.
pub fn ending(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let name = nix::sys::signal::Signal::try_from(signal).map(nix::sys::signal::Signal::as_str);
        return name.map_or_else(|_| format!("signal {signal}"), str::to_owned);
    }
    format!("exit code {}", shell_exit_code(status))
}
