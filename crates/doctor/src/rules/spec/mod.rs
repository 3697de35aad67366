//! What a pod's spec says of where data goes, container by container, and past it into the node and the host.

mod directory;
mod node;
mod security;
mod shutdown;

use crate::facts::Workload;
use crate::facts::pod_spec::{Container, EnvVar};
use crate::{Diagnosis, Facts, Hop, Id, Severity};

const GOCOVERDIR: &str = "GOCOVERDIR";

pub(super) fn find(facts: &Facts) -> Vec<Diagnosis> {
    let mut found = unset(facts);
    for workload in &facts.workloads {
        let before = found.len();
        found.extend(from_elsewhere(workload));
        found.extend(directory::find(workload));
        found.extend(node::find(workload, &facts.kind_configurations));
        found.extend(security::find(workload, &facts.kind_configurations));
        found.extend(shutdown::find(workload));
        let is_whole = found.iter().skip(before).all(|one| one.severity > Severity::Unknown);
        if is_whole {
            found.extend(directory::whole(workload, &facts.kind_configurations));
        }
    }
    found
}

/// A finding about a container.
fn about(
    workload: &Workload,
    container: &Container,
    id: Id,
    severity: Severity,
    hop: Hop,
    sentence: &str,
) -> Diagnosis {
    let subject = format!("{}, container {}", workload.name, container.name);
    Diagnosis::new(id, severity, hop, subject, sentence).chain(Some(&workload.name))
}

/// GOCOVERDIR as it is written in a container; nothing if it is empty or comes from elsewhere.
fn written(container: &Container) -> Option<&str> {
    container.variable(GOCOVERDIR)?.value.as_deref().filter(|value| !value.is_empty())
}

/// An absolute path that needs no cluster to be known.
fn absolute(container: &Container) -> Option<&str> {
    written(container).filter(|value| value.starts_with('/') && !value.contains("$("))
}

fn may_come_from_elsewhere(container: &Container) -> bool {
    !container.env_from.is_empty()
        || container.variable(GOCOVERDIR).is_some_and(|EnvVar { value_from, .. }| value_from.is_some())
}

/// That no container of anything that was given sets GOCOVERDIR. Where some do, the others are likely no programs of
/// the user's.
fn unset(facts: &Facts) -> Vec<Diagnosis> {
    let containers = || facts.workloads.iter().flat_map(|workload| workload.spec.long_running());
    let all = || {
        facts
            .workloads
            .iter()
            .flat_map(|workload| workload.spec.containers.iter().chain(&workload.spec.init_containers))
    };
    let by_image = facts.dockerfiles.iter().any(sets_it)
        || facts.examined_images.iter().any(|image| image.setting.is_some());
    if containers().next().is_none()
        || all().any(|container| written(container).is_some() || may_come_from_elsewhere(container))
        || by_image
    {
        return Vec::new();
    }
    let of_workload = |workload: &Workload| {
        let is_empty = workload.spec.long_running().any(|container| container.variable(GOCOVERDIR).is_some());
        let seen = if is_empty { "GOCOVERDIR is empty" } else { "no GOCOVERDIR in any container" };
        Diagnosis::new(
            Id::GocoverdirUnset,
            Severity::Error,
            Hop::Pod,
            &workload.name,
            "GOCOVERDIR is not set: Go says so once on standard error, and writes nothing",
        )
        .evidence(seen, &workload.read_from)
        .fix(format!(
            "podcov run {} -- TESTS    # sets it, or by hand:\nenv: [{{name: GOCOVERDIR, value: /coverage}}]\nvolumeMounts: [{{name: coverage, mountPath: /coverage}}]\nvolumes: [{{name: coverage, emptyDir: {{}}}}]",
            target(workload)
        ))
        .explains(&[Id::NoData])
        .chain(Some(&workload.name))
    };
    facts.workloads.iter().map(of_workload).collect()
}

/// GOCOVERDIR may be in a ConfigMap that is not part of what was given.
fn from_elsewhere(workload: &Workload) -> Option<Diagnosis> {
    let mut containers = workload.spec.long_running();
    if workload.spec.long_running().any(|container| written(container).is_some()) {
        return None;
    }
    let container = containers.find(|container| may_come_from_elsewhere(container))?;
    let sentence = "whether GOCOVERDIR is set is decided by a ConfigMap or a Secret";
    Some(
        about(workload, container, Id::CouldNotLook, Severity::Unknown, Hop::Pod, sentence)
            .evidence("envFrom or valueFrom", &workload.read_from)
            .fix(format!("podcov doctor {}    # in the cluster", target(workload))),
    )
}

fn sets_it(file: &crate::facts::Dockerfile) -> bool {
    use crate::facts::dockerfile::InstructionKind::Environment;
    let mut instructions = file.stages.iter().flat_map(|stage| &stage.instructions);
    instructions.any(|instruction| matches!(&instruction.kind, Environment(name, _) if name == GOCOVERDIR))
}

/// `deployment shop/api` as podcov's arguments name it.
fn target(workload: &Workload) -> String {
    let name = workload.name.split_whitespace().next_back().unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or_default();
    let kind = workload.kind.to_ascii_lowercase();
    match &workload.namespace {
        Some(namespace) => format!("-n {namespace} {kind}/{name}"),
        None => format!("{kind}/{name}"),
    }
}
