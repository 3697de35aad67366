//! Reads Dockerfiles. Pure: text in, [`Dockerfile`] out; lines that it does not understand are named, not guessed.
//!
//! Of the format it knows what decides what is built and run: directives, continued lines, comments, here-documents,
//! flags, both forms of commands, and quoting. Dockerfiles come from anywhere: there is no input that it fails on.

mod instruction;
mod json;
mod lines;

use crate::facts::dockerfile::{Dockerfile, InstructionKind, Stage};

/// More than any Dockerfile has.
const MOST_BYTES: usize = 4 << 20;

/// Reads a Dockerfile.
#[must_use]
pub fn parse(name: &str, text: &str) -> Dockerfile {
    let mut file = Dockerfile { name: name.to_owned(), ..Dockerfile::default() };
    let end = text.floor_char_boundary(MOST_BYTES);
    if end < text.len() {
        file.not_understood.push((0, format!("only the first {MOST_BYTES} bytes are read")));
    }
    for line in lines::logical(text.get(..end).unwrap_or_default()) {
        if let Err(reason) = add(&mut file, &line) {
            file.not_understood.push((line.number, reason));
        }
    }
    file
}

fn add(file: &mut Dockerfile, line: &lines::Line) -> Result<(), String> {
    let (keyword, rest) = line.text.split_once(char::is_whitespace).unwrap_or((&line.text, ""));
    let keyword = keyword.to_ascii_uppercase();
    if keyword == "FROM" {
        file.stages.push(from(line.number, rest)?);
        return Ok(());
    }
    let instructions = instruction::parse(&keyword, rest, line)?;
    match file.stages.last_mut() {
        Some(stage) => stage.instructions.extend(instructions),
        None => {
            for instruction in instructions {
                let InstructionKind::Argument(name, default) = instruction.kind else {
                    return Err(format!("{keyword} before FROM"));
                };
                file.global_arguments.insert(name, default);
            }
        }
    }
    Ok(())
}

fn from(number: usize, rest: &str) -> Result<Stage, String> {
    let mut words = rest.split_whitespace().skip_while(|word| word.starts_with("--"));
    let base = words.next().ok_or("FROM without an image")?.to_owned();
    let name = match (words.next(), words.next()) {
        (Some(keyword), Some(name)) if keyword.eq_ignore_ascii_case("as") => Some(name.to_owned()),
        (None, _) => None,
        _ => return Err("FROM with more than an image and AS name".to_owned()),
    };
    Ok(Stage { name, base, line: number, instructions: Vec::new() })
}

#[cfg(test)]
mod tests;
