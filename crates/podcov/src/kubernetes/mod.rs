//! The main job on a cluster.

pub mod run;
