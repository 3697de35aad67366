//! Containers that cannot be read through an agent, because they were never prepared or only to hand over files: they are
//! read from their nodes.

use go_coverage::{CounterFile, MetaDataFile, MetaDataHash};
use podcov_cluster::{
    ContainerAnswer, ContainerCapture, IdleContainer, NotRead, ProcessAnswer, Question, RunningContainer,
    RunningPod,
};
use podcov_report::run::{LossReason, Origin, Way};

use super::read::{Identity, Missing, ReadProcess, Reading};
use crate::attached::{self, AttachArgs, Wording};
use crate::error::CommandError;
use crate::kubernetes::Cluster;

/// A container of a pod, which no agent can read.
pub struct UnreadContainer {
    pub pod: RunningPod,
    pub container: RunningContainer,
}

/// Reads the containers some other way, one reading for each that has something to say. The one place that decides what
/// becomes of them.
pub async fn read(
    cluster: &Cluster<'_>,
    attach: &AttachArgs,
    containers: &[UnreadContainer],
) -> Result<Vec<Reading>, CommandError> {
    let pods = containers.iter().map(|UnreadContainer { pod, container }| RunningPod {
        containers: vec![container.clone()],
        ..pod.clone()
    });
    let (interrupt, terminal) = (cluster.interrupt(), cluster.terminal());
    let pods = pods.collect::<Vec<_>>();
    let attachment = attached::plan(cluster.connection(), interrupt, &pods, attach).await?;
    let wording = Wording {
        which: which(containers),
        introduction: "For the time of the snapshot, podcov creates",
        hints: &[
            "podcov run and podcov inject, with --capture supervised, need no privilege, and restart the pods",
        ],
    };
    let question = Question::Counters;
    let mut answers =
        attached::read(&attachment, question, &wording, attach.yes, interrupt, terminal).await?;
    let readings = containers.iter().map(|UnreadContainer { pod, container }| {
        let origin = origin(pod, &container.name, container.restart, cluster.namespace());
        let mut reading = empty(origin);
        match answers.take(container) {
            Ok((boot_id, answer)) => take(&mut reading, &boot_id, answer),
            Err(why) => reading.missing.push(Missing::new(LossReason::Unreachable, &reading.name(), &why)),
        }
        reading
    });
    Ok(without_others(readings.collect()))
}

/// Why no agent reads them, in words.
fn which(containers: &[UnreadContainer]) -> &'static str {
    let hands_over_files = |unread: &UnreadContainer| unread.container.capture == ContainerCapture::Files;
    match (containers.iter().any(hands_over_files), containers.iter().all(hands_over_files)) {
        (_, true) => "pods that were prepared only to hand over files",
        (true, false) => "pods that were not prepared, or only to hand over files,",
        (false, _) => "pods that were not prepared",
    }
}

/// A container that does not run has something to say, too.
pub fn idle(pod: &RunningPod, container: &IdleContainer, namespace: &str) -> Reading {
    let mut reading = empty(origin(pod, &container.name, container.restart, namespace));
    reading.missing.push(Missing::new(LossReason::NoData, &reading.name(), &container.why));
    reading
}

fn empty(origin: Origin) -> Reading {
    Reading { origin, way: Way::Attached, processes: Vec::new(), missing: Vec::new() }
}

fn take(reading: &mut Reading, boot_id: &str, answer: ContainerAnswer) {
    let name = reading.name();
    let mut lose = |reason, who: &str, why: &str| reading.missing.push(Missing::new(reason, who, why));
    if answer.processes_seen == 0 {
        let why = "none of the processes that its node shows is one of it: it has just ended, or runs in a virtual machine \
                   of its own";
        lose(LossReason::Unreachable, &name, why);
    }
    let who = |process: u32| format!("process {process} of {name}");
    for NotRead { process_id, has_no_counters, why } in answer.not_read {
        let reason = if has_no_counters { LossReason::NoData } else { LossReason::Unreachable };
        lose(reason, &who(process_id), &why);
    }
    for answer in answer.processes {
        let process_id = answer.process.process_id;
        match process(answer, &reading.origin, boot_id) {
            Ok(process) => reading.processes.push(process),
            Err(why) => {
                let missing = Missing::new(LossReason::Unreachable, &who(process_id), &why);
                reading.missing.push(missing);
            }
        }
    }
}

/// An error says what is wrong with its files, which come out of its memory.
fn process(answer: ProcessAnswer, origin: &Origin, boot_id: &str) -> Result<ReadProcess, String> {
    let ProcessAnswer { process, metadata, counters } = answer;
    let metadata = MetaDataFile::parse(metadata.as_slice()).map_err(|error| error.to_string())?.into_owned();
    CounterFile::parse(&counters).map_err(|error| error.to_string())?;
    let is_one = metadata.hash() == MetaDataHash(process.hash)
        && CounterFile::hash_of(&counters) == Some(metadata.hash())
        && process.counter_file.starts_with(&format!("covcounters.{}.", metadata.hash()));
    if !is_one {
        return Err("its counters are of another program than its meta-data".to_owned());
    }
    let container = match origin {
        Origin::Pod { pod_uid, container, .. } => format!("{pod_uid}/{container}/{boot_id}"),
        Origin::Local { name, .. } => name.clone(),
    };
    Ok(ReadProcess {
        identity: Identity {
            process_id: process.process_id,
            start_time: process.start_time,
            start_of_stack: process.start_of_stack,
            metadata_hash: metadata.hash().to_string(),
            container: Some(container),
        },
        process_id: process.process_id,
        counter_file_name: process.counter_file,
        metadata,
        counters,
        is_torn: process.is_torn,
        record: None,
    })
}

/// Processes that count nothing are no loss where others of their pod count, nor is a container with no others.
fn without_others(mut readings: Vec<Reading>) -> Vec<Reading> {
    let counting: Vec<String> = readings
        .iter()
        .filter(|reading| !reading.processes.is_empty())
        .map(|reading| reading.origin.pod().to_owned())
        .collect();
    for reading in
        readings.iter_mut().filter(|reading| counting.iter().any(|pod| pod == reading.origin.pod()))
    {
        reading.missing.retain(|missing| missing.reason != LossReason::NoData);
    }
    readings.retain(|reading| !reading.processes.is_empty() || !reading.missing.is_empty());
    readings
}

/// Where the processes of a container run.
pub fn origin(pod: &RunningPod, container: &str, restart: u32, namespace: &str) -> Origin {
    Origin::Pod {
        namespace: namespace.to_owned(),
        workload: pod.workload.clone(),
        pod: pod.name.clone(),
        pod_uid: pod.uid.clone(),
        container: container.to_owned(),
        restart,
    }
}
