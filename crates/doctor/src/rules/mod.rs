//! From facts to findings. One module for each family; none looks at anything but facts.

mod binary;
mod contents_of_image;
mod data;
mod dockerfile;
mod experiment;
mod finding;
mod not_seen;
mod program;
pub mod running_pod;
mod shells;
mod spec;

use crate::{Diagnosis, Facts, Id};

/// What is missing where a program ends without writing.
const COUNTERS_ARE_LOST: &[Id] = &[
    Id::CountersMissing,
    Id::KilledBeforeFlush,
    Id::GracePeriodExceeded,
    Id::SigtermUnhandled,
    Id::ExitedWithoutFlush,
];

/// Every finding of every rule, in no order, consequences side by side with causes.
#[must_use]
pub fn all(facts: &Facts) -> Vec<Diagnosis> {
    let families: &[fn(&Facts) -> Vec<Diagnosis>] = &[
        binary::find,
        contents_of_image::find,
        data::find,
        dockerfile::find,
        experiment::find,
        not_seen::find,
        running_pod::find,
        spec::find,
    ];
    families.iter().flat_map(|family| family(facts)).collect()
}
