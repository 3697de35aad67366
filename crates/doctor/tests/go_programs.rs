//! What real toolchains build, and what is said of it. The go command decides what is right: a program that it built
//! is run, and either writes coverage data or does not.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use podcov_doctor::facts::Binary;
use podcov_doctor::{Facts, Id, Severity, dockerfile, examine};
use podcov_go_programs::{Covered, Linking, LiveProgram};

/// MD5 hashes and no -cover in the build information, and both as they are now.
const RELEASES: [&str; 2] = ["go1.22.12", "local"];

fn cache() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

fn build(release: &'static str, linking: Linking, covered: Covered) -> Binary {
    read(&LiveProgram { release, mode: "count", linking, covered }.executable(cache()))
}

fn read(path: &Path) -> Binary {
    Binary::read(path.display().to_string(), &fs::read(path).unwrap().as_slice())
}

/// The ids of findings that matter, and of notes.
fn findings(facts: &Facts) -> (Vec<Id>, Vec<Id>) {
    let examination = examine(facts);
    let ids = |wanted: fn(Severity) -> bool| {
        let found = examination.diagnoses.iter().filter(|found| wanted(found.severity));
        found.map(|found| found.id).collect()
    };
    (ids(|severity| severity <= Severity::Unknown), ids(|severity| severity == Severity::Note))
}

fn of_binary(binary: Binary) -> (Vec<Id>, Vec<Id>) {
    findings(&Facts { binaries: vec![binary], ..Facts::default() })
}

#[test]
fn healthy_programs_get_no_error_however_they_are_linked() {
    let mut programs = 0;
    for (release, linking) in RELEASES.into_iter().cycle().zip(Linking::ALL) {
        let (found, notes) = of_binary(build(release, linking, Covered::Program));
        let has_symbols =
            matches!(linking, Linking::Plain | Linking::PositionIndependent | Linking::External);
        // One of its packages is left out on purpose, which symbols tell.
        let expected: &[Id] = if has_symbols { &[Id::PackagesNotCovered] } else { &[] };
        assert_eq!(found, expected, "{release} {linking:?}");
        assert_eq!(notes.contains(&Id::HarmlessStripping), !has_symbols, "{release} {linking:?}");
        programs += 1;
    }
    let (found, notes) = of_binary(build("go1.27.3", Linking::Static, Covered::ProgramAndRuntime));
    assert_eq!((found, programs + 1), (Vec::new(), 12));
    assert!(notes.contains(&Id::HarmlessStaticLinking) && notes.contains(&Id::HarmlessTrimpath), "{notes:?}");
}

#[test]
fn a_program_without_coverage_is_told_from_one_without_main() {
    for release in RELEASES {
        for linking in [Linking::Plain, Linking::Stripped] {
            assert_eq!(of_binary(build(release, linking, Covered::Nothing)).0, [Id::NotInstrumented]);
            assert_eq!(of_binary(build(release, linking, Covered::WithoutMain)).0, [Id::MainNotCovered]);
        }
    }
}

#[test]
fn programs_of_other_languages_are_no_go_programs() {
    let c = PathBuf::from("/bin/true");
    let rust = std::env::current_exe().unwrap();
    let script = cache().join("script.sh");
    fs::write(&script, "#!/bin/sh\n").unwrap();
    // It has what Go's build information begins with among its strings, as whatever reads that has.
    let directory = tempfile::tempdir().unwrap();
    let text = "__attribute__((aligned(16), used)) static const char magic[32] = \"\\xff Go buildinf:\\x08\";\n\
                int main(void) { return magic[0] == 0; }\n";
    fs::write(directory.path().join("reader.c"), text).unwrap();
    let reader = compile(&directory.path().join("reader.c"), &[]);
    for path in [c, rust, script, reader] {
        assert_eq!(of_binary(read(&path)).0, [Id::NotAGoBinary], "{}", path.display());
    }
}

/// A module with a main package and one that it uses.
fn module(directory: &Path) {
    for (file, text) in [
        ("go.mod", "module example.com/shop\n\ngo 1.21\n"),
        (
            "cmd/api/main.go",
            "package main\n\nimport \"example.com/shop/internal/work\"\n\nfunc main() { work.Work() }\n",
        ),
        ("internal/work/work.go", "package work\n\nfunc Work() {}\n"),
    ] {
        let path = directory.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
}

#[test]
fn packages_of_the_module_that_are_linked_and_not_covered_are_named() {
    let directory = tempfile::tempdir().unwrap();
    module(directory.path());
    let body = "package work\n\nvar Switch = 1\n\n//go:noinline\nfunc Work() {\n\tif Switch > 1 {\n\t\tprintln(Switch)\n\t}\n}\n";
    fs::write(directory.path().join("internal/work/work.go"), body).unwrap();
    for (flags, expected) in [
        ("-cover", &[][..]),
        ("-cover -coverpkg=./...", &[]),
        ("-cover -coverpkg=example.com/shop/cmd/api", &[Id::PackagesNotCovered]),
        // Without symbols it cannot be told.
        ("-cover -coverpkg=example.com/shop/cmd/api -ldflags=-s", &[]),
    ] {
        for release in RELEASES {
            let line = format!("GOTOOLCHAIN={release} go build {flags} ./cmd/api");
            let executable = go_build(&line, directory.path(), "api");
            assert!(writes_data(&executable), "{line}");
            let binary = read(&executable);
            let (found, _) = of_binary(binary.clone());
            assert_eq!(found, expected, "{line}");
            if expected.is_empty() {
                continue;
            }
            let sentence =
                &examine(&Facts { binaries: vec![binary], ..Facts::default() }).diagnoses[0].sentence;
            assert!(sentence.ends_with("example.com/shop/internal/work"), "{sentence}");
        }
    }
}

/// Runs the words of a RUN as a shell does.
fn go_build(line: &str, module: &Path, name: &str) -> PathBuf {
    let executable = module.join(name);
    let line = line.replace("go build", &format!("go build -o {}", executable.display()));
    let mut command = Command::new("sh");
    command.args(["-c", &line]).current_dir(module);
    command.env("GOTOOLCHAIN", "local").env_remove("GOFLAGS").env("CGO_ENABLED", "0").env("GOWORK", "off");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    executable
}

/// A C program.
fn compile(source: &Path, libraries: &[&str]) -> PathBuf {
    let program = source.with_extension("");
    let mut compiler = Command::new("cc");
    compiler.arg("-o").arg(&program).arg(source).args(libraries);
    assert!(compiler.status().unwrap().success());
    program
}

fn writes_data(executable: &Path) -> bool {
    let directory = executable.with_extension("data");
    fs::create_dir_all(&directory).unwrap();
    for entry in fs::read_dir(&directory).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    assert!(Command::new(executable).env("GOCOVERDIR", &directory).status().unwrap().success());
    fs::read_dir(&directory).unwrap().count() == 2
}

/// The Dockerfile's build line is really built and run: what is said of the line, of the executable, and what it does
/// have to agree.
#[test]
fn what_a_dockerfile_builds_is_foretold() {
    let directory = tempfile::tempdir().unwrap();
    module(directory.path());
    for (number, (line, expected)) in [
        ("go build -cover ./cmd/api", &[][..]),
        ("go build ./cmd/api", &[Id::NotInstrumented]),
        ("go build -cover -coverpkg=./... ./cmd/api", &[]),
        ("go build -cover -coverpkg=./internal/... ./cmd/api", &[Id::MainNotCovered]),
        ("go build -cover -coverpkg=example.com/shop/... ./cmd/api", &[]),
        ("go build -coverpkg example.com/shop/internal/work ./cmd/api", &[Id::MainNotCovered]),
        ("go build -cover -coverpkg=api ./cmd/api", &[Id::MainNotCovered]),
        ("go build -cover -coverpkg=work ./cmd/api", &[]),
        ("go build -covermode=atomic ./cmd/api", &[]),
        ("go build -cover -coverpkg=./... ./cmd/api/main.go", &[Id::BuiltFromFileArguments]),
        // The package is then called command-line-arguments, which no pattern of the module matches.
        (
            "go build -cover -coverpkg=example.com/shop/... ./cmd/api/main.go",
            &[Id::MainNotCovered, Id::BuiltFromFileArguments],
        ),
        ("GOFLAGS='-cover -coverpkg=./...' go build ./cmd/api", &[]),
        // A variable of the shell that is not exported is none of the environment.
        ("GOFLAGS=-cover && go build ./cmd/api", &[Id::NotInstrumented]),
        ("FLAGS=-cover && go build $FLAGS ./cmd/api", &[]),
        (
            "export GOFLAGS=-cover && go build -ldflags='-s -w -extldflags \"-static\"' -trimpath ./cmd/api",
            &[],
        ),
        ("env GOFLAGS=-cover go build ./cmd/api", &[]),
    ]
    .into_iter()
    .enumerate()
    {
        let text = format!("FROM golang:1.26\nWORKDIR /src\nCOPY . .\nRUN {line}\n");
        let mut file = dockerfile::parse("Dockerfile", &text);
        file.module = Some("example.com/shop".to_owned());
        let (found, _) = findings(&Facts { dockerfiles: vec![file], ..Facts::default() });
        assert_eq!(found, expected, "{line}");

        let executable = go_build(line, directory.path(), &format!("api-{number}"));
        let writes = !expected.iter().any(|id| [Id::MainNotCovered, Id::NotInstrumented].contains(id));
        assert_eq!(writes_data(&executable), writes, "{line}");
        assert_eq!(of_binary(read(&executable)).0, expected, "{line}");
    }
}

/// `-a` and `-installsuffix` only decide what is compiled again.
#[test]
fn what_people_suspect_wrongly_is_harmless() {
    let directory = tempfile::tempdir().unwrap();
    module(directory.path());
    let line = "CGO_ENABLED=0 go build -cover -a -installsuffix cgo ./cmd/api";
    let text = format!("FROM golang:1.26\nWORKDIR /src\nCOPY . .\nRUN {line}\n");
    let file = dockerfile::parse("Dockerfile", &text);
    let (found, notes) = findings(&Facts { dockerfiles: vec![file], ..Facts::default() });
    assert_eq!(found, []);
    assert!(notes.contains(&Id::HarmlessRebuildAll), "{notes:?}");
    let executable = go_build(line, directory.path(), "suspected");
    assert!(writes_data(&executable));
    assert_eq!(of_binary(read(&executable)).0, []);
}

#[test]
fn a_program_that_no_container_of_linux_can_run_is_named() {
    let directory = tempfile::tempdir().unwrap();
    module(directory.path());
    for (system, expected) in [("linux", &[][..]), ("freebsd", &[Id::WrongPlatform])] {
        let line = format!("GOOS={system} go build -cover ./cmd/api");
        assert_eq!(of_binary(read(&go_build(&line, directory.path(), "other"))).0, expected, "{line}");
    }
}

/// A C program, whose end is not that of Go's main.
#[test]
fn a_library_of_a_c_program_is_said_to_leave_no_counters() {
    let directory = tempfile::tempdir().unwrap();
    module(directory.path());
    let main = "package main\n\nimport \"C\"\n\n//export Work\nfunc Work() {}\n\nfunc main() {}\n";
    fs::write(directory.path().join("cmd/api/main.go"), main).unwrap();
    let build = |mode: &str, name: &str| {
        let line = format!("CGO_ENABLED=1 go build -cover -buildmode={mode} ./cmd/api");
        go_build(&line, directory.path(), name)
    };
    let library = build("c-archive", "work.a");
    let text = "extern void Work(void);\nint main(void) { Work(); return 0; }\n";
    fs::write(directory.path().join("use.c"), text).unwrap();
    let program = compile(&directory.path().join("use.c"), &[library.to_str().unwrap(), "-lpthread"]);
    assert!(!writes_data(&program), "meta-data alone");
    for file in [program, build("c-shared", "work.so")] {
        assert_eq!(of_binary(read(&file)).0, [Id::BuiltAsLibrary], "{}", file.display());
    }
    assert_eq!(of_binary(read(&build("exe", "exe"))).0, []);
}
