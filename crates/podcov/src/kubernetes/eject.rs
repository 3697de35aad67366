//! `podcov eject`: prepared workloads are put back, and what their pods still hold is collected.
//!
//! Works from what is in the cluster alone, so it ends what `inject` began as well as what a killed `run` left.

use podcov_cluster::{Collector, PreparedRun, Purpose};

use super::{Cluster, collection::Timeouts};
use crate::{
    attached::remove_leftovers,
    commands::eject::EjectArgs,
    error::CommandError,
    exit_code::ExitCode,
    finish,
    interrupt::Interrupt,
    run_directory::{RunDirectory, read_record},
    terminal::Terminal,
};

/// Puts back, collects, reports.
pub async fn run(args: EjectArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    args.report.check()?;
    let cluster = Cluster::open(&args.cluster, Interrupt::install()?, terminal).await?;
    let mut has_deleted = false;
    if args.run.is_none() && !args.cluster.names_workloads() {
        has_deleted = remove_leftovers(&cluster.connection, |all| all, terminal).await?;
    }
    let prepared = cluster.prepared_runs(&args.cluster, args.run.as_deref()).await?;
    if prepared.is_empty() && has_deleted {
        return Ok(ExitCode::Success);
    }
    if prepared.is_empty() {
        let namespace = cluster.connection.namespace();
        terminal.step("put back", &format!("nothing: nothing is prepared in namespace {namespace}"), "");
        return Ok(ExitCode::Success);
    }
    if args.discard {
        put_back(&args, &cluster, &prepared, &Purpose::Discard, |_| Ok(())).await?;
        return Ok(ExitCode::Success);
    }
    let mut directory = directory(&args, &prepared, terminal)?;
    let purpose = Purpose::Keep(directory.data_directory());
    let ended = put_back(&args, &cluster, &prepared, &purpose, |collectors| {
        cluster.record(collectors, &mut directory)
    })
    .await;
    if directory.run().captures.is_empty() {
        directory.finish()?;
        ended?;
        terminal.warning("no prepared pod was running, so there was nothing to collect");
        return Ok(if args.report.allow_incomplete { ExitCode::Success } else { ExitCode::Incomplete });
    }
    finish::finish(&mut directory, &args.report.settings, args.report.shown(), terminal)?;
    ended?;
    Ok(finish::exit_code(directory.run(), 0, &cluster.interrupt, args.report.allow_incomplete))
}

/// `record` is called whatever became of it.
async fn put_back(
    args: &EjectArgs,
    cluster: &Cluster<'_>,
    prepared: &[PreparedRun],
    purpose: &Purpose,
    record: impl FnOnce(&[&Collector]) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let collectors = cluster.collectors(&args.cluster, prepared, purpose);
    let collectors: Vec<&Collector> = collectors.iter().collect();
    let timeouts = Timeouts { rollout: args.timeout, collect: args.collection.collect_timeout };
    let ended = cluster.end_pods_and_collect(prepared, &collectors, timeouts).await;
    record(&collectors)?;
    ended?;
    cluster.say_put_back(prepared);
    Ok(())
}

/// A run that was killed goes on in its own directory: what it had received is there.
fn directory(
    args: &EjectArgs,
    prepared: &[PreparedRun],
    terminal: &Terminal,
) -> Result<RunDirectory, CommandError> {
    let path = &args.report.output_dir;
    let is_its = read_record(path)?.is_some_and(|record| {
        record.finished.is_none() && prepared.iter().any(|prepared| prepared.run.as_str() == record.id)
    });
    match if is_its { RunDirectory::open(path)? } else { None } {
        Some(directory) => Ok(directory),
        None => RunDirectory::create(path, terminal),
    }
}
