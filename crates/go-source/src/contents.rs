//! What a source says of itself that decides whether it counts: that it is generated, what its package is, and which
//! stretches its author wants to have ignored.
//!
//! # Comments that ignore
//!
//! `//coverage:ignore` is read, and what other tools call it: `// coverage-ignore` (go-test-coverage), `// notest`
//! (courtney), `//nocover`. Text may follow: the reason.
//!
//! - At the end of a line that opens a block, it ignores that block, up to the brace that closes it.
//! - On a line by itself, it ignores what follows: the block that the next line opens, such as a whole function under its
//!   comment; else that line.
//! - `//coverage:ignore file` ignores the whole file.

use memchr::memmem;

use crate::scanner::{Place, Scanner, Token};

/// The comments that ignore, as they begin after `//` and spaces.
const MARKS: [&str; 4] = ["coverage:ignore", "coverage-ignore", "notest", "nocover"];

/// What a source says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Has `// Code generated … DO NOT EDIT.` before its package clause.
    pub is_generated: bool,
    /// As in its package clause.
    pub package: String,
    /// Imports `testing`, though it is no test: its package helps tests.
    pub imports_testing: bool,
    /// Whether all of it is to be ignored.
    pub is_ignored: bool,
    /// Stretches to be ignored.
    pub ignored: Vec<Ignored>,
}

/// A stretch of a source that is to be ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// The line of the comment that says so.
    pub comment_line: u32,
    /// Line and column of its beginning, from 1.
    pub start: (u32, u32),
    /// Line and column after its end.
    pub end: (u32, u32),
}

impl Ignored {
    /// Whether all that is between two positions is in it.
    #[must_use]
    pub fn contains(&self, start: (u32, u32), end: (u32, u32)) -> bool {
        self.start <= start && end <= self.end
    }
}

impl Contents {
    /// Reads what a source says.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut contents = Self::default();
        let mut in_import = Import::Not;
        let mut is_package_next = false;
        for (_, token) in Scanner::new(text) {
            match token {
                Token::Comment(comment) if contents.package.is_empty() => {
                    contents.is_generated |= is_generated_mark(comment);
                }
                Token::Word("package") if contents.package.is_empty() => is_package_next = true,
                Token::Word(name) if is_package_next => {
                    name.clone_into(&mut contents.package);
                    is_package_next = false;
                }
                Token::Word("import") if in_import == Import::Not => in_import = Import::One,
                Token::Sign('(') if in_import == Import::One => in_import = Import::Several,
                Token::Sign(')') if in_import == Import::Several => in_import = Import::Not,
                Token::Text(path) if in_import != Import::Not => {
                    contents.imports_testing |= path.trim_matches(['"', '`']) == "testing";
                    if in_import == Import::One {
                        in_import = Import::Not;
                    }
                }
                // Imports come first.
                Token::Word("func" | "type" | "var" | "const") => break,
                _ => {}
            }
        }
        if MARKS.iter().any(|mark| memmem::find(text.as_bytes(), mark.as_bytes()).is_some()) {
            contents.find_ignored(text);
        }
        contents
    }

    fn find_ignored(&mut self, text: &str) {
        let tokens: Vec<(Place, Token<'_>)> = Scanner::new(text).collect();
        for (index, (place, token)) in tokens.iter().enumerate() {
            let Token::Comment(comment) = token else { continue };
            let Some(argument) = ignore_mark(comment) else { continue };
            if argument == "file" {
                self.is_ignored = true;
                continue;
            }
            let before = tokens.get(..index).unwrap_or_default();
            let after = tokens.get(index + 1..).unwrap_or_default();
            let own_line =
                before.iter().rposition(|(other, _)| other.line < place.line).map_or(0, |at| at + 1);
            let range = if own_line < index {
                let opened = open_brace(before, own_line);
                opened.and_then(|brace| {
                    let start = tokens.get(brace)?.0;
                    Some((start, closing_brace(tokens.get(brace..)?)?))
                })
            } else {
                what_follows(after)
            };
            // Of none it is said where it is applied that it ignores nothing.
            let (start, end) = range.unwrap_or((*place, *place));
            self.ignored.push(Ignored {
                comment_line: place.line,
                start: (start.line, start.column),
                end: (end.line, end.column),
            });
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Import {
    Not,
    One,
    Several,
}

/// <https://go.dev/s/generatedcode>
fn is_generated_mark(comment: &str) -> bool {
    comment
        .strip_prefix("// Code generated ")
        .is_some_and(|rest| rest.trim_end_matches('\r').ends_with(" DO NOT EDIT."))
}

/// The first word after the mark, if the comment is one that ignores.
fn ignore_mark(comment: &str) -> Option<&str> {
    let said = comment.strip_prefix("//")?.trim_start();
    let rest = MARKS.iter().find_map(|mark| said.strip_prefix(mark))?;
    let ends_here =
        rest.chars().next().is_none_or(|next| !next.is_alphanumeric() && next != '-' && next != '_');
    ends_here.then(|| rest.split_whitespace().next().unwrap_or_default())
}

/// The last brace from `first` on that is not closed again.
fn open_brace(tokens: &[(Place, Token<'_>)], first: usize) -> Option<usize> {
    let mut open = Vec::new();
    for (index, (_, token)) in tokens.iter().enumerate().skip(first) {
        match token {
            Token::Sign('{') => open.push(index),
            Token::Sign('}') => drop(open.pop()),
            _ => {}
        }
    }
    open.pop()
}

/// Where the brace that the tokens begin with is closed.
fn closing_brace(tokens: &[(Place, Token<'_>)]) -> Option<Place> {
    let mut depth = 0_u32;
    for (place, token) in tokens {
        match token {
            Token::Sign('{') => depth += 1,
            Token::Sign('}') if depth <= 1 => return Some(Place { column: place.column + 1, ..*place }),
            Token::Sign('}') => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The next line with code, and the block that it opens.
fn what_follows(tokens: &[(Place, Token<'_>)]) -> Option<(Place, Place)> {
    let first = tokens.iter().position(|(_, token)| !matches!(token, Token::Comment(_)))?;
    let line = tokens.get(first)?.0.line;
    let start = Place { line, column: 1 };
    let after = tokens.iter().skip(first).position(|(place, _)| place.line > line);
    let end = after.map_or(tokens.len(), |length| first + length);
    match open_brace(tokens.get(..end)?, first) {
        Some(brace) => Some((start, closing_brace(tokens.get(brace..)?)?)),
        None => Some((start, Place { line: line + 1, column: 1 })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored(text: &str) -> Vec<((u32, u32), (u32, u32))> {
        Contents::of(text).ignored.iter().map(|ignored| (ignored.start, ignored.end)).collect()
    }

    #[test]
    fn generated_is_what_go_says_is_generated() {
        assert!(Contents::of("// Code generated by stringer; DO NOT EDIT.\n\npackage m\n").is_generated);
        assert!(
            Contents::of("// A license.\n\n// Code generated by x. DO NOT EDIT.\r\npackage m\n").is_generated
        );
        for text in [
            "package m\n\n// Code generated by x. DO NOT EDIT.\n",
            "// Code generated by x. DO NOT EDIT\npackage m\n",
            "//  Code generated by x. DO NOT EDIT.\npackage m\n",
            "/* // Code generated by x. DO NOT EDIT. */\npackage m\n",
            "package m\nvar s = `\n// Code generated by x. DO NOT EDIT.\n`\n",
        ] {
            assert!(!Contents::of(text).is_generated, "{text}");
        }
    }

    #[test]
    fn the_package_and_its_imports_are_read() {
        let contents =
            Contents::of("// Package x\npackage helpers\n\nimport (\n\tt \"testing\"\n\t_ \"fmt\"\n)\n");
        assert_eq!((contents.package.as_str(), contents.imports_testing), ("helpers", true));
        assert!(Contents::of("package m\nimport \"testing\"\n").imports_testing);
        assert!(!Contents::of("package m\nimport \"fmt\"\nvar s = \"testing\"\n").imports_testing);
        assert!(!Contents::of("package m\nimport \"testing/fstest\"\n").imports_testing);
    }

    #[test]
    fn a_comment_at_the_end_of_a_line_ignores_the_block_that_opens_there() {
        for mark in [
            "//coverage:ignore",
            "// coverage-ignore",
            "//notest",
            "// nocover",
            "//coverage:ignore: never happens",
        ] {
            let text = format!(
                "package m\nfunc F() {{\n\tif err != nil {{ {mark}\n\t\tpanic(\"}}\")\n\t}}\n\treturn\n}}\n"
            );
            assert_eq!(ignored(&text), [((3, 16), (5, 3))], "{mark}");
        }
    }

    #[test]
    fn a_comment_by_itself_ignores_what_follows() {
        let function = "package m\n\n//coverage:ignore\n// F does.\nfunc (t *T) F() {\n\tif x {\n\t}\n}\n";
        assert_eq!(ignored(function), [((5, 1), (8, 2))]);
        let line = "package m\nfunc F() {\n\tif x {\n\t\t// coverage-ignore\n\t\treturn\n\t}\n}\n";
        assert_eq!(ignored(line), [((5, 1), (6, 1))]);
    }

    #[test]
    fn a_whole_file_is_ignored_when_it_says_so() {
        assert!(Contents::of("//coverage:ignore file\npackage m\n").is_ignored);
        assert!(!Contents::of("//coverage:ignore\npackage m\n").is_ignored);
    }

    #[test]
    fn words_in_text_or_longer_words_ignore_nothing() {
        for text in [
            "var s = \"//coverage:ignore\"",
            "// notests here",
            "// coverage:ignored",
            "/* coverage:ignore */",
        ] {
            assert_eq!(ignored(&format!("package m\n{text}\nfunc F() {{}}\n")), [], "{text}");
        }
    }

    #[test]
    fn a_comment_that_no_block_belongs_to_has_an_empty_stretch() {
        assert_eq!(ignored("package m\nfunc F() {\n\tx() // notest\n}\n"), [((3, 6), (3, 6))]);
    }
}
