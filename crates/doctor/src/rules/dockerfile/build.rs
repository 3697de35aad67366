//! Each `go build` of a Dockerfile: does it get -cover, does -coverpkg match main, and what else it was told.

use super::commands::{Build, builds, is_coverage_flag, takes_value};
use super::coverpkg::{Main, is_go_file, matches_main};
use super::scope::Variable;
use crate::facts::Dockerfile;
use crate::facts::dockerfile::{Command, InstructionKind};
use crate::rules::binary::NOTHING_IS_WRITTEN;
use crate::shell::Value;
use crate::{Diagnosis, Hop, Id, Severity};

pub(super) fn find(file: &Dockerfile) -> Vec<Diagnosis> {
    let builds = builds(file);
    let mut found: Vec<Diagnosis> = builds.iter().flat_map(|build| of_build(file, build)).collect();
    found.extend(misquoted(file, &builds));
    found
}

fn of_build(file: &Dockerfile, build: &Build) -> Vec<Diagnosis> {
    let at = format!("{}:{}", file.name, build.line);
    let goflags = goflags(build);
    let own: Vec<&str> = build.arguments.iter().map(String::as_str).collect();
    let mut found = Vec::new();
    if is_told(build) {
        let main = main_not_covered(file, build, &own, &goflags, &at);
        found.push(main.unwrap_or_else(|| {
            let sentence = "go build is told to cover the program";
            Diagnosis::new(Id::Instrumented, Severity::Ok, Hop::Build, &file.name, sentence)
                .evidence(format!("go build {}", own.join(" ")), &at)
        }));
        found.extend(overridden_package_list(file, build, &own, &goflags, &at));
    } else {
        found.push(not_told(file, build, &own, &at));
    }
    found.extend(file_arguments(file, &own, &at));
    found.extend(harmless(file, &own, &goflags, &at));
    found
}

fn goflags(build: &Build) -> Vec<&str> {
    match &build.goflags {
        Some(Variable { value: Value::Is(text), .. }) => text.split_whitespace().collect(),
        _ => Vec::new(),
    }
}

fn is_told(build: &Build) -> bool {
    let own = build.arguments.iter().map(String::as_str);
    own.chain(goflags(build)).any(|word| word.starts_with('-') && is_coverage_flag(word))
}

/// No coverage flag reaches the build: because it got lost, is given from outside, or is nowhere.
fn not_told(file: &Dockerfile, build: &Build, own: &[&str], at: &str) -> Diagnosis {
    let new = |id, severity, sentence: String| {
        Diagnosis::new(id, severity, Hop::Build, &file.name, sentence)
            .evidence(format!("go build {}", own.join(" ")), at)
    };
    let is_given = matches!(&build.goflags, Some(Variable { value: Value::Open, .. }));
    if is_given || build.may_be_told {
        let line = build.goflags.as_ref().map_or(build.line, |variable| variable.line);
        return new(
            Id::CouldNotLook,
            Severity::Unknown,
            "whether go build gets -cover is decided by what docker build is given".into(),
        )
        .evidence("a value from outside", format!("{}:{line}", file.name))
        .fix("docker build --build-arg GOFLAGS='-cover -coverpkg=./...' …   # then: podcov doctor IMAGE");
    }
    let overridden = build.replaced.iter().rev().find(|(name, _, _)| name == "GOFLAGS");
    if let (Some((_, before, after)), Some(_)) = (overridden, &build.goflags) {
        return new(
            Id::GoflagsOverridden,
            Severity::Error,
            "GOFLAGS is replaced before go build: the former value, with or without -cover, is gone".into(),
        )
        .evidence("GOFLAGS", format!("{}:{before}", file.name))
        .evidence("GOFLAGS replaced", format!("{}:{after}", file.name))
        .fix("ENV GOFLAGS=\"${GOFLAGS} -mod=vendor\"    # keep what was there")
        .explains(NOTHING_IS_WRITTEN);
    }
    match lost(file, build) {
        Some((name, line, why)) => {
            new(Id::CoverageFlagNotPassed, Severity::Error, format!("{name} never reaches go build: {why}"))
                .evidence(name.clone(), format!("{}:{line}", file.name))
                .fix(if build.unused.iter().any(|(unused, _)| *unused == name) {
                    format!("RUN go build ${name} {}", own.join(" "))
                } else {
                    format!("ARG {name}    # in the stage of go build, after its FROM")
                })
                .explains(LOST_FLAG_EXPLAINS)
        }
        None => new(Id::NotInstrumented, Severity::Error, "go build is not told -cover".into())
            .fix(format!("RUN go build -cover -coverpkg=./... {}", own.join(" ")))
            .explains(NOTHING_IS_WRITTEN),
    }
}

/// A binary that was built so is looked at side by side.
const LOST_FLAG_EXPLAINS: &[Id] = &[Id::NotInstrumented, Id::NoData];

/// A variable that was meant for this build: its name, its line, and why the build does not see it.
fn lost(file: &Dockerfile, build: &Build) -> Option<(String, usize, &'static str)> {
    if let Some((name, line)) = build.unused.first() {
        return Some((name.clone(), *line, "it is set, but go build reads only GOFLAGS and its arguments"));
    }
    let is_meant = |name: &str| name == "GOFLAGS" || build.unset.iter().any(|unset| unset == name);
    let names =
        file.stages.iter().flat_map(|stage| &stage.instructions).filter_map(|instruction| match &instruction
            .kind
        {
            InstructionKind::Argument(name, _) | InstructionKind::Environment(name, _) => {
                Some((name.as_str(), instruction.line))
            }
            InstructionKind::Run(Command::Shell(line)) if line.contains("export GOFLAGS=") => {
                Some(("GOFLAGS", instruction.line))
            }
            _ => None,
        });
    if build.goflags.is_none()
        && let Some((name, line)) =
            names.into_iter().find(|(name, line)| is_meant(name) && *line != build.line)
    {
        let why = if line > build.line {
            "it is declared after go build, or in a later stage"
        } else {
            "it is declared in another stage or another RUN, and ends there"
        };
        return Some((name.to_owned(), line, why));
    }
    let global = file.global_arguments.keys().find(|name| is_meant(name))?;
    let seen = build.goflags.is_some() && global == "GOFLAGS";
    (!seen).then(|| {
        (global.clone(), 1, "an ARG before FROM is not seen in stages, unless they declare it again")
    })
}

fn value_of_flag<'a>(words: &[&'a str], flag: &str) -> Option<&'a str> {
    let mut values = None;
    for (index, word) in words.iter().enumerate() {
        let Some(rest) = word.trim_start_matches('-').strip_prefix(flag).filter(|_| word.starts_with('-'))
        else {
            continue;
        };
        if let Some(value) = rest.strip_prefix('=') {
            values = Some(value);
        } else if rest.is_empty() {
            values = words.get(index + 1).copied();
        }
    }
    values
}

fn main_not_covered(
    file: &Dockerfile,
    build: &Build,
    own: &[&str],
    goflags: &[&str],
    at: &str,
) -> Option<Diagnosis> {
    // The command line wins over GOFLAGS.
    let patterns = value_of_flag(own, "coverpkg").or_else(|| value_of_flag(goflags, "coverpkg"))?;
    let argument = main_argument(own);
    let is_known = |text: &str| !text.contains('$');
    if build.may_be_told || !is_known(patterns) || !is_known(argument) {
        return None;
    }
    let main = Main { argument, module: file.module.as_deref() };
    (matches_main(patterns, main) == Some(false)).then(|| {
        let sentence =
            "-coverpkg does not match the main package: Go then writes nothing at all, and does not say so";
        let main = if is_go_file(argument) { "command-line-arguments" } else { argument };
        Diagnosis::new(Id::MainNotCovered, Severity::Error, Hop::Build, &file.name, sentence)
            .evidence(format!("-coverpkg={patterns}, main is {main}"), at)
            .fix(format!("-coverpkg={patterns},{}", if is_go_file(argument) { "./..." } else { argument }))
            .explains(NOTHING_IS_WRITTEN)
    })
}

/// The last word that is no flag nor its value; the current directory if there is none.
fn main_argument<'a>(own: &[&'a str]) -> &'a str {
    let mut rest = own;
    while let [flag, after @ ..] = rest {
        if !flag.starts_with('-') {
            break;
        }
        rest = if takes_value(flag) { after.get(1..).unwrap_or_default() } else { after };
    }
    rest.first().copied().unwrap_or(".")
}

fn overridden_package_list(
    file: &Dockerfile,
    build: &Build,
    own: &[&str],
    goflags: &[&str],
    at: &str,
) -> Option<Diagnosis> {
    let (wins, loses) = (value_of_flag(own, "coverpkg")?, value_of_flag(goflags, "coverpkg")?);
    (wins != loses).then(|| {
        let sentence = "-coverpkg in GOFLAGS has no effect: the one on the command line wins";
        let line = build.goflags.as_ref().map_or(build.line, |variable| variable.line);
        Diagnosis::new(Id::GoflagsOverridden, Severity::Warning, Hop::Build, &file.name, sentence)
            .evidence(format!("-coverpkg={wins}"), at)
            .evidence(format!("GOFLAGS has -coverpkg={loses}"), format!("{}:{line}", file.name))
            .fix(format!("-coverpkg={wins},{loses}    # in one place"))
    })
}

fn file_arguments(file: &Dockerfile, own: &[&str], at: &str) -> Option<Diagnosis> {
    let argument = main_argument(own);
    is_go_file(argument).then(|| {
        let directory = argument.rsplit_once('/').map_or(".", |(directory, _)| directory);
        let sentence =
            "go build is given a file: main is called command-line-arguments, and reports have paths of the build machine";
        Diagnosis::new(Id::BuiltFromFileArguments, Severity::Warning, Hop::Build, &file.name, sentence)
            .evidence(argument, at)
            .fix(format!("go build … {directory}    # instead of {argument}"))
    })
}

/// `ENV GOFLAGS=-cover -coverpkg=./...` sets a second variable, which is called -coverpkg. Only if -cover is lost, too, there
/// is no data.
fn misquoted(file: &Dockerfile, builds: &[Build]) -> Vec<Diagnosis> {
    let (severity, explains) = if builds.iter().all(is_told) {
        (Severity::Warning, &[][..])
    } else {
        (Severity::Error, LOST_FLAG_EXPLAINS)
    };
    let instructions = file.stages.iter().flat_map(|stage| &stage.instructions);
    let flags = instructions.filter_map(|instruction| match &instruction.kind {
        InstructionKind::Environment(name, value) if name.starts_with('-') => {
            Some(("ENV", format!("{name}={value}"), instruction.line))
        }
        InstructionKind::Argument(name, value) if name.starts_with('-') => {
            let value = value.as_ref().map(|value| format!("={value}"));
            Some(("ARG", format!("{name}{}", value.unwrap_or_default()), instruction.line))
        }
        _ => None,
    });
    flags
        .map(|(keyword, flag, line)| {
            let sentence = format!(
                "{flag} is not part of the value before it: without quotes it is a variable of its own"
            );
            let fix = if flag == "-cover" { flag.clone() } else { format!("-cover {flag}") };
            Diagnosis::new(Id::CoverageFlagNotPassed, severity, Hop::Build, &file.name, sentence)
                .evidence(flag, format!("{}:{line}", file.name))
                .fix(format!("{keyword} GOFLAGS=\"{fix}\""))
                .explains(explains)
        })
        .collect()
}

fn harmless(file: &Dockerfile, own: &[&str], goflags: &[&str], at: &str) -> Vec<Diagnosis> {
    let all: Vec<&str> = own.iter().chain(goflags).copied().collect();
    let has = |flag: &str| all.iter().any(|word| word.split('=').next() == Some(flag));
    let linker = value_of_flag(&all, "ldflags").unwrap_or_default();
    let mut found = Vec::new();
    let mut note = |is_there: bool, id, value: String, sentence: &str| {
        if is_there {
            found.push(
                Diagnosis::new(id, Severity::Note, Hop::Build, &file.name, sentence).evidence(value, at),
            );
        }
    };
    note(
        linker.contains("-static"),
        Id::HarmlessStaticLinking,
        format!("-ldflags={linker}"),
        "static linking is not the cause: the data and what writes it are linked in",
    );
    note(
        linker.split_whitespace().any(|flag| flag == "-s" || flag == "-w"),
        Id::HarmlessStripping,
        format!("-ldflags={linker}"),
        "stripping is not the cause: coverage needs no symbols (only `go tool nm | grep cover` does)",
    );
    note(
        has("-trimpath"),
        Id::HarmlessTrimpath,
        "-trimpath".to_owned(),
        "-trimpath is not the cause: it shortens the paths of files, and nothing else",
    );
    note(
        has("-a") || has("-installsuffix"),
        Id::HarmlessRebuildAll,
        if has("-installsuffix") { "-installsuffix" } else { "-a" }.to_owned(),
        "-a and -installsuffix are not the cause: they decide what is compiled again",
    );
    found
}
