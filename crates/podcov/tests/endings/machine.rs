//! Programs on an emulated arm64 machine, each as the first process of a container, alone or below the agent.
//!
//! It has Debian's kernel, the programs, and nothing else but a shell. Its first process, `testdata/machine`, is told all
//! cells at once, and prints what is left.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use podcov_agent_protocol::{AGENT_EXECUTABLE, CONTAINER_DIRECTORY};
use podcov_supervised_capture::recover;
use serde_json::{Value, json};

use crate::builds::Build;
use crate::container::{carried_agent, text};
use crate::counts::{self, Ledger};
use crate::endings::{Action, Ending};
use crate::seen::Seen;

const ARCHITECTURE: &str = "arm64";
const LEDGER: &str = "/ledger";
/// Of position-independent programs.
const LOADER: &str = "/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1";
/// Emulated, everything takes many times as long.
const SECONDS: &str = "3000";

/// The kernel and the shell, from `script/install-tools arm64-machine`.
pub fn parts() -> Option<PathBuf> {
    std::env::var_os("PODCOV_ARM64_MACHINE").map(PathBuf::from)
}

/// What is left of each cell: alone, and below the agent.
pub fn run(parts: &Path, cells: &[(Ending, Build)]) -> Vec<(Seen, Seen)> {
    let work = tempfile::tempdir().unwrap();
    let root = work.path().join("root");
    install(&parts.join("busybox"), &root.join("bin/busybox"));
    fs::hard_link(root.join("bin/busybox"), root.join("bin/sh")).unwrap();
    install(Path::new(LOADER), &root.join("lib/ld-linux-aarch64.so.1"));
    install(&carried_agent(ARCHITECTURE), &root.join(AGENT_EXECUTABLE.trim_start_matches('/')));
    build_first_process(&root.join("init"));
    let mut programs = Vec::new();
    for (number, (ending, build)) in cells.iter().enumerate() {
        let path = format!("/programs/{number}");
        let executable = build.executable_for(ARCHITECTURE, ending.covered);
        install(&executable, &root.join(path.trim_start_matches('/')));
        programs.extend([false, true].map(|is_supervised| program(number, ending, &path, is_supervised)));
    }
    fs::write(root.join("programs.json"), Value::Array(programs).to_string()).unwrap();
    let left = boot(parts, work.path());
    let seen = |number, build: Build, is_supervised| {
        let left = left.join(name(number, is_supervised));
        let (code, data) = (left.join("code"), left.join("data"));
        recover(&data);
        let ledger = Ledger::read(&left.join("ledger"));
        let kept = counts::compare(counts::profile(&data).as_deref(), &ledger, build.mode);
        Seen { kept, code: fs::read_to_string(code).unwrap().parse().unwrap() }
    };
    let cells = cells.iter().enumerate();
    cells.map(|(number, (_, build))| (seen(number, *build, false), seen(number, *build, true))).collect()
}

fn name(number: usize, is_supervised: bool) -> String {
    format!("{number}-{}", if is_supervised { "supervised" } else { "alone" })
}

/// What `testdata/machine` is told.
fn program(number: usize, ending: &Ending, path: &str, is_supervised: bool) -> Value {
    let mut environment = vec![format!("LEDGER={LEDGER}")];
    let mut words = Vec::new();
    if is_supervised {
        words.extend([AGENT_EXECUTABLE, "supervise", "--"].map(str::to_owned));
    } else {
        environment.push(format!("GOCOVERDIR={CONTAINER_DIRECTORY}"));
    }
    words.extend(ending.command(path));
    let signal = match ending.action {
        Action::Signal(signal) => signal as i32,
        Action::Drain => nix::libc::SIGTERM,
        Action::Nothing | Action::Kill => 0,
        Action::KillAll => unreachable!("in containers only"),
    };
    let is_killed = matches!(ending.action, Action::Kill | Action::Drain);
    json!({
        "Name": name(number, is_supervised),
        "Words": words,
        "Environment": environment,
        "Directories": { "data": CONTAINER_DIRECTORY, "ledger": LEDGER },
        "Signal": signal,
        "Kill": is_killed && !is_supervised,
        "KillChild": is_killed && is_supervised,
    })
}

fn build_first_process(executable: &Path) {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/machine");
    let mut go = Command::new("go");
    go.args(["build", "-o"]).arg(executable).arg(".").current_dir(source);
    text(go.env("GOARCH", ARCHITECTURE).env("CGO_ENABLED", "0").env("GOWORK", "off"));
}

/// Runs the machine, and returns what is left of the programs.
fn boot(parts: &Path, work: &Path) -> PathBuf {
    let pack = "find . | cpio --quiet --create --format=newc > ../initrd";
    text(Command::new("sh").args(["-euc", pack]).current_dir(work.join("root")));
    let mut machine = Command::new("timeout");
    machine.args([SECONDS, "qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a72", "-smp", "2"]);
    machine.args(["-m", "2G", "-nic", "none", "-nographic", "-no-reboot"]);
    machine.args(["-append", "console=ttyAMA0 panic=-1 quiet"]);
    machine.arg("-kernel").arg(parts.join("kernel")).arg("-initrd").arg(work.join("initrd"));
    let output = machine.stdin(Stdio::null()).output().unwrap();
    let console = String::from_utf8_lossy(&output.stdout);
    let archive = console.split_once("BEGIN").and_then(|(_, rest)| rest.split_once("END"));
    let (archive, _) = archive.unwrap_or_else(|| {
        panic!("the machine printed no archive: {console}{}", String::from_utf8_lossy(&output.stderr))
    });
    let archive: String = archive.split_whitespace().collect();
    fs::write(work.join("left.tar"), BASE64_STANDARD.decode(archive).unwrap()).unwrap();
    let left = work.join("left");
    fs::create_dir(&left).unwrap();
    text(Command::new("tar").arg("-xf").arg(work.join("left.tar")).arg("-C").arg(&left));
    left
}

fn install(from: &Path, to: &Path) {
    text(Command::new("install").args(["-D", "--mode=0555"]).arg(from).arg(to));
}
