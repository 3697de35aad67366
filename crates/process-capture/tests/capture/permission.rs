//! Who may read whom, and what is said to who may not.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use podcov_go_programs::Covered;
use podcov_process_capture::{Process, ProcessId};

use crate::live::{Live, executable, install, program};

const USER: u32 = 65_532;

/// Where the test below finds what it is to read, and says what came of it.
const TARGET: &str = "PODCOV_TEST_TARGET";
const ANSWER: &str = "PODCOV_TEST_ANSWER";

/// Not a test by itself: what other users run to read a process.
#[test]
fn reads_for_another_user() {
    let Ok(target) = std::env::var(TARGET) else { return };
    let process = ProcessId::new(target.parse().unwrap()).unwrap();
    let answer = match Process::attach(process).and_then(|mut process| process.snapshot()) {
        Ok(snapshot) => snapshot.metadata_file_name(),
        Err(error) => error.reason.to_string(),
    };
    fs::write(std::env::var(ANSWER).unwrap(), answer).unwrap();
}

/// This program, where every user may run it.
fn reader(directory: &Path) -> PathBuf {
    let copy = directory.join("reader");
    install(&std::env::current_exe().unwrap(), &copy, 0o755);
    copy
}

/// A target and readers of other users, for which one has to be root.
struct Users {
    directory: tempfile::TempDir,
    reader: PathBuf,
}

impl Users {
    fn new() -> Option<Self> {
        if !nix::unistd::geteuid().is_root() {
            // Past the capturing of what tests print.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED permissions: only root can start processes of other users"
            );
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let reader = reader(directory.path());
        Some(Self { directory, reader })
    }

    /// A process of a user, whose executable has this mode.
    fn target(&self, user: u32, group: u32, mode: u32) -> Live {
        let copy = self.directory.path().join(format!("target-{user}-{group}-{mode:o}"));
        install(&executable(program("count", Covered::Program)), &copy, mode);
        // Root's directory for the data cannot be written by others, which is of no importance here.
        Live::start_command(Command::new(&copy).uid(user).gid(group).stderr(std::process::Stdio::null()))
    }

    /// What a reader of this user says: the name of the meta-data, or why there is none.
    fn read(&self, target: &Live, command: &mut Command) -> String {
        let answer = self.directory.path().join("answer");
        let _ = fs::remove_file(&answer);
        command.env(TARGET, target.child.id().to_string()).env(ANSWER, &answer);
        let output = command.args(["--exact", "permission::reads_for_another_user"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        fs::read_to_string(answer).unwrap()
    }

    fn read_as(&self, target: &Live, user: u32, group: u32) -> String {
        self.read(target, Command::new(&self.reader).uid(user).gid(group))
    }
}

#[test]
fn the_same_user_may_read() {
    let Some(users) = Users::new() else { return };
    let said = users.read_as(&users.target(USER, USER, 0o755), USER, USER);
    assert!(said.starts_with("covmeta."), "{said}");
}

#[test]
fn the_rule_that_forbids_to_read_is_named() {
    let Some(users) = Users::new() else { return };
    let target = users.target(USER, USER, 0o755);
    let said = users.read_as(&target, USER - 1, USER);
    assert!(said.contains("it runs as user 65532, and this one as 65531 without CAP_SYS_PTRACE"), "{said}");
    let said = users.read_as(&target, USER, USER - 1);
    assert!(said.contains("it runs as group 65532, and this one as 65531"), "{said}");
    let said = users.read_as(&users.target(USER, USER, 0o711), USER, USER);
    assert!(said.contains("it is not dumpable"), "{said}");
}

/// The files of another user's process cannot be opened; `process_vm_readv` works.
#[test]
fn the_capability_to_trace_suffices() {
    let Some(users) = Users::new() else { return };
    let target = users.target(USER, USER, 0o755);
    let mut command = Command::new("setpriv");
    let arguments = [
        "--reuid=1000",
        "--regid=1000",
        "--clear-groups",
        "--inh-caps=+sys_ptrace",
        "--ambient-caps=+sys_ptrace",
    ];
    command.args(arguments).arg(&users.reader);
    let said = users.read(&target, &mut command);
    assert!(said.starts_with("covmeta."), "{said}");
}
