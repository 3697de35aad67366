//! A word of a command line: text and variables, and what a program gets for it.

use std::fmt::Write as _;

/// A word of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    pub(super) parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Variable {
        name: String,
        default: Option<String>,
        is_quoted: bool,
    },
    /// A command substitution, or anything else that only a shell can tell.
    Open {
        is_quoted: bool,
    },
}

/// What a variable is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// This text.
    Is(String),
    /// Not set: nothing.
    Unset,
    /// Given from outside, so that it is not known.
    Open,
}

/// Words as a program gets them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expanded {
    /// What is known; what is not stands in it as it is written.
    pub words: Vec<String>,
    /// Whether there may be more, or others.
    pub is_open: bool,
}

impl Word {
    /// The names of the variables in it.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable { name, .. } => Some(name.as_str()),
            _ => None,
        })
    }

    /// The text, if there is nothing to expand.
    #[must_use]
    pub fn literal(&self) -> Option<String> {
        let text = |part: &Part| match part {
            Part::Text(text) => Some(text.clone()),
            _ => None,
        };
        self.parts.iter().map(text).collect()
    }

    /// What a program gets for it.
    pub fn expand(&self, value_of: &dyn Fn(&str) -> Value) -> Expanded {
        let mut expanded = Expanded::default();
        let mut current: Option<String> = None;
        for part in &self.parts {
            match part {
                Part::Text(text) => current.get_or_insert_default().push_str(text),
                Part::Open { .. } => {
                    expanded.is_open = true;
                    current.get_or_insert_default().push_str("$(…)");
                }
                Part::Variable { name, default, is_quoted } => {
                    let text = match (value_of(name), default) {
                        (Value::Is(text), _) => text,
                        (Value::Unset, default) => default.clone().unwrap_or_default(),
                        (Value::Open, _) => {
                            expanded.is_open = true;
                            let _ = write!(current.get_or_insert_default(), "${{{name}}}");
                            continue;
                        }
                    };
                    if *is_quoted {
                        current.get_or_insert_default().push_str(&text);
                        continue;
                    }
                    split_into(&text, &mut current, &mut expanded.words);
                }
            }
        }
        expanded.words.extend(current);
        expanded
    }

    /// The text before what is not known. None if that is not quoted, so that there may be any number of words.
    pub fn beginning(&self, value_of: &dyn Fn(&str) -> Value) -> Option<String> {
        let open = |part: &Part| match part {
            Part::Text(_) => None,
            Part::Open { is_quoted } => Some(*is_quoted),
            Part::Variable { name, is_quoted, .. } => (value_of(name) == Value::Open).then_some(*is_quoted),
        };
        if self.parts.iter().any(|part| open(part) == Some(false)) {
            return None;
        }
        let parts = self.parts.iter().take_while(|part| open(part).is_none()).cloned().collect();
        Some(Self { parts }.expand(value_of).words.join(" "))
    }
}

/// Joins the first word of a value to what is before it, and leaves the last one for what follows.
fn split_into(text: &str, current: &mut Option<String>, words: &mut Vec<String>) {
    if text.starts_with(char::is_whitespace) {
        words.extend(current.take());
    }
    for (index, word) in text.split_whitespace().enumerate() {
        if index > 0 {
            words.extend(current.take());
        }
        current.get_or_insert_default().push_str(word);
    }
    if text.ends_with(char::is_whitespace) {
        words.extend(current.take());
    }
}

/// `name=value` before a command.
pub(super) fn assignment(word: &Word) -> Option<(String, Word)> {
    let Some(Part::Text(first)) = word.parts.first() else { return None };
    let (name, value) = first.split_once('=')?;
    let is_name = |one: char| one.is_ascii_alphanumeric() || one == '_';
    if name.is_empty() || !name.chars().all(is_name) || name.starts_with(|one: char| one.is_ascii_digit()) {
        return None;
    }
    let mut parts = vec![Part::Text(value.to_owned())];
    parts.extend(word.parts.iter().skip(1).cloned());
    Some((name.to_owned(), Word { parts }))
}
