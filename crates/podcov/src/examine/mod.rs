//! Looks at images, and at workloads of a live cluster: gathers what [`podcov_doctor`] decides on.
//!
//! Owns which place is asked for what, and turns the plain facts of the crates that look into those of the doctor. No
//! cause is decided here, and nothing is printed.

mod experiment;
mod gather;
mod image;
mod inside;
mod node;
mod process;
mod program;
mod workload;

pub use experiment::{TrialCluster, Tried, remove_abandoned};
pub use gather::{add_all, add_current_namespace, add_image, add_image_archive, add_workload, lose, select};
use image::{ImageSource, image};
pub use inside::{Unseen, look as look_inside};
pub use workload::container_program;
use workload::workload;
