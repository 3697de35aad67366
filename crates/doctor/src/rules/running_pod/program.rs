//! What runs is what was built, and what was built can write coverage data.

use super::super::finding::{Seen, error};
use super::super::program;
use super::with_counted;
use crate::facts::running_workload::ContainerFacts;
use crate::{Diagnosis, Id};

pub(super) fn diagnose(container: &ContainerFacts) -> Vec<Diagnosis> {
    let mut found: Vec<Diagnosis> = stale(container).into_iter().collect();
    if found.is_empty() {
        let errors = container.program.iter().flat_map(|binary| program::errors(&container.subject, binary));
        found.extend(errors.map(|error| with_counted(error, container)));
    }
    found
}

fn stale(container: &ContainerFacts) -> Option<Diagnosis> {
    let (runs, here) = container.other_image.as_ref().ok()?.as_ref()?;
    let sentence = "the container runs another image than the one that has this name on this machine: what was built last is not \
                    what runs";
    Some(
        error(Id::ImageIsStale, &container.subject, sentence.to_owned())
            .seen("image that runs", runs, "status of the container")
            .seen("image of that name", here, "the container engine of this machine")
            .fix(
                "give each build a tag of its own, load it (kind load docker-image NAME:TAG), and set it:\n  kubectl set image \
                 …\nwith imagePullPolicy: IfNotPresent",
            ),
    )
}
