//! Runs Go. Owns how the go command is called, and the programs it is given; knows no scenario.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A Go release, and a copy of the programs in `testdata` for it.
pub struct Toolchain {
    /// What `GOTOOLCHAIN` is set to.
    release: &'static str,
    /// Where the programs are.
    pub source: PathBuf,
}

impl Toolchain {
    pub const fn new(release: &'static str, source: PathBuf) -> Self {
        Self { release, source }
    }

    pub const fn release(&self) -> &'static str {
        self.release
    }

    /// Calls the go command among the programs, and returns what it prints.
    pub fn go<Argument: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = Argument>) -> String {
        self.go_in(&self.source, arguments)
    }

    pub fn go_in<Argument: AsRef<OsStr>>(
        &self,
        directory: &Path,
        arguments: impl IntoIterator<Item = Argument>,
    ) -> String {
        output(self.command_in(directory).args(arguments), &[0])
    }

    /// The go command, with nothing of the environment that changes what it builds.
    pub fn command_in(&self, directory: &Path) -> Command {
        let mut command = Command::new("go");
        command
            .current_dir(directory)
            .env("GOTOOLCHAIN", self.release)
            .env("GOFLAGS", "-buildvcs=false")
            .env("GOWORK", "off")
            .env("CGO_ENABLED", "0")
            .env_remove("GOCOVERDIR")
            .env_remove("GOEXPERIMENT");
        command
    }

    /// Builds a program with coverage.
    pub fn build(&self, flags: &[&str], program: &str, executable: &Path) {
        output(&mut self.build_command(flags, program, executable), &[0]);
    }

    /// Builds a program with coverage that consists of C, too.
    pub fn build_with_cgo(&self, flags: &[&str], program: &str, executable: &Path) {
        output(self.build_command(flags, program, executable).env("CGO_ENABLED", "1"), &[0]);
    }

    fn build_command(&self, flags: &[&str], program: &str, executable: &Path) -> Command {
        let mut command = self.command_in(&self.source);
        command.args(["build", "-cover"]).args(flags).arg("-o").arg(executable).arg(program);
        command
    }
}

/// Runs a program that may fail, and lets it write its counters to `directory`.
pub fn run(executable: &Path, directory: &Path, arguments: &[&str]) {
    fs::create_dir_all(directory).unwrap();
    output(Command::new(executable).args(arguments).env("GOCOVERDIR", directory), &[0, 3]);
}

pub fn output(command: &mut Command, expected: &[i32]) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let code = output.status.code();
    assert!(
        code.is_some_and(|code| expected.contains(&code)),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    String::from_utf8(output.stdout).unwrap()
}

/// What the repository keeps for tests.
#[must_use]
pub fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata")
}

/// All files under a directory, sorted.
#[must_use]
pub fn files_under(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_under(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

pub fn copy_directory(from: &Path, to: &Path) {
    for file in files_under(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file, &target).unwrap();
    }
}

pub fn replace_in_file(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{} has no {from:?}", file.display());
    fs::write(file, text.replace(from, to)).unwrap();
}
