//! A Go program built with `-cover`, for data that no writer of ours has made.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use podcov_wait as wait;

const MODULE: &str = "module example.com/program\n\ngo 1.21\n";
const SOURCE: &str = r#"package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	read, err := io.Copy(io.Discard, os.Stdin)
	if err != nil {
		os.Exit(1)
	}
	fmt.Println(read)
}
"#;

/// The executable, built once for all tests.
pub fn executable() -> &'static Path {
    static EXECUTABLE: OnceLock<PathBuf> = OnceLock::new();
    EXECUTABLE.get_or_init(|| {
        let executable = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-program/program");
        fs::create_dir_all(executable.parent().unwrap()).unwrap();
        // Only this one's, whoever else tests this checkout. With -trimpath it is in Go's cache all the same.
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("go.mod"), MODULE).unwrap();
        fs::write(directory.path().join("main.go"), SOURCE).unwrap();
        let status = Command::new("go")
            .args(["build", "-cover", "-covermode=atomic", "-trimpath", "-o"])
            .args([&executable, Path::new(".")])
            .current_dir(directory.path())
            .env("CGO_ENABLED", "0")
            .env("GOFLAGS", "")
            .env("GOWORK", "off")
            .env_remove("GOCOVERDIR")
            .status()
            .expect("these tests need Go");
        assert!(status.success(), "go build: {status}");
        executable
    })
}

/// Starts the program. It ends when its input does.
pub fn start(coverage_directory: &Path) -> Child {
    Command::new(executable())
        .env("GOCOVERDIR", coverage_directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Lets a started program end by itself.
#[track_caller]
pub fn finish(mut program: Child) {
    drop(program.stdin.take());
    let status = wait::until_exit("a Go program to end", &mut program);
    // Go loses data without losing its exit code, so this is no proof of any.
    assert!(status.success(), "{status}");
}

/// Runs the program from start to end.
#[track_caller]
pub fn run(coverage_directory: &Path) {
    finish(start(coverage_directory));
}
