//! A real Podman beside Docker: its containers, and its images.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::unistd::geteuid;
use podcov_go_programs::Covered;
use podcov_wait as wait;
use tempfile::TempDir;

use crate::place::Place;
use crate::snapshot::{Live, counts, executable};

const IMAGE: &str = "localhost/podcov-test:live";
/// Machines without CAP_SYS_RESOURCE refuse the limits that Podman asks for, whatever its options say.
const RUNTIME: &str = r#"#!/bin/sh
PATH=$PATH:/usr/sbin
previous=
for argument in "$@"; do
  [ "$previous" = --bundle ] && sed -i 's/"rlimits":\[[^]]*\]/"rlimits":[]/' "$argument/config.json"
  previous=$argument
done
exec "$(command -v runc || command -v crun)" "$@"
"#;

/// Podman with images and containers of its own, which listens as its service does. Gone with its value.
struct Podman {
    place: TempDir,
    service: Child,
}

impl Podman {
    /// None where there is none, which is said.
    fn start(test: &str) -> Option<Self> {
        let is_there =
            Command::new("podman").arg("--version").output().is_ok_and(|output| output.status.success());
        if !is_there || !geteuid().is_root() {
            let reason =
                if is_there { "Podman's containers are tried as root" } else { "there is no Podman" };
            // Past the capturing of what tests print.
            let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {reason}");
            return None;
        }
        let place = tempfile::tempdir().unwrap();
        let runtime = place.path().join("runtime");
        fs::write(&runtime, RUNTIME).unwrap();
        fs::set_permissions(&runtime, fs::Permissions::from_mode(0o755)).unwrap();
        let mut service = command(place.path());
        service.args(["system", "service", "--time=0", &address(place.path())]);
        let service = service.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let podman = Self { place, service };
        wait::until("Podman listens", || podman.place.path().join("socket").exists());
        podman.import();
        Some(podman)
    }

    fn command(&self) -> Command {
        command(self.place.path())
    }

    fn run(&self, arguments: &[&str]) -> String {
        let output = self.command().args(arguments).output().unwrap();
        assert!(output.status.success(), "podman {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// An image with nothing in it but the program.
    fn import(&self) {
        let program = executable("atomic", Covered::Program);
        let archive = self.place.path().join("image.tar");
        let mut tar = Command::new("tar");
        tar.arg("--create").arg("--file").arg(&archive).arg("--directory").arg(program.parent().unwrap());
        let name = program.file_name().unwrap().to_str().unwrap();
        tar.arg(format!("--transform=s/{name}/live/")).arg(name);
        assert!(tar.status().unwrap().success());
        let entry_point = "ENTRYPOINT [\"/live\"]";
        self.run(&["import", "--quiet", "--change", entry_point, archive.to_str().unwrap(), IMAGE]);
    }

    /// podcov, which knows of no other engine.
    fn podcov(&self, place: &Place, arguments: &[&str]) -> Command {
        let mut podcov = Command::new(env!("CARGO_BIN_EXE_podcov"));
        podcov.args(arguments).current_dir(place.path("")).env_remove("DOCKER_HOST");
        podcov.env("DOCKER_CONFIG", self.place.path()).env("CONTAINER_HOST", address(self.place.path()));
        podcov
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        let _ = self.command().args(["rm", "--all", "--force"]).output();
        let _ = self.service.kill();
        let _ = self.service.wait();
        // It may have mounted its images.
        let _ = self.command().args(["umount", "--all", "--force"]).output();
    }
}

fn command(place: &Path) -> Command {
    let mut podman = Command::new("podman");
    for (flag, name) in [("--root", "images"), ("--runroot", "state"), ("--runtime", "runtime")] {
        podman.arg(flag).arg(place.join(name));
    }
    podman
}

fn address(place: &Path) -> String {
    let socket: PathBuf = place.join("socket");
    format!("unix://{}", socket.display())
}

#[test]
fn a_container_of_podman_is_read_like_one_of_docker() {
    let Some(podman) = Podman::start("a_container_of_podman_is_read_like_one_of_docker") else { return };
    let (place, data) = (Place::new(), tempfile::tempdir().unwrap());
    fs::set_permissions(data.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let mut run = podman.command();
    run.args([
        "run",
        "--interactive",
        "--name=api",
        "--network=none",
        "--user=65532:65532",
        "--cap-drop=ALL",
    ]);
    run.arg("--env=GOCOVERDIR=/data").arg(format!("--volume={}:/data", data.path().display())).arg(IMAGE);
    let mut live = Live::start_command(&mut run);
    live.work(2);
    let ended = place.start_command(podman.podcov(&place, &["snapshot", "container/api"])).end().with_code(0);
    ended.saying(&["api", "atomic"]).printing(&["1 of 1 program, 1 of 1 process"]);
    let id = podman.run(&["inspect", "--format", "{{.Id}}", "api"]);
    let by_id = format!("container/{}", &id[..12]);
    let since = ["snapshot", &by_id, "-o", "later", "--since", "coverage"];
    place.start_command(podman.podcov(&place, &since)).end().with_code(0);
    live.end();
    assert_eq!(counts(&place.data_of("coverage")), counts(data.path()));
    assert!(counts(&place.data_of("later")).values().all(|count| *count == 0));

    let ended = ["snapshot", "container/api", "-o", "ended"];
    let ended = place.start_command(podman.podcov(&place, &ended)).end().with_code(3);
    ended.saying(&["it does not run: unix://", "says that it is exited"]);
}

#[test]
fn what_an_image_of_podman_runs_is_known() {
    let Some(podman) = Podman::start("what_an_image_of_podman_runs_is_known") else { return };
    let place = Place::new();
    let manifest = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: api}}\nspec:\n  containers:\n  - {{name: api, image: '{IMAGE}'}}\n"
    );
    fs::write(place.path("pod.yaml"), manifest).unwrap();
    let inject = podman.podcov(&place, &["inject", "--capture", "supervised", "-f", "pod.yaml"]);
    let ended = place.start_command(inject).end().with_code(0);
    ended.printing(&["- /podcov/bin/agent", "- supervise", "- /live"]);
}
