//! The pods in which endings are tried: a container for each ending, so that few pods have them all.

use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use nix::unistd::Pid;
use podcov_e2e::node;
use serde_json::{Value, json};

use crate::containers::Watch;
use crate::endings::{self, Action, Ending};
use crate::image;

const LEDGER: &str = "ledger";
/// Where the program writes its coverage itself, without podcov.
const OWN: &str = "own";
/// Of a prepared pod.
const DATA: &str = "podcov-data";
/// Below that, what the agent has read last.
const LATEST: &str = ".latest";
/// Takes longer than any other, so that the pod and its volumes stay.
const HOLDER: &str = "holder";
/// One program takes it all; a stack that is too large takes less.
const MEMORY: &str = "128Mi";

/// A pod of one build.
#[derive(Debug)]
pub struct Pod {
    pub name: String,
    pub build: usize,
    pub is_supervised: bool,
    /// With the names of their containers.
    pub endings: Vec<(String, Ending)>,
}

/// SIGTERM comes from Kubernetes, to all containers of the pod at once, and SIGKILL when the grace period is over.
fn is_by_deletion(ending: &Ending) -> bool {
    match ending.action {
        Action::Drain => true,
        Action::Signal(signal) => signal == nix::sys::signal::Signal::SIGTERM,
        _ => false,
    }
}

/// Two pods with podcov, and two without: one whose containers end by themselves, and one that is deleted.
pub fn of_build(build: usize) -> Vec<Pod> {
    let mut pods = Vec::new();
    for is_supervised in [false, true] {
        for is_deleted in [false, true] {
            let all = endings::ALL.into_iter().enumerate();
            let own = all.filter(|(_, ending)| is_by_deletion(ending) == is_deleted);
            pods.push(Pod {
                name: format!(
                    "b{build}-{}-{}",
                    if is_supervised { "podcov" } else { "alone" },
                    if is_deleted { "deleted" } else { "ending" }
                ),
                build,
                is_supervised,
                endings: own.map(|(number, ending)| (format!("e{number}"), ending)).collect(),
            });
        }
    }
    pods
}

impl Pod {
    /// The manifest, as podcov is given it.
    pub fn manifest(&self, image: &str, grace_seconds: u32) -> Value {
        let holder = Ending { words: &[endings::PROGRAM, "wait"], ..endings::ALL[0] };
        let containers = self.endings.iter().map(|(name, ending)| self.container(name, ending, image));
        let containers =
            containers.chain(self.needs_holder().then(|| self.container(HOLDER, &holder, image)));
        json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": self.name},
            "spec": {
                "automountServiceAccountToken": false,
                "enableServiceLinks": false,
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": grace_seconds,
                "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
                "containers": containers.collect::<Vec<_>>(),
                "volumes": [{"name": LEDGER, "emptyDir": {}}, {"name": OWN, "emptyDir": {}}],
            },
        })
    }

    /// One that drains until it is killed holds the others of its pod.
    fn needs_holder(&self) -> bool {
        !self.endings.iter().any(|(_, ending)| ending.action == Action::Drain)
    }

    fn container(&self, name: &str, ending: &Ending, image: &str) -> Value {
        let mount =
            |volume: &str| json!({"name": volume, "mountPath": format!("/{volume}"), "subPath": name});
        let mut environment = vec![json!({"name": "LEDGER", "value": format!("/{LEDGER}")})];
        if !self.is_supervised {
            environment.push(json!({"name": "GOCOVERDIR", "value": format!("/{OWN}")}));
        }
        json!({
            "name": name,
            "image": image,
            "imagePullPolicy": "Never",
            "command": ending.command(&image::path(self.build, ending.covered)),
            "env": environment,
            "resources": {"requests": {"memory": "8Mi", "cpu": "1m"}, "limits": {"memory": MEMORY}},
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": {"drop": ["ALL"]},
            },
            "volumeMounts": [mount(LEDGER), mount(OWN)],
        })
    }

    /// All of its containers have started.
    pub fn has_started(&self, watch: &Watch) -> bool {
        self.endings.iter().all(|(name, _)| watch.id(&self.name, name).is_some())
    }

    /// All of its endings have been seen.
    pub fn has_ended(&self, watch: &Watch) -> bool {
        self.endings.iter().all(|(name, _)| watch.exit_code(&self.name, name).is_some())
    }

    /// What is to end has ended, and what drains does. Of a pod that is being deleted, Kubernetes says so only when all of
    /// it has ended.
    pub fn has_drained(&self, watch: &Watch) -> bool {
        let id = |name: &str| watch.id(&self.name, name).unwrap();
        let (drain, others): (Vec<_>, Vec<_>) =
            self.endings.iter().partition(|(_, ending)| ending.action == Action::Drain);
        let others: Vec<String> = others.iter().map(|(name, _)| id(name)).collect();
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        drain.iter().all(|(name, _)| self.is_ready(watch, name, 2))
            && node::main_processes(&others).is_empty()
    }

    /// Every program that waits for something is ready for it.
    pub fn is_waiting(&self, watch: &Watch) -> bool {
        let waiting = self.endings.iter().filter(|(_, ending)| ending.action != Action::Nothing);
        waiting.into_iter().all(|(name, _)| self.is_ready(watch, name, 1))
    }

    /// It has said so as often as that, and its ledger has everything.
    fn is_ready(&self, watch: &Watch, container: &str, times: usize) -> bool {
        let says = || {
            let namespace = watch.pod(&self.name, "/metadata/namespace")?;
            let directory = format!("var/log/pods/{namespace}_{}_{}/{container}", self.name, self.uid(watch));
            fs::read_to_string(self.root(watch).join(directory).join("0.log")).ok()
        };
        says().is_some_and(|log| log.matches(" ready\n").count() >= times)
    }

    /// The agent has read it again since then, if there is one.
    pub fn is_read_since(&self, watch: &Watch, time: SystemTime) -> bool {
        let killed = self.endings.iter().filter(|(_, ending)| ending.action == Action::KillAll);
        let mut directories = killed.map(|(name, _)| self.volume(watch, DATA).join(name).join(LATEST));
        !self.is_supervised
            || directories.all(|directory| {
                let files = fs::read_dir(directory).into_iter().flatten().flatten();
                let records = files.filter(|file| file.file_name().to_string_lossy().starts_with("process."));
                let changed = records.filter_map(|file| file.metadata().ok()?.modified().ok());
                changed.into_iter().any(|changed| changed > time)
            })
    }

    /// The containers that a signal ends which does not come from Kubernetes: their IDs and the signal.
    pub fn to_be_signalled(&self, watch: &Watch) -> Vec<(String, Action)> {
        let signalled = self.endings.iter().filter(|(_, ending)| !is_by_deletion(ending));
        let signalled = signalled.filter(|(_, ending)| ending.action != Action::Nothing);
        signalled.map(|(name, ending)| (watch.id(&self.name, name).unwrap(), ending.action)).collect()
    }

    /// What gets a signal that only the program shall get.
    pub fn program(&self, main_process: Pid) -> Pid {
        if self.is_supervised { node::child(main_process).unwrap() } else { main_process }
    }

    /// What the program itself counted.
    pub fn ledger(&self, watch: &Watch, container: &str) -> PathBuf {
        self.volume(watch, LEDGER).join(container)
    }

    /// What it wrote itself.
    pub fn own_data(&self, watch: &Watch, container: &str) -> PathBuf {
        self.volume(watch, OWN).join(container)
    }

    fn volume(&self, watch: &Watch, name: &str) -> PathBuf {
        node::empty_dir(&self.root(watch), &self.uid(watch), name)
    }

    fn uid(&self, watch: &Watch) -> String {
        watch.pod(&self.name, "/metadata/uid").unwrap()
    }

    fn root(&self, watch: &Watch) -> PathBuf {
        node::root(&watch.pod(&self.name, "/spec/nodeName").unwrap())
    }
}
