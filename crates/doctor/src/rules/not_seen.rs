//! What could not be looked at is said, never assumed fine.

use crate::{Diagnosis, Facts, Id, Severity};

pub(super) fn find(facts: &Facts) -> Vec<Diagnosis> {
    let finding = |seen: &crate::facts::NotSeen| {
        let sentence = format!("{} could not be looked at", seen.subject);
        let found = Diagnosis::new(Id::CouldNotLook, Severity::Unknown, seen.hop, &seen.subject, sentence)
            .evidence(&seen.reason, &seen.subject);
        match &seen.fix {
            Some(fix) => found.fix(fix),
            None => found,
        }
    };
    facts.not_seen.iter().map(finding).collect()
}
