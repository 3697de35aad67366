//! GOCOVERDIR: set, in the right container, and absolute.

use super::super::finding::{Seen, error, warning};
use crate::facts::running_workload::ContainerFacts;
use crate::runtime_log::{Complaint, Data, LogFinding, WriteFailure};
use crate::{Diagnosis, Id};

pub(super) fn diagnose(container: &ContainerFacts) -> Vec<Diagnosis> {
    let said = complaint(container, |complaint| complaint == Complaint::NotSet);
    // The process itself knows best: a wrapper may have changed what the specification says.
    let seen = container.process.as_ref().ok().filter(|process| process.setting.is_none());
    let is_unset = matches!(&container.setting, Ok(None));
    if said.is_some() || seen.is_some() || is_unset {
        return vec![unset(container, said)];
    }
    relative(container).into_iter().collect()
}

fn unset(container: &ContainerFacts, said: Option<&LogFinding>) -> Diagnosis {
    let name = &container.name;
    let fix = format!(
        "env of container {name}:\n  - name: GOCOVERDIR\n    value: /coverdata\nvolumeMounts of container {name}:\n  - name: \
         coverdata\n    mountPath: /coverdata\nvolumes of the pod:\n  - name: coverdata\n    emptyDir: {{}}"
    );
    let diagnosis = if container.set_on.is_empty() {
        error(
            Id::GocoverdirUnset,
            &container.subject,
            "GOCOVERDIR is not set where the program runs, so that Go writes nothing",
        )
    } else {
        let others = container.set_on.join(", ");
        error(
            Id::GocoverdirOnAnotherContainer,
            &container.subject,
            format!("GOCOVERDIR is set on {others}, not on this container, whose program is the covered one"),
        )
        .seen("containers with GOCOVERDIR", &others, "the pod's specification")
    };
    let diagnosis = match (&container.setting, &container.process) {
        (_, Ok(process)) if process.setting.is_none() => {
            diagnosis.seen("GOCOVERDIR", "not set", process.place.file("environ"))
        }
        (Ok(None), _) => diagnosis.seen("GOCOVERDIR", "not set", "env of the container and its image"),
        _ => diagnosis,
    };
    let diagnosis = match &container.setting {
        Ok(Some(setting)) => diagnosis.seen(
            "GOCOVERDIR",
            setting.value.as_deref().unwrap_or("set"),
            format!("{}: what starts the program does not pass it on", setting.read_in),
        ),
        _ => diagnosis,
    };
    match said {
        Some(finding) => diagnosis.seen("log", &finding.line, "standard error of the program"),
        None => diagnosis,
    }
    .fix(fix)
}

fn relative(container: &ContainerFacts) -> Option<Diagnosis> {
    let of_process = container.process.as_ref().ok().and_then(|process| process.setting.clone());
    let of_spec = container.setting.as_ref().ok().and_then(|setting| setting.as_ref()?.value.clone());
    let value = of_process.or(of_spec).filter(|value| !value.starts_with('/'))?;
    // Harmless until the program changes its directory, which Go notices at its end only.
    let lost = complaint(container, |complaint| {
        let (data, reason) = (Data::Counters, WriteFailure::Missing);
        complaint == Complaint::NotWritten { data, reason }
    });
    let sentence = "GOCOVERDIR is a relative path, which Go resolves anew at each write: when the program is in another \
                    directory by then, its counters are lost";
    let new = if lost.is_some() { error } else { warning };
    let diagnosis = new(Id::GocoverdirRelative, &container.subject, sentence.to_owned());
    let diagnosis = diagnosis.seen("GOCOVERDIR", &value, "the environment of the container");
    let diagnosis = match lost {
        Some(finding) => diagnosis.seen("log", &finding.line, "standard error of the program"),
        None => diagnosis,
    };
    Some(diagnosis.fix(format!("- name: GOCOVERDIR\n  value: /{}", value.trim_start_matches("./"))))
}

/// The first line of the log that says so.
pub(super) fn complaint(
    container: &ContainerFacts,
    is_wanted: impl Fn(Complaint) -> bool,
) -> Option<&LogFinding> {
    container.log.iter().flatten().find(|finding| is_wanted(finding.complaint))
}
