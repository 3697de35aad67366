//! Data as real programs leave it: built with the Go on the PATH, and run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::lay_out;

/// Writes its counters three times while it runs.
const WRITES: &str = "package main

import (
\t\"os\"
\t\"runtime/coverage\"
)

func main() {
\tfor range [3]int{} {
\t\tif err := coverage.WriteCountersDir(os.Getenv(\"GOCOVERDIR\")); err != nil {
\t\t\tpanic(err)
\t\t}
\t}
}
";
/// Ends as others kill it.
const IS_KILLED: &str = "package main

import \"syscall\"

func main() {
\t_ = syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
}
";
const ENDS: &str = "package main\n\nfunc main() {}\n";

/// Builds a program in each of the modes, and runs it.
fn run(main: &str, modes: &[&str], to: &Path) {
    let module = lay_out(&[
        ("go.mod", "module example.com/produced\n\ngo 1.22\n".to_owned()),
        ("main.go", main.to_owned()),
    ]);
    fs::create_dir_all(to).unwrap();
    let to = PathBuf::from(to).canonicalize().unwrap();
    for mode in modes {
        let build = Command::new("go")
            .args(["build", "-cover", "-covermode", mode, "-o", "program", "."])
            .current_dir(module.path())
            .env_remove("GOFLAGS")
            .output()
            .unwrap();
        assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
        let mut program = Command::new(module.path().join("program"));
        // How it ends is its own affair.
        program.env("GOCOVERDIR", &to).status().unwrap();
    }
}

/// Three snapshots of one process, and what it wrote at its end.
pub fn cumulative(to: &Path) {
    run(WRITES, &["atomic"], to);
    assert_eq!(fs::read_dir(to).unwrap().count(), 1 + 4);
}

/// One program, built to count and built to note.
pub fn mixed_modes(to: &Path) {
    run(ENDS, &["set", "count"], to);
}

/// A process that was killed.
pub fn killed(to: &Path) {
    run(IS_KILLED, &["set"], to);
}
