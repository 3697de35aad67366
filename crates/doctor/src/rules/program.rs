//! The program that something runs: what keeps it from writing, said of what runs it.

use super::binary;
use crate::facts::Binary;
use crate::facts::binary::Contents;
use crate::{Diagnosis, Severity};

/// What is wrong with it.
pub(super) fn errors(subject: &str, binary: &Binary) -> Vec<Diagnosis> {
    everything(subject, binary).into_iter().filter(|found| found.severity == Severity::Error).collect()
}

/// All that it tells.
pub(super) fn everything(subject: &str, binary: &Binary) -> Vec<Diagnosis> {
    let found = binary::of_binary(binary).into_iter();
    found.map(|found| Diagnosis { subject: format!("{subject}, {}", binary.name), ..found }).collect()
}

/// Whether there is anything to tell.
pub(super) const fn was_read(binary: &Binary) -> bool {
    !matches!(binary.contents, Contents::NotRead | Contents::Unknown(_))
}
