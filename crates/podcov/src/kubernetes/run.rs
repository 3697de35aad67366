//! `podcov run TARGET… -- TEST…`: prepare, test, collect, put back, report.
//!
//! From the first change in the cluster on, every way out leads through putting back.

use std::{sync::Arc, time::Duration};

use podcov_cluster::{Collector, Connection, Prepared, PreparedRun, RunId, Session, Workload};
use tokio::time::Instant;

use super::{
    Collection, Watching, agent, cluster_error, connect, end_pods_and_collect, injection, record_results,
    run_id, select, session, with_pods,
};
use crate::{
    cli::OutputFormat,
    commands::run::RunArgs,
    error::CommandError,
    exit_code::ExitCode,
    finish,
    interrupt::Interrupt,
    run_directory::RunDirectory,
    terminal::{Terminal, duration},
    test_command::{TestCommand, TestOutput, Tests},
};

/// covmeta is written before a program's own code starts; a pod that is ready has had that time many times over.
const COVERAGE_TIMEOUT: Duration = Duration::from_secs(10);

/// Prepares the workloads, runs the tests, collects, puts back, reports.
pub async fn run(
    args: RunArgs,
    tests: TestCommand,
    interrupt: Interrupt,
    terminal: &Terminal,
) -> Result<ExitCode, CommandError> {
    args.report.check()?;
    let connection = connect(&args.cluster).await?;
    let workloads = select(&connection, &args.cluster).await?;
    let agent = agent(&connection, &args.prepare).await?;
    let watching = Arc::new(Watching::new(terminal));

    let session_of = |run: &RunId| {
        let injection = injection(run, &args.cluster, &args.prepare, &args.collection);
        session(&connection, injection, &args.prepare, &watching)
    };
    // Before the results of an earlier run are replaced.
    session_of(&run_id("check")?).check(&workloads).map_err(cluster_error)?;

    let mut directory = RunDirectory::create(&args.report.output_dir, terminal)?;
    let run = run_id(&directory.run().id)?;
    let session = session_of(&run);

    let collector = Collector::start(
        connection.clone(),
        &run,
        &directory.data_directory(),
        Arc::<Watching>::clone(&watching),
    );
    let job = Job { args: &args, session: &session, collector: &collector, watching: &watching, terminal };
    let outcome = job.prepare_and_test(&workloads, agent, &tests, &interrupt).await;
    if let Ok(tests) = &outcome {
        directory.run_mut().tests = Some(tests.record.clone());
        directory.save()?;
    }
    let put_back = job.put_back(&connection, &run, &interrupt).await;
    record_results(&collector, &connection, &watching, &mut directory, terminal)?;
    let has_data = directory.run().captures.iter().any(|capture| capture.bytes > 0);
    match outcome {
        Ok(tests) => {
            finish::finish(&mut directory, &args.report.source, args.report.shown(), terminal)?;
            put_back?;
            Ok(finish::exit_code(directory.run(), tests.exit_code, &interrupt, args.report.allow_incomplete))
        }
        Err(error) => {
            directory.run_mut().notes.push(error.to_string());
            if has_data {
                finish::finish(&mut directory, &args.report.source, args.report.shown(), terminal)?;
            } else {
                directory.finish()?;
            }
            if let Err(also) = put_back {
                terminal.error(&also);
            }
            Err(error)
        }
    }
}

struct Job<'a> {
    args: &'a RunArgs,
    session: &'a Session<'a>,
    collector: &'a Collector,
    watching: &'a Watching,
    terminal: &'a Terminal,
}

impl Job<'_> {
    async fn prepare_and_test(
        &self,
        workloads: &[Workload],
        agent: &[u8],
        tests: &TestCommand,
        interrupt: &Interrupt,
    ) -> Result<Tests, CommandError> {
        interrupt.check()?;
        self.watching.begin("preparing", "the workloads");
        // Not interrupted halfway: a request that is under way could arrive after everything was put back.
        let prepared = self.session.prepare(workloads, agent).await.map_err(cluster_error)?;
        self.terminal.step("prepared", &names(&prepared), "");
        self.watching.begin("waiting", "for the prepared pods");
        interrupt
            .or(self.session.wait_until_ready(&prepared, self.args.prepare.timeout))
            .await?
            .map_err(cluster_error)?;
        self.check_coverage(interrupt).await?;
        self.watching.end();
        self.terminal.step("instrumented", &self.instrumented(&prepared), "");

        let output = match self.args.report.output {
            OutputFormat::Json => TestOutput::StandardError,
            OutputFormat::Text => TestOutput::Inherited,
        };
        let tests = tests.run(&[], output, interrupt).await?;
        self.show(&tests, interrupt);
        Ok(tests)
    }

    /// A program without coverage is known as soon as it runs; the tests would be for nothing.
    async fn check_coverage(&self, interrupt: &Interrupt) -> Result<(), CommandError> {
        let deadline = Instant::now() + COVERAGE_TIMEOUT;
        let missing = interrupt.or(self.collector.containers_without_coverage(deadline)).await?;
        let missing = missing.map_err(cluster_error)?;
        let Some((pod, container)) = missing.first() else { return Ok(()) };
        let connectivity = self.collector.results().into_iter().find(|result| &result.pod == pod);
        let failure = connectivity.filter(|result| !result.was_reached).and_then(|result| result.last_failure);
        let error = match failure {
            Some(failure) => CommandError::failure(format!("pod {pod}: its agent cannot be reached"))
                .caused_by(failure),
            None => CommandError::failure(format!(
                "pod {pod}, container {container}: no process was built with coverage"
            ))
            .hint("build it with go build -cover; a -coverpkg pattern must match its main package too")
            .hint("name the containers that are built with coverage with -c"),
        };
        if self.args.report.allow_incomplete {
            self.watching.note(error.to_string());
            return Ok(());
        }
        Err(error)
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

    fn show(&self, tests: &Tests, interrupt: &Interrupt) {
        let time = duration(Duration::from_secs_f64(tests.record.seconds.max(0.0)));
        if interrupt.is_requested() {
            self.terminal.failed_step("tests", "interrupted", &time);
        } else if tests.exit_code == 0 {
            self.terminal.step("tests", "passed", &time);
        } else {
            self.terminal.failed_step("tests", &format!("exit code {}", tests.exit_code), &time);
        }
    }

    async fn put_back(
        &self,
        connection: &Connection,
        run: &RunId,
        interrupt: &Interrupt,
    ) -> Result<(), CommandError> {
        let prepared = PreparedRun::find(connection, Some(run)).await.map_err(cluster_error)?;
        let collection = Collection {
            connection,
            run,
            watching: self.watching,
            rollout_timeout: self.args.prepare.timeout,
            collect_timeout: self.args.collection.collect_timeout,
        };
        end_pods_and_collect(&collection, &prepared, self.collector, interrupt).await?;
        let names: Vec<String> =
            prepared.iter().flat_map(|run| &run.workloads).map(Workload::name).collect();
        if !names.is_empty() {
            self.terminal.step("put back", &names.join(", "), "");
        }
        Ok(())
    }
}

fn names(prepared: &[Prepared]) -> String {
    let names: Vec<String> = prepared.iter().map(|prepared| prepared.workload.name()).collect();
    names.join(", ")
}
