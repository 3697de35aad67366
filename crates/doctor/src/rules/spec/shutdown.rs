//! What a spec says of how the program ends: through a shell, and in how much time.

use super::{about, written};
use crate::facts::Workload;
use crate::facts::pod_spec::Container;
use crate::rules::{COUNTERS_ARE_LOST, shells};
use crate::{Diagnosis, Hop, Id, Severity};

pub(super) fn find(workload: &Workload) -> Vec<Diagnosis> {
    let concerned = || workload.spec.long_running().filter(|container| written(container).is_some());
    let mut found: Vec<Diagnosis> = concerned().filter_map(|container| shell(workload, container)).collect();
    found.extend(concerned().next().and_then(|container| grace_period(workload, container)));
    found
}

fn shell(workload: &Workload, container: &Container) -> Option<Diagnosis> {
    let command: Vec<String> = container.command.iter().chain(&container.args).flatten().cloned().collect();
    let (severity, swallowing) =
        shells::swallows_signals(&command, container.image.as_deref().unwrap_or_default())?;
    Some(
        about(
            workload,
            container,
            Id::ShellSwallowsSignals,
            severity,
            Hop::Process,
            shells::sentence(severity),
        )
        .evidence(swallowing, &workload.read_from)
        .fix(format!("command: {}", shells::handed_over(&command)))
        .explains(COUNTERS_ARE_LOST),
    )
}

/// Nobody gives less than a few seconds on purpose, and ends in them.
fn grace_period(workload: &Workload, container: &Container) -> Option<Diagnosis> {
    let seconds = workload.spec.termination_grace_period_seconds?;
    let (severity, sentence) = match seconds {
        ..=0 => (Severity::Error, "no time to end: the program is killed before it can write counters"),
        1 => (
            Severity::Warning,
            "one second to end: a program that drains connections is killed before it writes counters",
        ),
        _ => return None,
    };
    Some(
        about(workload, container, Id::GracePeriodExceeded, severity, Hop::Process, sentence)
            .evidence(format!("terminationGracePeriodSeconds: {seconds}"), &workload.read_from)
            .fix("terminationGracePeriodSeconds: 30")
            .explains(&[Id::CountersMissing, Id::KilledBeforeFlush]),
    )
}
