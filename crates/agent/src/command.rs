//! The agent's command line, read by hand: an argument parser would be a fifth of the executable's size.
//!
//! Owns what the arguments mean and which exit code an outcome has; the work is in [`crate::keep`], [`crate::attach`]
//! and [`crate::snapshot`].

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use podcov_agent_protocol::{
    AGENT_ARGUMENT_ATTACH, AGENT_ARGUMENT_EXAMINE, AGENT_ARGUMENT_KEEP, AGENT_ARGUMENT_SNAPSHOT,
    AGENT_ARGUMENT_SUPERVISE, AGENT_ARGUMENT_WAIT, EXIT_DEADLINE, KEEP_DEADLINE_FLAG, Question,
    SIDECAR_DATA_DIRECTORY,
};

use crate::keep::Outcome;
use crate::terminal::say;
use crate::{attach, keep, snapshot, supervise};

const EXIT_FAILURE: u8 = 1;
const EXIT_USAGE: u8 = 2;

const USAGE: &str = "usage:
  agent keep --deadline-seconds=N CONTAINER...
  agent attach
  agent supervise -- PROGRAM [ARGUMENT]...
  agent wait
  agent snapshot CONTAINER-ID...
  agent examine CONTAINER-ID...
  agent --version";

/// For tests, which have no `/podcov`.
const DATA_DIRECTORY_FLAG: &str = "--data-directory";

#[derive(Debug, PartialEq, Eq)]
enum Command {
    Keep { data_directory: PathBuf, deadline: Duration, containers: Vec<String> },
    Attach { data_directory: PathBuf },
    Wait,
    Read { containers: Vec<String>, question: Question },
    Version,
}

/// Does what the arguments say, and tells the exit code.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let mut arguments = arguments.peekable();
    // Apart, since a program's arguments need not be UTF-8.
    if arguments.next_if(|argument| argument == AGENT_ARGUMENT_SUPERVISE).is_some() {
        let _ = arguments.next_if(|argument| argument == "--");
        return supervise::run(arguments);
    }
    let result = match parse(arguments.map(|argument| argument.to_string_lossy().into_owned())) {
        Err(problem) => {
            say(format_args!("{problem}\n{USAGE}"));
            return ExitCode::from(EXIT_USAGE);
        }
        Ok(Command::Keep { data_directory, deadline, containers }) => {
            keep::run(&data_directory, deadline, &containers)
        }
        Ok(Command::Attach { data_directory }) => {
            attach::run(&data_directory).map(|()| Outcome::EverythingTaken)
        }
        // Until it is killed: its pod has a deadline.
        Ok(Command::Wait) => loop {
            std::thread::park();
        },
        Ok(Command::Read { containers, question }) => {
            snapshot::run(&containers, question).map(|()| Outcome::EverythingTaken)
        }
        Ok(Command::Version) => writeln!(std::io::stdout(), "podcov-agent {}", env!("CARGO_PKG_VERSION"))
            .map(|()| Outcome::EverythingTaken)
            .map_err(|error| format!("cannot write the version: {error}")),
    };
    match result {
        Ok(Outcome::EverythingTaken) => ExitCode::SUCCESS,
        Ok(Outcome::DeadlinePassed) => ExitCode::from(u8::try_from(EXIT_DEADLINE).unwrap_or(EXIT_FAILURE)),
        Err(problem) => {
            say(problem);
            ExitCode::from(EXIT_FAILURE)
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let command = arguments.next().ok_or("a command is missing")?;
    match command.as_str() {
        AGENT_ARGUMENT_WAIT => return Ok(Command::Wait),
        AGENT_ARGUMENT_SNAPSHOT => return parse_reading(arguments, Question::Counters),
        AGENT_ARGUMENT_EXAMINE => return parse_reading(arguments, Question::Processes),
        _ => {}
    }
    let mut data_directory = PathBuf::from(SIDECAR_DATA_DIRECTORY);
    let mut deadline = None;
    let mut containers = Vec::new();
    for argument in arguments {
        match argument.split_once('=') {
            Some((DATA_DIRECTORY_FLAG, value)) => data_directory = PathBuf::from(value),
            Some((KEEP_DEADLINE_FLAG, value)) => {
                let seconds: u32 = value
                    .parse()
                    .map_err(|_| format!("{value} is no number of seconds for {KEEP_DEADLINE_FLAG}"))?;
                deadline = Some(Duration::from_secs(seconds.into()));
            }
            None if is_container_name(&argument) => containers.push(argument),
            _ => return Err(format!("{argument} is neither a flag nor the name of a container")),
        }
    }
    containers.sort_unstable();
    containers.dedup();
    match command.as_str() {
        AGENT_ARGUMENT_KEEP => {
            let deadline = deadline.ok_or_else(|| format!("{KEEP_DEADLINE_FLAG}=N is missing"))?;
            if containers.is_empty() {
                return Err("the names of the containers are missing".to_owned());
            }
            Ok(Command::Keep { data_directory, deadline, containers })
        }
        AGENT_ARGUMENT_ATTACH if deadline.is_none() && containers.is_empty() => {
            Ok(Command::Attach { data_directory })
        }
        AGENT_ARGUMENT_ATTACH => Err("attach takes no arguments".to_owned()),
        "--version" => Ok(Command::Version),
        _ => Err(format!("there is no command {command}")),
    }
}

fn parse_reading(arguments: impl Iterator<Item = String>, question: Question) -> Result<Command, String> {
    let containers: Vec<String> = arguments.collect();
    match containers.iter().find(|id| !is_container_id(id)) {
        Some(wrong) => Err(format!("{wrong} is no ID of a container")),
        None if containers.is_empty() => Err("the IDs of the containers are missing".to_owned()),
        None => Ok(Command::Read { containers, question }),
    }
}

/// Runtimes give 64 hexadecimal digits. A part of one, or any word, would be found in the cgroups of others.
fn is_container_id(id: &str) -> bool {
    const SHORTEST: usize = 32;
    id.len() >= SHORTEST && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Kubernetes' rule for the names of containers (a DNS label): such a name cannot leave the data directory,
/// and cannot be the agent's own directory.
fn is_container_name(name: &str) -> bool {
    const LONGEST: usize = 63;
    (1..=LONGEST).contains(&name.len())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && !name.starts_with('-')
        && !name.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &str) -> Result<Command, String> {
        parse(words.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn the_sidecars_command_line_is_understood() {
        assert_eq!(
            parse_words("keep --deadline-seconds=30 worker api api"),
            Ok(Command::Keep {
                data_directory: SIDECAR_DATA_DIRECTORY.into(),
                deadline: Duration::from_secs(30),
                containers: vec!["api".to_owned(), "worker".to_owned()],
            })
        );
        assert_eq!(
            parse_words("attach --data-directory=/elsewhere"),
            Ok(Command::Attach { data_directory: "/elsewhere".into() })
        );
        assert_eq!(parse_words("--version"), Ok(Command::Version));
    }

    #[test]
    fn containers_are_read_by_their_ids() {
        let id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        for (word, question) in [("snapshot", Question::Counters), ("examine", Question::Processes)] {
            let containers = vec![id.to_owned()];
            assert_eq!(parse_words(&format!("{word} {id}")), Ok(Command::Read { containers, question }));
        }
        for wrong in
            ["snapshot", "examine", "snapshot kubepods", "snapshot 0123", &format!("snapshot {id} pod")]
        {
            assert!(parse_words(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_wrong_command_line_is_refused() {
        for words in [
            "",
            "keep",
            "keep api",
            "keep --deadline-seconds=30",
            "keep --deadline-seconds=soon api",
            "keep --deadline-seconds 30 api --loud",
            "attach api",
            "attach --deadline-seconds=1",
        ] {
            assert!(parse_words(words).is_err(), "{words}");
        }
    }

    #[test]
    fn a_container_name_cannot_leave_the_data_directory() {
        for name in ["..", ".agent", "a/b", "", "-a", "a-", "A"] {
            assert!(!is_container_name(name), "{name}");
        }
        assert!(is_container_name("api-2"));
    }
}
