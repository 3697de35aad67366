//! What a Dockerfile says: its stages, and in each the instructions in order, as they are written.

use std::collections::BTreeMap;

/// A Dockerfile.
#[derive(Clone, Debug, Default)]
pub struct Dockerfile {
    /// Where it was read.
    pub name: String,
    /// The module of the sources beside it, where a go.mod is.
    pub module: Option<String>,
    /// ARGs before the first FROM, with their defaults.
    pub global_arguments: BTreeMap<String, Option<String>>,
    /// From each FROM to the next.
    pub stages: Vec<Stage>,
    /// Lines that were not understood, and why.
    pub not_understood: Vec<(usize, String)>,
}

/// From one FROM to the next.
#[derive(Clone, Debug, Default)]
pub struct Stage {
    /// `AS name`.
    pub name: Option<String>,
    /// The image or the stage that it begins with.
    pub base: String,
    /// The line of FROM.
    pub line: usize,
    /// What follows, in order.
    pub instructions: Vec<Instruction>,
}

/// One instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Where it begins.
    pub line: usize,
    /// What it is.
    pub kind: InstructionKind,
}

/// The instructions that matter here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstructionKind {
    /// ARG: a name and perhaps a default.
    Argument(String, Option<String>),
    /// ENV: a name and its value, as written without quotes.
    Environment(String, String),
    /// RUN.
    Run(Command),
    /// ENTRYPOINT.
    EntryPoint(Command),
    /// CMD.
    Command(Command),
    /// COPY or ADD.
    Copy {
        /// `--from`.
        from: Option<String>,
        /// Sources, and last the target.
        paths: Vec<String>,
    },
    /// USER.
    User(String),
    /// SHELL.
    Shell(Vec<String>),
    /// Any other: its name.
    Other(String),
}

/// What RUN, ENTRYPOINT and CMD have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `["/app", "-x"]`: started as it is.
    Exec(Vec<String>),
    /// A line for the shell.
    Shell(String),
}
