//! Lines for a shell, as far as one can tell what they start: words, variables, and where a command ends.
//!
//! No shell: what it cannot tell (substitutions, loops) it leaves open, and callers treat it as not known.

/// One simple command: `A=b go build -o x .`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SimpleCommand {
    /// Assignments before it.
    pub assignments: Vec<(String, Word)>,
    /// The program and its arguments.
    pub words: Vec<Word>,
}

/// A word of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable {
        name: String,
        default: Option<String>,
        is_quoted: bool,
    },
    /// A command substitution, or anything else that only a shell can tell.
    Open,
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
    /// What is known.
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
                Part::Open => expanded.is_open = true,
                Part::Variable { name, default, is_quoted } => {
                    let text = match (value_of(name), default) {
                        (Value::Is(text), _) => text,
                        (Value::Unset, default) => default.clone().unwrap_or_default(),
                        (Value::Open, _) => {
                            expanded.is_open = true;
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

/// The simple commands of a line, in order.
#[must_use]
pub fn commands(line: &str) -> Vec<SimpleCommand> {
    let mut lexer = Lexer { rest: line, commands: Vec::new(), command: SimpleCommand::default() };
    lexer.run();
    lexer.commands
}

/// Whether the whole line is one simple command, which some shells then become.
#[must_use]
pub fn is_simple(line: &str) -> bool {
    commands(line).len() == 1 && !line.contains(['&', ';', '|', '('])
}

/// Whether the program that the line ends in replaces the shell, so that signals reach it.
#[must_use]
pub fn hands_over(line: &str) -> bool {
    commands(line).last().is_some_and(|last| {
        last.words.first().and_then(Word::literal).is_some_and(|program| program == "exec")
    })
}

struct Lexer<'a> {
    rest: &'a str,
    commands: Vec<SimpleCommand>,
    command: SimpleCommand,
}

impl Lexer<'_> {
    fn run(&mut self) {
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\r']);
            let Some(first) = self.rest.chars().next() else { break };
            match first {
                '\n' | ';' | '&' | '|' | '(' | ')' => {
                    self.skip(1);
                    self.end();
                }
                '#' => self.skip(self.rest.find('\n').unwrap_or(self.rest.len())),
                '<' | '>' => {
                    let target = self.rest.trim_start_matches(['<', '>', '&', '-']);
                    self.rest = target.trim_start_matches([' ', '\t']);
                    let _target = self.word();
                }
                _ => {
                    let word = self.word();
                    let is_number = |text: String| text.bytes().all(|byte| byte.is_ascii_digit());
                    // `2>&1`
                    if !(self.rest.starts_with(['<', '>']) && word.literal().is_some_and(is_number)) {
                        self.add(word);
                    }
                }
            }
        }
        self.end();
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn end(&mut self) {
        let command = std::mem::take(&mut self.command);
        if command != SimpleCommand::default() {
            self.commands.push(command);
        }
    }

    fn add(&mut self, word: Word) {
        const KEYWORDS: [&str; 12] =
            ["{", "}", "if", "then", "else", "elif", "fi", "do", "done", "while", "for", "!"];
        if self.command.words.is_empty() {
            let literal = word.literal();
            if literal.is_some_and(|text| KEYWORDS.contains(&text.as_str())) {
                return;
            }
            if let Some(assignment) = assignment(&word) {
                self.command.assignments.push(assignment);
                return;
            }
        }
        self.command.words.push(word);
    }

    fn word(&mut self) -> Word {
        let mut parts = Vec::new();
        let mut text = None::<String>;
        while let Some(first) = self.rest.chars().next() {
            match first {
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '(' | ')' | '<' | '>' => break,
                '\'' => {
                    self.skip(1);
                    let end = self.rest.find('\'').unwrap_or(self.rest.len());
                    text.get_or_insert_default().push_str(self.rest.get(..end).unwrap_or_default());
                    self.skip(end + 1);
                }
                '"' => {
                    self.skip(1);
                    text.get_or_insert_default();
                    self.quoted(&mut parts, &mut text);
                }
                '\\' => {
                    self.skip(1);
                    if let Some(escaped) = self.rest.chars().next() {
                        self.skip(escaped.len_utf8());
                        if escaped != '\n' {
                            text.get_or_insert_default().push(escaped);
                        }
                    }
                }
                '$' | '`' => {
                    parts.extend(text.take().map(Part::Text));
                    self.expansion(&mut parts, false);
                }
                other => {
                    self.skip(other.len_utf8());
                    text.get_or_insert_default().push(other);
                }
            }
        }
        parts.extend(text.map(Part::Text));
        Word { parts }
    }

    /// Up to the closing quote.
    fn quoted(&mut self, parts: &mut Vec<Part>, text: &mut Option<String>) {
        while let Some(first) = self.rest.chars().next() {
            match first {
                '"' => return self.skip(1),
                '\\' => {
                    self.skip(1);
                    if let Some(escaped) = self.rest.chars().next() {
                        self.skip(escaped.len_utf8());
                        if !matches!(escaped, '"' | '\\' | '$' | '`' | '\n') {
                            text.get_or_insert_default().push('\\');
                        }
                        text.get_or_insert_default().push(escaped);
                    }
                }
                '$' | '`' => {
                    parts.extend(text.take().map(Part::Text));
                    self.expansion(parts, true);
                    text.get_or_insert_default();
                }
                other => {
                    self.skip(other.len_utf8());
                    text.get_or_insert_default().push(other);
                }
            }
        }
    }

    /// From `$` or a backquote on.
    fn expansion(&mut self, parts: &mut Vec<Part>, is_quoted: bool) {
        if self.rest.starts_with('`') {
            let end = self.rest.get(1..).and_then(|rest| rest.find('`'));
            self.skip(end.map_or(self.rest.len(), |end| end + 2));
            parts.push(Part::Open);
            return;
        }
        self.skip(1);
        match self.rest.chars().next() {
            Some('(') => {
                self.skip(closing(self.rest, '(', ')'));
                parts.push(Part::Open);
            }
            Some('{') => {
                let length = closing(self.rest, '{', '}');
                let inside = self.rest.get(1..length.saturating_sub(1)).unwrap_or_default().to_owned();
                self.skip(length);
                parts.push(braced(&inside, is_quoted));
            }
            Some(first) if first.is_ascii_alphabetic() || first == '_' => {
                let is_name = |one: char| one.is_ascii_alphanumeric() || one == '_';
                let end = self.rest.find(|one| !is_name(one)).unwrap_or(self.rest.len());
                let name = self.rest.get(..end).unwrap_or_default().to_owned();
                self.skip(end);
                parts.push(Part::Variable { name, default: None, is_quoted });
            }
            Some(other) if "@*#?-$!0123456789".contains(other) => {
                self.skip(1);
                parts.push(Part::Open);
            }
            _ => parts.push(Part::Text("$".to_owned())),
        }
    }
}

/// The inside of `${…}`.
fn braced(inside: &str, is_quoted: bool) -> Part {
    let is_name = |one: char| one.is_ascii_alphanumeric() || one == '_';
    let end = inside.find(|one| !is_name(one)).unwrap_or(inside.len());
    let (name, rest) = inside.split_at(end);
    let default = rest.strip_prefix(":-").or_else(|| rest.strip_prefix('-'));
    match (name.is_empty(), rest.is_empty(), default) {
        (false, true, _) => Part::Variable { name: name.to_owned(), default: None, is_quoted },
        (false, false, Some(default)) if !default.contains('$') => {
            Part::Variable { name: name.to_owned(), default: Some(default.to_owned()), is_quoted }
        }
        _ => Part::Open,
    }
}

/// The bytes up to and with the bracket that closes the first one; all if none does.
fn closing(text: &str, open: char, close: char) -> usize {
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        if character == open {
            depth += 1;
        } else if character == close {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return at + close.len_utf8();
            }
        }
    }
    text.len()
}

/// `name=value` before a command.
fn assignment(word: &Word) -> Option<(String, Word)> {
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

/// `name=value` after `export` or `env`, and after ENV and ARG of a Dockerfile.
#[must_use]
pub fn split_assignment(word: &Word) -> Option<(String, Word)> {
    assignment(word)
}

/// Words of a text that is quoted as in a shell, without anything to end a command: ENV, ARG, GOFLAGS.
#[must_use]
pub fn word(text: &str) -> Word {
    let mut lexer = Lexer { rest: text, commands: Vec::new(), command: SimpleCommand::default() };
    let mut parts = Vec::new();
    while !lexer.rest.is_empty() {
        let word = lexer.word();
        parts.extend(word.parts);
        if let Some(separator) = lexer.rest.chars().next() {
            parts.push(Part::Text(separator.to_string()));
            lexer.skip(separator.len_utf8());
        }
    }
    for part in &mut parts {
        if let Part::Variable { is_quoted, .. } = part {
            *is_quoted = true;
        }
    }
    Word { parts }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<Vec<String>> {
        let value = |name: &str| match name {
            "FLAGS" => Value::Is("-a -b".to_owned()),
            "GIVEN" => Value::Open,
            _ => Value::Unset,
        };
        let expand = |command: SimpleCommand| {
            command.words.iter().flat_map(|word| word.expand(&value).words).collect()
        };
        commands(line).into_iter().map(expand).collect()
    }

    #[test]
    fn words_are_split_as_a_shell_does() {
        assert_eq!(words("go build -o /x ./cmd/x"), [["go", "build", "-o", "/x", "./cmd/x"]]);
        assert_eq!(words("go build -ldflags='-s -w' ."), [["go", "build", "-ldflags=-s -w", "."]]);
        assert_eq!(words("a $FLAGS b"), [["a", "-a", "-b", "b"]]);
        assert_eq!(words("a \"$FLAGS\" b"), [["a", "-a -b", "b"]]);
        assert_eq!(words("a ${NO} ${NO:-c}"), [["a", "c"]]);
        assert_eq!(words("a && b; c | d\ne # no"), [["a"], ["b"], ["c"], ["d"], ["e"]]);
        assert_eq!(words("a \"x\\\"y\" z\\ z"), [["a", "x\"y", "z z"]]);
        assert_eq!(words("a > out 2>&1 b"), [["a", "b"]]);
    }

    #[test]
    fn what_only_a_shell_can_tell_is_left_open() {
        let open = |line: &str| {
            let commands = commands(line);
            commands[0].words.iter().any(|word| word.expand(&|_| Value::Unset).is_open)
        };
        assert!(open("go build $(cat flags)"));
        assert!(open("go build `cat flags`"));
        assert!(open("go build $1"));
        assert!(!open("go build $FLAGS"));
    }

    #[test]
    fn a_shell_that_hands_over_is_told_from_one_that_stays() {
        assert!(hands_over("exec /app"));
        assert!(hands_over("mkdir -p /cov && exec /app --x"));
        assert!(!hands_over("/app"));
        assert!(!hands_over("exec /app; true"));
        assert!(is_simple("A=b /app --x") && !is_simple("/app; true"));
    }
}
