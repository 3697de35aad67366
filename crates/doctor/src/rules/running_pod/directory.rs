//! The directory that GOCOVERDIR names: there, writable, not full, and on a volume that somebody can read.

use super::super::finding::{Seen, error};
use super::setting::complaint;
use crate::facts::running_workload::{ContainerFacts, ImageDirectory, ProcessDirectory, Volume, VolumeKind};
use crate::runtime_log::{Complaint, LogFinding, WriteFailure};
use crate::{Diagnosis, Hop, Id, Severity};

/// Less than this, and a counter file of a small program has no room.
const NO_ROOM: u64 = 64 * 1024;

pub(super) fn diagnose(container: &ContainerFacts) -> Vec<Diagnosis> {
    let rules: [fn(&ContainerFacts) -> Option<Diagnosis>; 6] =
        [missing, read_only, not_writable, full, not_mounted, of_container];
    rules.iter().find_map(|rule| rule(container)).into_iter().collect()
}

/// What the process will write to, where nothing is wrong with it.
pub(super) fn ready(container: &ContainerFacts) -> Option<Diagnosis> {
    let Some(ProcessDirectory::There { owner, .. }) = seen(container) else { return None };
    let sentence = "the process may write to the directory that GOCOVERDIR names";
    let found =
        Diagnosis::new(Id::PathComplete, Severity::Ok, Hop::Volume, &container.subject, sentence.to_owned());
    Some(found.seen("GOCOVERDIR", path(container), "the process").seen("directory", owner, "the process"))
}

fn failure(container: &ContainerFacts, wanted: &[WriteFailure]) -> Option<LogFinding> {
    let is_wanted =
        |complaint| matches!(complaint, Complaint::NotWritten { reason, .. } if wanted.contains(&reason));
    complaint(container, is_wanted).cloned()
}

fn seen(container: &ContainerFacts) -> Option<&ProcessDirectory> {
    container.process.as_ref().ok()?.directory.as_ref().ok()?.as_ref()
}

fn volume(container: &ContainerFacts) -> Option<&Volume> {
    container.volume.as_ref().ok()?.as_ref()
}

fn path(container: &ContainerFacts) -> String {
    let setting = container.setting.as_ref().ok().and_then(|setting| setting.as_ref()?.value.clone());
    let seen = container.process.as_ref().ok().and_then(|process| process.setting.clone());
    seen.or(setting).unwrap_or_else(|| "GOCOVERDIR".to_owned())
}

const EMPTY_DIR: &str = "volumeMounts of the container:\n  - name: coverdata\n    mountPath: /coverdata\nvolumes of the \
                         pod:\n  - name: coverdata\n    emptyDir: {}";

fn with_log(diagnosis: Diagnosis, said: Option<&LogFinding>) -> Diagnosis {
    match said {
        Some(finding) => diagnosis.seen("log", &finding.line, "standard error of the program"),
        None => diagnosis,
    }
}

fn missing(container: &ContainerFacts) -> Option<Diagnosis> {
    let said = failure(container, &[WriteFailure::Missing, WriteFailure::NotADirectory]);
    let seen = match seen(container) {
        Some(ProcessDirectory::Missing(reason)) => Some(reason.as_str()),
        Some(ProcessDirectory::NotADirectory) => Some("a file"),
        Some(ProcessDirectory::There { .. }) => return None,
        None => None,
    };
    // Without a volume it has to be in the image.
    let is_on_image = matches!(container.volume, Ok(None));
    let of_image = match &container.image_directory {
        Ok(ImageDirectory::Missing) if is_on_image => Some("not there"),
        Ok(ImageDirectory::NotADirectory) if is_on_image => Some("a file"),
        _ => None,
    };
    if said.is_none() && seen.is_none() && of_image.is_none() {
        return None;
    }
    let path = path(container);
    let sentence = format!("{path} is no directory in the container, and Go never creates it");
    let mut diagnosis = error(Id::DirectoryMissing, &container.subject, sentence);
    if let (Some(reason), Ok(process)) = (seen, &container.process) {
        diagnosis = diagnosis.seen(&path, reason, process.place.file("root"));
    }
    if let Some(reason) = of_image {
        diagnosis = diagnosis.seen(&path, reason, "the layers of the image; no volume is mounted there");
    }
    Some(with_log(diagnosis, said.as_ref()).fix(EMPTY_DIR.replace("/coverdata", &path)))
}

fn read_only(container: &ContainerFacts) -> Option<Diagnosis> {
    let said = failure(container, &[WriteFailure::ReadOnly]);
    let is_seen = matches!(seen(container), Some(ProcessDirectory::There { is_read_only: true, .. }));
    let volume = volume(container);
    let mounted = volume.filter(|volume| volume.is_read_only);
    let is_root = matches!(container.volume, Ok(None)) && container.has_read_only_root;
    if said.is_none() && !is_seen && mounted.is_none() && !is_root {
        return None;
    }
    let path = path(container);
    let sentence = format!("{path} is on a file system that can only be read");
    let mut diagnosis = error(Id::ReadOnlyFileSystem, &container.subject, sentence);
    if let Some(volume) = mounted {
        let place = format!("mount of volume {} at {}", volume.name, volume.mount_path);
        diagnosis = diagnosis.seen("readOnly", "true", place);
    } else if is_root {
        let place = format!("securityContext of the container; no volume is mounted at {path}");
        diagnosis = diagnosis.seen("readOnlyRootFilesystem", "true", place);
    }
    if let (true, Ok(process)) = (is_seen, &container.process) {
        diagnosis = diagnosis.seen(&path, "mounted read-only", process.place.file("mountinfo"));
    }
    Some(with_log(diagnosis, said.as_ref()).fix(EMPTY_DIR.replace("/coverdata", &path)))
}

fn not_writable(container: &ContainerFacts) -> Option<Diagnosis> {
    let said = failure(container, &[WriteFailure::PermissionDenied]);
    let seen = match seen(container) {
        Some(ProcessDirectory::There { lets_create: false, owner, .. }) => Some(owner),
        _ => None,
    };
    let is_on_image = matches!(container.volume, Ok(None));
    let of_image = match &container.image_directory {
        Ok(ImageDirectory::There { lets_create: false, owner }) if is_on_image => Some(owner),
        _ => None,
    };
    if said.is_none() && seen.is_none() && of_image.is_none() {
        return None;
    }
    let path = path(container);
    let mut diagnosis = denied(container, &path);
    if let (Some(owner), Ok(process)) = (seen, &container.process) {
        diagnosis = diagnosis.seen(&path, owner, process.place.file("root")).seen(
            "user of the process",
            process.user,
            process.place.file("status"),
        );
    }
    if let Some(owner) = of_image {
        diagnosis = diagnosis.seen(&path, owner, "the layers of the image");
        if let Some(user) = container.user {
            diagnosis = diagnosis.seen("user of the container", user, "the image and the pod");
        }
    }
    Some(with_log(diagnosis, said.as_ref()).fix(fix_for_owner(container, &path)))
}

fn denied(container: &ContainerFacts, path: &str) -> Diagnosis {
    let sentence = format!("the program may not create files in {path}: it belongs to another user");
    error(Id::DirectoryNotWritable, &container.subject, sentence)
}

fn fix_for_owner(container: &ContainerFacts, path: &str) -> String {
    let seen = container.process.as_ref().ok().map(|process| u64::from(process.user));
    let user = seen.or(container.user).map_or_else(|| "USER".to_owned(), |user| user.to_string());
    match volume(container) {
        Some(Volume { kind: VolumeKind::NodePath { path, node, .. }, .. }) => {
            format!(
                "on node {node}:\n  chown {user} {path}\n(fsGroup does not apply to hostPath), or use an emptyDir"
            )
        }
        Some(_) => format!("securityContext of the pod:\n  fsGroup: {user}"),
        None => format!(
            "in the Dockerfile:\n  COPY --chown={user}:{user} --from=build /empty {path}\nor mount an emptyDir at {path}"
        ),
    }
}

fn full(container: &ContainerFacts) -> Option<Diagnosis> {
    let said = failure(container, &[WriteFailure::NoSpace]);
    let free = match seen(container) {
        Some(ProcessDirectory::There { free_bytes, .. }) if *free_bytes < NO_ROOM => {
            Some(("free bytes", *free_bytes))
        }
        // Meta-data and counters.
        Some(ProcessDirectory::There { free_files: Some(files @ 0..2), .. }) => {
            Some(("files that may still be made", *files))
        }
        _ => None,
    };
    if said.is_none() && free.is_none() && !container.is_volume_full {
        return None;
    }
    let path = path(container);
    let sentence = format!("{path} has no room left: Go leaves an empty temporary file, and no data");
    let mut diagnosis = error(Id::VolumeFull, &container.subject, sentence);
    if let (Some((what, free)), Ok(process)) = (free, &container.process) {
        diagnosis = diagnosis.seen(what, free, process.place.file(&format!("root{path}")));
    }
    if let Ok(files) = &container.files
        && container.is_volume_full
    {
        diagnosis = diagnosis.seen("unfinished files", files.temporary, &path);
    }
    Some(with_log(diagnosis, said.as_ref()).fix("raise sizeLimit of the volume, or free space on the node"))
}

fn not_mounted(container: &ContainerFacts) -> Option<Diagnosis> {
    let Some(Volume { kind: VolumeKind::NodePath { path, node, on_this_machine: Ok(None) }, name, .. }) =
        volume(container)
    else {
        return None;
    };
    let sentence = format!(
        "the data is in {path} of node {node}, which is a container of its own: nothing of this machine is mounted there, \
         so that the directory of that name here stays empty"
    );
    Some(
        error(Id::NodePathNotMounted, &container.subject, sentence)
            .seen("hostPath", path, format!("volume {name}"))
            .seen("mounts of the node", "none at or above it", format!("docker inspect {node}"))
            .fix(format!(
                "in the configuration of kind, for each node that may run the pod:\n  extraMounts:\n  - hostPath: {path}\n    \
                 containerPath: {path}\nthen create the cluster anew; or take what is there now:\n  docker cp {node}:{path} ."
            )),
    )
}

fn of_container(container: &ContainerFacts) -> Option<Diagnosis> {
    let is_seen = match seen(container) {
        Some(ProcessDirectory::There { is_of_container, .. }) => *is_of_container,
        Some(_) => return None,
        None => matches!(container.volume, Ok(None)) && matches!(container.setting, Ok(Some(_))),
    };
    if !is_seen {
        return None;
    }
    let path = path(container);
    let sentence = format!(
        "{path} is on the container's own file system, which goes with it: what is written at the end of the program cannot \
         be taken from there"
    );
    let mut diagnosis = error(Id::DataOnContainerFilesystem, &container.subject, sentence);
    diagnosis = match &container.process {
        Ok(process) => diagnosis.seen("mounted", "nothing", process.place.file("mountinfo")),
        Err(_) => diagnosis.seen("volumeMounts", format!("none at {path}"), "the pod's specification"),
    };
    if container.restarts > 0 {
        diagnosis = diagnosis.seen("restarts", container.restarts, "status of the container");
    }
    Some(diagnosis.fix(EMPTY_DIR.replace("/coverdata", &path)))
}
