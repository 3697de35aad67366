//! Who may write: Pod Security against hostPath, and the container's user against the directory's owner.

use super::{about, absolute};
use crate::facts::pod_spec::{Container, is_within};
use crate::facts::{KindConfiguration, Workload};
use crate::{Diagnosis, Hop, Id, Known, Severity};

pub(super) fn find(workload: &Workload, clusters: &[KindConfiguration]) -> Vec<Diagnosis> {
    let mut found: Vec<Diagnosis> = forbidden(workload).into_iter().collect();
    found.extend(workload.spec.long_running().filter_map(|container| owner(workload, container, clusters)));
    found
}

fn forbidden(workload: &Workload) -> Option<Diagnosis> {
    let Known::Found { value: level, read_from } = &workload.enforced_level else { return None };
    let volume = workload.spec.volumes.iter().find(|volume| volume.host_path.is_some())?;
    if !["baseline", "restricted"].contains(&level.as_str()) {
        return None;
    }
    let sentence = format!(
        "the namespace enforces Pod Security {level}, which allows no hostPath: the pods are refused"
    );
    Some(
        Diagnosis::new(Id::PodSecurityForbids, Severity::Error, Hop::Pod, &workload.name, sentence)
            .evidence(format!("pod-security.kubernetes.io/enforce: {level}"), read_from)
            .evidence(format!("volume {} is a hostPath", volume.name), &workload.read_from)
            .fix(format!(
                "volumes: [{{name: {}, emptyDir: {{}}}}]    # and podcov run, which takes the data out",
                volume.name
            ))
            .explains(&[Id::NoData, Id::DirectoryNotWritable, Id::NodePathNotMounted, Id::PathMismatch])
            .chain(Some(&workload.name)),
    )
}

/// A directory of the node belongs to root, unless somebody made it otherwise; fsGroup does not change it.
fn owner(workload: &Workload, container: &Container, clusters: &[KindConfiguration]) -> Option<Diagnosis> {
    let mount = container.mount_of(absolute(container)?)?;
    let host_path = workload.spec.volume(&mount.name)?.host_path.as_ref()?;
    let context = |read: fn(&crate::facts::pod_spec::SecurityContext) -> Option<i64>| {
        let own = container.security_context.as_ref().and_then(read);
        own.or_else(|| workload.spec.security_context.as_ref().and_then(read))
    };
    let user = context(|context| context.run_as_user);
    let is_nonroot = context(|context| context.run_as_non_root.map(i64::from)) == Some(1);
    let said = match user {
        Some(0) => return None,
        Some(user) => format!("runAsUser: {user}"),
        None if is_nonroot => "runAsNonRoot: true".to_owned(),
        None => return None,
    };
    let mounts = clusters.iter().flat_map(|cluster| &cluster.nodes).flat_map(|node| &node.extra_mounts);
    let directory = mounts
        .filter(|mount| is_within(&host_path.path, &mount.container_path))
        .find_map(|mount| mount.host_directory.value());
    let (severity, owner) = match directory {
        Some(directory) if directory.is_writable_by(user) => return None,
        Some(directory) => (
            Severity::Error,
            (format!("owner {}, mode {:o}", directory.user, directory.mode), directory.path.clone()),
        ),
        None => (
            Severity::Warning,
            (
                format!("type: {}", host_path.kind.as_deref().unwrap_or("not said")),
                format!("{}, volume {}", workload.read_from, mount.name),
            ),
        ),
    };
    let sentence = match severity {
        Severity::Error => {
            "the directory on the host cannot be written to by the program's user; fsGroup does not apply to hostPath"
        }
        _ => {
            "a hostPath belongs to root where it is created, and the program runs as another user; fsGroup does not apply to it"
        }
    };
    let change = user.map_or_else(|| "chmod 1777".to_owned(), |user| format!("chown {user}"));
    let path = directory.map_or(&host_path.path, |directory| &directory.path);
    Some(
        about(workload, container, Id::DirectoryNotWritable, severity, Hop::Volume, sentence)
            .evidence(said, &workload.read_from)
            .evidence(owner.0, owner.1)
            .fix(format!("sudo {change} {path}    # or an emptyDir, which every user can write to"))
            .explains(&[Id::NoData]),
    )
}
