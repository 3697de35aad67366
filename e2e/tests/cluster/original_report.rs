//! The report that podcov began with: an empty directory after an end-to-end test in kind, of a service that was built
//! and deployed as many are. Six times one thing is broken, and once nothing is.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use podcov_e2e::datastorage::IMAGES;
use podcov_e2e::doctor::doctor;
use podcov_e2e::namespace::Namespace;
use podcov_e2e::{cluster, counter_files, files, output, until_within};
use serde_json::{Value, json};

use super::deployed::cause;

const PATIENCE: Duration = Duration::from_mins(2);
/// Where the nodes have what `script/cluster` shows them of this machine.
const ON_NODES: &str = "/coverdata";

/// The service as it is deployed, and the directory of this machine that its data are expected in.
struct Report {
    namespace: Namespace,
    directory: PathBuf,
    deployment: Value,
}

impl Report {
    /// With nothing broken.
    fn new(name: &str) -> Self {
        let namespace = Namespace::new(&format!("report-{name}"));
        namespace.admit_everything();
        let shared =
            std::env::var("PODCOV_CLUSTER_MOUNT").unwrap_or_else(|_| "/tmp/podcov-coverdata".to_owned());
        let directory = Path::new(&shared).join(namespace.name());
        let _ = fs::remove_dir_all(&directory);
        let labels = json!({"app": "datastorage"});
        let path = format!("{ON_NODES}/{}", namespace.name());
        let deployment = json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "datastorage"},
            "spec": {
                "selector": {"matchLabels": labels},
                "replicas": 1,
                "template": {"metadata": {"labels": labels}, "spec": {
                    "terminationGracePeriodSeconds": 10,
                    "containers": [{
                        "name": "datastorage",
                        "image": IMAGES.good,
                        "imagePullPolicy": "IfNotPresent",
                        "env": [{"name": "GOCOVERDIR", "value": ON_NODES}],
                        "volumeMounts": [{"name": "coverdata", "mountPath": ON_NODES}],
                    }],
                    "volumes": [{"name": "coverdata", "hostPath": {"path": path, "type": "DirectoryOrCreate"}}],
                }},
            },
        });
        Self { namespace, directory, deployment }
    }

    /// The directory is there before the kubelet would create it, and lets everybody write.
    fn with_directory(self) -> Self {
        fs::create_dir_all(&self.directory).expect("the directory is made");
        fs::set_permissions(&self.directory, Permissions::from_mode(0o777)).expect("it belongs to us");
        self
    }

    /// The volume is a directory of the nodes that this machine has nothing of.
    fn keep_on_node(&mut self) -> String {
        let path = format!("/var/lib/podcov-{}", self.namespace.name());
        on_nodes(&["mkdir", "-p", "-m", "777", &path]);
        self.deployment["spec"]["template"]["spec"]["volumes"][0]["hostPath"]["path"] = json!(path);
        path
    }

    fn with_image(mut self, image: &str) -> Self {
        self.deployment["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
        self
    }

    fn start(self) -> Self {
        self.namespace.start(&self.deployment);
        self
    }

    fn doctor(&self) -> podcov_e2e::doctor::Diagnoses {
        doctor(self.namespace.name(), &["deploy/datastorage"])
    }

    fn scale_to_nothing(&self) {
        cluster::run(&["scale", "-n", self.namespace.name(), "deploy/datastorage", "--replicas=0"]);
    }

    /// After the tests, the pods are gone, and with them whatever could still write.
    fn data(&self) -> Vec<PathBuf> {
        self.scale_to_nothing();
        until_within("the pods are gone", PATIENCE, || {
            self.namespace.get(&["pods"])["items"].as_array().is_some_and(Vec::is_empty)
        });
        counter_files(&self.directory)
    }
}

/// What a command prints on every node.
fn on_nodes(command: &[&str]) -> String {
    let nodes = cluster::run(&["get", "nodes", "-o", "name"]);
    let nodes = nodes.lines().filter_map(|node| node.strip_prefix("node/"));
    nodes.map(|node| output(Command::new("docker").args(["exec", node]).args(command))).collect()
}

impl Drop for Report {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

#[test]
fn unbroken_it_has_data_and_no_diagnosis() {
    let report = Report::new("unbroken").with_directory().start();
    report.doctor().expect_healthy().has("note", "still-running");
    assert_eq!(report.data().len(), 1);
    let input = format!("-i={}", report.directory.display());
    let percent = output(Command::new("go").args(["tool", "covdata", "percent", &input]));
    assert!(percent.contains("example.com/datastorage/internal/store"), "{percent}");
}

#[test]
fn flags_that_are_lost_between_stages_leave_a_program_without_coverage() {
    let report = Report::new("flags-lost").with_directory().with_image(IMAGES.flags_lost).start();
    report.doctor().expect_only(cause("original-flags-lost"));
    assert_eq!(report.data().len(), 0);
    assert_eq!(files(&report.directory).len(), 0);
}

#[test]
fn coverage_without_main_writes_nothing() {
    let report = Report::new("without-main").with_directory().with_image(IMAGES.without_main).start();
    report.doctor().expect_only(cause("original-without-main"));
    assert_eq!(report.data().len(), 0);
    assert_eq!(files(&report.directory).len(), 0);
}

#[test]
fn a_host_path_that_is_not_mounted_in_the_node_stays_there() {
    let mut report = Report::new("not-mounted").with_directory();
    let path = report.keep_on_node();
    let report = report.start();
    report.doctor().expect_only(cause("original-not-mounted"));
    assert_eq!(report.data().len(), 0, "on this machine");
    let found = on_nodes(&["ls", &path]);
    assert!(found.contains("covcounters."), "in the node it is: {found}");
    on_nodes(&["rm", "-rf", &path]);
}

#[test]
fn a_directory_that_the_kubelet_made_belongs_to_root() {
    let report = Report::new("root-owned").start();
    report.doctor().expect_only(cause("original-root-owned"));
    assert_eq!(report.data().len(), 0);
    assert!(report.directory.is_dir(), "the kubelet made it");
}

#[test]
fn a_program_that_does_not_wait_for_sigterm_loses_its_counters() {
    let report = Report::new("deaf").with_directory().with_image(IMAGES.deaf).start();
    report.doctor().expect_only(cause("original-deaf"));
    assert_eq!(report.data().len(), 0);
    assert_eq!(files(&report.directory).len(), 1, "its meta-data");
}

#[test]
fn a_drain_that_outlasts_the_grace_period_is_killed() {
    let mut report = Report::new("drain").with_directory();
    report.deployment["spec"]["template"]["spec"]["containers"][0]["args"] = json!(["-drain=5m"]);
    let report = report.start();
    // As long as it runs, nothing tells.
    report.doctor().expect_healthy();
    report.scale_to_nothing();
    report.doctor().expect_only(cause("original-drain"));
    assert_eq!(report.data().len(), 0);
    assert_eq!(files(&report.directory).len(), 1, "its meta-data");
}

#[test]
fn an_image_alone_is_tried_in_a_pod_of_its_own() {
    let namespace = Namespace::new("experiment-image");
    let found = doctor(namespace.name(), &[IMAGES.good, "--try", "--yes"]);
    for place in ["local build", "container", "pod"] {
        assert!(found.said_of(&format!("tried: {place}"), "ok"), "{place}: {found:?}");
    }
    found.expect_healthy();
    until_within("nothing is left of the trial", PATIENCE, || {
        let pods = namespace.get(&["pods"]);
        pods["items"].as_array().map(Vec::len) == Some(0)
    });
    let images = on_nodes(&["ctr", "--namespace=k8s.io", "images", "list", "--quiet"]);
    assert!(!images.contains("podcov.dev/trial"), "{images}");
}

#[test]
fn the_experiment_finds_the_first_place_without_data() {
    let report = Report::new("experiment").start();
    let found = doctor(report.namespace.name(), &["deploy/datastorage", "--try", "--yes"]);
    // The program is as it should be, and so is its image; in a pod, the directory belongs to root.
    found.expect_only("directory-not-writable").has("ok", "data-complete");
    let mut kept = Report::new("experiment-kept").with_directory();
    let path = kept.keep_on_node();
    let kept = kept.start();
    // The pod has its data; the host never gets it.
    let found = doctor(kept.namespace.name(), &["deploy/datastorage", "--try", "--yes"]);
    assert!(found.said_of("tried: pod", "ok"), "{found:?}");
    assert!(found.said_of("tried: host", "error"), "{found:?}");
    found.expect_only("node-path-not-mounted");
    on_nodes(&["rm", "-rf", &path]);
    let mended = Report::new("experiment-mended").with_directory().start();
    doctor(mended.namespace.name(), &["deploy/datastorage", "--try", "--yes"])
        .expect_healthy()
        .has("ok", "data-complete");
    // The kubelet takes the pod away when its container has ended, which the experiment waits for.
    until_within("nothing is left of the trial", PATIENCE, || {
        let pods = mended.namespace.get(&["pods", "-l", "podcov.dev/role=trial"]);
        pods["items"].as_array().map(Vec::len) == Some(0)
    });
}
