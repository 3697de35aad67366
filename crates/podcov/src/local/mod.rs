//! The main job on this machine: services that podcov starts for the tests.
//!
//! Owns the order of the phases and that no service outlives the run. One service is [`service`]'s and
//! [`launch`]'s, waiting for them is [`readiness`]'s, what there is of them is [`mod@capture`]'s.

mod capture;
mod launch;
mod readiness;
mod service;

use std::convert::Infallible;
use std::time::Instant;

use podcov_report::gates::Gates;

use crate::commands::run::LocalArgs;
use crate::error::{CommandError, ErrorKind};
use crate::exit_code::ExitCode;
use crate::interrupt::Interrupt;
use crate::live::Targets;
use crate::per_test::run_tests;
use crate::run_directory::RunDirectory;
use crate::terminal::{self, Terminal};
use crate::test_command::{TestCommand, TestOutput, Tests};
use crate::{cli::OutputFormat, cli::ReportOptions, finish, gate};

pub use capture::Program;
pub use launch::{Role, become_supervisor, command};
pub use service::{Ending, adopt_orphans, children_are_left};

use readiness::Probe;
use service::{Plan, Service};

/// Everything that the run of services and tests needs, checked and resolved.
pub struct LocalRun<'a> {
    pub tests: TestCommand,
    pub report: &'a ReportOptions,
    pub interrupt: Interrupt,
    pub terminal: &'a Terminal,
    plans: Vec<Plan>,
    probes: Vec<Probe>,
    options: &'a LocalArgs,
    per_test: bool,
}

impl<'a> LocalRun<'a> {
    /// Looks at all arguments; nothing is started or written.
    pub fn new(
        tests: TestCommand,
        options: &'a LocalArgs,
        report: &'a ReportOptions,
        interrupt: Interrupt,
        terminal: &'a Terminal,
    ) -> Result<Self, CommandError> {
        if cfg!(windows) {
            return Err(CommandError::failure(
                "run --exec needs Linux or macOS: services are asked to end by SIGTERM",
            )
            .hint("podcov exec measures a program that ends by itself"));
        }
        let plans = service::plans(&options.exec)?;
        let probes = readiness::probes(&options.ready, &plans)?;
        Ok(Self { tests, report, interrupt, terminal, plans, probes, options, per_test: false })
    }

    /// Records what each test ran, if that is wanted.
    #[must_use]
    pub fn per_test(self, per_test: bool) -> Self {
        Self { per_test, ..self }
    }

    /// Starts the services, runs the tests, stops the services, reports, and judges.
    pub async fn run(mut self, gates: &Gates) -> Result<ExitCode, CommandError> {
        readiness::check_nobody_answers_yet(&self.probes).await?;
        let mut directory = RunDirectory::create(&self.report.output_dir, self.terminal)?;
        adopt_orphans();
        let mut services = Vec::new();
        let outcome = self.start_and_test(&mut directory, &mut services).await;
        self.stop(&mut directory, &mut services).await?;
        let code = match outcome {
            Ok(tests) => tests.exit_code,
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted(_)) => {
                self.terminal.warning(&format!("{error}; the tests did not run"));
                directory.run_mut().notes.push(format!("{error} before the tests"));
                0
            }
            Err(error) => {
                directory.run_mut().notes.push(error.to_string());
                directory.finish()?;
                return Err(error);
            }
        };
        let everything =
            finish::finish(&mut directory, &self.report.settings, self.report.shown(), self.terminal)?;
        let run = directory.run();
        let code = finish::exit_code(run, code, &self.interrupt, self.report.allow_incomplete);
        Ok(gate::judge(gates, everything.as_ref(), run, code, self.terminal))
    }

    async fn start_and_test(
        &mut self,
        directory: &mut RunDirectory,
        services: &mut Vec<Service>,
    ) -> Result<Tests, CommandError> {
        for plan in self.plans.drain(..) {
            services.push(Service::start(plan, directory)?);
        }
        let targets = targets(services);
        tokio::select! {
            ready = self.wait_until_ready(services) => ready?,
            never = targets.keep_reading(directory) => match never {},
        }
        let mut notes = Vec::new();
        let tests = self.run_tests(&targets, services, directory, &mut notes).await;
        directory.run_mut().notes.extend(notes);
        let tests = tests?;
        directory.run_mut().tests = Some(tests.record.clone());
        Ok(tests)
    }

    async fn wait_until_ready(&self, services: &mut [Service]) -> Result<(), CommandError> {
        let started = Instant::now();
        let progress = self.terminal.progress("starting", &service::names(services));
        let ready = readiness::wait(&self.probes, services, self.options.ready_timeout, &progress);
        self.interrupt.or(ready).await??;
        let took = terminal::duration(started.elapsed());
        let instrumented = readiness::wait_for_metadata(services, !self.probes.is_empty());
        let instrumented = self.interrupt.or(instrumented).await?;
        readiness::check_alive(services, None)?;
        drop(progress);
        self.terminal.step("started", &service::names(services), &format!("ready after {took}"));
        match instrumented {
            Ok(programs) => self.terminal.step("instrumented", &service::names(services), &programs),
            Err(error) if self.report.allow_incomplete => self.terminal.warning(&error.to_string()),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn run_tests(
        &self,
        targets: &Targets<'_>,
        services: &mut [Service],
        directory: &RunDirectory,
        notes: &mut Vec<String>,
    ) -> Result<Tests, CommandError> {
        let output = match self.report.output {
            OutputFormat::Text => TestOutput::Inherited,
            OutputFormat::Json => TestOutput::StandardError,
        };
        let tests =
            run_tests(targets, self.per_test, &self.tests, output, &self.interrupt, directory, self.terminal);
        tokio::pin!(tests);
        let tests = loop {
            tokio::select! {
                // The end of a service may be what ended the tests.
                biased;
                index = service::next_end(services) => notes.push(self.warn_of_end(&mut services[index])),
                tests = &mut tests => break tests?,
            }
        };
        let (tests, of_tests) = tests;
        for note in of_tests {
            self.terminal.warning(&note);
            notes.push(note);
        }
        show_tests(&tests, self.terminal);
        Ok(tests)
    }

    /// Says that a service ended during the tests, and with what; returns that for the record.
    fn warn_of_end(&self, service: &mut Service) -> String {
        service.end_is_known = true;
        let how = service.status().map(service::ending).unwrap_or_default();
        let message = format!("{} ended during the tests with {how}", service.name());
        self.terminal.warning(&format!("{message}; its output is in {}", service.log.display()));
        if service.status().is_some_and(|status| !status.success()) {
            self.terminal.block(&service::log_tail(&service.log));
        }
        message
    }

    async fn tell_how_to_hurry(&self, services: &[Service]) -> Infallible {
        let signal = self.interrupt.requested().await.name();
        let names = service::names(services);
        self.terminal
            .warning(&format!("stopped by {signal}; waiting for {names} to end, once more kills them"));
        std::future::pending().await
    }

    async fn stop(&self, directory: &mut RunDirectory, services: &mut [Service]) -> Result<(), CommandError> {
        if services.is_empty() {
            return Ok(());
        }
        let progress = self.terminal.progress("stopping", &service::names(services));
        let targets = targets(services);
        let endings = tokio::select! {
            endings = service::stop_all(services, self.options.stop_timeout, &self.interrupt) => endings,
            never = self.tell_how_to_hurry(services) => match never {},
            never = targets.keep_reading(directory) => match never {},
        };
        drop(progress);
        let captures = services
            .iter()
            .zip(endings)
            .map(|(service, ending)| service.program.capture(&ending, Some(&service.log), directory))
            .collect::<Result<_, _>>()?;
        directory.run_mut().captures = captures;
        directory.save()
    }
}

/// Says how the tests ended: `✓ tests          passed      4m 53s`.
pub fn show_tests(tests: &Tests, terminal: &Terminal) {
    let took = terminal::duration(std::time::Duration::from_secs_f64(tests.record.seconds));
    match (tests.exit_code, tests.record.interrupted) {
        (0, false) => terminal.step("tests", "passed", &took),
        (code, true) => terminal.failed_step("tests", &format!("interrupted, exit code {code}"), &took),
        (code, false) => terminal.failed_step("tests", &format!("failed, exit code {code}"), &took),
    }
}

fn targets(services: &[Service]) -> Targets<'static> {
    Targets::Local(services.iter().map(|service| service.program.clone()).collect())
}
