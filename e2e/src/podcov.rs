//! podcov as a user starts it: the built command, its terminal and its run directory.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, LazyLock, Mutex},
    thread::{self, JoinHandle},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    cluster::{CONTEXT, KUBECONFIG},
    output, repository, until_within,
};

/// A whole run on a busy machine.
const PATIENCE: Duration = Duration::from_mins(5);

/// The command under test, built from the tree.
pub static PODCOV: LazyLock<PathBuf> = LazyLock::new(|| {
    output(Command::new(env!("CARGO")).current_dir(repository()).args([
        "build",
        "--quiet",
        "--package",
        "podcov",
    ]));
    let test = std::env::current_exe().expect("this test has a path");
    let profile = test.ancestors().nth(2).expect("tests are in target/<profile>/deps");
    profile.join("podcov")
});

/// One start of podcov, with a directory of its own.
#[derive(Debug)]
pub struct Podcov {
    command: Command,
    directory: Arc<TempDir>,
    has_keyboard: bool,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    directory: Arc<TempDir>,
}

/// A podcov that runs.
#[derive(Debug)]
pub struct Running {
    child: Child,
    keyboard: Option<ChildStdin>,
    stderr: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
    stdout: Arc<Mutex<String>>,
    directory: Arc<TempDir>,
}

impl Podcov {
    /// `podcov <command>` in a namespace.
    pub fn new(command: &str, namespace: &str) -> Self {
        Self::bare([command, "--context", CONTEXT, "-n", namespace])
    }

    /// The same as on a machine that runs no node: it sees no other process, and no container engine.
    pub fn elsewhere(command: &str, namespace: &str) -> Self {
        let Self { command: here, directory, has_keyboard } = Self::new(command, namespace);
        let mut elsewhere = Command::new("unshare");
        elsewhere.args(["--pid", "--fork", "--kill-child", "--mount-proc"]).arg(here.get_program());
        elsewhere.args(here.get_args()).current_dir(directory.path()).env("KUBECONFIG", &*KUBECONFIG);
        elsewhere.env("DOCKER_HOST", "unix:///nowhere/docker.sock").env_remove("CONTAINER_HOST");
        Self { command: elsewhere, directory, has_keyboard }
    }

    /// The same program with nothing but these arguments.
    pub fn bare<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut podcov =
            Self { command: Command::new(&*PODCOV), directory: Arc::new(directory), has_keyboard: false };
        podcov.command.env("KUBECONFIG", &*KUBECONFIG).current_dir(podcov.directory.path());
        podcov.arguments(arguments)
    }

    /// On a terminal with a keyboard. What it prints, and what the terminal echoes, is all in the error output.
    pub fn on_terminal(self) -> Self {
        let words = [self.command.get_program()].into_iter().chain(self.command.get_args());
        let quoted = words.map(|word| format!("'{}'", word.to_str().expect("words of tests are text")));
        let line = quoted.collect::<Vec<_>>().join(" ");
        let mut terminal = Command::new("sh");
        terminal.args(["-c", "exec script --quiet --return --flush --command \"$1\" /dev/null >&2", "sh"]);
        terminal.arg(line).current_dir(self.directory.path());
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => terminal.env(name, value),
                None => terminal.env_remove(name),
            };
        }
        Self { command: terminal, has_keyboard: true, ..self }
    }

    /// Appends arguments.
    pub fn arguments<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Where its files will go.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Sets a variable.
    pub fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// In the directory of another start, which may have left a run there.
    pub fn in_directory_of(mut self, other: &Outcome) -> Self {
        self.directory = Arc::clone(&other.directory);
        self.command.current_dir(self.directory.path());
        self
    }

    /// Runs it to its end.
    pub fn run(self) -> Outcome {
        self.start().wait()
    }

    /// Starts it.
    pub fn start(mut self) -> Running {
        let keyboard = if self.has_keyboard { Stdio::piped() } else { Stdio::null() };
        self.command.stdin(keyboard).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("podcov starts");
        let (stdout, stderr) = (Arc::<Mutex<String>>::default(), Arc::<Mutex<String>>::default());
        let readers = vec![
            copy_lines(child.stdout.take().expect("it has an output"), Arc::clone(&stdout)),
            copy_lines(child.stderr.take().expect("it has an error output"), Arc::clone(&stderr)),
        ];
        Running { keyboard: child.stdin.take(), child, stderr, readers, stdout, directory: self.directory }
    }
}

impl Running {
    /// Waits until it says this on standard error.
    pub fn wait_for(&mut self, text: &str) {
        until_within(&format!("podcov says {text:?}"), PATIENCE, || {
            let is_said = self.stderr.lock().expect("nobody panicked").contains(text);
            let has_ended = self.child.try_wait().expect("it can be waited for").is_some();
            let said = || self.stderr.lock().expect("nobody panicked").clone();
            assert!(is_said || !has_ended, "podcov ended before it said {text:?}:\n{}", said());
            is_said
        });
    }

    /// Presses keys of its terminal.
    pub fn type_in(&mut self, keys: &str) {
        let keyboard = self.keyboard.as_mut().expect("it is on a terminal");
        keyboard.write_all(keys.as_bytes()).expect("the terminal is there");
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("it can be waited for").is_some()
    }

    /// Where its files go.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let process = i32::try_from(self.child.id()).expect("a process id");
        kill(Pid::from_raw(process), signal).expect("it can be signalled");
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Outcome {
        let mut status = None;
        until_within("podcov ends", PATIENCE, || {
            status = self.child.try_wait().expect("it can be waited for");
            status.is_some()
        });
        for reader in self.readers.drain(..) {
            // What podcov started may still hold the pipe; what it said by now is enough.
            if status.is_some_and(|status| status.code().is_some()) {
                reader.join().expect("nobody panicked");
            }
        }
        let text = |buffer: &Mutex<String>| buffer.lock().expect("nobody panicked").clone();
        Outcome {
            code: status.and_then(|status| status.code()),
            stdout: text(&self.stdout),
            stderr: text(&self.stderr),
            directory: self.directory,
        }
    }
}

fn copy_lines(from: impl Read + Send + 'static, to: Arc<Mutex<String>>) -> JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let mut text = to.lock().expect("nobody panicked");
            text.push_str(&line);
            text.push('\n');
        }
    })
}

impl Outcome {
    /// It ended with this code.
    pub fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n--- stdout\n{}--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// It said this on standard error.
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "no {text:?} in\n{}", self.stderr);
        self
    }

    /// It reported this on standard output.
    pub fn reports(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "no {text:?} in\n{}", self.stdout);
        self
    }

    /// The run directory.
    pub fn run_directory(&self) -> PathBuf {
        self.directory.path().join("coverage")
    }

    /// Its record.
    pub fn record(&self) -> Value {
        let text = std::fs::read_to_string(self.run_directory().join("run.json")).expect("there is a record");
        serde_json::from_str(&text).expect("the record is JSON")
    }
}
