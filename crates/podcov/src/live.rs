//! Reads what all targets of a run have counted by now, while they run.
//!
//! What was read is in the run directory afterwards. Owns whom to ask.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::Duration;

use podcov_agent_protocol::LATEST_DIRECTORY;
use podcov_cluster::{Collector, NotTaken};

use crate::kubernetes::captures_so_far;
use crate::process_files;
use crate::run_directory::RunDirectory;

/// How long the targets may take to answer, together.
const PATIENCE: Duration = Duration::from_secs(30);

/// How old what is in the run directory may be while tests run.
const INTERVAL: Duration = Duration::from_secs(5);

/// What a run is of.
pub enum Targets<'a> {
    /// Pods, through their agents.
    Pods(&'a Collector),
    /// Programs that were started here: their names and the directories of their data.
    Local(Vec<(String, PathBuf)>),
}

/// What was not read.
#[derive(Clone, Debug)]
pub struct NotRead {
    /// Where its data is; everything is within an empty path.
    pub within: PathBuf,
    /// Which it is, and why.
    pub what: String,
}

impl Targets<'_> {
    /// Reads again and again, and records what there is. What could not be read is read the next time, or at the end.
    pub async fn keep_reading(&self, run: &RunDirectory) -> Infallible {
        loop {
            tokio::time::sleep(INTERVAL).await;
            // Programs that were started here are read by their supervision.
            if let Self::Pods(collector) = self {
                self.read().await;
                // What cannot be written now cannot be at the end either, where it is said.
                let _ = run.save_captures_so_far(captures_so_far(collector, run));
            }
        }
    }

    /// Has all processes read, and tells what could not be.
    pub async fn read(&self) -> Vec<NotRead> {
        let everything = |what| vec![NotRead { within: PathBuf::new(), what }];
        match self {
            Self::Pods(collector) => match collector.snapshot(tokio::time::Instant::now() + PATIENCE).await {
                Ok(missing) => missing.iter().map(|missing| not_taken(collector, missing)).collect(),
                Err(error) => everything(error.to_string()),
            },
            Self::Local(programs) => {
                let programs = programs.clone();
                let read = tokio::task::spawn_blocking(move || read_local(&programs));
                read.await.unwrap_or_else(|error| everything(error.to_string()))
            }
        }
    }
}

impl Targets<'_> {
    /// Whose processes run and are not read meanwhile: they leave files at their end, or may not be traced. To be asked
    /// when all were read.
    pub fn not_read(&self) -> Vec<String> {
        match self {
            Self::Pods(collector) => {
                let pods = collector.results().into_iter().filter(|pod| pod.end.is_none());
                let containers = pods.flat_map(|pod| {
                    pod.containers.into_iter().map(move |container| (pod.pod.clone(), container))
                });
                containers
                    .filter(|(_, container)| {
                        container.processes_started > 0
                            && container.live_counter_files == 0
                            && container.ending.is_none()
                    })
                    .map(|(pod, container)| format!("pod {pod}, container {}", container.container))
                    .collect()
            }
            Self::Local(programs) => {
                let is_read = |directory: &Path| {
                    let latest = directory.join(LATEST_DIRECTORY);
                    !process_files::of_directory(&latest, &latest).is_empty()
                };
                let others = programs.iter().filter(|(_, directory)| !is_read(directory));
                others.map(|(name, _)| name.clone()).collect()
            }
        }
    }
}

fn not_taken(collector: &Collector, missing: &NotTaken) -> NotRead {
    let NotTaken { pod, container, why } = missing;
    let pods = collector.results();
    let mut containers = pods.iter().filter(|known| known.pod == *pod).flat_map(|pod| &pod.containers);
    // A container may start again, with another directory beside this one.
    let of_pod = containers.find_map(|container| container.directory.parent());
    NotRead {
        within: of_pod.map(Path::to_owned).unwrap_or_default(),
        what: format!("pod {pod}, container {container}: {why}"),
    }
}

#[cfg(target_os = "linux")]
fn read_local(programs: &[(String, PathBuf)]) -> Vec<NotRead> {
    use std::time::Instant;

    use podcov_supervised_capture::{Answer, Request};

    let deadline = Instant::now() + PATIENCE;
    // All at once.
    let requests: Vec<_> = programs.iter().map(|program| (program, Request::make(&program.1))).collect();
    let missing = |((name, directory), request): (&(String, PathBuf), std::io::Result<_>)| {
        let why = match request.map(|request: Option<Request>| request.map(|request| request.wait(deadline)))
        {
            // One that has ended has left everything.
            Ok(None | Some(Some(Answer::Done | Answer::Gone))) => return None,
            Ok(Some(Some(Answer::Refused))) => {
                "not everything that it counted could be read and kept".to_owned()
            }
            Ok(Some(None)) => "no answer in time".to_owned(),
            Err(error) => error.to_string(),
        };
        Some(NotRead { within: directory.clone(), what: format!("{name}: {why}") })
    };
    requests.into_iter().filter_map(missing).collect()
}

#[cfg(not(target_os = "linux"))]
fn read_local(programs: &[(String, PathBuf)]) -> Vec<NotRead> {
    let not_here = |(name, directory): &(String, PathBuf)| NotRead {
        within: directory.clone(),
        what: format!("{name}: programs that run are read on Linux only"),
    };
    programs.iter().map(not_here).collect()
}
