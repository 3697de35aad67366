//! `podcov snapshot container/NAME`: processes of containers, with the engine of this machine.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use podcov_go_programs::Covered;
use tempfile::TempDir;

use crate::place::{Ended, Place};
use crate::snapshot::{Live, USER, counts, executable, install};

/// Whether there is an engine; says so if there is none.
fn has_engine(test: &str) -> bool {
    let engine = Command::new("docker").args(["info", "--format", "{{.ServerVersion}}"]).output();
    let answers = engine.is_ok_and(|output| output.status.success());
    if !answers {
        // Past the capturing of what tests print.
        let _ = writeln!(std::io::stderr(), "SKIPPED {test}: no container engine answers to `docker info`");
    }
    answers
}

fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().unwrap();
    assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// With nothing in it but the program.
fn image() -> &'static str {
    const TAG: &str = "podcov-snapshot-test:live";
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let context = tempfile::tempdir().unwrap();
        fs::copy(executable("atomic", Covered::Program), context.path().join("live")).unwrap();
        fs::write(
            context.path().join("Dockerfile"),
            "FROM scratch\nCOPY live /live\nENTRYPOINT [\"/live\"]\n",
        )
        .unwrap();
        docker(&["build", "--quiet", "--tag", TAG, context.path().to_str().unwrap()]);
    });
    TAG
}

/// A container that runs the program, gone after the test.
struct Container {
    name: String,
    live: Live,
    data: TempDir,
}

impl Container {
    fn run(options: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        fs::set_permissions(data.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let name = data.path().file_name().unwrap().to_str().unwrap();
        let name = format!("podcov-snapshot-test-{}", name.trim_start_matches('.'));
        let mut command = Command::new("docker");
        command.args(["run", "--interactive", "--name", &name, "--env=GOCOVERDIR=/data", "--network=none"]);
        command.arg(format!("--volume={}:/data", data.path().display())).args(options).arg(image());
        Self { live: Live::start_command(&mut command), name, data }
    }

    fn target(&self) -> String {
        format!("container/{}", self.name)
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        docker(&["rm", "--force", &self.name]);
    }
}

#[test]
fn a_snapshot_of_a_container_is_what_its_process_writes_itself_later() {
    if !has_engine("a_snapshot_of_a_container_is_what_its_process_writes_itself_later") {
        return;
    }
    for options in [&["--user=65532:65532", "--read-only", "--cap-drop=ALL"][..], &["--pid=host"]] {
        let place = Place::new();
        let mut container = Container::run(options);
        container.live.work(2);
        let ended = place.podcov(["snapshot", &container.target()]).with_code(0);
        ended.saying(&[&container.name, "atomic"]).printing(&["1 of 1 program, 1 of 1 process"]);
        let record = place.record();
        assert_eq!(record["captures"][0]["origin"]["name"], container.name);
        assert_eq!(record["captures"][0]["origin"]["command"][0], "/live");
        let id = docker(&["inspect", "--format", "{{.Id}}", &container.name]);
        let by_id = format!("container/{}", &id[..12]);
        place.podcov(["snapshot", &by_id, "-o", "later", "--since", "coverage"]).with_code(0);
        container.live.end();
        assert_eq!(counts(&place.data_of("coverage")), counts(container.data.path()), "{options:?}");
        assert!(counts(&place.data_of("later")).values().all(|count| *count == 0));

        let ended = place.podcov(["snapshot", &container.target(), "-o", "ended"]).with_code(3);
        ended.saying(&["it does not run: unix://", "says that it is exited"]);
    }
}

#[test]
fn what_was_started_in_a_container_later_is_read_with_it() {
    if !has_engine("what_was_started_in_a_container_later_is_read_with_it") {
        return;
    }
    let place = Place::new();
    let [container, other] = [(); 2].map(|()| Container::run(&[]));
    let mut later = Command::new("docker");
    let mut later = Live::start_command(
        later.args(["exec", "--interactive", &container.name, "/live"]).stderr(Stdio::null()),
    );
    let targets = ["snapshot", &container.target(), &other.target()];
    place.podcov(targets).with_code(0).saying(&["2 processes"]).printing(&[
        "2 of 2 programs, 3 of 3 processes",
        &container.name,
        &other.name,
    ]);
    later.end();
}

#[test]
fn the_processes_of_another_user_are_denied_with_the_next_step() {
    const TEST: &str = "the_processes_of_another_user_are_denied_with_the_next_step";
    if !has_engine(TEST) {
        return;
    }
    let socket = Path::new("/var/run/docker.sock");
    if !nix::unistd::geteuid().is_root() || !socket.exists() {
        let _ = writeln!(std::io::stderr(), "SKIPPED {TEST}: it needs root and {}", socket.display());
        return;
    }
    let place = Place::new();
    fs::set_permissions(place.path(""), fs::Permissions::from_mode(0o777)).unwrap();
    let podcov = place.path("podcov");
    install(Path::new(env!("CARGO_BIN_EXE_podcov")), &podcov);
    let container = Container::run(&[]);
    let snapshot = |group: u32| {
        let mut command = Command::new(&podcov);
        command.args(["snapshot", &container.target()]).uid(USER).gid(group).current_dir(place.path(""));
        command.env_remove("DOCKER_HOST").env("DOCKER_CONFIG", place.path("none"));
        place.start_command(command).end().with_code(3)
    };
    let may_use_the_engine = std::os::unix::fs::MetadataExt::gid(&fs::metadata(socket).unwrap());
    snapshot(may_use_the_engine)
        .saying(&["permission denied: it runs as user 0", "run podcov as user 0 or as root"]);
    snapshot(USER).saying(&[
        "no container engine answers",
        "(no permission)",
        "run podcov as root, or as a user who may",
    ]);
}

/// What podcov says of a container of an engine that answers this.
fn with_engine_that_says(state: &str) -> Ended {
    let place = Place::new();
    let socket = place.path("engine.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let answer = format!(r#"{{"Id":"{}","Name":"/api","State":{{{state}}}}}"#, "a".repeat(64));
    let engine = std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let length = connection.read(&mut request).unwrap();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
        connection.write_all(head.as_bytes()).unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let mut command = Command::new(env!("CARGO_BIN_EXE_podcov"));
    command.args(["snapshot", "container/api"]).current_dir(place.path(""));
    command.env("DOCKER_HOST", format!("unix://{}", socket.display()));
    let ended = place.start_command(command).end();
    assert!(engine.join().unwrap().starts_with("GET /containers/api/json "));
    ended
}

#[test]
fn an_engine_whose_processes_are_elsewhere_is_said_to_be_so() {
    // The first is there, but of this test: as when an engine in a virtual machine has one with the same number.
    for process in [std::process::id(), 4_194_300] {
        let ended = with_engine_that_says(&format!(r#""Status":"running","Pid":{process}"#)).with_code(3);
        ended.saying(&[
            "container api: it runs, but not among the processes of this machine",
            "run podcov where the engine runs",
        ]);
    }
}

#[test]
fn the_words_of_an_engine_do_not_steer_the_terminal() {
    let ended = with_engine_that_says(r#""Status":"exited\u001b[2J","Pid":0"#).with_code(3);
    let ended = ended.saying(&["says that it is exited"]);
    assert!(!ended.errors.contains('\u{1b}') && !ended.output.contains('\u{1b}'), "{ended:?}");
}

#[test]
fn a_container_that_is_not_there_is_named_and_the_rest_is_read() {
    if !has_engine("a_container_that_is_not_there_is_named_and_the_rest_is_read") {
        return;
    }
    let place = Place::new();
    let container = Container::run(&[]);
    let none = "container/podcov-snapshot-test-none";
    let ended = place.podcov(["snapshot", none, "container/../info", &container.target()]).with_code(3);
    ended
        .saying(&[
            "no container podcov-snapshot-test-none in unix://",
            "docker ps",
            "neither a name nor an ID",
        ])
        .printing(&["1 of 3 programs, 1 of 3 processes"]);
}
