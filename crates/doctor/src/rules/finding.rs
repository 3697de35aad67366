//! How rules of pods and images word what they find: an id has its place on the way, and evidence a name.

use crate::{Diagnosis, Hop, Id, Severity};

pub(super) fn error(id: Id, subject: &str, sentence: impl Into<String>) -> Diagnosis {
    Diagnosis::new(id, Severity::Error, hop(id), subject, sentence)
}

pub(super) fn warning(id: Id, subject: &str, sentence: impl Into<String>) -> Diagnosis {
    Diagnosis::new(id, Severity::Warning, hop(id), subject, sentence)
}

pub(super) fn note(id: Id, subject: &str, sentence: impl Into<String>) -> Diagnosis {
    Diagnosis::new(id, Severity::Note, hop(id), subject, sentence)
}

pub(super) fn unknown(id: Id, hop: Hop, subject: &str, sentence: impl Into<String>) -> Diagnosis {
    Diagnosis::new(id, Severity::Unknown, hop, subject, sentence)
}

/// Evidence under a name.
pub(super) trait Seen {
    fn seen(self, what: &str, value: impl ToString, place: impl Into<String>) -> Self;
}

impl Seen for Diagnosis {
    fn seen(self, what: &str, value: impl ToString, place: impl Into<String>) -> Self {
        self.evidence(format!("{what}: {}", value.to_string()), place)
    }
}

const fn hop(id: Id) -> Hop {
    match id {
        Id::NotAGoBinary | Id::NotInstrumented | Id::MainNotCovered => Hop::Build,
        Id::ImageIsStale | Id::HarmlessDistroless | Id::HarmlessNonroot => Hop::Image,
        Id::GocoverdirUnset
        | Id::GocoverdirOnAnotherContainer
        | Id::GocoverdirRelative
        | Id::PodSecurityForbids
        | Id::ShellSwallowsSignals => Hop::Pod,
        Id::DirectoryMissing
        | Id::DirectoryNotWritable
        | Id::ReadOnlyFileSystem
        | Id::VolumeFull
        | Id::DataOnContainerFilesystem
        | Id::NodePathNotMounted => Hop::Volume,
        _ => Hop::Process,
    }
}
