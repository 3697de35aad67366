//! A small Go program in a repository of its own, made for one test.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use crate::place::{Ended, Place};

/// Adds and removes; what runs is chosen by the arguments.
pub const CART: &str = "package cart

// Cart counts.
type Cart struct{ items map[string]int }

func New() *Cart { return &Cart{items: map[string]int{}} }

func (c *Cart) Add(name string, count int) int {
\tif count < 0 {
\t\treturn c.Remove(name, -count)
\t}
\tc.items[name] += count
\treturn c.items[name]
}

func (c *Cart) Remove(name string, count int) int {
\tc.items[name] -= count
\tif c.items[name] <= 0 {
\t\tdelete(c.items, name)
\t}
\treturn c.items[name]
}
";

const MAIN: &str = "package main

import (
\t\"os\"

\t\"example.com/shop/cart\"
)

func main() {
\tc := cart.New()
\tfor _, argument := range os.Args[1:] {
\t\tif argument == \"remove\" {
\t\t\tc.Remove(\"tea\", 1)
\t\t} else {
\t\t\tc.Add(argument, 1)
\t\t}
\t}
}
";

pub struct Project {
    pub place: Place,
}

impl Project {
    /// The program, committed to the branch `main`; the branch `change` is checked out.
    pub fn new() -> Self {
        let project = Self { place: Place::new() };
        project.write("go.mod", "module example.com/shop\n\ngo 1.22\n");
        project.write("main.go", MAIN);
        project.write("cart/cart.go", CART);
        project.git(&["init", "--quiet", "--initial-branch=main"]);
        project.commit("the program");
        project.git(&["checkout", "--quiet", "-b", "change"]);
        project
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.place.path("checkout").join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn replace(&self, name: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(old), "{old:?} is not in {text}");
        self.write(name, &text.replace(old, new));
    }

    pub fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        git_in(&self.path(""), arguments)
    }

    /// Builds the program with coverage of all its packages and runs it; its data is in `name`.
    pub fn measure(&self, name: &str, arguments: &[&str]) {
        self.measure_with(&["-coverpkg=./..."], name, arguments);
    }

    /// The same with these flags.
    pub fn measure_with(&self, flags: &[&str], name: &str, arguments: &[&str]) {
        let program = self.place.path("program");
        let data = self.place.path(name);
        fs::create_dir_all(&data).unwrap();
        let build = [&["build", "-cover", "-o", program.to_str().unwrap()], flags, &["."]].concat();
        go_in(&self.path(""), &build);
        let output = Command::new(&program).args(arguments).env("GOCOVERDIR", &data).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Runs `podcov diff` in the checkout.
    pub fn diff<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Ended {
        self.place.start_command(self.command(arguments)).end()
    }

    /// The same, with this on its standard input.
    pub fn diff_of_patch(&self, patch: &[u8], arguments: &[&str]) -> Ended {
        let file = self.place.path("patch");
        fs::write(&file, patch).unwrap();
        let mut command = self.command(["--patch", "-"].iter().chain(arguments));
        command.stdin(fs::File::open(file).unwrap());
        self.place.start_command(command).end()
    }

    pub fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_podcov"));
        command.arg("diff").args(arguments).current_dir(self.path("")).stdin(Stdio::null());
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        command.env("GIT_CEILING_DIRECTORIES", self.place.path(""));
        command
    }

    /// The document that `podcov diff --format json` prints.
    pub fn document<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Value {
        let mut command = self.command(arguments);
        command.args(["--format", "json"]);
        let ended = self.place.start_command(command).end();
        serde_json::from_str(&ended.output).unwrap_or_else(|_| panic!("{}{}", ended.output, ended.errors))
    }

    /// The lines of a file that are not of the commit `base`, as git says without a patch.
    pub fn blamed(&self, base: &str, file: &str) -> BTreeSet<u32> {
        let blame = self.git(&["blame", "-s", "-l", &format!("{base}..HEAD"), "--", file]);
        let lines = blame.lines().zip(1..);
        lines.filter(|(line, _)| !line.starts_with('^')).map(|(_, number)| number).collect()
    }

    /// What the profile of `data` says of each line of a file, by Go's tools and its scanner.
    pub fn by_go(&self, data: &str, file: &str) -> BTreeMap<u32, String> {
        let profile = self.place.path("oracle.txt");
        let input = format!("-i={}", self.place.path(data).display());
        go_in(&self.path(""), &["tool", "covdata", "textfmt", &input, &format!("-o={}", profile.display())]);
        lines_by_go(&profile, &format!("example.com/shop/{file}"), &self.path(file))
    }
}

/// What a text profile says of each line of a file that has code.
pub fn lines_by_go(profile: &Path, name: &str, source: &Path) -> BTreeMap<u32, String> {
    static ORACLE: OnceLock<PathBuf> = OnceLock::new();
    let oracle = ORACLE.get_or_init(|| {
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("diff-oracle");
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diff/oracle");
        go_in(&sources, &["build", "-o", program.to_str().unwrap(), "."]);
        program
    });
    let output =
        Command::new(oracle).args([profile.as_os_str(), OsStr::new(name), source.as_os_str()]).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| line.split_once(' ').unwrap());
    lines.map(|(line, state)| (line.parse().unwrap(), state.to_owned())).collect()
}

/// What the document says of the lines of a file, in the words of [`lines_by_go`].
pub fn lines_of(document: &Value, path: &str) -> BTreeMap<u32, String> {
    let lines = &file(document, path)["lines"];
    let of = |state: &'static str| {
        let lines = lines[state].as_array().unwrap_or_else(|| panic!("no lines of {path} in {document:#}"));
        lines.iter().map(move |line| (u32::try_from(line.as_u64().unwrap()).unwrap(), state.to_owned()))
    };
    of("covered").chain(of("partial")).chain(of("not_covered")).collect()
}

/// What the document says of a file.
pub fn file<'a>(document: &'a Value, path: &str) -> &'a Value {
    let files = document["files"].as_array().unwrap();
    let file = files.iter().find(|file| file["path"] == path);
    file.unwrap_or_else(|| panic!("{path} is not in {document:#}"))
}

pub fn git_in(directory: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=Test", "-c", "user.email=test@example.com"]).args(arguments);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    let output = command.current_dir(directory).output().expect("these tests need git");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {}: {errors}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}

pub fn go_in(directory: &Path, arguments: &[&str]) {
    let mut command = Command::new("go");
    command.args(arguments).current_dir(directory).env_remove("GOCOVERDIR");
    command.env("CGO_ENABLED", "0").env("GOFLAGS", "-buildvcs=false").env("GOWORK", "off");
    let output = command.output().expect("these tests need Go");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "go {}: {errors}", arguments.join(" "));
}
