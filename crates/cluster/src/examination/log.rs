//! The beginning and the end of what a container wrote: Go complains at a program's start and at its end.

use kube::api::LogParams;

use super::{Answer, ContainerFacts, ContainerState};
use crate::{Connection, error::has_code};

/// Of each part.
const MAX_BYTES: i64 = 128 * 1024;
const LAST_LINES: i64 = 400;

/// What a container wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFacts {
    /// Of the start that runs, or was the last.
    pub current: LogParts,
    /// Of the start before that.
    pub previous: Option<LogParts>,
}

/// Two parts of a log, which may overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogParts {
    /// Its first kilobytes.
    pub beginning: String,
    /// Its last lines.
    pub end: String,
}

impl LogFacts {
    /// Every line that was read; those of the start before first.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        let parts = self.previous.iter().chain(std::iter::once(&self.current));
        parts.flat_map(|parts| parts.beginning.lines().chain(parts.end.lines()))
    }
}

pub(super) async fn read(connection: &Connection, pod: &str, container: &ContainerFacts) -> Answer<LogFacts> {
    if !matches!(container.state, Some(ContainerState::Running | ContainerState::Terminated(_)))
        && container.last_termination.is_none()
    {
        return Err("the container has not been started".to_owned());
    }
    let current = parts(connection, pod, &container.name, false).await?;
    let previous = match &container.last_termination {
        Some(_) => parts(connection, pod, &container.name, true).await.ok(),
        None => None,
    };
    Ok(LogFacts { current, previous })
}

async fn parts(connection: &Connection, pod: &str, container: &str, previous: bool) -> Answer<LogParts> {
    let parameters = LogParams {
        container: Some(container.to_owned()),
        previous,
        limit_bytes: Some(MAX_BYTES),
        ..LogParams::default()
    };
    let last = LogParams { tail_lines: Some(LAST_LINES), ..parameters.clone() };
    let beginning = text(connection, pod, &parameters).await?;
    let is_whole = i64::try_from(beginning.len()).unwrap_or(i64::MAX) < MAX_BYTES;
    let end = if is_whole { String::new() } else { text(connection, pod, &last).await? };
    Ok(LogParts { beginning, end })
}

async fn text(connection: &Connection, pod: &str, parameters: &LogParams) -> Answer<String> {
    match connection.pods().logs(pod, parameters).await {
        Ok(text) => Ok(text),
        Err(error) if has_code(&error, 403) => Err("no permission to read logs (get pods/log)".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
