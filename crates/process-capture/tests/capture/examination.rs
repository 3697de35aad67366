//! What is seen of a process and of the directory that it was given.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use podcov_agent_protocol::{
    Counted, CoverageFiles, Directory, DirectoryState, Examination, ProgramCoverage,
};
use podcov_go_programs::{Covered, Linking, LiveProgram};
use podcov_process_capture::{ProcessId, examine};

use crate::live::{Live, RELEASES, executable, install, program, wait_for};

fn of(process: ProcessId) -> Examination {
    examine(process).unwrap_or_else(|reason| panic!("{reason}"))
}

/// Whether there can be other users and roots; says so if not, past the test harness.
fn is_root() -> bool {
    let is_root = nix::unistd::geteuid().is_root();
    if !is_root {
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED examination: only root can be other users, and change the root"
        );
    }
    is_root
}

/// A program that says when it runs, in a directory of its own.
fn run_in(directory: Option<&str>, at: &Path) -> Live {
    let mut command = Command::new("sh");
    // Live sets the variable itself.
    let variable = directory.map_or("-u GOCOVERDIR".to_owned(), |value| format!("GOCOVERDIR='{value}'"));
    let script = format!("exec env {variable} {}", executable(program("set", Covered::Nothing)).display());
    Live::start_command(command.arg("-c").arg(script).current_dir(at))
}

fn state(found: &Examination) -> &DirectoryState {
    match &found.directory {
        Some(Directory::There(state)) => state,
        other => panic!("{other:?}"),
    }
}

/// The kernel shows a caught SIGTERM of every Go program; whether somebody waits for it only Go knows.
#[test]
fn whether_somebody_waits_for_sigterm_is_known_in_every_release() {
    for release in RELEASES {
        for linking in [Linking::Plain, Linking::PositionIndependent, Linking::Stripped] {
            let program = LiveProgram { release, mode: "set", linking, covered: Covered::Program };
            let deaf = Live::start(program);
            let handles = of(deaf.id()).handles_termination;
            assert_eq!(handles, Some(false), "{release} {linking:?}: nothing in it asks for signals");

            let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
            let mut endings = Command::new(program.executable_of_endings(cache));
            let knows = linking != Linking::Stripped;
            let waiting = Live::start_command(endings.arg("handle"));
            let handles = of(waiting.id()).handles_termination;
            assert_eq!(handles, knows.then_some(true), "{release} {linking:?}: it asked");

            let mut endings = Command::new(program.executable_of_endings(cache));
            let deaf = Live::start_command(endings.arg("busy"));
            let handles = of(deaf.id()).handles_termination;
            assert_eq!(handles, knows.then_some(false), "{release} {linking:?}: it could ask, and did not");

            let mut endings = Command::new(program.executable_of_endings(cache));
            let ignoring = Live::start_command(endings.arg("ignore"));
            let handles = of(ignoring.id()).handles_termination;
            assert_eq!(handles, Some(false), "{release} {linking:?}: it asked for it to be ignored");
        }
    }
}

#[test]
fn what_a_program_is_and_whether_it_counts_is_told_however_it_was_linked() {
    for linking in [Linking::Plain, Linking::Stripped, Linking::Static, Linking::StrippedPositionIndependent]
    {
        for (covered, expected) in [
            (Covered::Program, ProgramCoverage::WithMain),
            (Covered::WithoutMain, ProgramCoverage::WithoutMain),
            (Covered::Nothing, ProgramCoverage::Nothing),
        ] {
            for release in ["go1.21.13", "local"] {
                let what = format!("{release} {linking:?} {covered:?}");
                let live = Live::start(LiveProgram { release, mode: "set", linking, covered });
                let found = of(live.id());
                let program = found.go_program.unwrap();
                assert_eq!(program.coverage, expected, "{what}: {:?}", program.coverage_seen);
                assert!(program.main_package.starts_with("example.com/"), "{what}: {program:?}");
                if covered == Covered::Nothing {
                    assert!(found.counted.is_err_and(|why| why.contains("without coverage")), "{what}");
                    continue;
                }
                let snapshot = live.snapshot();
                let functions = snapshot.program().metadata().packages();
                let functions: usize = functions.map(|package| package.functions().count()).sum();
                let ran = snapshot.counters().functions().count();
                let number = |count| u32::try_from(count).unwrap();
                let expected = Counted { functions: number(functions), ran: number(ran) };
                assert_eq!(found.counted, Ok(expected), "{what}");
                assert!(0 < ran && ran < functions, "{what}: not all has run");
            }
        }
    }
}

/// Of other programs than Go's, the kernel's masks tell.
#[test]
fn a_shell_that_has_a_trap_for_sigterm_is_told_from_one_that_has_none() {
    for (script, catches) in [("echo ready; cat", false), ("trap 'exit 0' TERM; echo ready; cat", true)] {
        let shell = Live::start_command(Command::new("sh").args(["-c", &format!("{script}; true")]));
        assert_eq!(of(shell.id()).catches_termination, catches, "{script}");
    }
    assert!(of(Live::start(program("set", Covered::Nothing)).id()).catches_termination, "Go's runtime does");
}

#[test]
fn a_command_line_without_end_has_one() {
    let script = format!("echo ready; cat; true {}", "x".repeat(100_000));
    let mut shell = Command::new("sh");
    let shell = Live::start_command(shell.args(["-c", &script, "\u{1b}[2J", "last"]));
    assert_eq!(of(shell.id()).command_line, ["sh", "-c"], "the rest is left out");
    let mut shell = Command::new("sh");
    let shell = Live::start_command(shell.args(["-c", "echo ready; cat; true", "\u{1b}[2J"]));
    assert!(!of(shell.id()).command_line.concat().contains('\u{1b}'), "it cannot steer the terminal");
}

#[test]
fn a_program_that_is_not_gos_is_told() {
    let mut sleep = Command::new("sleep").arg("600").spawn().unwrap();
    let process = ProcessId::new(sleep.id()).unwrap();
    let found = wait_for("sleep", || examine(process).ok().filter(|it| it.program.ends_with("sleep")));
    assert!(!found.is_go && found.go_program.is_err() && found.counted.is_err());
    assert_eq!((found.handles_termination, found.catches_termination), (None, false));
    assert_eq!(found.command_line, ["sleep", "600"]);
    sleep.kill().unwrap();
    sleep.wait().unwrap();
    assert!(of(Live::start(program("set", Covered::Nothing)).id()).is_go);
}

#[test]
fn the_directory_is_described_as_the_process_sees_it() {
    let live = Live::start(program("atomic", Covered::Program));
    let found = of(live.id());
    let state = state(&found);
    let path = found.setting.clone().unwrap();
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!(state.mode, metadata.permissions().mode() & 0o7777);
    assert!(state.lets_create && !state.is_read_only && state.free_bytes > 0);
    // Its meta-data are written at its start, its counters at its end.
    assert_eq!(state.files, Some(CoverageFiles { metadata: 1, counters: 0, temporary: 0 }));
    // findmnt is the oracle for where it is mounted.
    let findmnt = Command::new("findmnt").args(["-n", "-o", "TARGET,FSTYPE", "--target", &path]).output();
    let expected = String::from_utf8(findmnt.unwrap().stdout).unwrap();
    let words: Vec<&str> = expected.split_whitespace().collect();
    assert_eq!([state.mount_point.as_str(), &state.file_system], words[..]);
}

#[test]
fn what_is_wrong_with_the_directory_is_told() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path();
    assert_eq!(of(run_in(None, at).id()).setting, None);
    assert_eq!(of(run_in(Some(""), at).id()).setting, None);

    let missing = of(run_in(Some("nowhere"), at).id());
    assert_eq!(missing.setting.as_deref(), Some("nowhere"));
    assert!(matches!(missing.directory, Some(Directory::Missing(reason)) if reason.contains("No such file")));

    fs::write(at.join("file"), "").unwrap();
    assert_eq!(of(run_in(Some("file"), at).id()).directory, Some(Directory::NotADirectory));

    fs::create_dir(at.join("data")).unwrap();
    fs::write(at.join("data/tmp.covmeta.1"), "").unwrap();
    let here = run_in(Some("data"), at);
    assert_eq!(
        state(&of(here.id())).files.map(|files| files.temporary),
        Some(1),
        "a relative path is where the process is"
    );
}

#[test]
fn a_directory_of_another_user_lets_no_file_be_created() {
    if !is_root() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), Permissions::from_mode(0o755)).unwrap();
    let data = place.path().join("data");
    fs::create_dir(&data).unwrap();
    let run_as = |user: u32| {
        let mut command = Command::new("setpriv");
        let user = user.to_string();
        command.args(["--reuid", &user, "--regid", &user, "--clear-groups", "env"]);
        command.arg(format!("GOCOVERDIR={}", data.display()));
        let program = place.path().join("program");
        if !program.exists() {
            install(&executable(self::program("set", Covered::Nothing)), &program, 0o755);
        }
        Live::start_command(command.arg(program))
    };
    for (mode, user, expected) in [(0o755, 65532, false), (0o777, 65532, true), (0o000, 0, true)] {
        fs::set_permissions(&data, Permissions::from_mode(mode)).unwrap();
        let live = run_as(user);
        let found = of(live.id());
        assert_eq!(found.user, user);
        assert_eq!(state(&found).lets_create, expected, "{mode:o} {user}");
        // The kernel is the oracle.
        let file = data.join("file");
        let id = user.to_string();
        let touched = Command::new("setpriv")
            .args(["--reuid", &id, "--regid", &id, "--clear-groups", "touch"])
            .arg(&file)
            .stderr(std::process::Stdio::null())
            .status();
        assert_eq!(touched.unwrap().success(), expected, "{mode:o} {user}");
        let _ = fs::remove_file(file);
    }
}

#[test]
fn no_link_leads_out_of_the_container() {
    if !is_root() {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("data")).unwrap();
    fs::write(root.path().join("data/covmeta.x"), "").unwrap();
    symlink("/data", root.path().join("link")).unwrap();
    symlink("../../../../../../etc", root.path().join("out")).unwrap();
    install(&executable(program("set", Covered::Nothing)), &root.path().join("program"), 0o755);
    let run = |directory: &str| {
        let mut command = Command::new("sh");
        let script = format!("exec env GOCOVERDIR={directory} chroot {} /program", root.path().display());
        Live::start_command(command.arg("-c").arg(script))
    };
    assert_eq!(state(&of(run("/link").id())).files.map(|files| files.metadata), Some(1));
    let outside = of(run("/out").id());
    assert!(matches!(outside.directory, Some(Directory::Missing(_))), "{outside:?}");
}
