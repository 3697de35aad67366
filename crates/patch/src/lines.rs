//! Which lines of a source file ran, by the units of its coverage data.
//!
//! A unit is a stretch of text from one column to another, with braces, comments and empty lines in it. A line is said
//! to run or not only by the units that have some code on it: the brace that ends a block says nothing, nor does one
//! that begins a block at the end of its condition's line.

use std::collections::BTreeMap;

use go_coverage::Unit;

/// What is known of a line that can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineState {
    /// All code on it ran.
    Covered,
    /// Some of the code on it ran.
    Partial,
    /// None of the code on it ran.
    NotCovered,
}

/// The lines that can run, and whether they did. A unit may be there several times.
#[must_use]
pub fn lines(units: &[Unit], text: &str) -> BTreeMap<u32, LineState> {
    let code = Code::of(text);
    let mut lines = BTreeMap::new();
    for unit in units.iter().filter(|unit| unit.statements > 0) {
        for line in code.lines_of(unit) {
            let own = if unit.count > 0 { LineState::Covered } else { LineState::NotCovered };
            lines
                .entry(line)
                .and_modify(|state| {
                    if *state != own {
                        *state = LineState::Partial;
                    }
                })
                .or_insert(own);
        }
    }
    lines
}

/// Where the code is in a text.
pub(crate) struct Code {
    /// The columns, from 1 and in bytes, of each line's code: of everything but space, comments and brackets.
    columns: Vec<Vec<(u32, u32)>>,
}

impl Code {
    pub(crate) fn of(text: &str) -> Self {
        let mut scanner = Scanner::default();
        Self { columns: text.split('\n').map(|line| scanner.line(line.as_bytes())).collect() }
    }

    /// The lines on which a unit has code.
    pub(crate) fn lines_of(&self, unit: &Unit) -> impl Iterator<Item = u32> {
        // The end comes from the data, and may be anywhere.
        let last = unit.end_line.min(u32::try_from(self.columns.len()).unwrap_or(u32::MAX));
        (unit.start_line..=last).filter(|line| {
            let from = if *line == unit.start_line { unit.start_column } else { 1 };
            let to = if *line == unit.end_line { unit.end_column } else { u32::MAX };
            let index = usize::try_from(*line).ok().and_then(|line| line.checked_sub(1));
            let columns = index.and_then(|index| self.columns.get(index));
            columns.is_some_and(|spans| spans.iter().any(|(start, end)| *start < to && *end > from))
        })
    }
}

/// What a line begins in, because of the lines before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Code,
    Comment,
    RawString,
}

#[derive(Default)]
struct Scanner {
    state: State,
}

impl Scanner {
    /// The stretches of code on a line: columns from 1, the end is the first one after.
    fn line(&mut self, line: &[u8]) -> Vec<(u32, u32)> {
        let mut spans: Vec<(u32, u32)> = Vec::new();
        let mut at = 0;
        while let Some(byte) = line.get(at) {
            let next = line.get(at + 1);
            let (length, is_code, state) = match (self.state, byte, next) {
                (State::Comment, b'*', Some(b'/')) => (2, false, State::Code),
                (State::RawString, b'`', _) => (1, true, State::Code),
                (state @ (State::Comment | State::RawString), ..) => (1, state == State::RawString, state),
                (State::Code, b'/', Some(b'/')) => break,
                (State::Code, b'/', Some(b'*')) => (2, false, State::Comment),
                (State::Code, b'`', _) => (1, true, State::RawString),
                (State::Code, b'"' | b'\'', _) => (quoted(&line[at..]), true, State::Code),
                (State::Code, byte, _) => (1, !b" \t\r{}(),;".contains(byte), State::Code),
            };
            self.state = state;
            if is_code {
                let column = |at: usize| u32::try_from(at + 1).unwrap_or(u32::MAX);
                match spans.last_mut() {
                    Some((_, end)) if *end == column(at) => *end = column(at + length),
                    _ => spans.push((column(at), column(at + length))),
                }
            }
            at += length;
        }
        spans
    }
}

/// How long the string or rune is that the text begins with; it ends with its line.
fn quoted(text: &[u8]) -> usize {
    let Some((quote, rest)) = text.split_first() else { return 0 };
    let mut is_escaped = false;
    let end = rest.iter().position(|byte| {
        let ends = !is_escaped && byte == quote;
        is_escaped = !is_escaped && *byte == b'\\';
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Vec<u32> {
        let columns = Code::of(text).columns;
        (1..).zip(columns).filter(|(_, spans)| !spans.is_empty()).map(|(line, _)| line).collect()
    }

    #[test]
    fn braces_comments_and_empty_lines_are_no_code() {
        let text = "x()\n\n// y()\n/* a\nb() */ c()\n} ) {\n\t}\nd() // e\n";
        assert_eq!(code(text), [1, 5, 8]);
    }

    #[test]
    fn what_is_quoted_is_code_and_no_comment() {
        let text = "s := \"/*\"\nt()\nr := '\"' // \"\nu := `\n//\n\n/*`\nv()\nw := \"\\\"/*\"\nx()";
        assert_eq!(code(text), [1, 2, 3, 4, 5, 7, 8, 9, 10]);
    }
}
