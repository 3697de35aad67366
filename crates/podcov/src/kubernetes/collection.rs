//! The end of a run in the cluster: workloads are put back, which ends the prepared pods, and what they hand
//! over is taken.

use std::time::Duration;

use podcov_cluster::{Collector, Connection, PreparedRun, RunId};
use tokio::time::Instant;

use super::{Watching, cluster_error, eject_command, outcome};
use crate::{
    error::{CommandError, ErrorKind},
    interrupt::Interrupt,
    run_directory::RunDirectory,
    terminal::{Terminal, bytes},
};

/// Beyond the rollout and the pods' own deadline.
const MARGIN: Duration = Duration::from_mins(1);

/// One collection and how long it may take.
pub struct Collection<'a> {
    /// Where.
    pub connection: &'a Connection,
    /// Whose pods.
    pub run: &'a RunId,
    /// What is shown.
    pub watching: &'a Watching,
    /// How long workloads may take to get ready again.
    pub rollout_timeout: Duration,
    /// How long an ended pod keeps its data.
    pub collect_timeout: Duration,
}

/// Puts back what is in `prepared`, takes what its pods hand over, and takes podcov's own objects away.
///
/// A second interruption abandons it; what is left is named with the command that puts it back.
pub async fn end_pods_and_collect(
    collection: &Collection<'_>,
    prepared: &[PreparedRun],
    collector: &Collector,
    interrupt: &Interrupt,
) -> Result<(), CommandError> {
    tokio::select! {
        biased;
        signal = interrupt.requested_again() => {
            Err(CommandError::new(
                ErrorKind::Interrupted(signal),
                "stopped before everything was put back and collected",
            )
            .hint(format!("put the rest back: {}", eject_command(collection.connection, collection.run))))
        }
        result = put_back_and_wait(collection, prepared, collector) => result.map_err(|error| {
            error.hint(format!(
                "what is still prepared can be put back: {}",
                eject_command(collection.connection, collection.run)
            ))
        }),
    }
}

async fn put_back_and_wait(
    collection: &Collection<'_>,
    prepared: &[PreparedRun],
    collector: &Collector,
) -> Result<(), CommandError> {
    let Collection { connection, watching, .. } = collection;
    watching.begin("putting back", "the workloads");
    let mut first_failure = Ok(());
    for run in prepared {
        first_failure = first_failure.and(run.put_back(connection, *watching).await);
    }
    watching.begin("collecting", "from the pods that end");
    let time = collection.rollout_timeout + collection.collect_timeout + MARGIN;
    let all_ended = collector.wait_until_ended(Instant::now() + time).await.map_err(cluster_error)?;
    if !all_ended {
        watching.note(format!("not every prepared pod ended within {} s", time.as_secs()));
    }
    watching.begin("putting back", "waiting for the original pods");
    for run in prepared {
        let restored = run.wait_until_restored(connection, collection.rollout_timeout, *watching).await;
        first_failure = first_failure.and(restored);
    }
    for run in prepared {
        if let Err(error) = run.clean_up(connection).await {
            watching.note(format!("podcov's own objects are not all gone: {}", cluster_error(error)));
        }
    }
    watching.end();
    first_failure.map_err(cluster_error)
}

/// Writes what the pods came to into the record, and one line for the user.
pub fn record_results(
    collector: &Collector,
    connection: &Connection,
    watching: &Watching,
    directory: &mut RunDirectory,
    terminal: &Terminal,
) -> Result<(), CommandError> {
    let captures = collector
        .results()
        .iter()
        .flat_map(|pod| outcome::captures(pod, connection.namespace(), |path| directory.relative(path)))
        .collect();
    directory.run_mut().captures = captures;
    directory.run_mut().notes = watching.notes();
    directory.save()?;
    let run = directory.run();
    let completeness = run.completeness();
    let subject = format!(
        "{} of {} pods, {} of {} processes",
        completeness.pods_heard,
        completeness.pods_expected,
        completeness.processes_captured,
        completeness.processes_started
    );
    let size = bytes(run.captures.iter().map(|capture| capture.bytes).sum());
    if completeness.is_complete() {
        terminal.step("collected", &subject, &size);
    } else {
        terminal.failed_step("collected", &subject, &size);
    }
    Ok(())
}
