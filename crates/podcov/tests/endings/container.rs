//! A program in a container, alone or below the agent, which then is the main process: another user, no privileges,
//! nothing that can be written but the volumes, and nothing in the image but, for shells, what this machine has.

use std::fs::{self, Permissions};
use std::io::{Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::SystemTime;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use podcov_agent_protocol::{AGENT_EXECUTABLE, CONTAINER_DIRECTORY, LATEST_DIRECTORY};
use podcov_supervised_capture::recover;
use podcov_wait as wait;
use tempfile::TempDir;

use crate::builds::Build;
use crate::counts::{self, Ledger};
use crate::endings::{Action, Ending};
use crate::seen::Seen;

const PROGRAM: &str = "/program";
const LEDGER: &str = "/ledger";
const USER: &str = "--user=65532:65532";
/// One program takes it all; a stack that is too large takes less.
const MEMORY: [&str; 2] = ["--memory=128m", "--memory-swap=128m"];
/// Where a shell and its libraries are.
const OF_THIS_MACHINE: [&str; 4] = ["/bin", "/lib", "/lib64", "/usr"];
/// Less than the whole interval between two readings, and time enough for the program to say that it got the signal.
const GRACE_SECONDS: &str = "2";

/// Why no containers can be tried here; none where they can.
pub fn obstacle() -> Option<&'static str> {
    let engine = Command::new("docker").args(["info", "--format", "{{.ServerVersion}}"]).output();
    if !engine.is_ok_and(|output| output.status.success()) {
        return Some("no container engine answers to `docker info`");
    }
    (!geteuid().is_root()).then_some("processes of containers can be killed by root only")
}

/// As it is without podcov.
pub fn alone(ending: &Ending, build: Build) -> Seen {
    let container = Container::run(ending, build, &[&format!("--env=GOCOVERDIR={CONTAINER_DIRECTORY}")], &[]);
    let code = container.end(ending, false);
    container.seen(code, build)
}

/// Below the agent.
pub fn below_agent(ending: &Ending, build: Build) -> Seen {
    let mount = format!("--volume={}:{AGENT_EXECUTABLE}:ro", agent().display());
    let container = Container::run(ending, build, &[&mount], &[AGENT_EXECUTABLE, "supervise", "--"]);
    let code = container.end(ending, true);
    recover(container.data.path());
    container.seen(code, build)
}

/// Removed with its value.
struct Container {
    id: String,
    data: TempDir,
    ledger: TempDir,
}

impl Container {
    fn run(ending: &Ending, build: Build, flags: &[&str], main_process: &[&str]) -> Self {
        let [data, ledger] = [(); 2].map(|()| {
            let directory = tempfile::tempdir().unwrap();
            fs::set_permissions(directory.path(), Permissions::from_mode(0o777)).unwrap();
            directory
        });
        let executable = build.executable(ending.covered);
        let mut run = Command::new("docker");
        run.args(["run", "--detach", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"]);
        run.args(["--network=none", USER]).args(MEMORY);
        let volumes = [
            (executable.as_path(), PROGRAM, ":ro"),
            (data.path(), CONTAINER_DIRECTORY, ""),
            (ledger.path(), LEDGER, ""),
        ];
        for (here, there, how) in volumes {
            run.arg(format!("--volume={}:{there}{how}", here.display()));
        }
        for directory in OF_THIS_MACHINE.into_iter().filter(|directory| Path::new(directory).exists()) {
            run.arg(format!("--volume={directory}:{directory}:ro"));
        }
        run.arg(format!("--env=LEDGER={LEDGER}")).args(flags).arg(image()).args(main_process);
        let id = text(run.args(ending.command(PROGRAM)));
        Self { id, data, ledger }
    }

    /// Does what the ending wants, and waits for its end.
    fn end(&self, ending: &Ending, is_supervised: bool) -> i32 {
        match ending.action {
            Action::Nothing => {}
            Action::Signal(signal) => {
                self.until_ready(1);
                self.docker(&["kill", "--signal", signal.as_str()]);
            }
            Action::Kill => {
                self.until_ready(1);
                let program =
                    if is_supervised { only_child(self.main_process()) } else { self.main_process() };
                kill(program, Signal::SIGKILL).unwrap();
            }
            Action::Drain => {
                self.until_ready(1);
                self.docker(&["stop", "--time", GRACE_SECONDS]);
                // It got so far within the grace period.
                self.until_ready(2);
            }
            Action::KillAll => {
                self.until_ready(1);
                if is_supervised {
                    self.until_read_again();
                }
                self.docker(&["kill", "--signal", "SIGKILL"]);
            }
        }
        wait::until("the container has ended", || self.inspect("{{.State.Running}}") == "false");
        self.inspect("{{.State.ExitCode}}").parse().unwrap()
    }

    fn seen(&self, code: i32, build: Build) -> Seen {
        let profile = counts::profile(self.data.path());
        Seen {
            kept: counts::compare(profile.as_deref(), &Ledger::read(self.ledger.path()), build.mode),
            code,
        }
    }

    fn until_ready(&self, times: usize) {
        wait::until("the program in the container is ready", || {
            let output = Command::new("docker").args(["logs", &self.id]).output().unwrap();
            String::from_utf8_lossy(&output.stdout).matches("ready\n").count() >= times
        });
    }

    /// The agent reads all processes every few seconds. Waits for a reading that begins from now on.
    fn until_read_again(&self) {
        let latest = self.data.path().join(LATEST_DIRECTORY);
        // The first time, by one that may have begun before.
        for _ in 0..2 {
            let now = SystemTime::now();
            wait::until("all processes are read again", || {
                let files = fs::read_dir(&latest).into_iter().flatten().flatten();
                // They come after the records of the processes.
                let is_counters = |name: &str| name.starts_with("covcounters.");
                let mut counters = files.filter(|file| file.file_name().to_str().is_some_and(is_counters));
                counters
                    .any(|file| file.metadata().and_then(|file| file.modified()).is_ok_and(|time| time > now))
            });
        }
    }

    fn main_process(&self) -> Pid {
        Pid::from_raw(self.inspect("{{.State.Pid}}").parse().unwrap())
    }

    fn inspect(&self, format: &str) -> String {
        self.docker(&["inspect", "--format", format])
    }

    fn docker(&self, words: &[&str]) -> String {
        text(Command::new("docker").args(words).arg(&self.id))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rm", "--force", &self.id]).output();
    }
}

fn only_child(parent: Pid) -> Pid {
    wait::until_some("a process below the agent", || {
        // Whichever of its threads has started it.
        fs::read_dir(format!("/proc/{parent}/task")).ok()?.flatten().find_map(|thread| {
            fs::read_to_string(thread.path().join("children")).ok()?.trim().parse().ok().map(Pid::from_raw)
        })
    })
}

/// The agent that podcov carries, where every user may execute it.
fn agent() -> &'static Path {
    static AGENT: OnceLock<PathBuf> = OnceLock::new();
    AGENT.get_or_init(|| {
        let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
        let agent = Path::new(env!("CARGO_TARGET_TMPDIR")).join("agent-of-endings");
        // By another process: a file that this one writes could not be executed while any test forks.
        text(Command::new("install").arg("--mode=0555").arg(carried_agent(architecture)).arg(&agent));
        agent
    })
}

/// As podcov's build left it.
pub fn carried_agent(architecture: &str) -> PathBuf {
    Path::new(env!("OUT_DIR")).join(format!("agent-{architecture}"))
}

/// An image with nothing in it. It stays, as what the cache of a build does.
fn image() -> &'static str {
    const NAME: &str = "podcov-test-nothing:latest";
    static IMAGE: OnceLock<()> = OnceLock::new();
    IMAGE.get_or_init(|| {
        // Two blocks of zeros are a tar archive without entries.
        let mut archive = tempfile::tempfile().unwrap();
        archive.write_all(&[0; 1024]).unwrap();
        archive.rewind().unwrap();
        text(Command::new("docker").args(["import", "-", NAME]).stdin(Stdio::from(archive)));
    });
    NAME
}

/// What a command that succeeds prints.
pub fn text(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
