//! Pods: what a workload's containers are, do, and did.
//!
//! The rules stand in the order of causes. What an earlier group finds explains what a later one would, so that the
//! first group with an error is the last that is asked.

mod admission;
mod directory;
mod ending;
mod program;
mod setting;

use super::finding::{Seen, unknown};
use crate::facts::Binary;
use crate::facts::running_workload::{
    ContainerFacts, Counted, ProcessDirectory, RunningWorkload, State, Unknown,
};
use crate::runtime_log::Complaint;
use crate::{Diagnosis, Facts, Hop, Id, Severity};

type Group = fn(&ContainerFacts) -> Vec<Diagnosis>;

const GROUPS: [Group; 4] = [program::diagnose, setting::diagnose, directory::diagnose, ending::diagnose];

pub(super) fn find(facts: &Facts) -> Vec<Diagnosis> {
    facts.running_workloads.iter().flat_map(of_workload).collect()
}

/// All that is wrong with a workload, its pods and their containers, and what is not known.
#[must_use]
pub fn of_workload(workload: &RunningWorkload) -> Vec<Diagnosis> {
    let mut found = admission::diagnose(workload);
    if has_error(&found) {
        return found;
    }
    for container in of_interest(&workload.containers) {
        found.extend(of_container(container));
    }
    found
}

/// A proxy beside a covered program need not be covered. Where none is known to be covered, any may be meant.
fn of_interest(containers: &[ContainerFacts]) -> Vec<&ContainerFacts> {
    let covered: Vec<_> = containers.iter().filter(|container| is_covered(container)).collect();
    if !covered.is_empty() {
        return covered;
    }
    let told: Vec<_> = containers.iter().filter(|it| matches!(it.setting, Ok(Some(_)))).collect();
    if told.is_empty() { containers.iter().collect() } else { told }
}

fn is_instrumented(program: &Binary) -> bool {
    super::program::was_read(program) && super::program::errors("", program).is_empty()
}

/// Its program is known to have been built with coverage.
fn is_covered(container: &ContainerFacts) -> bool {
    let said = setting::complaint(container, |complaint| {
        matches!(complaint, Complaint::NotSet | Complaint::NotWritten { .. })
    });
    let has_written = container.files.as_ref().is_ok_and(|files| files.metadata > 0);
    said.is_some() || has_written || container.program.as_ref().is_ok_and(is_instrumented)
}

/// The same of one container.
#[must_use]
pub fn of_container(container: &ContainerFacts) -> Vec<Diagnosis> {
    let mut found = Vec::new();
    for group in GROUPS {
        found.extend(group(container));
        if has_error(&found) {
            return found;
        }
    }
    let not_seen = not_seen(container);
    if not_seen.is_empty() {
        found.extend(directory::ready(container));
    }
    found.extend(not_seen);
    found
}

/// What the program alone tells, whatever runs it.
#[must_use]
pub fn of_program(container: &ContainerFacts) -> Vec<Diagnosis> {
    program::diagnose(container)
}

/// Counters are where nothing has written them yet.
fn with_counted(diagnosis: Diagnosis, container: &ContainerFacts) -> Diagnosis {
    let Ok(process) = &container.process else { return diagnosis };
    let Ok(Counted { functions, ran }) = process.counted else { return diagnosis };
    diagnosis.seen("functions that have run", format!("{ran} of {functions}"), process.place.file("mem"))
}

fn has_error(found: &[Diagnosis]) -> bool {
    found.iter().any(|diagnosis| diagnosis.severity == Severity::Error)
}

/// As long as a container waits for its first start, nothing can be there, and Kubernetes says why.
fn not_started(container: &ContainerFacts) -> Option<Diagnosis> {
    let State::Waiting(reason, message) = &container.state else { return None };
    if container.ending.is_some() {
        return None;
    }
    let why = if message.is_empty() { reason.clone() } else { format!("{reason}: {message}") };
    let sentence = "the container has not started, so that nothing is known of what it would write";
    let diagnosis = unknown(Id::CouldNotLook, Hop::Process, &container.subject, sentence);
    Some(
        diagnosis
            .seen("waiting", why, "status of the container")
            .fix("kubectl describe pod, and mend what it names"),
    )
}

/// What could not be looked at may still be the cause.
fn not_seen(container: &ContainerFacts) -> Vec<Diagnosis> {
    let is_running = container.state == State::Running;
    let unseen = match container.process.as_ref().map(|process| &process.directory) {
        Ok(Ok(Some(ProcessDirectory::There { files: None, .. }))) => container.files.as_ref().err(),
        Ok(directory) => directory.as_ref().err(),
        // How it ended does not tell whether it left its counters.
        Err(_) if !is_running && container.ending.is_some() => container.files.as_ref().err(),
        Err(_) => None,
    };
    let answers = [
        (Hop::Build, "whether the program is covered", container.program.as_ref().err()),
        (Hop::Pod, "whether GOCOVERDIR is set", container.setting.as_ref().err()),
        (
            Hop::Process,
            "what the process finds where GOCOVERDIR points",
            container.process.as_ref().err().filter(|_| is_running),
        ),
        (Hop::Process, "what is where GOCOVERDIR points", unseen),
    ];
    let of = |(hop, what, answer): (Hop, &str, Option<&Unknown>)| {
        let Unknown { reason, how } = answer?;
        let sentence = format!("{what} is not known: {reason}");
        let diagnosis = unknown(Id::CouldNotLook, hop, &container.subject, sentence);
        Some(if how.is_empty() { diagnosis } else { diagnosis.fix(how) })
    };
    not_started(container).into_iter().chain(answers.into_iter().filter_map(of)).collect()
}
