//! The functions that a source declares: what a text profile, which knows only blocks, belongs to.

use crate::scanner::{Place, Scanner, Token};

/// A function declaration with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredFunction {
    /// As Go's coverage meta-data names it: `F`, `T.Method`, `*T.Method`; of a generic type's methods only `Method`.
    pub name: String,
    /// Line and column of `func`, from 1.
    pub start: (u32, u32),
    /// Line and column after its closing brace.
    pub end: (u32, u32),
}

/// Reads the declarations of a source, in order.
#[must_use]
pub fn declared_functions(text: &str) -> Vec<DeclaredFunction> {
    let tokens: Vec<(Place, Token<'_>)> =
        Scanner::new(text).filter(|(_, token)| !matches!(token, Token::Comment(_))).collect();
    let mut functions = Vec::new();
    let mut depth = 0_u32;
    let mut index = 0;
    while let Some((place, token)) = tokens.get(index) {
        let before = index.checked_sub(1).and_then(|before| tokens.get(before));
        match token {
            Token::Word("func") if depth == 0 && begins_declaration(before, *place) => {
                if let Some((function, end)) = declaration(&tokens, index) {
                    functions.push(function);
                    index = end;
                }
            }
            Token::Sign('(' | '{' | '[') => depth += 1,
            Token::Sign(')' | '}' | ']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        index += 1;
    }
    functions
}

/// Go ends a statement with a line, unless its last token cannot end one.
fn begins_declaration(before: Option<&(Place, Token<'_>)>, place: Place) -> bool {
    match before {
        None | Some((_, Token::Sign(';'))) => true,
        Some((before, token)) => {
            before.line < place.line
                && !matches!(token, Token::Sign(sign) if !matches!(sign, '}' | ')' | ']'))
        }
    }
}

/// The declaration that begins at `start`, and the index of its last token; none if it has no body.
fn declaration(tokens: &[(Place, Token<'_>)], start: usize) -> Option<(DeclaredFunction, usize)> {
    let mut index = start + 1;
    let mut receiver = String::new();
    if tokens.get(index)?.1 == Token::Sign('(') {
        let end = closing(tokens, index)?;
        receiver = receiver_name(tokens.get(index + 1..end)?);
        index = end + 1;
    }
    let Token::Word(name) = tokens.get(index)?.1 else { return None };
    let mut previous = tokens.get(index)?;
    index += 1;
    loop {
        let token = tokens.get(index)?;
        // Its line ended before a body began: it is written in another language.
        if token.0.line > previous.0.line && !matches!(previous.1, Token::Sign(')' | ']' | '}')) {
            return None;
        }
        let is_type = matches!(previous.1, Token::Word("interface" | "struct"));
        match token.1 {
            Token::Sign('{') if !is_type => break,
            Token::Sign('(' | '[' | '{') => {
                index = closing(tokens, index)?;
                previous = tokens.get(index)?;
            }
            Token::Word("func") if begins_declaration(Some(previous), token.0) => return None,
            _ => previous = token,
        }
        index += 1;
    }
    let end = closing(tokens, index)?;
    let (first, last) = (tokens.get(start)?.0, tokens.get(end)?.0);
    let function = DeclaredFunction {
        name: format!("{receiver}{name}"),
        start: (first.line, first.column),
        end: (last.line, last.column + 1),
    };
    Some((function, end))
}

/// `T.`, `*T.`, or nothing for a generic type.
fn receiver_name(tokens: &[(Place, Token<'_>)]) -> String {
    let star = tokens.iter().any(|(_, token)| *token == Token::Sign('*'));
    match tokens.last() {
        Some((_, Token::Word(name))) => format!("{}{name}.", if star { "*" } else { "" }),
        _ => String::new(),
    }
}

/// The index of what closes the bracket at `open`.
fn closing(tokens: &[(Place, Token<'_>)], open: usize) -> Option<usize> {
    let mut depth = 0_u32;
    for (index, (_, token)) in tokens.iter().enumerate().skip(open) {
        match token {
            Token::Sign('(' | '[' | '{') => depth += 1,
            Token::Sign(')' | ']' | '}') if depth <= 1 => return Some(index),
            Token::Sign(')' | ']' | '}') => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_named_as_the_meta_data_names_them() {
        let text = "package m\n\ntype F func()\n\nvar literal = func() {\n}\n\nfunc A() interface{} {\n\treturn func() {}\n}\n\
                    func (t T) B(x struct{ y int }) (z map[string]struct{}) {\n}\nfunc (*T) C() {}\n\
                    func (l *List[K, V]) D() {}\nfunc assembly(x int) int\nfunc E[K comparable](\n\tk K,\n) chan struct{} {\n}\n\
                    func assembly2()\n\nfunc init() {}\n";
        let functions: Vec<_> = declared_functions(text)
            .into_iter()
            .map(|function| (function.name, function.start.0, function.end))
            .collect();
        let expected = [
            ("A", 8, (10, 2)),
            ("T.B", 11, (12, 2)),
            ("*T.C", 13, (13, 17)),
            ("D", 14, (14, 28)),
            ("E", 16, (19, 2)),
            ("init", 22, (22, 15)),
        ];
        assert_eq!(functions, expected.map(|(name, line, end)| (name.to_owned(), line, end)));
    }

    #[test]
    fn text_that_is_no_go_ends() {
        for text in [
            "func",
            "func (",
            "func f(",
            "func f() {",
            "func (x) {",
            "func f() interface{",
            "}}}} func f() {}",
        ] {
            let _ = declared_functions(text);
        }
    }
}
