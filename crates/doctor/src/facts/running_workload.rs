//! What is known of the containers of a workload, whoever found it out: a live cluster, a run that podcov captured, an
//! experiment.

use crate::facts::Binary;
use crate::runtime_log::LogFinding;

/// What was asked, or why there is no answer.
pub type Answer<T> = Result<T, Unknown>;

/// Why something is not known, and what would tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unknown {
    /// Why.
    pub reason: String,
    /// What to do to know it, such as a flag; empty if nothing helps.
    pub how: String,
}

impl Unknown {
    /// Nothing helps.
    pub fn because(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), how: String::new() }
    }
}

/// A workload, or what remains of one.
#[derive(Clone, Debug, Default)]
pub struct RunningWorkload {
    /// `deployment shop/api`.
    pub subject: String,
    /// How many pods it wants, and how many there are.
    pub wanted_pods: u32,
    /// See [`Self::wanted_pods`].
    pub existing_pods: usize,
    /// Warnings of the scheduler, the kubelet and controllers, the newest last.
    pub warnings: Vec<Warning>,
    /// Each container of each pod; those of the template where there is no pod.
    pub containers: Vec<ContainerFacts>,
}

/// A warning of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// `pod/api-7f9c`.
    pub about: String,
    /// Kubernetes' word, such as `FailedMount`.
    pub reason: String,
    /// The sentence.
    pub message: String,
}

/// A container.
#[derive(Clone, Debug)]
pub struct ContainerFacts {
    /// `pod shop/api-7f9c, container api`.
    pub subject: String,
    /// Its name.
    pub name: String,
    /// GOCOVERDIR, as it was set for the container.
    pub setting: Answer<Option<Setting>>,
    /// Other containers of the pod that have GOCOVERDIR.
    pub set_on: Vec<String>,
    /// The volume that GOCOVERDIR points into; none if it is on the container's own file system.
    pub volume: Answer<Option<Volume>>,
    /// Nothing can be written outside of volumes.
    pub has_read_only_root: bool,
    /// Whether the image has the directory, and who owns it.
    pub image_directory: Answer<ImageDirectory>,
    /// The user that its process has, where that is known.
    pub user: Option<u64>,
    /// The program that is started, as its image has it.
    pub program: Answer<Binary>,
    /// Whether anything in the program can wait for SIGTERM.
    pub can_wait_for_termination: Answer<bool>,
    /// A shell that starts the program as its child: the words of the command line.
    pub shell: Option<String>,
    /// The image that runs is another one than the one of that name here: both identities.
    pub other_image: Answer<Option<(String, String)>>,
    /// What it does.
    pub state: State,
    /// How it ended last.
    pub ending: Option<Ending>,
    /// How often it was started again.
    pub restarts: u32,
    /// How long it may take to end.
    pub grace_period_seconds: Option<i64>,
    /// It was told to end.
    pub is_terminating: bool,
    /// What the runtime wrote.
    pub log: Answer<Vec<LogFinding>>,
    /// The volume had no room left at the end.
    pub is_volume_full: bool,
    /// What was seen from inside.
    pub process: Answer<ProcessFacts>,
    /// Files that it left, where they could be counted.
    pub files: Answer<Files>,
}

/// A value of GOCOVERDIR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The text; none where it comes from another object that was not read.
    pub value: Option<String>,
    /// Where it was read.
    pub read_in: String,
}

/// A volume that is mounted where GOCOVERDIR points, or above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// Where it is mounted.
    pub mount_path: String,
    /// It cannot be written.
    pub is_read_only: bool,
    /// What it is.
    pub kind: VolumeKind,
}

/// What a volume is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VolumeKind {
    /// Lives as long as the pod.
    EmptyDir,
    /// A directory of the node.
    NodePath {
        /// In the node.
        path: String,
        /// The node.
        node: String,
        /// Where it is on the machine that runs the node; none if the node keeps it to itself.
        on_this_machine: Answer<Option<String>>,
    },
    /// Any other that lasts.
    Other,
}

/// The directory of GOCOVERDIR in the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageDirectory {
    /// The image has none.
    Missing,
    /// It has a file there.
    NotADirectory,
    /// It has it.
    There {
        /// `rwxr-xr-x root:root`, in numbers.
        owner: String,
        /// Whether the user of the container may create files in it.
        lets_create: bool,
    },
}

/// What a container does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Only a template is known.
    Described,
    /// It has not started: Kubernetes' word, and the sentence.
    Waiting(String, String),
    /// It runs.
    Running,
    /// It has ended.
    Ended,
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// 128 + the signal's number for a signal.
    pub exit_code: i32,
    /// Kubernetes' word, such as `OOMKilled`.
    pub reason: String,
    /// It was told to end, by SIGTERM or the image's own signal, and did so after this many seconds.
    pub seconds_after_request: Option<i64>,
}

/// Where a process was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessPlace {
    /// Its number there.
    pub number: u32,
    /// The node; none for this machine.
    pub node: Option<String>,
}

impl ProcessPlace {
    /// One of its files: `/proc/4711/exe of node worker-1`.
    #[must_use]
    pub fn file(&self, name: &str) -> String {
        let node = self.node.as_ref().map(|node| format!(" of node {node}")).unwrap_or_default();
        format!("/proc/{}/{name}{node}", self.number)
    }
}

/// What was seen of the process itself.
#[derive(Clone, Debug)]
pub struct ProcessFacts {
    /// Which one it is.
    pub place: ProcessPlace,
    /// The first process of the container, if that is a shell that has no handler for SIGTERM.
    pub shell: Option<ShellProcess>,
    /// The Go program, as its executable tells.
    pub program: Answer<Binary>,
    /// What it has counted so far.
    pub counted: Answer<Counted>,
    /// GOCOVERDIR as the Go program has it.
    pub setting: Option<String>,
    /// Whether the Go program waits for SIGTERM. None if that cannot be known.
    pub waits_for_termination: Option<bool>,
    /// Its user.
    pub user: u32,
    /// What is where GOCOVERDIR points; none without the variable.
    pub directory: Answer<Option<ProcessDirectory>>,
}

/// A shell that runs, with the Go program as its child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShellProcess {
    /// Which one it is.
    pub place: ProcessPlace,
    /// `/bin/dash`.
    pub program: String,
    /// Its words.
    pub command_line: String,
}

/// The counters of a process at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Functions that are covered.
    pub functions: u32,
    /// Those of them that have run.
    pub ran: u32,
}

/// The directory as the process sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcessDirectory {
    /// It is not there, in the system's words.
    Missing(String),
    /// A file is there.
    NotADirectory,
    /// It is there.
    There {
        /// As `755 0:0`.
        owner: String,
        /// Whether the process may create files in it.
        lets_create: bool,
        /// Its file system is mounted to be read only.
        is_read_only: bool,
        /// Free bytes.
        free_bytes: u64,
        /// Files that may still be made; none where nothing limits them.
        free_files: Option<u64>,
        /// On the container's own file system.
        is_of_container: bool,
        /// What is in it; none if it may not be listed.
        files: Option<Files>,
    },
}

/// Files of coverage data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// Of meta-data, or processes that were seen to start.
    pub metadata: usize,
    /// Of counters.
    pub counters: usize,
    /// Begun and not finished.
    pub temporary: usize,
}

impl ContainerFacts {
    /// Of which nothing is known but its name.
    #[must_use]
    pub fn new(subject: String, name: String) -> Self {
        let unknown = || Unknown::because("it was not looked at");
        Self {
            subject,
            name,
            setting: Err(unknown()),
            set_on: Vec::new(),
            volume: Err(unknown()),
            has_read_only_root: false,
            image_directory: Err(unknown()),
            user: None,
            program: Err(unknown()),
            can_wait_for_termination: Err(unknown()),
            shell: None,
            other_image: Err(unknown()),
            state: State::Described,
            ending: None,
            restarts: 0,
            grace_period_seconds: None,
            is_terminating: false,
            log: Err(unknown()),
            is_volume_full: false,
            process: Err(unknown()),
            files: Err(unknown()),
        }
    }
}
