//! `podcov doctor` that makes pods, and is asked first, stopped or killed while they are there.

use std::time::Duration;

use nix::sys::signal::Signal;
use podcov_e2e::namespace::Namespace;
use podcov_e2e::podcov::{Outcome, Podcov, Running};
use podcov_e2e::workload::{container, pod_spec, workload};
use podcov_e2e::{cluster, until_within};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_mins(1);
const CTRL_C: &str = "\u{3}";

/// What podcov makes to look at a process, or to try a pod.
#[derive(Clone, Copy, Debug)]
struct Made {
    selector: &'static str,
    /// Agrees to it.
    arguments: &'static [&'static str],
}

const READER: Made = Made { selector: "podcov.dev/snapshot", arguments: &["--yes"] };
const TRIAL: Made = Made { selector: "podcov.dev/role=trial", arguments: &["--yes", "--try"] };

impl Made {
    fn doctor(self, namespace: &Namespace) -> Podcov {
        doctor(namespace).arguments(self.arguments)
    }

    fn is_there(self, namespace: &Namespace) -> bool {
        namespace.labelled(self.selector).iter().any(|object| object["kind"] == "Pod")
    }

    fn expect_nothing_left(self, namespace: &Namespace) {
        until_within(&format!("nothing with {} is left", self.selector), PATIENCE, || {
            namespace.labelled(self.selector).is_empty()
        });
    }

    /// Stops a doctor whose pod is there. Where the pod was faster, and doctor had ended or was about to, it is tried again.
    fn stopped(
        self,
        namespace: &Namespace,
        start: impl Fn(Podcov) -> Podcov,
        stop: impl Fn(&mut Running),
        is_stopped: impl Fn(&Outcome) -> bool,
    ) {
        const TRIES: usize = 10;
        for _ in 0..TRIES {
            let mut podcov = start(self.doctor(namespace)).start();
            until_within("podcov has created its pod, or has ended", PATIENCE, || {
                podcov.has_ended() || self.is_there(namespace)
            });
            if !podcov.has_ended() {
                stop(&mut podcov);
            }
            if is_stopped(&podcov.wait()) {
                return;
            }
        }
        panic!("podcov was never slow enough to be stopped");
    }

    fn killed(self, namespace: &Namespace) {
        let left = |outcome: &Outcome| outcome.code.is_none() && self.is_there(namespace);
        self.stopped(namespace, |podcov| podcov, |running| running.signal(Signal::SIGKILL), left);
    }
}

/// On a machine that shows no process of the pod, and has no image of it.
fn doctor(namespace: &Namespace) -> Podcov {
    Podcov::elsewhere("doctor", namespace.name()).arguments(["deploy/api"])
}

/// With a covered program.
fn namespace(name: &str) -> Namespace {
    let namespace = Namespace::new(name);
    namespace.admit_everything();
    let mut container = container("probe", 8080, &[]);
    container["env"] = json!([{"name": "GOCOVERDIR", "value": "/coverdata"}]);
    container["volumeMounts"] = json!([{"name": "coverdata", "mountPath": "/coverdata"}]);
    let mut specification = pod_spec(&[container]);
    specification["volumes"] = json!([{"name": "coverdata", "emptyDir": {}}]);
    namespace.start(&workload("Deployment", "api", 1, &specification));
    namespace
}

/// The pods end by themselves now, and not after minutes.
fn let_time_pass(namespace: &Namespace, made: Made) {
    let pods = || namespace.labelled(made.selector).into_iter().filter(|object| object["kind"] == "Pod");
    for pod in pods() {
        let name = pod["metadata"]["name"].as_str().expect("a name");
        let sooner = r#"{"spec": {"activeDeadlineSeconds": 1}}"#;
        cluster::run(&["patch", "pod", name, "-n", namespace.name(), "-p", sooner]);
    }
    let is_over = |pod: Value| pod["status"]["reason"] == "DeadlineExceeded";
    until_within("the pods end by themselves", PATIENCE, || pods().all(is_over));
}

#[test]
fn the_question_on_a_terminal_is_answered_by_yes_and_by_no() {
    let namespace = namespace("doctor-asked");
    let ask = |answer: &str| {
        let mut running = doctor(&namespace).variable("NO_COLOR", "1").on_terminal().start();
        running.wait_for(": the agent");
        running.type_in(answer);
        running.wait()
    };
    ask("n\n").ends_with(2).says("? Create them? [y/N] n").says("nothing was created, and nothing read");
    let events = namespace.get(&["events"]).to_string();
    assert!(!events.contains("podcov-snapshot"), "{events}");
    ask("y\n")
        .ends_with(0)
        .says("? Create them? [y/N] y")
        .says("the process may write to the directory that GOCOVERDIR names");
    READER.expect_nothing_left(&namespace);
}

#[test]
fn a_look_that_is_stopped_or_killed_leaves_nothing_in_the_end() {
    stopped_or_killed(READER, "doctor-stopped");
}

#[test]
fn a_trial_that_is_stopped_or_killed_leaves_nothing_in_the_end() {
    stopped_or_killed(TRIAL, "trial-stopped");
}

fn stopped_or_killed(made: Made, name: &str) {
    let namespace = namespace(name);
    let ctrl_c = |running: &mut Running| running.type_in(CTRL_C);
    made.stopped(&namespace, Podcov::on_terminal, ctrl_c, |outcome| outcome.code == Some(130));
    made.expect_nothing_left(&namespace);

    made.killed(&namespace);
    Podcov::new("eject", namespace.name()).run().ends_with(0).says("left by an earlier podcov");
    made.expect_nothing_left(&namespace);

    made.killed(&namespace);
    let_time_pass(&namespace, made);
    made.doctor(&namespace).run().says("left by an earlier podcov");
    made.expect_nothing_left(&namespace);
}
