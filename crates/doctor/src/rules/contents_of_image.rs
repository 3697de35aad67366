//! Images: the program that is started, a shell in its way, and the directory that GOCOVERDIR names.

use super::finding::{Seen, error, note, warning};
use super::program;
use crate::facts::examined_image::{ExaminedImage, ShellRole};
use crate::facts::running_workload::ImageDirectory;
use crate::{Diagnosis, Facts, Id, Severity};

pub(super) fn find(facts: &Facts) -> Vec<Diagnosis> {
    facts.examined_images.iter().flat_map(diagnose).collect()
}

/// Everything about an image.
fn diagnose(image: &ExaminedImage) -> Vec<Diagnosis> {
    let mut found = programs(image);
    let has_error = found.iter().any(|diagnosis| diagnosis.severity == Severity::Error);
    if !has_error {
        found.extend(directory(image));
        found.extend(shell(image));
    }
    found.extend(distroless(image));
    found.extend(nonroot(image));
    found
}

/// Of the program that is started; of all where that is not known, or is none of Go's.
fn programs(image: &ExaminedImage) -> Vec<Diagnosis> {
    let started = image.started.as_ref().ok();
    let own = image.programs.iter().find(|program| Some(&program.name) == started);
    if let Some(own) = own {
        return program::everything(&image.subject, own);
    }
    if image.programs.is_empty() {
        let sentence = "the image has no program that Go built";
        let diagnosis = error(Id::NotAGoBinary, &image.subject, sentence);
        let command_line = image.command_line.join(" ");
        return vec![diagnosis.seen("command line", command_line, "configuration of the image").fix(
            "name the image that the service is built into; in a multi-stage Dockerfile, look which stage is the last",
        )];
    }
    image.programs.iter().flat_map(|binary| program::everything(&image.subject, binary)).collect()
}

fn directory(image: &ExaminedImage) -> Option<Diagnosis> {
    let path = image.setting.as_ref()?;
    let user = if image.user.is_empty() { "root" } else { &image.user };
    if !path.starts_with('/') {
        let sentence = "GOCOVERDIR is a relative path, which Go resolves anew at each write";
        let diagnosis = warning(Id::GocoverdirRelative, &image.subject, sentence);
        return Some(
            diagnosis.seen("GOCOVERDIR", path, "ENV of the image").fix(format!("ENV GOCOVERDIR=/{path}")),
        );
    }
    let (id, sentence, value) = match image.directory.as_ref()?.as_ref().ok()? {
        ImageDirectory::Missing => (
            Id::DirectoryMissing,
            format!("the image has no directory {path}, and Go never creates it"),
            "not there".to_owned(),
        ),
        ImageDirectory::NotADirectory => {
            (Id::DirectoryMissing, format!("{path} is no directory in the image"), "a file".to_owned())
        }
        ImageDirectory::There { lets_create: false, owner } => (
            Id::DirectoryNotWritable,
            format!("user {user} of the image may not create files in {path}"),
            owner.clone(),
        ),
        ImageDirectory::There { .. } => return None,
    };
    // A volume that is mounted there is all that is needed.
    let diagnosis = warning(id, &image.subject, format!("{sentence}; unless a volume is mounted there"));
    Some(
        diagnosis
            .seen("GOCOVERDIR", path, "ENV of the image")
            .seen(path, value, "the layers of the image")
            .seen("USER", user, "configuration of the image")
            .fix(format!("mount a volume at {path}; or in the Dockerfile:\n  COPY --chown={user} --from=build /empty {path}")),
    )
}

fn shell(image: &ExaminedImage) -> Option<Diagnosis> {
    let script = image.script.as_ref()?;
    let (severity, sentence) = match script.shell_role() {
        ShellRole::Replaced => return None,
        ShellRole::DependsOnShell => (
            Severity::Warning,
            "a shell starts the program; unless it lets it take its place, which bash and busybox do and dash does not, SIGTERM \
             reaches the shell only",
        ),
        ShellRole::Stays => (
            Severity::Error,
            "a shell is the first process of the container: it gets SIGTERM, and does not pass it on to the program, which is \
             killed when the grace period is over",
        ),
    };
    let new = if severity == Severity::Error { error } else { warning };
    let diagnosis = new(Id::ShellSwallowsSignals, &image.subject, sentence);
    let shown: String = script.text.chars().take(200).collect();
    Some(diagnosis.seen("script", shown, &script.place).fix(
        "in the Dockerfile, the exec form:\n  ENTRYPOINT [\"/app\"]\nor in the script:\n  exec /app \"$@\"",
    ))
}

fn distroless(image: &ExaminedImage) -> Option<Diagnosis> {
    if image.has_shell || image.programs.is_empty() {
        return None;
    }
    let sentence = "the image has no shell, and needs none: Go's runtime writes coverage data by itself";
    let diagnosis = note(Id::HarmlessDistroless, &image.subject, sentence);
    Some(diagnosis.seen("/bin/sh", "not there", "the layers of the image"))
}

fn nonroot(image: &ExaminedImage) -> Option<Diagnosis> {
    let user = image.user.split(':').next().unwrap_or_default();
    if matches!(user, "" | "0" | "root") || image.programs.is_empty() {
        return None;
    }
    let sentence = "the program is not root, and need not be: any user can write coverage data who may create files in the \
                    directory, and an emptyDir lets everybody";
    let diagnosis = note(Id::HarmlessNonroot, &image.subject, sentence);
    Some(diagnosis.seen("USER", &image.user, "configuration of the image"))
}
