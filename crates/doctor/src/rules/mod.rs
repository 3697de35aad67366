//! From facts to findings. One module for each family; none looks at anything but facts.

mod experiment;
mod finding;
mod image;
mod not_seen;
pub mod pod;
mod program;

use crate::{Diagnosis, Facts};

/// Every finding of every rule, in no order, consequences side by side with causes.
#[must_use]
pub fn all(facts: &Facts) -> Vec<Diagnosis> {
    let families: &[fn(&Facts) -> Vec<Diagnosis>] =
        &[not_seen::find, image::find, pod::find, experiment::find];
    families.iter().flat_map(|family| family(facts)).collect()
}
