//! Reads the pods of workloads: through their agents, where one is the parent of the program.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use go_coverage::MetaDataFile;
use podcov_agent_protocol::process_record_name;
use podcov_cluster::{
    Collector, ContainerCapture, ContainerResult, NotTaken, Purpose, RunId, RunningContainer, RunningPod,
    Scope, Workload, running_pods,
};
use podcov_report::run::{LossReason, Origin, Way};
use tokio::time::Instant;

use super::read::{Identity, Missing, ReadProcess, Reading};
use super::unread::{self, UnreadContainer};
use crate::attached::AttachArgs;
use crate::cli::ClusterArgs;
use crate::coverage_data::read_file;
use crate::error::CommandError;
use crate::interrupt::Interrupt;
use crate::kubernetes::{Cluster, cluster_error};
use crate::process_files::{self, ProcessFile};
use crate::process_records;
use crate::terminal::Terminal;

/// How long the agents may take to answer, together.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads every container of the workloads' pods.
pub async fn read(
    args: &ClusterArgs,
    attach: &AttachArgs,
    terminal: &Terminal,
) -> Result<Vec<Reading>, CommandError> {
    let cluster = Cluster::open(args, Interrupt::install()?, terminal).await?;
    let workloads = cluster.select(args).await?;
    let pods = running_pods(cluster.connection(), &workloads).await.map_err(cluster_error)?;
    for workload in workloads.iter().map(Workload::reference) {
        if !pods.iter().any(|pod| pod.workload == workload) {
            terminal.warning(&format!(
                "{workload} has no pods; kubectl get events says why, where it should have some"
            ));
        }
    }
    let Supervised { mut readings, silent } = read_supervised(&cluster, &pods).await?;
    let mut unread = Vec::new();
    for pod in &pods {
        readings.extend(pod.idle.iter().map(|container| unread::idle(pod, container, cluster.namespace())));
        // A container without coverage beside one with coverage is none that is missing.
        let is_expected = |container: &&RunningContainer| match container.capture {
            ContainerCapture::Supervised => false,
            ContainerCapture::Files => {
                !silent.contains(&key(&pod.uid, &container.name)) || !has_data(pod, &readings)
            }
            ContainerCapture::Nothing => !has_data(pod, &readings),
        };
        for container in pod.containers.iter().filter(is_expected) {
            unread.push(UnreadContainer { pod: pod.clone(), container: container.clone() });
        }
    }
    readings.extend(unread::read(&cluster, attach, &unread).await?);
    Ok(readings)
}

/// What the agents have told.
#[derive(Default)]
struct Supervised {
    /// One for each start of a container.
    readings: Vec<Reading>,
    /// Containers that hand over files, and in which no process with coverage has started.
    silent: BTreeSet<ContainerKey>,
}

/// The UID of a pod, and a container of it.
type ContainerKey = (String, String);

fn key(pod: &str, container: &str) -> ContainerKey {
    (pod.to_owned(), container.to_owned())
}

fn has_data(pod: &RunningPod, readings: &[Reading]) -> bool {
    readings.iter().any(|reading| reading.origin.pod() == pod.uid && !reading.processes.is_empty())
}

async fn read_supervised(cluster: &Cluster<'_>, pods: &[RunningPod]) -> Result<Supervised, CommandError> {
    let mut runs = BTreeMap::<&RunId, Vec<&RunningPod>>::new();
    for pod in pods {
        let has_agent =
            pod.containers.iter().any(|container| container.capture == ContainerCapture::Supervised);
        if let Some(run) = pod.run.as_ref().filter(|_| has_agent) {
            runs.entry(run).or_default().push(pod);
        }
    }
    let mut supervised = Supervised::default();
    for (run, pods) in runs {
        let place = tempfile::tempdir()
            .map_err(|error| CommandError::failure("cannot make a directory").caused_by(error))?;
        let workloads = Some(pods.iter().map(|pod| pod.workload.clone()).collect());
        let scope = Scope { run: run.clone(), workloads };
        let collector = cluster.collector(scope, Purpose::Copy(place.path().to_owned()));
        let Supervised { readings, silent } =
            cluster.interrupted_or(read_run(&collector, &pods, cluster)).await??;
        supervised.readings.extend(readings);
        supervised.silent.extend(silent);
    }
    Ok(supervised)
}

async fn read_run(
    collector: &Collector,
    pods: &[&RunningPod],
    cluster: &Cluster<'_>,
) -> Result<Supervised, CommandError> {
    let deadline = Instant::now() + PATIENCE;
    collector.wait_until_listed(deadline).await.map_err(cluster_error)?;
    let not_taken = collector.snapshot(deadline).await.map_err(cluster_error)?;
    let mut supervised = Supervised::default();
    for result in collector.results().iter().filter(|result| pods.iter().any(|pod| pod.uid == result.uid)) {
        for container in &result.containers {
            if container.is_supervised {
                let origin = Origin::Pod {
                    namespace: cluster.namespace().to_owned(),
                    workload: result.workload.clone(),
                    pod: result.pod.clone(),
                    pod_uid: result.uid.clone(),
                    container: container.container.clone(),
                    restart: container.restart,
                };
                supervised.readings.push(of_container(origin, container, &result.pod, &not_taken));
            } else if container.processes_started == 0 && container.counter_files == 0 {
                supervised.silent.insert(key(&result.uid, &container.container));
            }
        }
    }
    Ok(supervised)
}

fn of_container(origin: Origin, container: &ContainerResult, pod: &str, not_taken: &[NotTaken]) -> Reading {
    let who = format!("pod {pod}, container {}", container.container);
    let mut missing = Vec::new();
    let mut processes = Vec::new();
    let place = format!("{}/{}", origin.pod(), container.container);
    for file in process_files::of_directory(&container.directory, &container.directory) {
        match read_process(&container.directory, &file, &place) {
            Ok(process) => processes.push(process),
            Err(why) => missing.push(Missing::new(LossReason::Unreachable, &who, &why)),
        }
    }
    let is_its = |other: &&NotTaken| other.pod == pod && other.container == container.container;
    missing.extend(
        not_taken.iter().filter(is_its).map(|other| Missing::new(LossReason::Unreachable, &who, &other.why)),
    );
    if processes.is_empty() && missing.is_empty() {
        let why =
            "its agent follows no process that is built with coverage; its log says if one may not be traced";
        missing.push(Missing::new(LossReason::NoData, &who, why));
    }
    Reading { origin, way: Way::Supervised, processes, missing }
}

fn read_process(directory: &Path, file: &ProcessFile, place: &str) -> Result<ReadProcess, String> {
    let metadata = read_file(&directory.join(file.metadata_name()))?;
    let metadata = MetaDataFile::parse(metadata).map_err(|error| error.to_string())?;
    let started = file.started.unwrap_or(file.time);
    let record = fs::read_to_string(directory.join(process_record_name(file.process_id, started))).ok();
    let name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(ReadProcess {
        identity: Identity {
            process_id: file.process_id,
            start_time: started,
            start_of_stack: 0,
            metadata_hash: file.hash.clone(),
            container: Some(place.to_owned()),
        },
        process_id: file.process_id,
        counter_file_name: name,
        metadata,
        counters: read_file(&file.path)?,
        is_torn: false,
        record: record.and_then(|text| process_records::parse(&text)),
    })
}
