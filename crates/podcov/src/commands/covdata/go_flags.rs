//! Go's way to write flags: one dash or two, whatever the length of the name.

use std::ffi::{OsStr, OsString};

/// Flags of `go tool covdata` with names of several letters, and those of podcov.
const NAMES: [&str; 15] = [
    "pkg",
    "pcombine",
    "live",
    "cpuprofile",
    "memprofile",
    "memprofilerate",
    "hw",
    "help",
    "exclude",
    "recursive",
    "strict",
    "total",
    "json",
    "input",
    "by-directory",
];

/// Gives flags after `covdata` the second dash that the parser of this command line wants.
pub fn normalize(arguments: Vec<OsString>) -> Vec<OsString> {
    let Some(command) = arguments.iter().position(|argument| argument == "covdata") else { return arguments };
    // Before it there is the program, and flags that all commands have.
    if !arguments.iter().take(command).skip(1).all(|argument| argument.as_encoded_bytes().starts_with(b"-")) {
        return arguments;
    }
    let (before, after) = arguments.split_at(command);
    // Go's -h has a value and lets errors panic; without one it is the help that it is elsewhere.
    let has_meaning = |argument: &&OsString| {
        let text = argument.to_string_lossy();
        !text.starts_with("-h=") && !text.starts_with("--h=")
    };
    let after = after.iter().filter(has_meaning).map(|argument| with_two_dashes(argument));
    before.iter().cloned().chain(after).collect()
}

/// Reads a truth value as Go's `strconv.ParseBool` does.
pub fn parse_bool(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("it is true or false".to_owned()),
    }
}

fn with_two_dashes(argument: &OsStr) -> OsString {
    let is_long = argument.to_string_lossy().strip_prefix('-').is_some_and(|flag| {
        let name = flag.split_once('=').map_or(flag, |(name, _)| name);
        NAMES.contains(&name)
    });
    if !is_long {
        return argument.to_owned();
    }
    let mut long = OsString::from("-");
    long.push(argument);
    long
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalized(line: &str) -> String {
        let arguments = normalize(line.split(' ').map(OsString::from).collect());
        arguments.iter().map(|argument| argument.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn flags_with_one_dash_get_another() {
        for (line, expected) in [
            ("podcov covdata merge -i=a,b -o=c -pcombine", "podcov covdata merge -i=a,b -o=c --pcombine"),
            ("podcov -q covdata percent -i a -pkg net/...", "podcov -q covdata percent -i a --pkg net/..."),
            ("podcov covdata debugdump -live=false --i=a", "podcov covdata debugdump --live=false --i=a"),
            ("podcov covdata func -h=false -i=a", "podcov covdata func -i=a"),
            ("podcov exec -pkg covdata", "podcov exec -pkg covdata"),
            ("podcov report -live", "podcov report -live"),
        ] {
            assert_eq!(normalized(line), expected);
        }
    }
}
