//! From facts to findings. One module for each family; none looks at anything but facts.

mod contents_of_image;
mod experiment;
mod finding;
mod not_seen;
mod program;
pub mod running_pod;

use crate::{Diagnosis, Facts};

/// Every finding of every rule, in no order, consequences side by side with causes.
#[must_use]
pub fn all(facts: &Facts) -> Vec<Diagnosis> {
    let families: &[fn(&Facts) -> Vec<Diagnosis>] =
        &[not_seen::find, contents_of_image::find, running_pod::find, experiment::find];
    families.iter().flat_map(|family| family(facts)).collect()
}
