//! Real repositories of git, made for one test each.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

pub struct Repository {
    directory: TempDir,
}

impl Repository {
    pub fn new() -> Self {
        let repository = Self { directory: TempDir::new().unwrap() };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message=-- a message\n\n--- that looks\n+++ like a patch"]);
    }

    /// What git prints, with nothing of the user's configuration.
    pub fn git(&self, arguments: &[&str]) -> Vec<u8> {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=Test", "-c", "user.email=test@example.com"]).args(arguments);
        command.current_dir(self.directory.path());
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        let output = command.output().expect("these tests need git");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {}: {errors}", arguments.join(" "));
        output.stdout
    }

    /// The lines of a file that are not of the first commit, as `git blame` says, which reads no patch.
    pub fn new_lines(&self, file: &str) -> Vec<u32> {
        let blame = self.git(&["blame", "--line-porcelain", "HEAD~1..HEAD", "--", file]);
        let mut lines = Vec::new();
        let mut last = 0;
        for line in String::from_utf8_lossy(&blame).lines() {
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                [commit, _, number, ..] if commit.len() == 40 && !line.starts_with('\t') => {
                    last = number.parse().unwrap();
                    lines.push(last);
                }
                ["boundary"] => assert_eq!(lines.pop(), Some(last)),
                _ => {}
            }
        }
        lines
    }
}
