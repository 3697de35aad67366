//! A control plane that is away for a while. Alone in its program: every other test would notice.

use std::{process::Command, time::Duration};

use podcov_e2e::{
    counter_files,
    namespace::Namespace,
    output,
    podcov::Podcov,
    workload::{deployment, request, service},
};

/// The control plane's container.
const CONTROL_PLANE: &str = "podcov-control-plane";
/// How long it is away.
const ABSENCE: Duration = Duration::from_secs(20);

#[test]
fn an_api_server_that_is_away_for_20_seconds_costs_nothing() {
    let namespace = Namespace::new("away");
    // On the worker: pods of the paused node would be paused with it.
    let mut probe = deployment("probe", 2, &[]);
    probe["spec"]["template"]["spec"]["nodeName"] = "podcov-worker".into();
    namespace.start(&probe);
    namespace.apply(&service("probe"));
    let children = request(namespace.name(), "probe", "children?count=2").join(" ");
    let tests = format!("touch begun && exec sleep {}", ABSENCE.as_secs() + 5);
    let mut running = Podcov::new("run", namespace.name())
        .arguments(["deploy/probe", "--", "sh", "-c", &format!("{children} && {tests}")])
        .start();
    running.wait_for("instrumented ");
    podcov_e2e::until_within("the tests have begun", Duration::from_secs(30), || {
        running.path().join("begun").exists()
    });

    output(Command::new("docker").args(["pause", CONTROL_PLANE]));
    std::thread::sleep(ABSENCE);
    output(Command::new("docker").args(["unpause", CONTROL_PLANE]));

    let outcome = running.wait().ends_with(0).reports("2 of 2 pods, 4 of 4 processes");
    assert_eq!(counter_files(&outcome.run_directory()).len(), 4);
    namespace.assert_untouched();
}
