//! `podcov inject`: workloads are prepared, and stay so until `eject`.

use std::time::Duration;

use podcov_cluster::{PreparedRun, Purpose, RunId, Scope, Session, Workload};

use super::{
    Cluster, cluster_error,
    collection::Timeouts,
    names_and_ways,
    options::{agent_named, architecture, injection, run_id, session},
    with_pods,
};
use crate::{
    commands::inject::InjectArgs, error::CommandError, exit_code::ExitCode, interrupt::Interrupt,
    run_directory::new_id, terminal::Terminal,
};

/// Nothing is collected from pods that are given up.
const COLLECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Prepares the workloads, or leaves them as they were.
pub async fn run(mut args: InjectArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    let cluster = Cluster::open(&args.cluster, Interrupt::install()?, terminal).await?;
    let workloads = cluster.select(&args.cluster).await?;
    cluster.agree_to_recreate(&workloads, &mut args.prepare);
    let architecture = architecture(&cluster.connection, &args.prepare).await;
    let agent = agent_named(architecture.as_deref())?;
    let entry_points = cluster.entry_points(&workloads, architecture.as_deref(), &args.prepare).await?;
    let run = run_id(&new_id())?;
    let injection = injection(&run, &args.prepare, &args.collection, entry_points);
    let session = session(&cluster.connection, injection, &args.prepare, &cluster.watching);
    session.check(&workloads).map_err(cluster_error)?;

    let prepared = prepare(&args, &cluster, &session, &workloads, agent, &run).await;
    cluster.watching.end();
    if let Err(error) = prepared {
        put_back(&args, &cluster, &run).await?;
        return Err(error);
    }
    let names: Vec<String> = workloads
        .iter()
        .map(|workload| with_pods(workload, usize::try_from(workload.wanted_pods()).unwrap_or(usize::MAX)))
        .collect();
    terminal.step("instrumented", &names.join(", "), "");
    terminal.data(&format!("{run}\n"))?;
    let command = cluster.eject_command(&run);
    terminal.hint(&format!("after the tests, put back, collect and report: {command}"));
    Ok(ExitCode::Success)
}

async fn prepare(
    args: &InjectArgs,
    cluster: &Cluster<'_>,
    session: &Session<'_>,
    workloads: &[Workload],
    agent: &[u8],
    run: &RunId,
) -> Result<(), CommandError> {
    cluster.watching.begin("preparing", "the workloads");
    let prepared = session.prepare(workloads, agent).await.map_err(cluster_error)?;
    cluster.terminal.step("prepared", &names_and_ways(&prepared), "");
    cluster.interrupt.check()?;
    if args.no_wait {
        return Ok(());
    }
    cluster.watching.begin("waiting", "for the prepared pods");
    let ready = session.wait_until_ready(&prepared, args.prepare.timeout);
    cluster.interrupt.or(ready).await?.map_err(cluster_error)?;
    cluster.check_coverage(&cluster.collector(Scope::whole(run.clone()), Purpose::Look)).await
}

async fn put_back(args: &InjectArgs, cluster: &Cluster<'_>, run: &RunId) -> Result<(), CommandError> {
    let prepared = PreparedRun::find(&cluster.connection, Some(run)).await.map_err(cluster_error)?;
    let collector = cluster.collector(Scope::whole(run.clone()), Purpose::Discard);
    let timeouts = Timeouts { rollout: args.prepare.timeout, collect: COLLECT_TIMEOUT };
    cluster.end_pods_and_collect(&prepared, &[&collector], timeouts).await?;
    cluster.say_put_back(&prepared);
    Ok(())
}
