//! A module as it would be checked out, and what Go says of it. It may be written to, which the module cache may not.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use super::lines::{self, Lines};
use crate::place::Place;

/// In `checkout` of a place.
pub struct Checkout {
    pub place: Place,
}

impl Checkout {
    /// Of `path@version`.
    pub fn of(module: &str) -> Self {
        let checkout = Self { place: Place::new() };
        checkout.add(module, "");
        checkout
    }

    /// Puts another module into a directory of it, which is returned.
    pub fn add(&self, module: &str, directory: &str) -> PathBuf {
        let output =
            Command::new("go").args(["mod", "download", "-json", module]).current_dir("/").output().unwrap();
        let downloaded: Value = serde_json::from_slice(&output.stdout).unwrap();
        let cached = downloaded["Dir"].as_str().unwrap_or_else(|| panic!("{module}: {downloaded}"));
        let path = self.path(directory);
        fs::create_dir_all(&path).unwrap();
        let contents = format!("{cached}/.");
        let copied =
            Command::new("cp").args(["-r", "--no-preserve=mode", &contents]).arg(&path).status().unwrap();
        assert!(copied.success());
        path
    }

    pub fn path(&self, name: &str) -> PathBuf {
        let checkout = self.place.path("checkout");
        if name.is_empty() { checkout } else { checkout.join(name) }
    }

    pub fn source(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Where Go finds a package.
    pub fn directory_of(&self, package: &str) -> PathBuf {
        PathBuf::from(self.go(&["list", "-f", "{{.Dir}}", package]))
    }

    /// What `go` prints; it has to succeed.
    pub fn go(&self, arguments: &[&str]) -> String {
        let Output { status, stdout, stderr } = self.run(arguments);
        assert!(status.success(), "go {}: {}", arguments.join(" "), String::from_utf8_lossy(&stderr));
        String::from_utf8(stdout).unwrap().trim().to_owned()
    }

    /// Whether `go` succeeds.
    pub fn accepts(&self, arguments: &[&str]) -> bool {
        self.run(arguments).status.success()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        // A workspace and a vendor directory are used as they are there; go.mod and go.sum need not be complete otherwise.
        let is_as_it_is = ["go.work", "vendor"].iter().any(|name| self.path(name).exists());
        let flags = if is_as_it_is { "" } else { "-mod=mod" };
        let mut command = Command::new("go");
        command.args(arguments).current_dir(self.path("")).env("GOFLAGS", flags).env("GOWORK", "");
        command.output().expect("these tests need Go")
    }

    /// The text profile of the tests of some packages, in which others may be counted than these themselves.
    pub fn test(&self, mode: &str, counted: &[&str], packages: &[&str]) -> PathBuf {
        let profile = self.place.path("unit.out");
        let profile_flag = format!("-coverprofile={}", profile.display());
        let counted_flag = format!("-coverpkg={}", counted.join(","));
        let mut arguments = vec!["test", "-count=1", "-short", "-covermode", mode, &profile_flag];
        if !counted.is_empty() {
            arguments.push(&counted_flag);
        }
        arguments.extend(packages);
        let output = self.run(&arguments);
        // That a test of it fails here is not what is asked.
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let blocks = fs::read_to_string(&profile).unwrap_or_default().lines().count();
        assert!(blocks > 1, "go {}: {said}", arguments.join(" "));
        profile
    }

    /// The lines of a text profile, as the page of `go tool cover -html` shows them.
    pub fn lines(&self, profile: &Path) -> BTreeMap<String, Lines> {
        let page = self.place.path("cover.html");
        let flags = [format!("-html={}", profile.display()), format!("-o={}", page.display())];
        self.go(&["tool", "cover", &flags[0], &flags[1]]);
        lines::of_page(&fs::read_to_string(page).unwrap())
    }
}
