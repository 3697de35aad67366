//! Go: builds what is measured, once for all tests, and says with its own tools what the measure has to be.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A release of Go.
#[derive(Clone, Copy)]
pub enum Release {
    /// The one on PATH.
    Newest,
    /// The oldest that podcov supports.
    Oldest,
}

/// The program of these tests, built with coverage.
pub fn program() -> &'static str {
    static PROGRAM: OnceLock<String> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        build(Release::Newest, &program_sources(), &["-cover", "-covermode=atomic"], ".", "program")
    })
}

/// The same program without coverage.
pub fn program_without_coverage() -> &'static str {
    static PROGRAM: OnceLock<String> = OnceLock::new();
    PROGRAM.get_or_init(|| build(Release::Newest, &program_sources(), &[], ".", "plain"))
}

/// The same program with another counter mode.
pub fn program_in_mode_set() -> &'static str {
    static PROGRAM: OnceLock<String> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        build(Release::Newest, &program_sources(), &["-cover", "-covermode=set"], ".", "program-set")
    })
}

/// One of the shop's two services, built with coverage.
pub fn shop_service(release: Release, name: &str) -> String {
    let flags = ["-cover", "-covermode=atomic", "-coverpkg=./..."];
    let directory = match release {
        Release::Newest => "newest",
        Release::Oldest => "oldest",
    };
    build(release, &shop(), &flags, &format!("./cmd/{name}"), &format!("{directory}/{name}"))
}

/// The server that the test suite asks for work, in a counter mode.
pub fn suite_server(mode: &'static str) -> &'static str {
    static SERVERS: OnceLock<[String; 2]> = OnceLock::new();
    let servers = SERVERS.get_or_init(|| {
        ["atomic", "set"].map(|mode| {
            let flags = ["-cover", &format!("-covermode={mode}")];
            build(Release::Newest, &suite_sources(), &flags, "./server", &format!("suite-server-{mode}"))
        })
    });
    if mode == "set" { &servers[1] } else { &servers[0] }
}

/// Has Go compile the test suite, so that a run that has a deadline has it from Go's cache.
pub fn compile_suite() {
    static COMPILED: OnceLock<()> = OnceLock::new();
    COMPILED.get_or_init(|| go_as_users(&suite_sources(), &["test", "-run=^$", "."]));
}

/// The same of the shop's tests.
pub fn compile_shop_tests() {
    static COMPILED: OnceLock<()> = OnceLock::new();
    COMPILED.get_or_init(|| go_as_users(&shop(), &["test", "-run=^$", "./e2e/..."]));
}

/// The same of the suite of Ginkgo, and of what runs that.
pub fn compile_ginkgo_suite() {
    static COMPILED: OnceLock<()> = OnceLock::new();
    COMPILED.get_or_init(|| {
        let sources = suite_sources().join("ginkgo");
        go_as_users(&sources, &["test", "-run=^$", "."]);
        go_as_users(&sources, &["run", "github.com/onsi/ginkgo/v2/ginkgo", "version"]);
    });
}

/// In the environment of these tests, since what Go compiles in another one is not in its cache for this one.
fn go_as_users(directory: &Path, arguments: &[&str]) {
    let output = Command::new("go").args(arguments).current_dir(directory).output();
    let output = output.expect("these tests need Go");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "go {}: {errors}", arguments.join(" "));
}

/// The sources of the test suite and its server.
pub fn suite_sources() -> PathBuf {
    repository().join("crates/podcov/tests/local/suite")
}

/// The sources of the shop.
pub fn shop() -> PathBuf {
    repository().join("examples/shop")
}

/// The sources of the program.
pub fn program_sources() -> PathBuf {
    repository().join("crates/podcov/tests/local/program")
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

// Go keeps what it has built itself: where nothing has changed, this takes no time.
fn build(release: Release, sources: &Path, flags: &[&str], package: &str, name: &str) -> String {
    let executable = Path::new(env!("CARGO_TARGET_TMPDIR")).join("local").join(name);
    let executable = executable.to_str().unwrap().to_owned();
    go(release, sources, &[&["build"], flags, &["-o", &executable, package]].concat());
    executable
}

fn go(release: Release, directory: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("go");
    command.args(arguments).current_dir(directory).env_remove("GOCOVERDIR");
    command.env("CGO_ENABLED", "0").env("GOFLAGS", "-buildvcs=false");
    if matches!(release, Release::Oldest) {
        command.env("GOTOOLCHAIN", "go1.22.12");
    }
    let output = command.output().expect("these tests need Go");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "go {}: {errors}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}

/// The blocks and counts that `go tool covdata textfmt` makes of some directories, without the mode.
pub fn textfmt(release: Release, directories: &[PathBuf]) -> BTreeSet<String> {
    let profile = tempfile::NamedTempFile::new().unwrap();
    let output = format!("-o={}", profile.path().display());
    go(release, Path::new("/"), &["tool", "covdata", "textfmt", &inputs(directories), &output]);
    blocks(profile.path())
}

/// The packages that the data of some directories is of, as `go tool covdata pkglist` lists them.
pub fn packages(release: Release, directories: &[PathBuf]) -> BTreeSet<String> {
    let list = go(release, Path::new("/"), &["tool", "covdata", "pkglist", &inputs(directories)]);
    list.lines().map(str::to_owned).collect()
}

/// The release that built an executable, as `go version` says: `go1.26.8`.
pub fn built_by(executable: &str) -> String {
    last_word(&go(Release::Newest, Path::new("/"), &["version", executable]))
}

/// The lines of a text profile after its first.
pub fn blocks(profile: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(profile).unwrap();
    let (mode, blocks) = text.split_once('\n').unwrap();
    assert!(mode.starts_with("mode: "), "{mode}");
    blocks.lines().map(str::to_owned).collect()
}

/// The total that `go tool covdata func` prints, such as `71.4%`.
pub fn covdata_total(release: Release, directories: &[PathBuf]) -> String {
    last_word(&go(release, Path::new("/"), &["tool", "covdata", "func", &inputs(directories)]))
}

/// The total that `go tool cover -func` prints for a text profile, such as `71.4%`.
pub fn cover_total(release: Release, sources: &Path, profile: &Path) -> String {
    let profile = format!("-func={}", profile.display());
    last_word(&go(release, sources, &["tool", "cover", &profile]))
}

fn last_word(text: &str) -> String {
    text.split_whitespace().last().unwrap().to_owned()
}

fn inputs(directories: &[PathBuf]) -> String {
    let names: Vec<_> = directories.iter().map(|directory| directory.to_str().unwrap()).collect();
    format!("-i={}", names.join(","))
}

/// Runs the program outside of podcov, with `directory` as its GOCOVERDIR.
pub fn measure(program: &str, arguments: &[&str], directory: &Path) {
    fs::create_dir_all(directory).unwrap();
    let output = Command::new(program).args(arguments).env("GOCOVERDIR", directory).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// All directories at and below `root` that hold meta-data.
pub fn data_directories(root: &Path) -> Vec<PathBuf> {
    let mut pending = vec![root.to_owned()];
    let mut found = BTreeSet::new();
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                pending.push(entry.path());
            } else if entry.file_name().to_str().unwrap().starts_with("covmeta.") {
                found.insert(directory.clone());
            }
        }
    }
    found.into_iter().collect()
}

/// The files in `directory` whose names begin with `prefix`.
pub fn files(directory: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    let meant = entries.filter(|entry| entry.file_name().to_str().unwrap().starts_with(prefix));
    meant.map(|entry| entry.path()).collect()
}
