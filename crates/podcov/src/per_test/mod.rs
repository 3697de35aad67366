//! What each test alone ran: all targets are read where one test ends and the next begins, and the difference is that of
//! the test.
//!
//! Owns the order of these. When a test begins, [`events`] says, or [`mark`]; whose time it is, [`activity`]; what was
//! counted in between, [`differences`], and [`unread`] what was not read then; what is kept, [`results`].

mod activity;
mod differences;
mod events;
pub mod mark;
mod results;
mod unread;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use self::activity::Activity;
use self::differences::{Difference, Differences};
use self::events::{Event, Recogniser, TestName};
use self::mark::Marks;
use self::results::Results;
use self::unread::{Owners, Unread};
use crate::error::CommandError;
use crate::interrupt::Interrupt;
use crate::live::{NotRead, Targets};
use crate::run_directory::RunDirectory;
use crate::terminal::{Terminal, count};
use crate::test_command::{TestCommand, TestOutput, Tests};

/// A test that says that it ran so much longer than was seen has told of its start late.
const LATE: f64 = 0.5;

/// What the tests tell.
pub enum Message {
    /// A line of their output, without its end, and when it came.
    Line(String, Instant),
    /// They say themselves which test begins; none between tests.
    Mark { name: Option<String>, reply: oneshot::Sender<mark::Answer> },
    /// They ask which tests are known to run, when what came before is read.
    Ask { reply: oneshot::Sender<Vec<String>> },
}

/// Runs tests against targets, test by test if that is wanted. Returns what a reader of the result should know, too.
pub async fn run_tests(
    targets: &Targets<'_>,
    per_test: bool,
    tests: &TestCommand,
    output: TestOutput,
    interrupt: &Interrupt,
    run: &RunDirectory,
    terminal: &Terminal,
) -> Result<(Tests, Vec<String>), CommandError> {
    if per_test {
        return PerTest::new(targets, run, terminal).run(tests, output, interrupt).await;
    }
    let tests = tokio::select! {
        tests = tests.run(&[], output, interrupt) => tests?,
        never = targets.keep_reading(run) => match never {},
    };
    Ok((tests, Vec::new()))
}

/// Runs tests and records what each ran.
pub struct PerTest<'a> {
    targets: &'a Targets<'a>,
    run: &'a RunDirectory,
    terminal: &'a Terminal,
    data: PathBuf,
    activity: Activity,
    differences: Differences,
    unread: Unread,
    results: Results,
    recogniser: Recogniser,
    /// When the tests that run have started.
    started: BTreeMap<TestName, Instant>,
    segment_began: Instant,
    /// What belongs to the segment before is kept.
    segment_settled: Instant,
    /// The test that was marked last, if one was. Once tests mark, their output does not count.
    marked: Option<BTreeSet<TestName>>,
    has_output: bool,
    late: Option<TestName>,
    failure: Option<CommandError>,
}

impl<'a> PerTest<'a> {
    /// The targets run, and are ready.
    pub fn new(targets: &'a Targets<'a>, run: &'a RunDirectory, terminal: &'a Terminal) -> Self {
        Self {
            targets,
            run,
            terminal,
            data: run.data_directory(),
            activity: Activity::default(),
            differences: Differences::default(),
            unread: Unread::default(),
            results: Results::default(),
            recogniser: Recogniser::default(),
            started: BTreeMap::new(),
            segment_began: Instant::now(),
            segment_settled: Instant::now(),
            marked: None,
            has_output: false,
            late: None,
            failure: None,
        }
    }

    /// Runs the tests. Returns what a reader of the result should know, too.
    pub async fn run(
        mut self,
        tests: &TestCommand,
        output: TestOutput,
        interrupt: &Interrupt,
    ) -> Result<(Tests, Vec<String>), CommandError> {
        // What the services ran to start belongs to no test.
        let missing = self.targets.read().await;
        self.differences.read(&self.data);
        self.unread.end_segment(&BTreeSet::new(), &missing);
        let mut notes = self.of_snapshot(&missing);
        let not_read = self.targets.not_read().into_iter();
        notes.extend(not_read.map(|name| {
            format!("{name}: its processes are not read while they run, so that what they run is in no test")
        }));
        self.segment_began = Instant::now();

        let (sender, messages) = mpsc::unbounded_channel();
        let marks = Marks::listen(sender.clone()).await?;
        let environment = [(OsString::from(mark::VARIABLE), OsString::from(marks.url()))];
        let terminal = self.terminal;
        let tests = async move {
            let tests = tests.run_watched(&environment, output, interrupt, &sender, terminal).await;
            // Nobody can mark any more, and the last message is known.
            drop((marks, sender));
            tests
        };
        let (tests, ()) = tokio::join!(tests, self.follow(messages));
        let tests = tests?;
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        self.results.write(self.run)?;
        notes.extend(self.notes());
        self.show();
        Ok((tests, notes))
    }

    async fn follow(&mut self, mut messages: mpsc::UnboundedReceiver<Message>) {
        let mut batch = Vec::new();
        // A test may be long and say much, and this podcov be killed.
        let reading = self.targets.keep_reading(self.run);
        tokio::pin!(reading);
        loop {
            let came = tokio::select! {
                came = messages.recv_many(&mut batch, usize::MAX) => came,
                never = &mut reading => match never {},
            };
            if came == 0 {
                break;
            }
            let mut events = Vec::new();
            let mut latest = Instant::now();
            for message in batch.drain(..) {
                match message {
                    Message::Line(line, came) => {
                        self.has_output = true;
                        latest = came;
                        let told = self.recogniser.line(&line);
                        self.look_at_times(&told, came);
                        events.extend(told);
                    }
                    Message::Mark { name, reply } => {
                        // In the order in which they came.
                        self.take_events(std::mem::take(&mut events), latest).await;
                        let answer = self.take_mark(name).await;
                        // Who asked may be gone.
                        let _ = reply.send(answer);
                    }
                    Message::Ask { reply } => {
                        self.take_events(std::mem::take(&mut events), latest).await;
                        let tests = self.marked.as_ref().unwrap_or_else(|| self.activity.active());
                        let _ = reply.send(tests.iter().map(|test| test.name.clone()).collect());
                    }
                }
            }
            self.take_events(events, latest).await;
        }
        let last = self.marked.take().unwrap_or_else(|| self.activity.finish());
        self.end_segment(&last).await;
    }

    async fn take_events(&mut self, events: Vec<Event>, came: Instant) {
        if self.marked.is_some() || events.is_empty() {
            return;
        }
        let Some(tests) = self.activity.follow(&events) else { return };
        // Others have begun before what came before these was kept. So there was no time between two tests that belongs to
        // none, or no time that a test had for itself before others joined it.
        if came <= self.segment_settled && self.activity.has_joined(&tests) {
            self.activity.resume(tests);
        } else {
            self.end_segment(&tests).await;
        }
    }

    async fn take_mark(&mut self, name: Option<String>) -> mark::Answer {
        let before = self.marked.take().unwrap_or_else(|| self.activity.finish());
        let test = |name| TestName { package: String::new(), name };
        self.marked = Some(name.map(test).into_iter().collect());
        let missing = self.end_segment(&before).await;
        if missing.is_empty() {
            return Ok(());
        }
        Err(missing.into_iter().map(|missing| missing.what).collect::<Vec<_>>().join("; "))
    }

    /// Reads all targets: what was counted since the last time belongs to these tests. Returns what could not be read.
    async fn end_segment(&mut self, tests: &BTreeSet<TestName>) -> Vec<NotRead> {
        let took = self.segment_began.elapsed();
        let missing = self.targets.read().await;
        let mut differences = BTreeMap::<Owners, Vec<Difference>>::new();
        for difference in self.differences.read(&self.data) {
            let owners = self.unread.owners(&difference.directory, tests);
            differences.entry(owners).or_default().push(difference);
        }
        self.unread.end_segment(tests, &missing);
        self.segment_began = Instant::now();
        let notes = self.of_snapshot(&missing);
        if let Err(error) = self.keep(tests, took, notes, differences) {
            self.failure.get_or_insert(error);
        }
        self.segment_settled = Instant::now();
        missing
    }

    fn keep(
        &mut self,
        tests: &BTreeSet<TestName>,
        took: Duration,
        notes: Vec<String>,
        mut differences: BTreeMap<Owners, Vec<Difference>>,
    ) -> Result<(), CommandError> {
        if !tests.is_empty() {
            let own = Owners { tests: tests.clone(), notes: BTreeSet::new() };
            let own = differences.remove(&own).unwrap_or_default();
            self.results.add(tests, took, &own, notes, self.run)?;
        }
        for (Owners { tests, notes }, differences) in differences {
            // Else it ran in no test.
            if !tests.is_empty() {
                self.results.add_late(&tests, &differences, notes, self.run)?;
            }
        }
        Ok(())
    }

    fn of_snapshot(&self, missing: &[NotRead]) -> Vec<String> {
        for NotRead { what, .. } in missing {
            self.terminal.warning(&format!("not read between tests: {what}"));
        }
        missing.iter().map(|missing| format!("not read at its end: {}", missing.what)).collect()
    }

    /// Notices output that was held back.
    fn look_at_times(&mut self, events: &[Event], came: Instant) {
        for event in events {
            match event {
                Event::Starts(test) => drop(self.started.insert(test.clone(), came)),
                Event::Waits(test) => drop(self.started.remove(test)),
                Event::Ends(test, seconds) => {
                    let seen =
                        self.started.remove(test).map(|started| came.duration_since(started).as_secs_f64());
                    if seen.zip(*seconds).is_some_and(|(seen, told)| told > seen + LATE) {
                        self.late.get_or_insert_with(|| test.clone());
                    }
                }
            }
        }
    }

    /// What a reader should know.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.results.count() == (0, 0) {
            let reason = if self.has_output {
                "no test was recognised in their output"
            } else {
                "they printed nothing"
            };
            notes.push(format!(
                "no test is known by itself: {reason}; run go test -v or -json, ginkgo -v, or let them call podcov mark"
            ));
        }
        if let Some(late) = &self.late {
            notes.push(format!(
                "{} told of its start when it had ended, so that tests may have what others ran: go test holds back the \
                 output of several packages; use go test -json, or -p 1",
                late.name
            ));
        }
        if self.results.has_mode_set() {
            notes.push(
                "what ran before in the same process counts for no later test, since it was built with -covermode=set; \
                 build with -covermode=atomic"
                    .to_owned(),
            );
        }
        let without = self.differences.without_test(&self.data);
        if without > 0 {
            notes.push(format!(
                "{} wrote its counters itself, and nobody knows which test it was: it is in no test",
                count(without, "process")
            ));
        }
        notes.extend(self.differences.problems.iter().map(|problem| format!("in no test: {problem}")));
        notes
    }

    fn show(&self) {
        let (tests, groups) = self.results.count();
        let groups = if groups > 0 {
            format!("{} that cannot be told apart", count(groups, "group"))
        } else {
            String::new()
        };
        if (tests, groups.len()) != (0, 0) {
            self.terminal.step("by test", &count(tests, "test"), &groups);
        }
    }
}
