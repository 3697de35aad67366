//! The ways to end, and what the tests do for each.

use nix::sys::signal::Signal;
use podcov_go_programs::Covered;

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Ending {
    pub name: &'static str,
    /// What is run, of which [`PROGRAM`] is the executable.
    pub words: &'static [&'static str],
    pub action: Action,
    pub covered: Covered,
    pub places: Places,
}

/// What stands for the executable among the words of an ending.
pub const PROGRAM: &str = "PROGRAM";

/// What the test does, once the program is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It ends without that.
    Nothing,
    /// A signal to what was started, which hands it on.
    Signal(Signal),
    /// SIGKILL to the program itself.
    Kill,
    /// SIGTERM, which it takes long to answer, and then SIGKILL: on this machine to the program, in a container to all.
    Drain,
    /// SIGKILL to all at once.
    KillAll,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Places {
    Everywhere,
    Containers,
}

impl Places {
    pub fn are_local(self) -> bool {
        self == Self::Everywhere
    }
}

impl Ending {
    /// The words, with a path for the program.
    pub fn command(&self, program: &str) -> Vec<String> {
        self.words.iter().map(|word| word.replace(PROGRAM, program)).collect()
    }

    const fn of(name: &'static str, words: &'static [&'static str]) -> Self {
        Self { name, words, action: Action::Nothing, covered: Covered::Program, places: Places::Everywhere }
    }

    const fn after(self, action: Action) -> Self {
        Self { action, ..self }
    }

    const fn covering(self, covered: Covered) -> Self {
        Self { covered, ..self }
    }

    const fn in_containers(self) -> Self {
        Self { places: Places::Containers, ..self }
    }
}

pub const OUT_OF_MEMORY: &str = "out of memory";
pub const STILL_AT_IT: &str = "SIGTERM, still at it when SIGKILL comes";

pub const ALL: [Ending; 22] = [
    Ending::of("main returns", &[PROGRAM, "return"]),
    Ending::of("os.Exit(3)", &[PROGRAM, "exit"]),
    Ending::of("log.Fatal", &[PROGRAM, "log-fatal"]),
    Ending::of("SIGTERM, handled", &[PROGRAM, "handle"]).after(Action::Signal(Signal::SIGTERM)),
    Ending::of("SIGTERM, not handled", &[PROGRAM, "wait"]).after(Action::Signal(Signal::SIGTERM)),
    Ending::of("SIGINT, not handled", &[PROGRAM, "wait"]).after(Action::Signal(Signal::SIGINT)),
    Ending::of("SIGQUIT, not handled", &[PROGRAM, "wait"]).after(Action::Signal(Signal::SIGQUIT)),
    Ending::of("panic", &[PROGRAM, "panic"]),
    Ending::of("fatal error: concurrent map writes", &[PROGRAM, "map-write"]),
    Ending::of("stack overflow", &[PROGRAM, "overflow"]),
    Ending::of("SIGKILL", &[PROGRAM, "wait"]).after(Action::Kill),
    Ending::of(OUT_OF_MEMORY, &[PROGRAM, "allocate"]).in_containers(),
    Ending::of(STILL_AT_IT, &[PROGRAM, "drain"]).after(Action::Drain),
    Ending::of("SIGKILL to the whole container", &[PROGRAM, "wait"]).after(Action::KillAll).in_containers(),
    Ending::of("main is not covered: main returns", &[PROGRAM, "return"]).covering(Covered::WithoutMain),
    Ending::of("main is not covered: SIGKILL", &[PROGRAM, "wait"])
        .covering(Covered::WithoutMain)
        .after(Action::Kill),
    Ending::of("below a shell: os.Exit(3)", &["sh", "-c", "PROGRAM exit; exit $?"]),
    Ending::of("below a shell: panic", &["sh", "-c", "PROGRAM panic; exit $?"]),
    Ending::of("instead of a shell (exec): SIGTERM, not handled", &["sh", "-c", "exec PROGRAM wait"])
        .after(Action::Signal(Signal::SIGTERM)),
    Ending::of("syscall.Exec of the same program, which panics", &[PROGRAM, "exec", PROGRAM, "panic"]),
    Ending::of("syscall.Exec of a shell", &[PROGRAM, "exec", "/bin/sh", "-c", "exit 5"]),
    Ending::of("SIGKILL, and its child lives on", &[PROGRAM, "leave", PROGRAM, "orphan", "500"])
        .after(Action::Kill),
];
