//! As in a pod: process 1, no privileges, nothing in the image, and the packed agent that podcov carries.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use podcov_agent_protocol::{AGENT_DIRECTORY, AGENT_EXECUTABLE, SIDECAR_DATA_DIRECTORY, ToAgent};
use podcov_wait as wait;
use tempfile::TempDir;

use crate::go_program;
use crate::keeper::{AGENT, FAR_DEADLINE, Keeper, data_flag, files_on_volume, keep_arguments};
use crate::reader::Reader;

#[path = "../../../podcov/build/agent.rs"]
#[allow(dead_code, reason = "the build script uses the rest")]
mod agent_build;

/// The user of distroless images.
const USER: u32 = 65532;

/// Says on standard error, past the test harness, that a test was not run.
pub fn skip(test: &str, reason: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {reason}");
}

#[test]
fn as_process_1_it_hears_the_kubelet() {
    const TEST: &str = "as_process_1_it_hears_the_kubelet";
    if !geteuid().is_root() {
        return skip(TEST, "a new process namespace needs root");
    }
    let volume = tempfile::tempdir().unwrap();
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--mount-proc", AGENT]);
    command.args(keep_arguments(volume.path(), FAR_DEADLINE, &["api"]));
    let mut keeper = Keeper::spawn(command, volume.path());
    let process_1 = only_child(keeper.process_id());
    let status = fs::read_to_string(format!("/proc/{process_1}/status")).unwrap();
    let ids = status.lines().find(|line| line.starts_with("NSpid:")).unwrap();
    assert!(ids.ends_with("\t1"), "{ids}");

    go_program::run(&keeper.directory("api"));
    let mut reader = keeper.attach();
    reader.until_files(2);
    kill(process_1, Signal::SIGTERM).unwrap();
    reader.until_ended();
    reader.say(&ToAgent::Done);
    keeper.exit_successfully();
}

#[test]
fn the_packed_agent_runs_without_privileges() {
    let volume = tempfile::tempdir().unwrap();
    let agent = PackedAgent::new();
    let mut keep = unprivileged(&agent.path());
    keep.args(keep_arguments(volume.path(), FAR_DEADLINE, &["api"]));
    fs::set_permissions(volume.path(), Permissions::from_mode(0o777)).unwrap();
    let mut keeper = Keeper::spawn(keep, volume.path());
    go_program::run(&keeper.directory("api"));

    let mut reader = Reader::attach(unprivileged(&agent.path()).arg("attach").arg(data_flag(volume.path())));
    reader.until_files(2);
    keeper.terminate();
    reader.until_ended();
    assert_eq!(reader.files, files_on_volume(volume.path(), &["api"]));
    reader.say(&ToAgent::Done);
    keeper.exit_successfully();
    reader.exit_successfully();
}

#[test]
fn the_packed_agent_passes_on_its_exit_code() {
    let agent = PackedAgent::new();
    let output = Command::new(agent.path()).arg("--loud").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let output = Command::new(agent.path()).arg("--version").output().unwrap();
    let expected = format!("podcov-agent {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}

#[test]
fn the_packed_agent_runs_in_an_empty_image() {
    const TEST: &str = "the_packed_agent_runs_in_an_empty_image";
    let engine = Command::new("docker").args(["info", "--format", "{{.ServerVersion}}"]).output();
    if !engine.is_ok_and(|output| output.status.success()) {
        return skip(TEST, "no container engine answers to `docker info`");
    }
    let volume = tempfile::tempdir().unwrap();
    fs::set_permissions(volume.path(), Permissions::from_mode(0o777)).unwrap();
    let image = EmptyImage::import();
    let agent = PackedAgent::new();
    let container = Container::run(&[
        "--read-only",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        "--network=none",
        &format!("--user={USER}:{USER}"),
        &format!("--volume={}:{AGENT_DIRECTORY}:ro", agent.directory().display()),
        &format!("--volume={}:{SIDECAR_DATA_DIRECTORY}", volume.path().display()),
        &image.0,
        AGENT_EXECUTABLE,
        "keep",
        &format!("--deadline-seconds={FAR_DEADLINE}"),
        "api",
    ]);
    let mut reader =
        Reader::attach(Command::new("docker").args(["exec", "-i", &container.0, AGENT_EXECUTABLE, "attach"]));
    reader.until("the greeting", |reader| reader.up_to_date);
    go_program::run(&volume.path().join("api"));
    reader.until_files(2);
    docker(&["kill", "--signal=TERM", &container.0]);
    reader.until_ended();
    assert_eq!(reader.files, files_on_volume(volume.path(), &["api"]));
    reader.say(&ToAgent::Done);
    assert_eq!(docker(&["wait", &container.0]), "0", "{}", docker(&["logs", &container.0]));
}

/// The agent as podcov carries it, readable and executable by everybody as a ConfigMap's file is.
struct PackedAgent(TempDir);

impl PackedAgent {
    fn new() -> Self {
        static BUILT: OnceLock<PathBuf> = OnceLock::new();
        let built = BUILT.get_or_init(|| {
            let native = agent_build::ARCHITECTURES.into_iter().find(|architecture| architecture.is_native());
            let native = native.expect("an architecture that pods run on");
            let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
            agent_build::build(native, directory).unwrap_or_else(|problem| panic!("{}", problem.0))
        });
        // Not in the target directory, which may be closed to other users.
        let agent = Self(tempfile::tempdir().unwrap());
        fs::set_permissions(agent.directory(), Permissions::from_mode(0o755)).unwrap();
        // By another process: a file that this one writes could not be executed while any test forks.
        let mut install = Command::new("install");
        install.arg("--mode=0555").arg(built).arg(agent.path());
        assert!(install.status().unwrap().success(), "{install:?}");
        agent
    }

    fn directory(&self) -> &Path {
        self.0.path()
    }

    fn path(&self) -> PathBuf {
        self.directory().join("agent")
    }
}

fn unprivileged(program: &Path) -> Command {
    let mut command = Command::new(program);
    if geteuid().is_root() {
        command.uid(USER).gid(USER);
    }
    command.env_clear();
    command
}

fn only_child(parent: u32) -> Pid {
    let path = format!("/proc/{parent}/task/{parent}/children");
    wait::until_some("a child process", || {
        fs::read_to_string(&path).ok()?.trim().parse().ok().map(Pid::from_raw)
    })
}

fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().unwrap();
    text_of(&output, &format!("docker {}", arguments.join(" ")))
}

fn text_of(output: &Output, what: &str) -> String {
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// An image with nothing in it, removed with its value.
struct EmptyImage(String);

impl EmptyImage {
    fn import() -> Self {
        /// Two blocks of zeros are a tar archive without entries.
        const EMPTY_ARCHIVE: [u8; 1024] = [0; 1024];
        let mut import = Command::new("docker");
        let mut import =
            import.args(["import", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        import.stdin.take().unwrap().write_all(&EMPTY_ARCHIVE).unwrap();
        Self(text_of(&import.wait_with_output().unwrap(), "docker import"))
    }
}

impl Drop for EmptyImage {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rmi", "--force", &self.0]).output();
    }
}

/// A container, removed with its value.
struct Container(String);

impl Container {
    fn run(arguments: &[&str]) -> Self {
        Self(docker(&[["run", "--detach"].as_slice(), arguments].concat()))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rm", "--force", &self.0]).output();
    }
}
