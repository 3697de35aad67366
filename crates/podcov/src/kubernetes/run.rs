//! `podcov run TARGET… -- TEST…`: prepare, test, collect, put back, report.
//!
//! From the first change in the cluster on, every way out leads through putting back.

use std::time::Duration;

use podcov_cluster::{Collector, Prepared, PreparedRun, Purpose, RunId, Scope, Session, Workload};

use super::{
    Cluster, captures_so_far, cluster_error,
    collection::Timeouts,
    names_and_ways,
    options::{agent_named, architecture, injection, run_id, session},
    with_pods,
};
use crate::{
    cli::OutputFormat,
    commands::run::RunArgs,
    coverage_data,
    error::CommandError,
    exit_code::ExitCode,
    finish, gate, instrumented,
    interrupt::Interrupt,
    live::Targets,
    per_test::run_tests,
    process_records,
    run_directory::RunDirectory,
    terminal::{Terminal, duration},
    test_command::{TestCommand, TestOutput, Tests},
};

/// Prepares the workloads, runs the tests, collects, puts back, reports.
pub async fn run(
    mut args: RunArgs,
    tests: TestCommand,
    interrupt: Interrupt,
    terminal: &Terminal,
) -> Result<ExitCode, CommandError> {
    let cluster = Cluster::open(&args.cluster, interrupt, terminal).await?;
    let workloads = cluster.select(&args.cluster).await?;
    cluster.agree_to_recreate(&workloads, &mut args.prepare);
    let architecture = architecture(&cluster.connection, &args.prepare).await;
    let agent = agent_named(architecture.as_deref())?;
    let entry_points = cluster.entry_points(&workloads, architecture.as_deref(), &args.prepare).await?;
    let session_of = |run: &RunId| {
        let injection = injection(run, &args.prepare, &args.collection, entry_points.clone());
        session(&cluster.connection, injection, &args.prepare, &cluster.watching)
    };
    // Before the results of an earlier run are replaced.
    session_of(&run_id("check")?).check(&workloads).map_err(cluster_error)?;

    let mut directory = RunDirectory::create(&args.report.output_dir, terminal)?;
    let run = run_id(&directory.run().id)?;
    let session = session_of(&run);
    let collector = cluster.collector(Scope::whole(run.clone()), Purpose::Keep(directory.data_directory()));
    let job = Job { args: &args, cluster: &cluster, session: &session, collector: &collector };
    let outcome = job.prepare_and_test(&workloads, agent, &tests, &directory).await;
    if let Ok(tests) = &outcome {
        directory.run_mut().tests = Some(tests.record.clone());
        directory.run_mut().captures = captures_so_far(&collector, &directory);
        directory.save()?;
    }
    let put_back = job.put_back(&run).await;
    cluster.record(&[&collector], &mut directory)?;
    job.report(outcome, put_back, &mut directory)
}

struct Job<'a> {
    args: &'a RunArgs,
    cluster: &'a Cluster<'a>,
    session: &'a Session<'a>,
    collector: &'a Collector,
}

/// What the pods' programs have handed over says so.
fn built_with(directory: &RunDirectory) -> Result<String, CommandError> {
    let found = coverage_data::find(&directory.data_directory())?.directories;
    let go_versions = process_records::read(&found).into_iter().filter_map(|record| record.go_version);
    let metadata: Vec<_> = found.iter().flat_map(|covdata| &covdata.metadata).cloned().collect();
    Ok(if metadata.is_empty() { String::new() } else { instrumented::describe(go_versions, &metadata) })
}

impl Job<'_> {
    async fn prepare_and_test(
        &self,
        workloads: &[Workload],
        agent: &[u8],
        tests: &TestCommand,
        directory: &RunDirectory,
    ) -> Result<Tests, CommandError> {
        let Cluster { watching, interrupt, terminal, .. } = self.cluster;
        interrupt.check()?;
        watching.begin("preparing", "the workloads");
        // Not interrupted halfway: a request that is under way could arrive after everything was put back.
        let prepared = self.session.prepare(workloads, agent).await.map_err(cluster_error)?;
        terminal.step("prepared", &names_and_ways(&prepared), "");
        watching.begin("waiting", "for the prepared pods");
        let ready = self.session.wait_until_ready(&prepared, self.args.prepare.timeout);
        interrupt.or(ready).await?.map_err(cluster_error)?;
        self.check_coverage().await?;
        watching.end();
        terminal.step("instrumented", &self.instrumented(&prepared), &built_with(directory)?);

        let output = match self.args.report.output {
            OutputFormat::Json => TestOutput::StandardError,
            OutputFormat::Text => TestOutput::Inherited,
        };
        let per_test = self.args.per_test;
        let targets = Targets::Pods(self.collector);
        let (tests, notes) =
            run_tests(&targets, per_test, tests, output, interrupt, directory, terminal).await?;
        self.show(&tests);
        for note in notes {
            watching.note(note);
        }
        // Whatever becomes of the pods now, what the tests ran is here.
        for missing in targets.read().await {
            watching.note(format!("not read after the tests: {}", missing.what));
        }
        Ok(tests)
    }

    async fn check_coverage(&self) -> Result<(), CommandError> {
        match self.cluster.check_coverage(self.collector).await {
            Err(error) if self.args.report.allow_incomplete && !self.cluster.interrupt.is_requested() => {
                self.cluster.watching.note(error.to_string());
                Ok(())
            }
            result => result,
        }
    }

    fn instrumented(&self, prepared: &[Prepared]) -> String {
        let pods = self.collector.results();
        let parts: Vec<String> = prepared
            .iter()
            .map(|prepared| {
                let reference = prepared.workload.reference();
                let own = pods.iter().filter(|pod| pod.workload == reference && pod.end.is_none());
                with_pods(&prepared.workload, own.count())
            })
            .collect();
        parts.join(", ")
    }

    fn show(&self, tests: &Tests) {
        let Cluster { interrupt, terminal, .. } = self.cluster;
        let time = duration(Duration::from_secs_f64(tests.record.seconds.max(0.0)));
        if interrupt.is_requested() {
            terminal.failed_step("tests", "interrupted", &time);
        } else if tests.exit_code == 0 {
            terminal.step("tests", "passed", &time);
        } else {
            terminal.failed_step("tests", &format!("exit code {}", tests.exit_code), &time);
        }
    }

    async fn put_back(&self, run: &RunId) -> Result<(), CommandError> {
        let found = PreparedRun::find(&self.cluster.connection, Some(run)).await;
        let prepared = found.map_err(|error| {
            let command = self.cluster.eject_command(run);
            cluster_error(error).hint(format!("put back what is left: {command}"))
        })?;
        let timeouts =
            Timeouts { rollout: self.args.prepare.timeout, collect: self.args.collection.collect_timeout };
        self.cluster.end_pods_and_collect(&prepared, &[self.collector], timeouts).await?;
        self.cluster.say_put_back(&prepared);
        Ok(())
    }

    /// The error of the tests counts before that of putting back, which is shown beside it.
    fn report(
        &self,
        outcome: Result<Tests, CommandError>,
        put_back: Result<(), CommandError>,
        directory: &mut RunDirectory,
    ) -> Result<ExitCode, CommandError> {
        let Cluster { interrupt, terminal, .. } = self.cluster;
        let options = &self.args.report;
        if let Err(error) = &outcome {
            directory.run_mut().notes.push(error.to_string());
        }
        let mut everything = None;
        let has_data = directory.run().captures.iter().any(|capture| capture.bytes > 0);
        if outcome.is_ok() || has_data {
            everything = finish::finish(directory, &options.settings, options.shown(), terminal)?;
        } else {
            directory.finish()?;
        }
        match (outcome, put_back) {
            (Ok(tests), Ok(())) => {
                let run = directory.run();
                let code = finish::exit_code(run, tests.exit_code, interrupt, options.allow_incomplete);
                let gates = self.args.gates.gates(&options.settings);
                Ok(gate::judge(&gates, everything.as_ref(), run, code, terminal))
            }
            (Ok(_), Err(error)) | (Err(error), Ok(())) => Err(error),
            (Err(error), Err(also)) => {
                terminal.error(&also);
                Err(error)
            }
        }
    }
}
