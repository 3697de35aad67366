//! Real programs and images that are as they should be, of several Go releases, linked in many ways: nothing is said of them
//! that matters, and they do write data. Beside them, what is no covered Go program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{doctor, engine_answers, ids};

const PROGRAMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/programs");
const SHOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/shop");

/// How a program is built: the release, the module, its package, and the flags.
struct Program(&'static str, &'static str, &'static str, &'static [&'static str]);

/// Another main package of the module is none of the program.
const HEALTHY: &[Program] = &[
    Program("go1.21.13", PROGRAMS, "./cmd/tiny", &[]),
    Program("go1.21.13", PROGRAMS, "./cmd/stock", &["-coverpkg=./...", "-ldflags=-s -w", "-trimpath"]),
    Program("go1.22.12", PROGRAMS, "./cmd/worker", &["-covermode=atomic", "-buildmode=pie"]),
    Program("go1.22.12", SHOP, "./cmd/api", &["-coverpkg=./...", "-trimpath"]),
    Program("go1.24.11", PROGRAMS, "./cmd/stock", &["-coverpkg=all"]),
    Program(
        "go1.24.11",
        PROGRAMS,
        "./cmd/native",
        &["-ldflags=-s -w -linkmode=external -extldflags=-static"],
    ),
    Program("go1.24.11", SHOP, "./cmd/worker", &["-coverpkg=example.com/shop/...", "-ldflags=-s -w"]),
    Program("local", PROGRAMS, "./cmd/native", &["-covermode=count"]),
    Program("local", SHOP, "./cmd/api", &[]),
    Program(
        "local",
        PROGRAMS,
        "./cmd/calculator",
        &["-buildmode=pie", "-ldflags=-linkmode=external -extldflags=-static-pie"],
    ),
    Program("go1.27.3", PROGRAMS, "./cmd/api", &["-coverpkg=./...", "-buildmode=pie", "-ldflags=-s -w"]),
    Program("go1.27.3", SHOP, "./cmd/worker", &["-covermode=atomic", "-a", "-installsuffix=cgo"]),
];

impl Program {
    fn build(&self, coverage: &[&str], to: &Path) {
        let Self(release, module, package, flags) = self;
        let needs_c = *package == "./cmd/native" || flags.iter().any(|flag| flag.contains("-linkmode"));
        let mut command = Command::new("go");
        command.arg("build").args(coverage).args(*flags).arg("-o").arg(to).arg(package).current_dir(module);
        command.env("GOTOOLCHAIN", release).env("GOFLAGS", "-buildvcs=false").env("GOWORK", "off");
        let built = command.env("CGO_ENABLED", if needs_c { "1" } else { "0" }).output().unwrap();
        assert!(built.status.success(), "{self}: {}", String::from_utf8_lossy(&built.stderr));
    }
}

impl std::fmt::Display for Program {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(release, module, package, flags) = self;
        write!(to, "{release} {}: {package} {flags:?}", module.rsplit('/').next().unwrap_or_default())
    }
}

fn assert_healthy(directory: &Path, argument: &str, what: &str) {
    let output = doctor(directory, &[argument, "--output", "json"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!((ids(&output), output.status.code()), (Vec::new(), Some(0)), "{what}: {said}");
}

#[test]
fn twelve_healthy_programs_get_no_error_and_no_warning() {
    assert_eq!(HEALTHY.len(), 12);
    for program in HEALTHY {
        let directory = tempfile::tempdir().unwrap();
        program.build(&["-cover"], &directory.path().join("program"));
        assert_healthy(directory.path(), "./program", &program.to_string());
    }
}

#[test]
fn a_go_program_without_coverage_is_told_from_what_is_none() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    HEALTHY[0].build(&["-cover=false"], &place("plain"));
    HEALTHY[5].build(&["-cover=false"], &place("plain-of-c"));
    fs::write(place("script"), "#!/bin/sh\nexec /app\n").unwrap();
    fs::write(place("main.c"), "int main(void) { return 0; }\n").unwrap();
    fs::write(place("main.rs"), "fn main() {}\n").unwrap();
    for (compiler, source, program) in
        [("cc", "main.c", "c"), ("rustc", "main.rs", "rust"), ("cc", "main.c", "c-static")]
    {
        let mut command = Command::new(compiler);
        command.args([source, "-o", program]).current_dir(directory.path());
        if program == "c-static" {
            command.args(["-static", "-s"]);
        }
        assert!(command.status().unwrap().success(), "{program}");
    }
    for (name, id) in [
        ("plain", "not-instrumented"),
        ("plain-of-c", "not-instrumented"),
        ("script", "not-a-go-binary"),
        ("c", "not-a-go-binary"),
        ("c-static", "not-a-go-binary"),
        ("rust", "not-a-go-binary"),
    ] {
        let output = doctor(directory.path(), &[&format!("./{name}"), "--output", "json"]);
        assert_eq!((ids(&output), output.status.code()), (vec![id.to_owned()], Some(1)), "{name}");
    }
}

/// An image that is gone with its test.
struct Image(String);

impl Image {
    fn build(name: &str, context: &Path, dockerfile: &str) -> Self {
        fs::write(context.join("Dockerfile"), dockerfile).unwrap();
        let tag = format!("podcov-healthy:{name}-{}", std::process::id());
        let built = Command::new("docker")
            .args(["build", "--quiet", "--tag", &tag, "."])
            .current_dir(context)
            .output()
            .unwrap();
        assert!(built.status.success(), "{name}: {}", String::from_utf8_lossy(&built.stderr));
        Self(tag)
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rmi", &self.0]).output();
    }
}

/// The shell of this machine and its libraries, below a directory: a base as distributions have it.
fn add_shell(root: &Path) {
    let shell = fs::canonicalize("/bin/sh").unwrap();
    let listed = Command::new("ldd").arg(&shell).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let libraries = listed.split_whitespace().filter(|word| word.starts_with('/'));
    let mut files: Vec<(PathBuf, PathBuf)> =
        libraries.map(|library| (library.into(), library.into())).collect();
    files.push((shell, "/bin/sh".into()));
    for (from, to) in files {
        let to = root.join(to.strip_prefix("/").unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(&from, &to).unwrap();
    }
}

#[test]
fn healthy_images_get_no_error_and_no_warning_in_the_engine_and_as_archives() {
    if !engine_answers("healthy images") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let context = directory.path();
    HEALTHY[1].build(&["-cover"], &context.join("static"));
    HEALTHY[7].build(&["-cover"], &context.join("dynamic"));
    fs::write(context.join("passwd"), "nonroot:x:65532:65532::/home/nonroot:/sbin/nologin\n").unwrap();
    fs::create_dir_all(context.join("root/etc")).unwrap();
    fs::write(context.join("root/etc/os-release"), "ID=debian\nVERSION_ID=\"12\"\n").unwrap();
    add_shell(&context.join("root"));
    for (name, dockerfile) in [
        ("scratch", "FROM scratch\nCOPY static /app\nENTRYPOINT [\"/app\"]\n"),
        (
            "distroless",
            "FROM scratch\nCOPY passwd /etc/passwd\nCOPY static /app\nUSER 65532:65532\nENTRYPOINT [\"/app\"]\nCMD [\"-v\"]\n",
        ),
        (
            "volume",
            "FROM scratch\nCOPY static /app\nENV GOCOVERDIR=/coverage\nVOLUME /coverage\nENTRYPOINT [\"/app\"]\n",
        ),
        ("debian", "FROM scratch\nCOPY root /\nCOPY dynamic /usr/local/bin/app\nCMD [\"app\"]\n"),
        ("hands-over", "FROM scratch\nCOPY root /\nCOPY dynamic /app\nUSER 1000\nENTRYPOINT exec /app\n"),
    ] {
        let image = Image::build(name, context, dockerfile);
        assert_healthy(context, &image.0, name);
        let mut save = Command::new("docker");
        save.args(["save", "-o", "image.tar", &image.0]).current_dir(context);
        assert!(save.status().unwrap().success());
        let zstd =
            Command::new("zstd").args(["--quiet", "--force", "image.tar"]).current_dir(context).status();
        assert!(zstd.unwrap().success());
        for archive in ["./image.tar", "./image.tar.zst"] {
            assert_healthy(context, archive, &format!("{name} in {archive}"));
        }
    }
}
