//! What an executable itself tells: is it Go, is it instrumented, will it write.

use crate::facts::Binary;
use crate::facts::binary::{Contents, Coverage, GoProgram};
use crate::{Diagnosis, Facts, Hop, Id, Severity};

/// Without the runtime's hook there is not even meta-data. Other faults on the way stay findings of their own.
pub(super) const NOTHING_IS_WRITTEN: &[Id] = &[Id::NoData];

/// For C. A plugin of Go ends with the program that loads it.
const LIBRARIES: [&str; 2] = ["c-shared", "c-archive"];

pub(super) fn find(facts: &Facts) -> Vec<Diagnosis> {
    facts.binaries.iter().flat_map(of_binary).collect()
}

/// Of one program.
pub(super) fn of_binary(binary: &Binary) -> Vec<Diagnosis> {
    let new = |id, severity, sentence: String| {
        Diagnosis::new(id, severity, Hop::Build, &binary.name, sentence).chain(binary.chain.as_deref())
    };
    match &binary.contents {
        Contents::NotRead => Vec::new(),
        Contents::NotGo(what) => vec![
            new(
                Id::NotAGoBinary,
                Severity::Error,
                format!("{} is not a Go program: Go's coverage cannot be in it", binary.name),
            )
            .evidence(what, &binary.name)
            .fix("name the executable that go build made (-o FILE)")
            .explains(NOTHING_IS_WRITTEN),
        ],
        Contents::Unknown(reason) => vec![
            new(Id::CouldNotLook, Severity::Unknown, format!("{} could not be examined", binary.name))
                .evidence(reason, &binary.name),
        ],
        Contents::Go(program) => of_program(program, &new),
    }
}

type New<'a> = dyn Fn(Id, Severity, String) -> Diagnosis + 'a;

fn of_program(program: &GoProgram, new: &New<'_>) -> Vec<Diagnosis> {
    let mut found = vec![coverage(program, new)];
    found.extend(file_arguments(program, new));
    found.extend(library(program, new));
    found.extend(packages(program, new));
    found.extend(platform(program, new));
    found.extend(harmless(program, new));
    found
}

fn coverage(program: &GoProgram, new: &New<'_>) -> Diagnosis {
    let seen = &program.coverage_seen;
    let with = |found: Diagnosis| {
        let found = found.evidence(&seen.value, &seen.read_from);
        if program.cover_setting.value().is_some() {
            found.fact("-cover", &program.cover_setting)
        } else {
            found
        }
    };
    let package = package_argument(program);
    match program.coverage {
        Coverage::WithMain => with(new(
            Id::Instrumented,
            Severity::Ok,
            format!("built with coverage, main included ({})", words(program)),
        )),
        Coverage::WithoutMain => with(new(
            Id::MainNotCovered,
            Severity::Error,
            "packages are covered, but main is not: Go then writes nothing at all, and does not say so"
                .into(),
        ))
        .fix(format!("go build -cover -coverpkg={} {package}", main_pattern(program)))
        .explains(NOTHING_IS_WRITTEN),
        // Of a pattern that matches no package, the go command only warns.
        Coverage::Nothing | Coverage::NoHook if program.cover_setting.value() == Some(&true) => with(new(
            Id::MainNotCovered,
            Severity::Error,
            "built with -cover, and -coverpkg does not match main: Go then writes nothing at all, and does not say so".into(),
        ))
        .fix(format!("go build -cover -coverpkg={} {package}", main_pattern(program)))
        .explains(NOTHING_IS_WRITTEN),
        Coverage::Nothing => with(new(
            Id::NotInstrumented,
            Severity::Error,
            "built without -cover: there is nothing that could write coverage data".into(),
        ))
        .fix(format!("go build -cover -coverpkg=./... {package}"))
        .explains(NOTHING_IS_WRITTEN),
        Coverage::NoHook => with(new(
            Id::NotInstrumented,
            Severity::Error,
            "it cannot write coverage data: built without -cover, or -coverpkg does not match main".into(),
        ))
        .fix(format!("go build -cover -coverpkg=./... {package}"))
        .explains(NOTHING_IS_WRITTEN),
    }
}

fn words(program: &GoProgram) -> String {
    let version = program.go_version.value().map_or("unknown Go", String::as_str);
    let (system, architecture) = &program.platform;
    let stripped = if program.is_stripped { ", stripped" } else { "" };
    format!("{version}, {system}/{architecture}{stripped}")
}

/// What go build is to be given for main: `./cmd/api` where the module tells.
fn package_argument(program: &GoProgram) -> String {
    match (program.main_package.value(), program.main_module.value()) {
        (Some(package), Some(module)) => match package.strip_prefix(module.as_str()) {
            Some("") => ".".to_owned(),
            Some(rest) if rest.starts_with('/') => format!(".{rest}"),
            _ => "./PATH/OF/MAIN".to_owned(),
        },
        _ => "./PATH/OF/MAIN".to_owned(),
    }
}

fn main_pattern(program: &GoProgram) -> String {
    program.main_module.value().map_or_else(|| "./...".to_owned(), |module| format!("{module}/..."))
}

fn file_arguments(program: &GoProgram, new: &New<'_>) -> Option<Diagnosis> {
    let is_by_file = program.main_package.value().is_some_and(|package| package == "command-line-arguments");
    is_by_file.then(|| {
        new(
            Id::BuiltFromFileArguments,
            Severity::Warning,
            "built by file name: main is called command-line-arguments, and its files have paths of the build machine"
                .into(),
        )
        .fact("path", &program.main_package)
        .fix("go build -cover ./cmd/x    # the directory, instead of ./cmd/x/main.go")
    })
}

fn packages(program: &GoProgram, new: &New<'_>) -> Option<Diagnosis> {
    let packages = program.packages.value()?;
    if program.coverage != Coverage::WithMain {
        return None;
    }
    let missing: Vec<&str> = packages.linked.difference(&packages.covered).map(String::as_str).collect();
    let (first, more) = (missing.first()?, missing.len() - 1);
    let example = if more == 0 { (*first).to_owned() } else { format!("{first} and {more} more") };
    Some(
        new(
            Id::PackagesNotCovered,
            Severity::Warning,
            format!("packages of the program's own module are not covered: {example}"),
        )
        .evidence(missing.join(" "), program.packages.read_from().unwrap_or_default())
        .fix(format!(
            "go build -cover -coverpkg={} {}",
            main_pattern(program),
            package_argument(program)
        )),
    )
}

fn platform(program: &GoProgram, new: &New<'_>) -> Option<Diagnosis> {
    let (system, architecture) = &program.platform;
    (system != "linux").then(|| {
        new(Id::WrongPlatform, Severity::Warning, format!("built for {system}: containers run linux"))
            .evidence(format!("GOOS={system} GOARCH={architecture}"), "build information")
            .fix(format!("GOOS=linux GOARCH={architecture} go build -cover …"))
    })
}

/// It may still call `runtime/coverage` itself, which nothing tells.
fn library(program: &GoProgram, new: &New<'_>) -> Option<Diagnosis> {
    let mode = setting(program, "-buildmode").filter(|mode| LIBRARIES.contains(mode))?;
    (program.coverage == Coverage::WithMain).then(|| {
        let sentence =
            "built as a library of a C program, which ends without Go: meta-data are written, and no counters";
        new(Id::BuiltAsLibrary, Severity::Warning, sentence.to_owned())
            .evidence(format!("-buildmode={mode}"), "build information")
            .fix("in a function that the C program calls before it ends:\n  coverage.WriteCountersDir(os.Getenv(\"GOCOVERDIR\")) // runtime/coverage")
    })
}

fn setting<'a>(program: &'a GoProgram, key: &str) -> Option<&'a str> {
    program.settings.iter().find(|(own, _)| own == key).map(|(_, value)| value.as_str())
}

fn harmless(program: &GoProgram, new: &New<'_>) -> Vec<Diagnosis> {
    let setting = |key: &str| setting(program, key);
    let mut found = Vec::new();
    let mut note = |id, sentence: &str, value: String, read_from: &str| {
        found.push(new(id, Severity::Note, sentence.to_owned()).evidence(value, read_from));
    };
    if program.is_static {
        note(
            Id::HarmlessStaticLinking,
            "static linking is not the cause: the data and what writes it are linked in",
            "no dynamic linker".into(),
            "program headers",
        );
    }
    if program.is_stripped {
        note(
            Id::HarmlessStripping,
            "stripping is not the cause: coverage needs no symbols (only `go tool nm | grep cover` does)",
            "no symbol table".into(),
            "section headers",
        );
    }
    if setting("-trimpath") == Some("true") {
        note(
            Id::HarmlessTrimpath,
            "-trimpath is not the cause: it shortens the paths of files, and nothing else",
            "-trimpath=true".into(),
            "build information",
        );
    }
    found
}
