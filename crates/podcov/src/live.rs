//! Reads what all targets of a run have counted by now, while they run.
//!
//! What was read is in the run directory afterwards. Owns whom to ask.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::Duration;

use podcov_agent_protocol::LATEST_DIRECTORY;
use podcov_cluster::{Collector, NotTaken};
use podcov_report::run::Capture;

use crate::error::CommandError;
use crate::kubernetes::captures_so_far;
use crate::local::Program;
use crate::process_files;
use crate::run_directory::RunDirectory;

/// How long the targets may take to answer, together.
const PATIENCE: Duration = Duration::from_secs(30);

/// How old what is in the run directory may be while tests run.
const INTERVAL: Duration = Duration::from_secs(5);
/// How soon what others have read there is recorded.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// What a run is of.
pub enum Targets<'a> {
    /// Pods, through their agents.
    Pods(&'a Collector),
    /// Programs that were started here.
    Local(Vec<Program>),
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
    /// Reads again and again, and records what there is, so that it is there also if this podcov is killed. What could not
    /// be read is read the next time, or at the end.
    pub async fn keep_reading(&self, run: &RunDirectory) -> Infallible {
        let mut recorded = None;
        loop {
            // Programs that were started here are read by their supervision.
            let pause = match self {
                Self::Pods(_) => INTERVAL,
                Self::Local(_) => LOOK_INTERVAL,
            };
            let captures = self.captures_so_far(run);
            // What cannot be read or written now cannot be at the end either, where it is said.
            if let Ok(captures) = captures.map(Some)
                && captures != recorded
                && run.save_captures_so_far(captures.clone().unwrap_or_default()).is_ok()
            {
                recorded = captures;
            }
            tokio::time::sleep(pause).await;
            if let Self::Pods(_) = self {
                self.read().await;
            }
        }
    }

    /// What there is of all processes by now.
    pub fn captures_so_far(&self, run: &RunDirectory) -> Result<Vec<Capture>, CommandError> {
        match self {
            Self::Pods(collector) => Ok(captures_so_far(collector, run)),
            Self::Local(programs) => programs.iter().map(|program| program.capture_so_far(run)).collect(),
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
                let is_read = |program: &&Program| {
                    let latest = program.directory.join(LATEST_DIRECTORY);
                    !process_files::of_directory(&latest, &latest).is_empty()
                };
                let others = programs.iter().filter(|program| !is_read(program));
                others.map(|program| program.name().to_owned()).collect()
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
fn read_local(programs: &[Program]) -> Vec<NotRead> {
    use std::time::Instant;

    use podcov_supervised_capture::{Answer, Request};

    let deadline = Instant::now() + PATIENCE;
    // All at once.
    let requests: Vec<_> =
        programs.iter().map(|program| (program, Request::make(&program.directory))).collect();
    let missing = |(program, request): (&Program, std::io::Result<_>)| {
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
        Some(NotRead { within: program.directory.clone(), what: format!("{}: {why}", program.name()) })
    };
    requests.into_iter().filter_map(missing).collect()
}

#[cfg(not(target_os = "linux"))]
fn read_local(programs: &[Program]) -> Vec<NotRead> {
    let not_here = |program: &Program| NotRead {
        within: program.directory.clone(),
        what: format!("{}: programs that run are read on Linux only", program.name()),
    };
    programs.iter().map(not_here).collect()
}
