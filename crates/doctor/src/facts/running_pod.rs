//! What a pod of a cluster shows of itself while it runs, and after: states, events, logs, and its processes.

use crate::Known;
use crate::facts::image::Directory;

/// A pod that runs or ran.
#[derive(Clone, Debug, Default)]
pub struct RunningPod {
    /// `shop/api-7d9f-x`.
    pub name: String,
    /// The workload that it belongs to: the chain of its findings.
    pub chain: Option<String>,
    /// Pending, Running, Succeeded, Failed.
    pub phase: Known<String>,
    /// The node it is on.
    pub node: Known<String>,
    /// Its spec as it really is.
    pub spec: Option<super::pod_spec::PodSpec>,
    /// Reasons and messages of events, newest last.
    pub events: Known<Vec<Event>>,
    /// Its containers.
    pub containers: Vec<RunningContainer>,
}

/// An event about a pod or its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// As `FailedMount`.
    pub reason: String,
    /// The sentence.
    pub message: String,
}

/// A container of a pod.
#[derive(Clone, Debug, Default)]
pub struct RunningContainer {
    /// Its name in the spec.
    pub name: String,
    /// How often it was restarted.
    pub restarts: Known<u32>,
    /// The image's digest that it really runs.
    pub image_digest: Known<String>,
    /// The digest of the image that was built, of the same name, on this machine.
    pub local_digest: Known<String>,
    /// Whether it runs now.
    pub is_running: Known<bool>,
    /// How it last ended.
    pub ending: Known<Ending>,
    /// Lines of the log that Go's coverage runtime or a panic wrote.
    pub log_lines: Known<Vec<String>>,
    /// The program's process.
    pub process: Known<Process>,
    /// The directory in GOCOVERDIR as the process sees it.
    pub directory: Known<Directory>,
    /// Bytes free where the directory is.
    pub free_bytes: Known<u64>,
    /// Names of the files in the directory.
    pub files: Known<Vec<String>>,
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The code, 128 + n for signals.
    pub exit_code: i32,
    /// `OOMKilled`, `Error`, `Completed`.
    pub reason: String,
    /// The seconds between the request to end and the end.
    pub took_seconds: Known<u64>,
}

/// The program's process, as `/proc` shows it.
#[derive(Clone, Debug, Default)]
pub struct Process {
    /// Its number in the container.
    pub id: u32,
    /// Its executable.
    pub executable: Known<String>,
    /// GOCOVERDIR in its environment.
    pub gocoverdir: Known<String>,
    /// The user that it runs as.
    pub user: Known<u32>,
    /// Whether it handles SIGTERM (SigCgt).
    pub handles_sigterm: Known<bool>,
    /// Whether PID 1 is a shell that started it.
    pub below_shell: Known<bool>,
    /// Whether its memory has counters.
    pub has_counters: Known<bool>,
}
