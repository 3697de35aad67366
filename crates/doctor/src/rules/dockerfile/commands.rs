//! Which `go build`s a Dockerfile runs, with which arguments and variables.

use super::scope::{Scope, Variable};
use crate::facts::Dockerfile;
use crate::facts::dockerfile::{Command, InstructionKind};
use crate::shell::{self, SimpleCommand, Value, Word};

/// Builds more programs than any Dockerfile does.
const MOST_BUILDS: usize = 1000;

/// A `go build` as it is run.
pub(super) struct Build {
    pub line: usize,
    /// Flags and packages; what is not known stands in them as it is written.
    pub arguments: Vec<String>,
    /// Whether there may be others, a coverage flag among them.
    pub may_be_told: bool,
    /// What GOFLAGS is, and where that was said.
    pub goflags: Option<Variable>,
    /// Variables that are used and set nowhere that this build sees.
    pub unset: Vec<String>,
    /// What ENVs before it replaced.
    pub replaced: Vec<(String, usize, usize)>,
    /// Names of all variables in scope that hold coverage flags.
    pub unused: Vec<(String, usize)>,
}

pub(super) fn builds(file: &Dockerfile) -> Vec<Build> {
    let mut builds = Vec::new();
    for stage in &file.stages {
        let mut scope = Scope::at_the_beginning_of(file, stage);
        for instruction in &stage.instructions {
            if let InstructionKind::Run(command) = &instruction.kind {
                let commands = match command {
                    Command::Shell(line) => shell::commands(line),
                    Command::Exec(words) => exec(words),
                };
                builds.extend(builds_of(&commands, &scope, instruction.line));
            }
            scope.pass(file, &instruction.kind, instruction.line);
            if builds.len() > MOST_BUILDS {
                return builds;
            }
        }
    }
    builds
}

/// A command that no shell expands; one that is given to a shell is what that runs.
fn exec(words: &[String]) -> Vec<SimpleCommand> {
    match words {
        [shell, flag, line] if shell.ends_with("sh") && flag.ends_with('c') => shell::commands(line),
        _ => Vec::new(),
    }
}

/// Variables of the shell that a RUN is, newest last.
#[derive(Default)]
struct ShellVariables(Vec<(String, Value, bool)>);

impl ShellVariables {
    fn find(&self, name: &str) -> Option<&(String, Value, bool)> {
        self.0.iter().rev().find(|(own, _, _)| own == name)
    }

    fn value(&self, scope: &Scope, name: &str) -> Value {
        self.find(name).map_or_else(|| scope.value(name), |(_, value, _)| value.clone())
    }

    /// Only what is exported, or came from the environment, goes back there.
    fn assign(&mut self, scope: &Scope, name: String, value: Value, exports: bool) {
        let is_exported = match self.find(&name) {
            Some((_, _, is_exported)) => exports || *is_exported,
            None => exports || scope.get(&name).is_some(),
        };
        self.0.push((name, value, is_exported));
    }

    fn exported(&self, name: &str) -> Option<&Value> {
        self.find(name).filter(|(_, _, is_exported)| *is_exported).map(|(_, value, _)| value)
    }
}

/// The builds of one RUN. What it exports ends with it.
fn builds_of(commands: &[SimpleCommand], scope: &Scope, line: usize) -> Vec<Build> {
    let mut shell = ShellVariables::default();
    let mut builds = Vec::new();
    for command in commands {
        let own = assigned_by(&command.assignments, &shell, scope);
        let plain: Vec<Option<String>> = command.words.iter().map(Word::literal).collect();
        let words: Vec<&str> = plain.iter().map(|word| word.as_deref().unwrap_or_default()).collect();
        let exports = words.first() == Some(&"export");
        if words.is_empty() {
            for (name, value) in own {
                shell.assign(scope, name, value, false);
            }
        } else if exports {
            let with_value: Vec<_> = command.words.iter().filter_map(shell::split_assignment).collect();
            let set = assigned_by(&with_value, &shell, scope);
            for (name, value) in set {
                shell.assign(scope, name, value, true);
            }
            for name in words.iter().skip(1).filter(|word| !word.contains('=')) {
                let value = shell.value(scope, name);
                shell.assign(scope, (*name).to_owned(), value, true);
            }
        } else if let Some(at) = words.windows(2).position(|pair| is_go(pair[0]) && is_building(pair[1])) {
            let (before, after) = command.words.split_at(at);
            let with_env: Vec<_> = before.iter().filter_map(shell::split_assignment).collect();
            let with_env = assigned_by(&with_env, &shell, scope);
            let set_here = own.iter().chain(&with_env).rev().find(|(name, _)| name == "GOFLAGS");
            let set_here = set_here.map(|(_, value)| value).or_else(|| shell.exported("GOFLAGS"));
            let goflags = match set_here {
                Some(value) => Some(Variable { value: value.clone(), line, is_argument: false }),
                None => scope.get("GOFLAGS").cloned(),
            };
            builds.push(build(after.get(2..).unwrap_or_default(), goflags, &shell, scope, line));
        }
    }
    builds
}

fn assigned_by(
    assignments: &[(String, Word)],
    shell: &ShellVariables,
    scope: &Scope,
) -> Vec<(String, Value)> {
    let value_of = |name: &str| shell.value(scope, name);
    let assigned = |word: &Word| {
        let expanded = word.expand(&value_of);
        if expanded.is_open { Value::Open } else { Value::Is(expanded.words.join(" ")) }
    };
    assignments.iter().map(|(name, word)| (name.clone(), assigned(word))).collect()
}

/// A `go build` with these words after it.
fn build(
    words: &[Word],
    goflags: Option<Variable>,
    shell: &ShellVariables,
    scope: &Scope,
    line: usize,
) -> Build {
    let value_of = |name: &str| shell.value(scope, name);
    let mut arguments: Vec<String> = Vec::new();
    let mut may_be_told = false;
    for word in words {
        let is_value = arguments.last().is_some_and(|before| takes_value(before));
        let expanded = word.expand(&value_of);
        may_be_told |= expanded.is_open
            && word.beginning(&value_of).is_none_or(|text| !is_value && may_become_coverage_flag(&text));
        arguments.extend(expanded.words);
    }
    let used: Vec<&str> = words.iter().flat_map(Word::variables).collect();
    let unset = used.iter().filter(|name| value_of(name) == Value::Unset);
    let unused = scope.names().filter(|(name, variable)| {
        *name != "GOFLAGS" && !used.contains(name) && holds_coverage(&variable.value)
    });
    Build {
        line,
        arguments,
        may_be_told,
        goflags,
        unset: unset.map(|name| (*name).to_owned()).collect(),
        replaced: scope.replaced.clone(),
        unused: unused.map(|(name, variable)| (name.to_owned(), variable.line)).collect(),
    }
}

fn is_go(word: &str) -> bool {
    word == "go" || word.ends_with("/go")
}

fn is_building(word: &str) -> bool {
    ["build", "install"].contains(&word)
}

fn holds_coverage(value: &Value) -> bool {
    matches!(value, Value::Is(text) if text.split_whitespace().any(is_coverage_flag))
}

/// Whether a flag's value is the word after it.
pub(super) fn takes_value(flag: &str) -> bool {
    const WITH_VALUE: [&str; 14] = [
        "o",
        "p",
        "ldflags",
        "gcflags",
        "asmflags",
        "tags",
        "mod",
        "modfile",
        "buildmode",
        "installsuffix",
        "pkgdir",
        "toolexec",
        "coverpkg",
        "covermode",
    ];
    flag.strip_prefix('-').is_some_and(|name| WITH_VALUE.contains(&name.trim_start_matches('-')))
}

/// With whatever follows this beginning of a word.
fn may_become_coverage_flag(beginning: &str) -> bool {
    "--cover".starts_with(beginning) || "-cover".starts_with(beginning) || is_coverage_flag(beginning)
}

/// `-coverpkg` and `-covermode` turn coverage on, too.
pub(super) fn is_coverage_flag(word: &str) -> bool {
    let word = word.trim_start_matches('-');
    let name = word.split('=').next().unwrap_or_default();
    ["cover", "coverpkg", "covermode"].contains(&name) && word != "cover=false"
}
