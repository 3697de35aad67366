//! Where commands and words end, and what in them is quoted or a variable.

use super::SimpleCommand;
use super::word::{Part, Word, assignment};

pub(super) struct Lexer<'a> {
    pub(super) rest: &'a str,
    pub(super) commands: Vec<SimpleCommand>,
    pub(super) command: SimpleCommand,
}

impl Lexer<'_> {
    pub(super) fn run(&mut self) {
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

    pub(super) fn skip(&mut self, bytes: usize) {
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

    pub(super) fn word(&mut self) -> Word {
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
            parts.push(Part::Open { is_quoted });
            return;
        }
        self.skip(1);
        match self.rest.chars().next() {
            Some('(') => {
                self.skip(closing(self.rest, '(', ')'));
                parts.push(Part::Open { is_quoted });
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
                parts.push(Part::Open { is_quoted });
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
        _ => Part::Open { is_quoted },
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
