//! `podcov doctor --try`: runs a program at one place after the other, and looks where its data stops appearing.
//!
//! Owns what is made for that, and that it goes away again, also when the user stops it: a program, a directory, an image, a
//! container, a pod.

mod container;
mod engine;
mod go_package;
mod local;
mod pod;
mod trial_name;
mod tried;

use std::fs;
use std::path::Path;
use std::time::Duration;

use podcov_doctor::facts::Binary;
use podcov_doctor::facts::running_workload::{
    ContainerFacts, Ending, Files, Setting, State, Unknown, Volume, VolumeKind,
};
use podcov_doctor::runtime_log;

pub use tried::{TrialCluster, Tried, remove_abandoned};

/// How long a program runs before it is told to end.
const RUN: Duration = Duration::from_secs(3);
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// The user does not want to wait for it.
const STOPPED: &str = "it was stopped";

/// What is run: the words and the variables of a container, as far as they are plain.
#[derive(Clone, Debug)]
struct Subject {
    name: String,
    binary: Option<Binary>,
    command: Vec<String>,
    args: Vec<String>,
    environment: Vec<(String, String)>,
    grace: Duration,
}

/// How a program ended.
struct Ended {
    exit_code: i32,
    reason: String,
    seconds_after_request: Option<i64>,
    log: String,
}

impl Subject {
    /// What is known after a run with a fresh directory.
    fn facts(&self, ended: &Ended, directory: &Path) -> ContainerFacts {
        let path = directory.display().to_string();
        let binary = self.binary.clone();
        let unknown = ContainerFacts::new(self.name.clone(), self.name.clone());
        ContainerFacts {
            setting: Ok(Some(Setting { value: Some(path.clone()), read_in: "podcov".to_owned() })),
            volume: Ok(Some(Volume {
                name: "a fresh directory".to_owned(),
                mount_path: path,
                is_read_only: false,
                kind: VolumeKind::Other,
            })),
            program: binary.ok_or_else(|| Unknown::because("no Go program was found")),
            state: State::Ended,
            ending: Some(Ending {
                exit_code: ended.exit_code,
                reason: ended.reason.clone(),
                seconds_after_request: ended.seconds_after_request,
            }),
            grace_period_seconds: i64::try_from(self.grace.as_secs()).ok(),
            log: Ok(runtime_log::findings(ended.log.lines())),
            files: Ok(files(directory)),
            ..unknown
        }
    }
}

/// A fresh directory that everybody may write to: the program may be any user.
fn fresh_directory() -> Result<tempfile::TempDir, String> {
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let permissions = fs::Permissions::from_mode(0o777);
        fs::set_permissions(directory.path(), permissions).map_err(|error| error.to_string())?;
    }
    Ok(directory)
}

/// What a run left.
fn files(directory: &Path) -> Files {
    let mut files = Files::default();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        files.metadata += usize::from(name.starts_with("covmeta."));
        files.counters += usize::from(name.starts_with("covcounters."));
        files.temporary += usize::from(name.starts_with("tmp.cov"));
    }
    files
}
