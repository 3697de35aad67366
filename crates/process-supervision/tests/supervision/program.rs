//! The Go program that ends in every way, and what `/proc` says of processes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The executable, built once for all tests.
pub fn executable() -> &'static str {
    static EXECUTABLE: OnceLock<PathBuf> = OnceLock::new();
    let executable = EXECUTABLE.get_or_init(|| {
        let executable = Path::new(env!("CARGO_TARGET_TMPDIR")).join("program");
        let status = Command::new("go")
            .args(["build", "-o"])
            .arg(&executable)
            .arg(".")
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/program"))
            .env("CGO_ENABLED", "0")
            .env("GOFLAGS", "-buildvcs=false")
            .env("GOWORK", "off")
            .status()
            .expect("these tests need Go");
        assert!(status.success(), "go build: {status}");
        executable
    });
    executable.to_str().unwrap()
}

/// The state of a process, as `ps` shows it: R, S, T (stopped), t (stopped while it is traced), Z.
pub fn state(process: i32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

pub fn is_stopped(process: i32) -> bool {
    matches!(state(process), Some('T' | 't'))
}

/// Who traces a process; 0 if nobody does.
pub fn tracer(process: i32) -> Option<i32> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("TracerPid:"))?.trim().parse().ok()
}

pub fn children(process: i32) -> Vec<i32> {
    let mut children = Vec::new();
    for task in fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
        let list = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        children.extend(list.split_whitespace().map(|number| number.parse::<i32>().unwrap()));
    }
    children
}
