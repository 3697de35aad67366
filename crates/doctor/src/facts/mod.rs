//! What was seen at each hop, as plain values. One module for each.

pub mod binary;
pub mod data_directory;
pub mod dockerfile;
pub mod examined_image;
pub mod experiment;
pub mod kind_configuration;
pub mod pod_spec;
pub mod running_workload;

pub use binary::Binary;
pub use data_directory::DataDirectory;
pub use dockerfile::Dockerfile;
pub use examined_image::ExaminedImage;
pub use experiment::Experiment;
pub use kind_configuration::KindConfiguration;
pub use pod_spec::Workload;
pub use running_workload::RunningWorkload;

/// Everything that was looked at in one examination.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Executables, those in images included.
    pub binaries: Vec<Binary>,
    /// Dockerfiles.
    pub dockerfiles: Vec<Dockerfile>,
    /// Configurations of kind clusters.
    pub kind_configurations: Vec<KindConfiguration>,
    /// What runs pods: of manifests, or of a cluster.
    pub workloads: Vec<Workload>,
    /// Images, with all that is in them.
    pub examined_images: Vec<ExaminedImage>,
    /// Workloads of a cluster, with what their pods do and did.
    pub running_workloads: Vec<RunningWorkload>,
    /// Programs that were run to see what becomes of their data.
    pub experiments: Vec<Experiment>,
    /// Directories with coverage data, or without.
    pub data_directories: Vec<DataDirectory>,
    /// What could not be looked at.
    pub not_seen: Vec<NotSeen>,
}

/// Something that was to be looked at, and could not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotSeen {
    /// What.
    pub subject: String,
    /// At which hop.
    pub hop: crate::Hop,
    /// Why.
    pub reason: String,
    /// How it can be looked at.
    pub fix: Option<String>,
}
