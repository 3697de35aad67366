//! One instruction of a Dockerfile: its flags, and what it says.

use super::json;
use super::lines::Line;
use crate::facts::dockerfile::{Command, Instruction, InstructionKind};

pub(super) fn parse(keyword: &str, rest: &str, line: &Line) -> Result<Vec<Instruction>, String> {
    let rest = rest.trim();
    let kinds = match keyword {
        "ARG" => arguments(rest),
        "ENV" => environment(rest)?,
        "RUN" => vec![InstructionKind::Run(run(rest, &line.documents))],
        "ENTRYPOINT" => vec![InstructionKind::EntryPoint(command(rest))],
        "CMD" => vec![InstructionKind::Command(command(rest))],
        "COPY" | "ADD" => vec![copy(rest)],
        "USER" => vec![InstructionKind::User(rest.to_owned())],
        "SHELL" => {
            vec![InstructionKind::Shell(json::strings(rest).ok_or("SHELL wants a list of strings in JSON")?)]
        }
        "LABEL" | "EXPOSE" | "VOLUME" | "WORKDIR" | "ONBUILD" | "STOPSIGNAL" | "HEALTHCHECK"
        | "MAINTAINER" => {
            vec![InstructionKind::Other(format!("{keyword} {rest}"))]
        }
        _ => return Err(format!("no instruction: {}", keyword.chars().take(40).collect::<String>())),
    };
    Ok(kinds.into_iter().map(|kind| Instruction { line: line.number, kind }).collect())
}

fn command(rest: &str) -> Command {
    json::strings(rest).map_or_else(|| Command::Shell(rest.to_owned()), Command::Exec)
}

fn run(rest: &str, documents: &[String]) -> Command {
    let (_, rest) = flags(rest);
    match documents {
        [] => command(rest),
        // `RUN <<EOF`: the document is the script. With a command before it, it is that command's input.
        [script, ..] if rest.starts_with("<<") => Command::Shell(script.clone()),
        _ => Command::Shell(rest.to_owned()),
    }
}

fn copy(rest: &str) -> InstructionKind {
    let (flags, rest) = flags(rest);
    let from = flags.iter().find_map(|flag| flag.strip_prefix("--from=")).map(str::to_owned);
    let paths = json::strings(rest).unwrap_or_else(|| rest.split_whitespace().map(str::to_owned).collect());
    InstructionKind::Copy { from, paths }
}

/// `--mount=…` and the like, and what follows them.
fn flags(rest: &str) -> (Vec<&str>, &str) {
    let mut found = Vec::new();
    let mut rest = rest.trim_start();
    while rest.starts_with("--") {
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (flag, after) = rest.split_at(end);
        found.push(flag);
        rest = after.trim_start();
    }
    (found, rest)
}

fn arguments(rest: &str) -> Vec<InstructionKind> {
    let argument = |word: String| match word.split_once('=') {
        Some((name, value)) => InstructionKind::Argument(name.to_owned(), Some(value.to_owned())),
        None => InstructionKind::Argument(word, None),
    };
    words(rest).into_iter().map(argument).collect()
}

/// `name=value…`, or the old form `name value` to the end of the line.
fn environment(rest: &str) -> Result<Vec<InstructionKind>, String> {
    let words = words(rest);
    if !words.first().ok_or("ENV without a name")?.contains('=') {
        let (name, value) = rest.split_once(char::is_whitespace).ok_or("ENV without a value")?;
        return Ok(vec![InstructionKind::Environment(name.to_owned(), value.trim().to_owned())]);
    }
    let variable = |word: &String| {
        let (name, value) = word.split_once('=')?;
        Some(InstructionKind::Environment(name.to_owned(), value.to_owned()))
    };
    words
        .iter()
        .map(|word| variable(word).ok_or_else(|| format!("ENV with {word}, which has no value")))
        .collect()
}

/// Words without their quotes. Variables stay as they are written.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = None::<String>;
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (None, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (Some(open), close) if open == close => quote = None,
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(characters.next()),
            (None, blank) if blank.is_whitespace() => words.extend(word.take()),
            (_, other) => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}
