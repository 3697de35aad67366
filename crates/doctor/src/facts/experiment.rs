//! What became of data when a program was run to see it: at one place after the other, each nearer to where it is to be.

use super::running_workload::ContainerFacts;

/// One program, tried at each place that could be had.
#[derive(Clone, Debug, Default)]
pub struct Experiment {
    /// `deployment shop/api, container api`.
    pub subject: String,
    /// In the order of [`Place`].
    pub attempts: Vec<Attempt>,
}

/// A place to run it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// On this machine, with a fresh directory.
    Local,
    /// In a container of its image, as the image's user, with a fresh directory.
    Container,
    /// In a pod of its workload.
    Pod,
    /// The directory of this machine that the pod's volume is to be.
    Host,
}

impl Place {
    /// As it is shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "local build",
            Self::Container => "container",
            Self::Pod => "pod",
            Self::Host => "host",
        }
    }
}

/// What came of running it at a place.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Where.
    pub place: Place,
    /// What was seen, or why it could not be tried.
    pub seen: Result<ContainerFacts, String>,
}
