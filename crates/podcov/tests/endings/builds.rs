//! In which ways the program is built.

use std::path::{Path, PathBuf};

use podcov_go_programs::{Covered, Linking, LiveProgram};

const RELEASES: [&str; 4] = ["go1.21.13", "go1.22.12", "go1.24.11", "go1.27.3"];
const MODES: [&str; 3] = ["set", "count", "atomic"];
const LINKINGS: [Linking; 4] =
    [Linking::Plain, Linking::Stripped, Linking::Static, Linking::PositionIndependent];

/// What is covered does not belong to the build, but to the ending that needs it.
#[derive(Clone, Copy, Debug)]
pub struct Build {
    pub release: &'static str,
    pub mode: &'static str,
    linking: Linking,
}

impl Build {
    pub fn all() -> Vec<Self> {
        let mut builds = Vec::new();
        for release in RELEASES {
            for mode in MODES {
                builds.extend(LINKINGS.map(|linking| Self { release, mode, linking }));
            }
        }
        builds
    }

    pub fn executable(self, covered: Covered) -> PathBuf {
        self.executable_for("", covered)
    }

    /// For a `GOARCH`; for this machine if that is empty.
    pub fn executable_for(self, architecture: &str, covered: Covered) -> PathBuf {
        let Self { release, mode, linking } = self;
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
        LiveProgram { release, mode, linking, covered }.executable_of_endings_for(architecture, cache)
    }
}
