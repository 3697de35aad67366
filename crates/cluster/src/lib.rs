//! Kubernetes: which workloads run what is to be covered, how capture gets into them and out again, and how
//! their data comes back.
//!
//! The only crate that names `kube`. It prints nothing: what goes on is told to an [`Observer`], what went
//! wrong is an [`Error`]. Of this machine it touches only the data directory it is given.
//!
//! The way through: [`Connection`] → [`Target`]s → [`Workload`]s → [`injection`] → `rollout` →
//! [`Collector`] → [`PreparedRun`].

pub mod agent_config_map;
mod attached;
mod bare_pod;
mod collector;
mod connection;
mod error;
pub mod examination;
mod hand_over;
mod identity;
pub mod injection;
mod kind;
mod leftovers;
pub mod manifest;
mod observer;
mod pod_record;
mod prepared_run;
mod rollout;
mod running_images;
mod running_pods;
mod session;
mod stream;
mod target;
mod workload;

pub use attached::{
    Attachment, AttachmentOptions, ContainerAnswer, NodeAnswer, NotRead, ProcessAnswer, Question, Reader,
};
pub use collector::{Collector, ContainerResult, HandOverEnd, NotTaken, PodResult, Purpose, Scope};
pub use connection::{Connection, ConnectionOptions};
pub use error::{Error, Hint};
pub use identity::{Preparation, RunId};
pub use kind::Kind;
pub use leftovers::Leftovers;
pub use observer::{Event, Observer};
pub use pod_record::Ending;
pub use prepared_run::PreparedRun;
pub use running_images::{RunningImages, running_images};
pub use running_pods::{ContainerCapture, IdleContainer, RunningContainer, RunningPod, running_pods};
pub use session::{Prepared, Session, SessionOptions};
pub use target::{Selection, Target};
pub use workload::Workload;
