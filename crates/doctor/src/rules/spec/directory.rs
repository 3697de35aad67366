//! From GOCOVERDIR to the volume: is it where the program is, absolute, and on something that keeps data.

use super::{about, absolute, target, written};
use crate::facts::pod_spec::{Container, Volume, VolumeMount};
use crate::facts::{KindConfiguration, Workload};
use crate::{Diagnosis, Hop, Id, Severity};

/// What is not there where nothing can be written.
const NOTHING_ARRIVES: &[Id] = &[Id::NoData];

pub(super) fn find(workload: &Workload) -> Vec<Diagnosis> {
    let spec = &workload.spec;
    let mut found: Vec<Diagnosis> =
        spec.long_running().filter_map(|container| of_container(workload, container)).collect();
    found.extend(only_before_the_program(workload));
    found
}

fn of_container(workload: &Workload, container: &Container) -> Option<Diagnosis> {
    let value = written(container)?;
    let seen = format!("GOCOVERDIR={value}");
    let new = |id, hop, sentence: &str| {
        about(workload, container, id, Severity::Error, hop, sentence)
            .evidence(seen.clone(), &workload.read_from)
            .explains(NOTHING_ARRIVES)
    };
    if value.contains("$(") {
        return None;
    }
    if !value.starts_with('/') {
        let fixed = format!("{{name: GOCOVERDIR, value: /{}}}", value.trim_start_matches("./"));
        return Some(
            new(
                Id::GocoverdirRelative,
                Hop::Pod,
                "GOCOVERDIR is relative: it is resolved at each write, wherever the program is then",
            )
            .fix(fixed)
            .explains(&[Id::NoData, Id::CountersMissing]),
        );
    }
    match container.mount_of(value) {
        Some(mount) => read_only(workload, container, mount, &new),
        None => Some(unmounted(workload, container, value, &new)),
    }
}

type New<'a> = dyn Fn(Id, Hop, &str) -> Diagnosis + 'a;

fn read_only(
    workload: &Workload,
    container: &Container,
    mount: &VolumeMount,
    new: &New<'_>,
) -> Option<Diagnosis> {
    let volume = workload.spec.volume(&mount.name);
    let only_read = volume.is_some_and(|volume| {
        volume.config_map.is_some() || volume.secret.is_some() || volume.projected.is_some()
    });
    let why = if mount.read_only {
        "readOnly: true"
    } else if only_read {
        "a volume of a ConfigMap or a Secret"
    } else {
        return None;
    };
    let fix = format!(
        "volumeMounts: [{{name: {}, mountPath: {}}}]    # without readOnly, of an emptyDir or hostPath",
        mount.name, mount.mount_path
    );
    let at = format!("{}, mount {} of container {}", workload.read_from, mount.name, container.name);
    Some(
        new(Id::ReadOnlyFileSystem, Hop::Volume, "the directory is mounted so that nobody can write to it")
            .evidence(why, at)
            .fix(fix),
    )
}

/// GOCOVERDIR is on no volume of its container.
fn unmounted(workload: &Workload, container: &Container, value: &str, new: &New<'_>) -> Diagnosis {
    let others = workload.spec.long_running().filter(|other| other.name != container.name);
    let elsewhere = others
        .filter(|other| {
            written(other).is_none() && other.mount_of(value).is_some_and(|mount| mount.mount_path != "/")
        })
        .map(|other| &other.name)
        .next();
    if let Some(other) = elsewhere {
        return new(
            Id::GocoverdirOnAnotherContainer,
            Hop::Pod,
            "GOCOVERDIR is set on one container, and its directory is mounted in another one, which does not get it",
        )
        .evidence(format!("{value} is mounted in container {other}"), &workload.read_from)
        .fix(format!("kubectl set env {} -c {other} GOCOVERDIR={value}", target(workload)));
    }
    if let Some(mount) = alike(workload, container) {
        return new(Id::PathMismatch, Hop::Volume, "GOCOVERDIR is not in the volume: the paths differ")
            .evidence(
                format!("mountPath: {}", mount.mount_path),
                format!("{}, mount {}", workload.read_from, mount.name),
            )
            .fix(format!("{{name: GOCOVERDIR, value: {}}}", mount.mount_path));
    }
    let volume = format!(
        "volumeMounts: [{{name: coverage, mountPath: {value}}}]\nvolumes: [{{name: coverage, emptyDir: {{}}}}]"
    );
    let is_read_only = container
        .security_context
        .as_ref()
        .is_some_and(|context| context.read_only_root_filesystem == Some(true));
    if is_read_only {
        return new(
            Id::ReadOnlyFileSystem,
            Hop::Volume,
            "the container's own file system is read-only, and no volume is where GOCOVERDIR is",
        )
        .evidence("readOnlyRootFilesystem: true", &workload.read_from)
        .fix(volume);
    }
    new(
        Id::DataOnContainerFilesystem,
        Hop::Volume,
        "GOCOVERDIR is on the container's own file system: counters come at the end, and end with it",
    )
    .evidence("no volume is mounted there", &workload.read_from)
    .fix(volume)
}

/// A mount that is most likely meant for coverage.
fn alike<'a>(workload: &Workload, container: &'a Container) -> Option<&'a VolumeMount> {
    let is_meant = |mount: &&VolumeMount| {
        [&mount.name, &mount.mount_path].iter().any(|text| text.to_ascii_lowercase().contains("cov"))
            && workload
                .spec
                .volume(&mount.name)
                .is_none_or(|volume| volume.config_map.is_none() && volume.secret.is_none())
    };
    container.volume_mounts.iter().find(is_meant)
}

/// An init container has it, and nothing that runs for long.
fn only_before_the_program(workload: &Workload) -> Option<Diagnosis> {
    let spec = &workload.spec;
    let is_sidecar = |container: &Container| container.restart_policy.as_deref() == Some("Always");
    let first = spec
        .init_containers
        .iter()
        .find(|container| !is_sidecar(container) && written(container).is_some())?;
    let program = spec.containers.first()?;
    if spec.long_running().any(|container| {
        container.variable(super::GOCOVERDIR).is_some() || super::may_come_from_elsewhere(container)
    }) {
        return None;
    }
    let value = written(first).unwrap_or_default();
    let sentence = "GOCOVERDIR is set on an init container, and on none that runs the program";
    Some(
        about(workload, first, Id::GocoverdirOnAnotherContainer, Severity::Error, Hop::Pod, sentence)
            .evidence(format!("GOCOVERDIR={value}"), &workload.read_from)
            .fix(format!("kubectl set env {} -c {} GOCOVERDIR={value}", target(workload), program.name))
            .explains(NOTHING_ARRIVES),
    )
}

/// The way of the data, where nothing is wrong with it.
pub(super) fn whole(workload: &Workload, clusters: &[KindConfiguration]) -> Vec<Diagnosis> {
    let of_container = |container: &Container| {
        let value = absolute(container)?;
        let mount = container.mount_of(value)?;
        let volume = workload.spec.volume(&mount.name)?;
        let (way, lasts) = way(volume, value, &mount.mount_path, clusters)?;
        let sentence = format!("GOCOVERDIR is on a volume{lasts}");
        Some(
            about(workload, container, Id::PathComplete, Severity::Ok, Hop::Volume, &sentence)
                .evidence(way, &workload.read_from),
        )
    };
    workload.spec.long_running().filter_map(of_container).collect()
}

fn way(
    volume: &Volume,
    value: &str,
    mount_path: &str,
    clusters: &[KindConfiguration],
) -> Option<(String, &'static str)> {
    if volume.empty_dir.is_some() {
        return Some((
            format!("GOCOVERDIR {value} → mount {mount_path} → emptyDir"),
            ", which ends with the pod: collect before that, or use podcov run",
        ));
    }
    if volume.persistent_volume_claim.is_some() {
        return Some((format!("GOCOVERDIR {value} → mount {mount_path} → persistent volume"), ""));
    }
    let path = &volume.host_path.as_ref()?.path;
    let mounts = clusters.iter().flat_map(|cluster| &cluster.nodes).flat_map(|node| &node.extra_mounts);
    let host = mounts
        .filter(|mount| crate::facts::pod_spec::is_within(path, &mount.container_path))
        .map(|mount| &mount.host_path)
        .next();
    let host = host.map(|host| format!(" → host {host}")).unwrap_or_default();
    Some((format!("GOCOVERDIR {value} → mount {mount_path} → node {path}{host}"), ""))
}
