//! Lines for a shell, as far as one can tell what they start: words, variables, and where a command ends.
//!
//! No shell: what it cannot tell (substitutions, loops) it leaves open, and callers treat it as not known. What a word is, is
//! `word`'s; where it ends, `lexer`'s.

mod lexer;
mod word;

use lexer::Lexer;
use word::Part;
pub use word::{Expanded, Value, Word};

/// One simple command: `A=b go build -o x .`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SimpleCommand {
    /// Assignments before it.
    pub assignments: Vec<(String, Word)>,
    /// The program and its arguments.
    pub words: Vec<Word>,
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

/// `name=value` after `export` or `env`, and after ENV and ARG of a Dockerfile.
#[must_use]
pub fn split_assignment(word: &Word) -> Option<(String, Word)> {
    word::assignment(word)
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
        if let Part::Variable { is_quoted, .. } | Part::Open { is_quoted } = part {
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
        assert_eq!(words("a -b=\"x$GIVEN\" \"$(c)\""), [["a", "-b=x${GIVEN}", "$(…)"]]);
    }

    #[test]
    fn of_a_word_that_stays_one_the_beginning_is_known() {
        let value = |name: &str| if name == "GIVEN" { Value::Open } else { Value::Is("x".to_owned()) };
        let beginning = |line: &str| commands(line)[0].words[0].beginning(&value);
        assert_eq!(beginning("-a=\"$OTHER.$GIVEN\""), Some("-a=x.".to_owned()));
        assert_eq!(beginning("\"-a=`b`\""), Some("-a=".to_owned()));
        assert_eq!(beginning("-a=$GIVEN"), None);
        assert_eq!(beginning("-a=\"$GIVEN\"$(b)"), None);
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
