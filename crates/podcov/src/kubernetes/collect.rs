//! `podcov collect`: what prepared workloads have captured so far. Nothing in the cluster is changed.

use podcov_cluster::{Collector, NotTaken, Purpose};
use podcov_report::run::{LossReason, Outcome, Run};
use tokio::time::Instant;

use super::{Cluster, Watching, cluster_error};
use crate::{
    commands::collect::CollectArgs, error::CommandError, exit_code::ExitCode, finish, interrupt::Interrupt,
    run_directory::RunDirectory, terminal::Terminal,
};

/// Takes what there is and reports on it.
pub async fn run(args: CollectArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    args.report.check()?;
    let cluster = Cluster::open(&args.cluster, Interrupt::install()?, terminal).await?;
    let prepared = cluster.prepared_runs(&args.cluster, args.run.as_deref()).await?;
    if prepared.is_empty() {
        let namespace = cluster.connection.namespace();
        return Err(CommandError::failure(format!("nothing is prepared in namespace {namespace:?}"))
            .hint("prepare workloads first: podcov inject TARGET…"));
    }
    let mut directory = RunDirectory::create(&args.report.output_dir, terminal)?;
    cluster.watching.begin("collecting", "from the prepared pods");
    let purpose = Purpose::Keep(directory.data_directory());
    let collectors = cluster.collectors(&args.cluster, &prepared, &purpose);
    let collectors: Vec<&Collector> = collectors.iter().collect();
    let deadline = Instant::now() + args.collection.collect_timeout;
    // What is here is kept and reported, also when the user does not want to wait for more.
    let waited = cluster.interrupt.or(take_what_there_is(&collectors, deadline, &cluster.watching)).await;
    cluster.watching.end();
    cluster.record(&collectors, &mut directory)?;
    cluster.explain_no_data(&mut directory).await?;
    if let Ok(waited) = waited {
        waited?;
    }
    if directory.run().captures.is_empty() {
        directory.finish()?;
        return Err(CommandError::failure("no prepared pod has run yet"));
    }
    finish::finish(&mut directory, &args.report.settings, args.report.shown(), terminal)?;
    if some_still_run(directory.run()) {
        terminal.hint(
            "counters that Go writes to files come when their process ends; podcov eject ends the prepared pods and collects",
        );
    }
    Ok(finish::exit_code(directory.run(), 0, &cluster.interrupt, args.report.allow_incomplete))
}

/// Everything that has ended is taken, and what lives is read where it is supervised.
async fn take_what_there_is(
    collectors: &[&Collector],
    deadline: Instant,
    watching: &Watching,
) -> Result<(), CommandError> {
    for collector in collectors {
        collector.wait_until_up_to_date(deadline).await.map_err(cluster_error)?;
        for NotTaken { pod, container, why } in collector.snapshot(deadline).await.map_err(cluster_error)? {
            watching.note(format!("not read: pod {pod}, container {container}: {why}"));
        }
    }
    Ok(())
}

fn some_still_run(run: &Run) -> bool {
    run.captures
        .iter()
        .any(|capture| matches!(capture.outcome, Outcome::Lost { reason: LossReason::StillRunning, .. }))
}
