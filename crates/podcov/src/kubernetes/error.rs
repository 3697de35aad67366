//! Errors of the cluster for the user: with the log of the container, and the next step.

use podcov_cluster::Error;

use crate::error::CommandError;

/// The same error as the command line reports it.
pub fn cluster_error(error: Error) -> CommandError {
    let hint = error.hint();
    let log = match &error {
        Error::Rollout { log: Some(log), .. } => Some(log.trim_end().to_owned()),
        _ => None,
    };
    let mut command_error = match error {
        Error::BadTarget { .. } => CommandError::usage(error),
        error => CommandError::failure(error),
    };
    if let Some(log) = log {
        let lines: Vec<String> = log.lines().map(printable).collect();
        command_error = command_error.excerpt("the end of its log", lines.join("\n"));
    }
    match hint {
        Some(hint) => command_error.hint(hint.0),
        None => command_error,
    }
}

/// Text from outside, such as from a pod or a registry, without what could steer a terminal.
pub fn printable(text: &str) -> String {
    text.chars().filter(|character| !character.is_control() || *character == '\t').collect()
}
