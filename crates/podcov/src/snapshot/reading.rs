//! Reads the processes of targets: finds them, waits for those that have only just started, and says why one cannot be
//! read and what to do about it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use podcov_process_capture::{
    Denial, ProcessId, Reason, Snapshot, descendants, read_when_started, start_time,
};
use podcov_report::run::{LossReason, Origin, Way};

use super::Target;
use super::container::{self, Found};
use super::read::{Identity, Missing, ReadProcess, Reading};
use crate::error::CommandError;
use crate::terminal::{self, Terminal, printable};

/// How long processes that have only just started may take, together, to initialise their packages.
const PATIENCE: Duration = Duration::from_secs(3);

/// Reads all targets, one after the other, and says of each what came of it. Without a target whose processes all
/// belong to one before it.
pub async fn read_all(targets: &[Target], terminal: &Terminal) -> Vec<Reading> {
    let mut reader = Reader { started: Instant::now(), processes: BTreeSet::new(), names: BTreeSet::new() };
    let mut readings = Vec::new();
    for target in targets {
        let progress = terminal.progress("reading", &target.to_string());
        let processes = reader.read(target).await;
        drop(progress);
        let Some(processes) = processes else { continue };
        let reading = reader.named(target, processes);
        super::show(&reading, terminal);
        readings.push(reading);
    }
    readings
}

/// What each process of a target answered.
#[derive(Default)]
struct Processes {
    /// What they are called, if not by their program.
    name: Option<String>,
    snapshots: Vec<Snapshot>,
    missing: Vec<Missing>,
    /// They have no counters.
    others: Vec<(ProcessId, Reason)>,
}

impl Processes {
    fn add(&mut self, process: ProcessId, answer: Result<Snapshot, Reason>) {
        match answer {
            Ok(snapshot) => self.snapshots.push(snapshot),
            // One that is gone has ended while its siblings were read.
            Err(reason @ (Reason::NotGo { .. } | Reason::NotInstrumented { .. } | Reason::Gone)) => {
                self.others.push((process, reason));
            }
            Err(reason) => self.lose(&who(process), &explain(reason)),
        }
    }

    fn is_empty(&self) -> bool {
        self.snapshots.is_empty() && self.missing.is_empty() && self.others.is_empty()
    }

    /// Nothing is not silent: what the processes are is the reason that nothing can be read of them.
    fn explain_nothing(mut self) -> Self {
        let Some((process, reason)) = self.others.first() else { return self };
        if !(self.snapshots.is_empty() && self.missing.is_empty()) {
            return self;
        }
        let mut why = reason.to_string();
        if let [_, rest @ ..] = self.others.as_slice()
            && !rest.is_empty()
        {
            let processes = terminal::count(rest.len(), "process");
            why = format!("{why}, and none of the {processes} that belong to it is built with coverage");
        }
        self.missing.push(Missing::new(LossReason::NoData, &who(*process), &why));
        self
    }

    fn lose(&mut self, who: &str, why: &str) {
        self.missing.push(Missing::new(LossReason::Unreachable, who, why));
    }
}

/// Remembers what was read: no process is in two readings, and no name.
struct Reader {
    started: Instant,
    processes: BTreeSet<ProcessId>,
    names: BTreeSet<String>,
}

impl Reader {
    /// None if all of it was read before.
    async fn read(&mut self, target: &Target) -> Option<Processes> {
        let processes = match target {
            Target::Process(number) => self.read_family(ProcessId(*number))?,
            Target::Container(name) => self.read_container(name).await,
            // Pods are not processes of this machine.
            Target::Workload(_) => return None,
        };
        (!processes.is_empty()).then(|| processes.explain_nothing())
    }

    async fn read_container(&mut self, name: &str) -> Processes {
        let mut processes = Processes::default();
        match container::find(name).await {
            Ok(Found { name, processes: members }) => {
                processes.name = Some(name);
                self.read_others(members, &mut processes);
            }
            Err(why) => processes.lose(&format!("container {name}"), &why),
        }
        processes
    }

    fn read_family(&mut self, root: ProcessId) -> Option<Processes> {
        if !self.processes.insert(root) {
            return None;
        }
        let mut processes = Processes::default();
        match self.read_process(root) {
            Ok(snapshot) => processes.snapshots.push(snapshot),
            Err(Reason::Gone) => {
                let is_there = start_time(root).is_some();
                let why = if is_there {
                    "it runs no program: it is the kernel's"
                } else {
                    "there is no such process"
                };
                processes.lose(&who(root), why);
            }
            Err(reason) => {
                processes.add(root, Err(reason));
                match descendants(root) {
                    Ok(children) => self.read_others(children, &mut processes),
                    Err(error) => processes.lose(&who(root), &format!("cannot list its children: {error}")),
                }
            }
        }
        Some(processes)
    }

    fn read_others(&mut self, others: Vec<ProcessId>, processes: &mut Processes) {
        for process in others {
            if self.processes.insert(process) {
                processes.add(process, self.read_process(process));
            }
        }
    }

    fn read_process(&self, process: ProcessId) -> Result<Snapshot, Reason> {
        read_when_started(process, self.started + PATIENCE)
    }

    /// Called by the container, or else by the program of the first process; by the target if another one is called so,
    /// or none was read.
    fn named(&mut self, target: &Target, processes: Processes) -> Reading {
        let Processes { name, snapshots, missing, .. } = processes;
        let name = match name.or_else(|| snapshots.first().map(program_name)) {
            Some(name) if !self.names.contains(&name) => name,
            Some(name) => format!("{name}-{}", target.to_string().replace('/', "-")),
            None => target.to_string(),
        };
        let name = printable(&name);
        self.names.insert(name.clone());
        let words = snapshots.first().map(|snapshot| snapshot.arguments().program.as_slice());
        let words = words.unwrap_or_default().iter();
        let command = words.map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        Reading {
            origin: Origin::Local { name, command },
            way: Way::Attached,
            processes: snapshots.iter().map(read_process).collect(),
            missing,
        }
    }
}

fn read_process(snapshot: &Snapshot) -> ReadProcess {
    let key = snapshot.process();
    ReadProcess {
        identity: Identity {
            process_id: key.id.0.get(),
            start_time: key.start_time.0,
            start_of_stack: key.start_of_stack.0,
            metadata_hash: snapshot.hash().to_string(),
            container: None,
        },
        process_id: key.id.0.get(),
        counter_file_name: snapshot.counter_file_name(),
        metadata: snapshot.program().metadata().clone(),
        counters: snapshot.counter_file(),
        is_torn: snapshot.counters().stray_words() > 0,
        record: None,
    }
}

/// The name of its executable.
fn program_name(snapshot: &Snapshot) -> String {
    let process = snapshot.process().id;
    let executable = std::fs::read_link(format!("/proc/{process}/exe")).unwrap_or_default();
    let argument = snapshot.arguments().program.first();
    let argument = argument.map(|word| String::from_utf8_lossy(word).into_owned()).unwrap_or_default();
    let name = executable.file_name().or_else(|| Path::new(&argument).file_name());
    let name = name.unwrap_or_default().to_string_lossy();
    // The kernel says so of a file that was replaced, such as by a new build.
    let name = name.strip_suffix(" (deleted)").unwrap_or(&name);
    if name.is_empty() { format!("process-{process}") } else { name.to_owned() }
}

fn who(process: ProcessId) -> String {
    format!("process {process}")
}

/// Why, and what the user can do.
fn explain(reason: Reason) -> String {
    let step = next_step(&reason);
    let why = CommandError::failure(reason).to_string();
    step.map_or_else(|| why.clone(), |step| format!("{why}; {step}"))
}

/// What the user can do, where the reason itself does not say it.
fn next_step(reason: &Reason) -> Option<String> {
    let step = match reason {
        Reason::Denied(Denial::OtherUser { target, .. }) => {
            return Some(format!("run podcov as user {target} or as root"));
        }
        Reason::Denied(Denial::OtherGroup { target, .. }) => {
            return Some(format!("run podcov with group {target} or as root"));
        }
        Reason::Denied(Denial::MoreCapabilities | Denial::NotDumpable | Denial::Yama { scope: 1 | 2 }) => {
            "run podcov as root"
        }
        Reason::Denied(Denial::Unknown) => "run podcov as root and outside of containers",
        Reason::Starting | Reason::Inconsistent { .. } => "try again",
        _ => return None,
    };
    Some(step.to_owned())
}
