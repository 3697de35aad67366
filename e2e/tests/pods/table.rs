//! Tries endings in pods, and says what was seen.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use nix::sys::signal::{Signal, kill};
use podcov_e2e::cluster;
use podcov_e2e::namespace::Namespace;
use podcov_e2e::node;
use podcov_e2e::podcov::{PODCOV, Podcov};
use podcov_e2e::until_within;
use serde_json::{Value, json};

use crate::builds::Build;
use crate::containers::Watch;
use crate::counts::{self, Kept, Ledger};
use crate::document::{self, Row};
use crate::endings::{self, Action, Ending};
use crate::image::image;
use crate::pods::{Pod, of_build};
use crate::seen::{Place, Seen};

/// Starting some hundred containers takes a while.
const PATIENCE: Duration = Duration::from_mins(5);
/// Builds whose pods are there at the same time. When their grace period is over, Kubernetes leaves two seconds to hand over
/// what the agents have read last, to all of them at once.
const AT_ONCE: usize = 2;
/// The grace period of what is prepared, to which podcov adds the time for its data to be taken, and a margin of 5 s.
const PREPARED_GRACE_SECONDS: u32 = 5;
const MARGIN_SECONDS: u32 = 5;

/// A cell: the ending and the build.
type Key = (&'static str, usize);

/// Tries every ending in these builds, and says what was seen of some of them. Pods that are deleted are there for so long,
/// in which what is in them has to be read.
fn rows(tag: &str, builds: &[Build], grace_seconds: u32, judged: impl Fn(&str) -> bool) -> Vec<Row> {
    let image = image(tag, builds);
    let numbers: Vec<usize> = (0..builds.len()).collect();
    let (mut rows, mut failures) = (BTreeMap::<&str, Row>::new(), Vec::new());
    for numbers in numbers.chunks(AT_ONCE) {
        let namespace = Namespace::new(&format!("endings-{tag}"));
        let pods: Vec<Pod> = numbers.iter().flat_map(|build| of_build(*build)).collect();
        let [alone, supervised] = try_pods(&namespace, &pods, builds, &image, grace_seconds);
        for ((name, build), alone) in alone.into_iter().filter(|((name, _), _)| judged(name)) {
            let supervised = supervised[&(name, build)];
            if supervised.kept != Kept::Everything || supervised.code != alone.code {
                failures.push(format!("{name}: {:?}: {alone:?}, {supervised:?}", builds[build]));
            }
            rows.entry(name).or_insert_with(|| Row::new(Place::Pod, name)).add(alone, supervised);
        }
    }
    assert!(failures.is_empty(), "{} cells:\n{}", failures.len(), failures.join("\n"));
    rows.into_values().collect()
}

/// What was seen without podcov, and with it.
fn try_pods(
    namespace: &Namespace,
    pods: &[Pod],
    builds: &[Build],
    image: &str,
    grace_seconds: u32,
) -> [BTreeMap<Key, Seen>; 2] {
    let watch = Watch::start(namespace.name());
    create(namespace, pods, image, grace_seconds);
    let all = |what: &str, condition: &dyn Fn(&Pod) -> bool| {
        until_within(what, PATIENCE, || pods.iter().all(condition));
    };
    all("all containers have started", &|pod| pod.has_started(&watch));
    all("all programs that wait are ready", &|pod| pod.is_waiting(&watch));
    let now = SystemTime::now();
    all("the agents have read their programs again", &|pod| pod.is_read_since(&watch, now));
    for pod in pods {
        signal(pod, &watch);
    }
    let is_deleted = |pod: &Pod| pod.endings.iter().any(|(_, ending)| ending.action == Action::Drain);
    all("the other programs have ended", &|pod| is_deleted(pod) || pod.has_ended(&watch));
    let mut kept = BTreeMap::new();
    keep(&mut kept, pods.iter().filter(|pod| !is_deleted(pod)), &watch);

    cluster::run(&["delete", "pods", "--all", "-n", namespace.name(), "--wait=false"]);
    let collect = Podcov::new("collect", namespace.name());
    let collect = collect.arguments(["--allow-incomplete", "--collect-timeout", "5m"]).start();
    all("the programs that got SIGTERM have ended or drain", &|pod| {
        !is_deleted(pod) || pod.has_drained(&watch)
    });
    // Until the grace period is over, their volumes are there.
    keep(&mut kept, pods.iter().filter(|pod| is_deleted(pod)), &watch);
    all("the grace period is over", &|pod| pod.has_ended(&watch));
    let collected = collect.wait().ends_with(0);

    let mut seen = [BTreeMap::new(), BTreeMap::new()];
    for pod in pods {
        for (container, ending) in &pod.endings {
            let Copied { ledger, own } = &kept[&(pod.name.as_str(), container.as_str())];
            let run_directory = collected.run_directory();
            let data = if pod.is_supervised {
                data_of(&run_directory, pod, container)
            } else {
                own.path().to_owned()
            };
            let profile = data.exists().then(|| counts::profile(&data)).flatten();
            let ledger = Ledger::read(ledger.path());
            // What is wrong is said by the comparison.
            eprintln!("{} {container}: {}", pod.name, ending.name);
            let kept = counts::compare(profile.as_deref(), &ledger, builds[pod.build].mode);
            let code = watch.exit_code(&pod.name, container).unwrap();
            seen[usize::from(pod.is_supervised)].insert((ending.name, pod.build), Seen { kept, code });
        }
    }
    seen
}

/// What is in the volumes of a container that has ended.
struct Copied {
    ledger: tempfile::TempDir,
    own: tempfile::TempDir,
}

/// Copies it, since it goes away with the pod.
fn keep<'a>(
    kept: &mut BTreeMap<(&'a str, &'a str), Copied>,
    pods: impl Iterator<Item = &'a Pod>,
    watch: &Watch,
) {
    for pod in pods {
        for (container, _) in &pod.endings {
            let [ledger, own] =
                [pod.ledger(watch, container), pod.own_data(watch, container)].map(|path| copy(&path));
            kept.insert((&pod.name, container), Copied { ledger, own });
        }
    }
}

fn copy(directory: &Path) -> tempfile::TempDir {
    let target = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display())) {
        let entry = entry.unwrap();
        fs::copy(entry.path(), target.path().join(entry.file_name())).unwrap();
    }
    target
}

fn create(namespace: &Namespace, pods: &[Pod], image: &str, grace_seconds: u32) {
    let list = |is_supervised, grace_seconds| {
        let pods = pods.iter().filter(|pod| pod.is_supervised == is_supervised);
        let pods: Vec<Value> = pods.map(|pod| pod.manifest(image, grace_seconds)).collect();
        json!({"apiVersion": "v1", "kind": "List", "items": pods}).to_string()
    };
    cluster::apply(namespace.name(), &list(false, grace_seconds));
    let directory = tempfile::tempdir().unwrap();
    let manifests = directory.path().join("pods.json");
    fs::write(&manifests, list(true, PREPARED_GRACE_SECONDS)).unwrap();
    let collect_timeout = format!("{}s", grace_seconds - PREPARED_GRACE_SECONDS - MARGIN_SECONDS);
    let mut inject = Command::new(&*PODCOV);
    inject
        .args(["inject", "--capture", "supervised", "--collect-timeout", &collect_timeout, "-f"])
        .arg(&manifests);
    let prepared = podcov_e2e::output(inject.stdin(Stdio::null()));
    cluster::pipe(&["apply", "--server-side", "-n", namespace.name(), "-f", "-"], &prepared);
}

fn signal(pod: &Pod, watch: &Watch) {
    let containers = pod.to_be_signalled(watch);
    let ids: Vec<&str> = containers.iter().map(|(id, _)| id.as_str()).collect();
    let processes = node::main_processes(&ids);
    for (id, action) in &containers {
        let process = processes[id.as_str()];
        let (process, signal) = match action {
            Action::Signal(signal) => (process, *signal),
            Action::Kill => (pod.program(process), Signal::SIGKILL),
            Action::KillAll => (process, Signal::SIGKILL),
            Action::Nothing | Action::Drain => unreachable!("Kubernetes ends it, or it ends by itself"),
        };
        kill(process, signal).unwrap();
    }
}

/// Where podcov has it.
fn data_of(run_directory: &Path, pod: &Pod, container: &str) -> PathBuf {
    run_directory.join(format!("data/pod-{}/{}/{container}-0", pod.name, pod.name))
}

#[test]
fn however_a_container_of_a_pod_ends_podcov_has_what_it_counted() {
    let builds = Build::all();
    let newest = builds.into_iter().rfind(|build| build.mode == "atomic").unwrap();
    // What becomes of the others depends on who gets the processor in time.
    let judged = |name: &str| ![endings::OUT_OF_MEMORY, endings::STILL_AT_IT].contains(&name);
    document::compare(&rows("one", &[newest], 30, judged));
}

#[test]
fn the_document_has_a_row_for_each_ending_in_pods() {
    let names: Vec<_> = Place::Pod.endings().map(|ending: Ending| ending.name).collect();
    assert_eq!(document::names(Place::Pod), names, "in docs/endings.md");
}

#[test]
#[ignore = "long: every ending of every build of two releases, in pods"]
fn every_ending_of_every_build_in_pods() {
    let builds = Build::all();
    let releases = [builds[0].release, builds[builds.len() - 1].release];
    let builds: Vec<Build> = builds.into_iter().filter(|build| releases.contains(&build.release)).collect();
    document::compare(&rows("all", &builds, 60, |_| true));
}
