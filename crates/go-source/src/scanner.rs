//! The comments, braces and leading words of a Go source: as much of the language as says what may be left out of a
//! report. Whatever the text, it ends; on a text that is no Go it sees less.

/// A place in the text: line and column in bytes, both from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub line: u32,
    pub column: u32,
}

/// What was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// With its slashes; `/*…*/` may have several lines.
    Comment(&'a str),
    /// With its quotes.
    Text(&'a str),
    /// A name, a keyword or a number.
    Word(&'a str),
    /// Any other character.
    Sign(char),
}

/// Reads a text from its beginning.
#[derive(Clone, Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    offset: usize,
    place: Place,
}

impl<'a> Scanner<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, offset: 0, place: Place { line: 1, column: 1 } }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.offset..).unwrap_or_default()
    }

    fn take(&mut self, length: usize) -> &'a str {
        let taken = self.rest().get(..length).unwrap_or_else(|| self.rest());
        self.offset += taken.len();
        for byte in taken.bytes() {
            if byte == b'\n' {
                self.place = Place { line: self.place.line.saturating_add(1), column: 1 };
            } else {
                self.place.column = self.place.column.saturating_add(1);
            }
        }
        taken
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = (Place, Token<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest();
        self.take(rest.len() - rest.trim_start().len());
        let (rest, place) = (self.rest(), self.place);
        let first = rest.chars().next()?;
        let until = |end: &str, skipped: usize| {
            rest.get(skipped..).and_then(|text| text.find(end)).map(|at| at + skipped + end.len())
        };
        let token = if rest.starts_with("//") {
            Token::Comment(self.take(rest.find('\n').unwrap_or(rest.len())))
        } else if rest.starts_with("/*") {
            Token::Comment(self.take(until("*/", 2).unwrap_or(rest.len())))
        } else if first == '`' {
            Token::Text(self.take(until("`", 1).unwrap_or(rest.len())))
        } else if first == '"' || first == '\'' {
            Token::Text(self.take(quoted_length(rest, first)))
        } else if is_in_word(first) {
            Token::Word(self.take(rest.find(|other| !is_in_word(other)).unwrap_or(rest.len())))
        } else {
            self.take(first.len_utf8());
            Token::Sign(first)
        };
        Some((place, token))
    }
}

fn is_in_word(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

/// Up to its closing quote; a string ends with its line at the latest.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (offset, character) in text.char_indices().skip(1) {
        match character {
            '\n' => return offset,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return offset + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_comments_hide_what_is_in_them() {
        let text = "a{ \"}\\\"\" '}' `}\n`\n} // }\n/* }\n*/ b";
        let seen: Vec<_> =
            Scanner::new(text).map(|(place, token)| (place.line, place.column, token)).collect();
        let expected = [
            (1, 1, Token::Word("a")),
            (1, 2, Token::Sign('{')),
            (1, 4, Token::Text("\"}\\\"\"")),
            (1, 10, Token::Text("'}'")),
            (1, 14, Token::Text("`}\n`")),
            (3, 1, Token::Sign('}')),
            (3, 3, Token::Comment("// }")),
            (4, 1, Token::Comment("/* }\n*/")),
            (5, 4, Token::Word("b")),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn what_is_not_closed_ends_with_the_line_or_the_text() {
        for text in ["\"abc\nd", "`abc", "/* abc", "'", "\"\\", "é\u{0}"] {
            assert!(Scanner::new(text).count() <= 3, "{text:?}");
        }
    }
}
