//! Which variables an instruction of a Dockerfile sees, and where each came from.

use std::collections::BTreeMap;

use crate::facts::Dockerfile;
use crate::facts::dockerfile::{InstructionKind, Stage};
use crate::shell::{self, Value};

/// A variable that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variable {
    pub value: Value,
    pub line: usize,
    /// ARG, which ENV always wins over.
    pub is_argument: bool,
}

/// The variables at one instruction.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    variables: BTreeMap<String, Variable>,
    /// Settings that an ENV replaced: the name, the line of what is gone, and that of the ENV.
    pub replaced: Vec<(String, usize, usize)>,
}

impl Scope {
    /// What the instructions before a stage's own leave: those of the stages that it begins with.
    pub fn at_the_beginning_of(file: &Dockerfile, stage: &Stage) -> Self {
        let mut scope = Self::default();
        let stages = lineage(file, stage);
        for before in stages.iter().take(stages.len().saturating_sub(1)) {
            for instruction in &before.instructions {
                scope.pass(file, &instruction.kind, instruction.line);
            }
        }
        scope
    }

    /// Goes past an instruction.
    pub fn pass(&mut self, file: &Dockerfile, kind: &InstructionKind, line: usize) {
        match kind {
            InstructionKind::Argument(name, default) => {
                // ENV wins, whichever comes first.
                if self.variables.get(name).is_some_and(|variable| !variable.is_argument) {
                    return;
                }
                let default = default.as_ref().or_else(|| file.global_arguments.get(name)?.as_ref());
                // --build-arg can replace any default; without one it has to be given.
                let value = default.map_or(Value::Open, |text| self.text(text));
                self.variables.insert(name.clone(), Variable { value, line, is_argument: true });
            }
            InstructionKind::Environment(name, text) => {
                let value = self.text(text);
                let uses_itself = shell::word(text).variables().any(|variable| variable == name);
                if let Some(before) = self.variables.get(name).filter(|_| !uses_itself) {
                    self.replaced.push((name.clone(), before.line, line));
                }
                self.variables.insert(name.clone(), Variable { value, line, is_argument: false });
            }
            _ => {}
        }
    }

    pub fn get(&self, name: &str) -> Option<&Variable> {
        self.variables.get(name)
    }

    pub fn names(&self) -> impl Iterator<Item = (&str, &Variable)> {
        self.variables.iter().map(|(name, variable)| (name.as_str(), variable))
    }

    pub fn value(&self, name: &str) -> Value {
        self.variables.get(name).map_or(Value::Unset, |variable| variable.value.clone())
    }

    fn text(&self, text: &str) -> Value {
        let expanded = shell::word(text).expand(&|name| self.value(name));
        if expanded.is_open { Value::Open } else { Value::Is(expanded.words.join(" ")) }
    }
}

/// A stage and those that it begins with, oldest first.
pub(super) fn lineage<'a>(file: &'a Dockerfile, stage: &'a Stage) -> Vec<&'a Stage> {
    let mut stages = vec![stage];
    let mut at = stage;
    // Only an earlier stage can be a base, so that this ends.
    while let Some(base) = file.stages.iter().rev().find(|other| {
        other.line < at.line && other.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(&at.base))
    }) {
        stages.insert(0, base);
        at = base;
    }
    stages
}

/// An ENV of a stage or of those that it begins with: the line and the text.
pub(super) fn environment(file: &Dockerfile, stage: &Stage, name: &str) -> Option<(usize, String)> {
    let stages = lineage(file, stage);
    let instructions = stages.iter().flat_map(|stage| &stage.instructions);
    let mut values = instructions.filter_map(|instruction| match &instruction.kind {
        InstructionKind::Environment(own, value) if own == name => Some((instruction.line, value.clone())),
        _ => None,
    });
    values.next_back()
}
