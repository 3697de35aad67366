//! What a Dockerfile builds, and how its image starts.

mod build;
mod commands;
mod coverpkg;
mod scope;

use crate::facts::Dockerfile;
use crate::facts::dockerfile::{Command, InstructionKind, Stage};
use crate::rules::shells;
use crate::{Diagnosis, Facts, Hop, Id, Severity};

pub(super) fn find(facts: &Facts) -> Vec<Diagnosis> {
    facts.dockerfiles.iter().flat_map(of_file).collect()
}

fn of_file(file: &Dockerfile) -> Vec<Diagnosis> {
    let mut found = build::find(file);
    found.extend(file.not_understood.iter().map(|(line, reason)| {
        Diagnosis::new(
            Id::CouldNotLook,
            Severity::Unknown,
            Hop::Build,
            &file.name,
            "a line was not understood",
        )
        .evidence(reason, format!("{}:{line}", file.name))
    }));
    if let Some(stage) = file.stages.last() {
        found.extend(entry_point(file, stage));
        found.extend(directory(file, stage));
        found.extend(harmless(file, stage));
    }
    found
}

/// ENTRYPOINT and CMD as the engine starts them.
fn entry_point(file: &Dockerfile, last: &Stage) -> Option<Diagnosis> {
    let mut shell = ["/bin/sh".to_owned(), "-c".to_owned()].to_vec();
    let (mut entry_point, mut command) = (None, None);
    for stage in scope::lineage(file, last) {
        for instruction in &stage.instructions {
            let started = |form: &Command, shell: &[String]| match form {
                Command::Exec(words) => words.clone(),
                Command::Shell(line) => shell.iter().cloned().chain([line.clone()]).collect(),
            };
            match &instruction.kind {
                InstructionKind::Shell(words) => shell.clone_from(words),
                InstructionKind::EntryPoint(form) => {
                    entry_point = Some((instruction.line, started(form, &shell)));
                    command = None;
                }
                InstructionKind::Command(form) => command = Some((instruction.line, started(form, &shell))),
                _ => {}
            }
        }
    }
    let (line, words) = entry_point.or(command)?;
    let base = scope::lineage(file, last).first().map_or("", |stage| stage.base.as_str());
    let (severity, swallowing) = shells::swallows_signals(&words, base)?;
    Some(
        Diagnosis::new(
            Id::ShellSwallowsSignals,
            severity,
            Hop::Image,
            &file.name,
            shells::sentence(severity),
        )
        .evidence(swallowing, format!("{}:{line}", file.name))
        .fix(format!("ENTRYPOINT {}    # or the program itself: [\"/app\"]", shells::handed_over(&words)))
        .explains(super::COUNTERS_ARE_LOST),
    )
}

fn directory(file: &Dockerfile, last: &Stage) -> Option<Diagnosis> {
    let (line, value) = scope::environment(file, last, "GOCOVERDIR")?;
    if value.is_empty() || value.starts_with(['/', '$']) {
        return None;
    }
    let sentence =
        "GOCOVERDIR is relative: after a change of the working directory, counters go elsewhere or nowhere";
    Some(
        Diagnosis::new(Id::GocoverdirRelative, Severity::Warning, Hop::Image, &file.name, sentence)
            .evidence(format!("GOCOVERDIR={value}"), format!("{}:{line}", file.name))
            .fix(format!("ENV GOCOVERDIR=/{}", value.trim_start_matches("./"))),
    )
}

fn harmless(file: &Dockerfile, last: &Stage) -> Vec<Diagnosis> {
    let mut found = Vec::new();
    let mut note = |id, sentence: &str, value: String, line: usize| {
        found.push(
            Diagnosis::new(id, Severity::Note, Hop::Image, &file.name, sentence)
                .evidence(value, format!("{}:{line}", file.name)),
        );
    };
    for instruction in &last.instructions {
        if let InstructionKind::Copy { from: Some(from), paths } = &instruction.kind {
            note(
                Id::HarmlessMultiStageCopy,
                "copying the binary from another stage is not the cause: the data is part of the binary",
                format!("COPY --from={from} {}", paths.join(" ")),
                instruction.line,
            );
            break;
        }
    }
    let base = last.base.to_ascii_lowercase();
    if base == "scratch" || base.contains("distroless") {
        note(
            Id::HarmlessDistroless,
            "a base without a shell is not the cause: Go's runtime needs a directory that it can write to, and nothing else",
            format!("FROM {}", last.base),
            last.line,
        );
    }
    let user = last.instructions.iter().rev().find_map(|instruction| match &instruction.kind {
        InstructionKind::User(user) => Some((user.clone(), instruction.line)),
        _ => None,
    });
    let user = user.or_else(|| base.ends_with("nonroot").then(|| ("nonroot".to_owned(), last.line)));
    if let Some((user, line)) = user.filter(|(user, _)| !["root", "0"].contains(&user.as_str())) {
        note(
            Id::HarmlessNonroot,
            "a user other than root is not the cause, as long as the directory can be written to by it",
            format!("USER {user}"),
            line,
        );
    }
    found
}
