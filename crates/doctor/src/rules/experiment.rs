//! The first place at which data stops appearing, and why.

use super::finding::{Seen, error};
use super::running_pod;
use crate::facts::experiment::{Attempt, Experiment};
use crate::facts::running_workload::ContainerFacts;
use crate::{Diagnosis, Facts, Hop, Id, Severity};

pub(super) fn find(facts: &Facts) -> Vec<Diagnosis> {
    facts.experiments.iter().flat_map(of_experiment).collect()
}

fn of_experiment(experiment: &Experiment) -> Vec<Diagnosis> {
    let mut found = Vec::new();
    for attempt in &experiment.attempts {
        let at = of_attempt(experiment, attempt);
        let is_over = at.iter().any(|diagnosis| diagnosis.severity == Severity::Error);
        found.extend(at);
        if is_over {
            break;
        }
    }
    found
}

fn of_attempt(experiment: &Experiment, attempt: &Attempt) -> Vec<Diagnosis> {
    let place = attempt.place.name();
    let subject = format!("{}, tried: {place}", experiment.subject);
    let seen = match &attempt.seen {
        Ok(seen) => seen,
        Err(reason) => {
            let sentence = "it could not be tried there";
            let diagnosis =
                Diagnosis::new(Id::CouldNotLook, Severity::Unknown, Hop::Process, &subject, sentence);
            return vec![diagnosis.evidence(reason, place)];
        }
    };
    let errors = running_pod::of_container(&ContainerFacts { subject: subject.clone(), ..seen.clone() });
    let errors: Vec<_> = errors.into_iter().filter(|it| it.severity == Severity::Error).collect();
    if !errors.is_empty() {
        return errors;
    }
    match &seen.files {
        Ok(files) if files.counters == 0 => vec![
            error(Id::NoData, &subject, "the program ran and ended here, and left no counters")
                .seen("files of meta-data", files.metadata, place)
                .seen("files of counters", files.counters, place)
                .fix("podcov doctor of what is at this place, and of the binary"),
        ],
        Ok(files) => {
            vec![ok(&subject, "data appears here").seen("files of meta-data", files.metadata, place).seen(
                "files of counters",
                files.counters,
                place,
            )]
        }
        Err(unknown) => vec![
            ok(&subject, "the program ended as it should, without a complaint of Go's runtime")
                .evidence(&unknown.reason, place),
        ],
    }
}

fn ok(subject: &str, sentence: &str) -> Diagnosis {
    Diagnosis::new(Id::DataComplete, Severity::Ok, Hop::Process, subject, sentence)
}
