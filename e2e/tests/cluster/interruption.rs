//! Ctrl-C and kill -9 in every phase of a run.

use std::time::Duration;

use nix::sys::signal::Signal;
use podcov_e2e::{
    counter_files,
    namespace::Namespace,
    podcov::{Podcov, Running},
    until_within,
    workload::{deployment, request, service},
};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_mins(2);

/// A phase of a run, and how to get a run into it.
#[derive(Clone, Copy, Debug)]
enum Phase {
    Preparing,
    Waiting,
    Testing,
    Collecting,
}

impl Phase {
    const ALL: [Self; 4] = [Self::Preparing, Self::Waiting, Self::Testing, Self::Collecting];

    /// A service that makes the phase last.
    fn workload(self) -> Value {
        match self {
            Self::Preparing | Self::Testing => deployment("probe", 1, &[]),
            Self::Waiting => deployment("probe", 1, &["-ready-after=5s"]),
            Self::Collecting => deployment("probe", 1, &["-slow-stop=5s"]),
        }
    }

    /// Starts a run and returns when it is in the phase.
    fn enter(self, namespace: &Namespace) -> Running {
        let work = request(namespace.name(), "probe", "work").join(" ");
        let tests = match self {
            Self::Collecting => work,
            _ => format!("{work} && exec sleep 600"),
        };
        let mut running = Podcov::new("run", namespace.name())
            .arguments(["deploy/probe", "--", "sh", "-c", &tests])
            .start();
        match self {
            Self::Preparing => until_within("the agent is in the cluster", PATIENCE, || {
                let config_maps = namespace.get(&["configmaps", "-l", "podcov.dev/run"]);
                config_maps["items"].as_array().is_some_and(|items| !items.is_empty())
            }),
            Self::Waiting => running.wait_for("prepared "),
            Self::Testing => running.wait_for("instrumented "),
            Self::Collecting => {
                running.wait_for("tests          passed");
                until_within("the prepared pod ends", PATIENCE, || {
                    let pods = namespace.get(&["pods", "-l", "podcov.dev/run"]);
                    let is_ending = |pod: &Value| pod["metadata"]["deletionTimestamp"].is_string();
                    pods["items"].as_array().is_some_and(|pods| pods.iter().any(is_ending))
                });
            }
        }
        running
    }
}

fn start(phase: Phase, name: &str) -> (Namespace, Value) {
    let namespace = Namespace::new(&format!("{name}-{phase:?}").to_ascii_lowercase());
    namespace.start(&phase.workload());
    namespace.apply(&service("probe"));
    let before = namespace.as_written("deployment/probe");
    (namespace, before)
}

#[test]
fn ctrl_c_in_any_phase_collects_puts_back_and_says_so() {
    for phase in Phase::ALL {
        let (namespace, before) = start(phase, "ctrl-c");
        let running = phase.enter(&namespace);
        running.signal(Signal::SIGINT);
        let outcome = running.wait();
        let outcome = outcome.ends_with(130).says("put back       probe");
        assert_eq!(before, namespace.as_written("deployment/probe"), "{phase:?}");
        namespace.assert_untouched();
        assert!(outcome.record()["finished"].is_string(), "{phase:?}");
        if matches!(phase, Phase::Testing | Phase::Collecting) {
            assert_eq!(counter_files(&outcome.run_directory()).len(), 1, "{phase:?}");
            outcome.reports("1 of 1 pod, 1 of 1 process");
        }
    }
}

#[test]
fn a_second_ctrl_c_stops_at_once_and_names_the_command_that_puts_back() {
    let (namespace, before) = start(Phase::Collecting, "ctrl-c-twice");
    let mut running = Phase::Collecting.enter(&namespace);
    running.signal(Signal::SIGINT);
    // Told apart only when they do not arrive together.
    running.wait_for("once more stops at once");
    running.signal(Signal::SIGINT);
    running.wait().ends_with(130).says("Hint: put back what is left: podcov eject");
    Podcov::new("eject", namespace.name()).arguments(["--allow-incomplete"]).run().ends_with(0);
    assert_eq!(before, namespace.as_written("deployment/probe"));
    namespace.assert_untouched();
}

#[test]
fn kill_9_in_any_phase_leaves_nothing_that_eject_does_not_restore() {
    for phase in Phase::ALL {
        let (namespace, before) = start(phase, "kill-9");
        let running = phase.enter(&namespace);
        running.signal(Signal::SIGKILL);
        let killed = running.wait();
        assert_eq!(killed.code, None);
        assert!(killed.record()["finished"].is_null(), "{phase:?}: the record says that the run did not end");

        let ejected = Podcov::new("eject", namespace.name())
            .arguments(["--allow-incomplete"])
            .in_directory_of(&killed)
            .run()
            .ends_with(0);
        assert_eq!(before, namespace.as_written("deployment/probe"), "{phase:?}");
        namespace.assert_untouched();
        if matches!(phase, Phase::Testing | Phase::Collecting) {
            assert_eq!(counter_files(&ejected.run_directory()).len(), 1, "{phase:?}: the data was held");
        }
    }
}

#[test]
fn data_that_was_acknowledged_before_kill_9_is_in_the_report_of_eject() {
    let namespace = Namespace::new("acknowledged");
    namespace.start(&deployment("probe", 1, &[]));
    namespace.apply(&service("probe"));
    let children = request(namespace.name(), "probe", "children?count=3").join(" ");
    let running = Podcov::new("run", namespace.name())
        .arguments(["deploy/probe", "--", "sh", "-c", &format!("{children} && exec sleep 600")])
        .start();
    let data = running.path().join("coverage/data");
    until_within("the counters of the children are here", PATIENCE, || counter_files(&data).len() == 3);
    running.signal(Signal::SIGKILL);
    let killed = running.wait();
    let acknowledged = counter_files(&data);
    // Nobody has the pod's copy any more.
    podcov_e2e::cluster::run(&[
        "delete",
        "pods",
        "-n",
        namespace.name(),
        "-l",
        "app=probe",
        "--force",
        "--grace-period=0",
    ]);

    let ejected = Podcov::new("eject", namespace.name())
        .arguments(["--allow-incomplete"])
        .in_directory_of(&killed)
        .run()
        .ends_with(0);
    for file in &acknowledged {
        assert!(file.is_file(), "{} is gone", file.display());
    }
    let percent = ejected.record()["summary"]["percent"].as_f64();
    assert!(percent.is_some_and(|percent| percent > 0.0), "{percent:?}");
    namespace.assert_untouched();
}
