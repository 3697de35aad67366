//! The end of capture on a cluster: workloads are put back, which ends the prepared pods, and what they hand
//! over is taken.

use std::time::Duration;

use podcov_cluster::{Collector, PreparedRun};
use tokio::time::Instant;

use super::{Cluster, cluster_error};
use crate::{
    error::{CommandError, ErrorKind},
    interrupt::Signal,
};

/// For the services themselves to end.
const MARGIN: Duration = Duration::from_mins(1);
/// Listing the pods is one request, which is repeated while the API server is away.
const LIST_TIMEOUT: Duration = Duration::from_mins(2);

/// How long the end may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Until the original pods are ready.
    pub rollout: Duration,
    /// Until an ended pod has handed over its data.
    pub collect: Duration,
}

impl Cluster<'_> {
    /// Puts back what is in `prepared`, takes what its pods hand over, and takes podcov's own objects away.
    ///
    /// One interruption may come before or meanwhile; the next one abandons it, and what is left is named with
    /// the command that puts it back.
    pub(super) async fn end_pods_and_collect(
        &self,
        prepared: &[PreparedRun],
        collectors: &[&Collector],
        timeouts: Timeouts,
    ) -> Result<(), CommandError> {
        let with_hints = |error: CommandError| {
            let commands = prepared.iter().map(|prepared| self.eject_command(&prepared.run));
            commands.fold(error, |error, command| error.hint(format!("put back what is left: {command}")))
        };
        tokio::select! {
            biased;
            signal = self.abandoned() => Err(with_hints(CommandError::new(
                ErrorKind::Interrupted(signal),
                "stopped before everything was put back and collected",
            ))),
            result = self.put_back_and_wait(prepared, collectors, timeouts) => result.map_err(with_hints),
        }
    }

    async fn abandoned(&self) -> Signal {
        let followed = self.interrupt.requests();
        if followed == 0 {
            self.interrupt.request(0).await;
            self.terminal.warning("first everything is put back and collected; once more stops at once");
        }
        self.interrupt.request(followed.max(1)).await
    }

    async fn put_back_and_wait(
        &self,
        prepared: &[PreparedRun],
        collectors: &[&Collector],
        timeouts: Timeouts,
    ) -> Result<(), CommandError> {
        self.watching.begin("putting back", "the workloads");
        // Pods that end before they are known could not be waited for.
        for collector in collectors {
            collector.wait_until_listed(Instant::now() + LIST_TIMEOUT).await.map_err(cluster_error)?;
        }
        let mut result = Ok(());
        for run in prepared {
            result = result.and(run.put_back(&self.connection, &*self.watching).await);
        }
        if result.is_ok() {
            self.watching.begin("putting back", "waiting for the original pods");
            for run in prepared {
                let restored =
                    run.wait_until_restored(&self.connection, timeouts.rollout, &*self.watching).await;
                result = result.and(restored);
            }
        }
        for run in prepared {
            self.note_leftovers(run.remove_revisions(&self.connection).await);
        }
        self.watching.begin("collecting", "from the pods that end");
        let time = match &result {
            Ok(()) => timeouts.rollout + timeouts.collect + MARGIN,
            // Pods of what could not be put back do not end.
            Err(_) => timeouts.collect + MARGIN,
        };
        self.wait_until_ended(collectors, time).await?;
        for run in prepared {
            self.note_leftovers(run.clean_up(&self.connection).await);
        }
        self.watching.end();
        result.map_err(cluster_error)
    }

    fn note_leftovers(&self, result: Result<(), podcov_cluster::Error>) {
        if let Err(error) = result {
            self.watching.note(format!("podcov's own objects are not all gone: {}", cluster_error(error)));
        }
    }

    async fn wait_until_ended(&self, collectors: &[&Collector], time: Duration) -> Result<(), CommandError> {
        let deadline = Instant::now() + time;
        for collector in collectors {
            if !collector.wait_until_ended(deadline).await.map_err(cluster_error)? {
                let seconds = time.as_secs();
                let alive = collector.results().into_iter().filter(|pod| pod.end.is_none());
                let names: Vec<String> = alive.map(|pod| pod.pod).collect();
                self.watching.note(format!(
                    "not every prepared pod ended within {seconds} s; of {} there is what was last read",
                    names.join(", ")
                ));
            }
        }
        Ok(())
    }
}
