//! Errors as the user reads them: what failed, why, and what to do next.
//!
//! Owns the value; [`crate::terminal`] prints it. Libraries below this crate have their own errors, which
//! become the cause of one of these.

use std::error::Error;
use std::fmt;

use crate::exit_code::ExitCode;
use crate::interrupt::Signal;

/// What every command returns when it cannot go on.
#[derive(Debug)]
pub struct CommandError {
    kind: ErrorKind,
    error: Box<dyn Error + Send + Sync>,
    hints: Vec<String>,
    excerpts: Vec<(String, String)>,
}

/// The class of an error. It chooses the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The command line makes no sense.
    Usage,
    /// A command that podcov was to start is not there.
    CommandNotFound,
    /// A command that podcov was to start cannot be executed.
    CommandNotExecutable,
    /// The user or the system stopped podcov.
    Interrupted(Signal),
    /// The reader of the output went away. Nobody is told, and the exit code is 0.
    BrokenPipe,
    /// Anything else.
    Failure,
}

impl ErrorKind {
    /// The exit code of an error of this kind.
    pub fn exit_code(self) -> ExitCode {
        match self {
            Self::Usage => ExitCode::Usage,
            Self::CommandNotFound => ExitCode::CommandNotFound,
            Self::CommandNotExecutable => ExitCode::CommandNotExecutable,
            Self::Interrupted(signal) => ExitCode::Interrupted(signal),
            Self::BrokenPipe => ExitCode::Success,
            Self::Failure => ExitCode::Failure,
        }
    }
}

impl CommandError {
    /// An error of this kind. `error` may be a message, or an error with causes of its own.
    pub fn new(kind: ErrorKind, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind, error: error.into(), hints: Vec::new(), excerpts: Vec::new() }
    }

    /// Something podcov was asked to do failed.
    pub fn failure(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Failure, error)
    }

    /// The command line makes no sense.
    pub fn usage(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Usage, error)
    }

    /// The same, with its reason.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.error = Box::new(Because { message: self.error.to_string(), cause: cause.into() });
        self
    }

    /// The same, with a next step for the user. Hints are printed in the order they were added.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same, with evidence that is shown as it is, such as the end of a log, under the name of its source.
    #[must_use]
    pub fn excerpt(mut self, source: impl Into<String>, text: impl Into<String>) -> Self {
        self.excerpts.push((source.into(), text.into()));
        self
    }

    /// The class of the error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What failed, then its causes, outermost first. A cause that its parent already spells out is left out.
    pub fn messages(&self) -> Vec<String> {
        let mut messages = vec![self.error.to_string()];
        let mut cause = self.error.source();
        while let Some(error) = cause {
            let message = error.to_string();
            if messages.last().is_none_or(|previous| !previous.ends_with(&message)) {
                messages.push(message);
            }
            cause = error.source();
        }
        messages
    }

    /// Evidence, each under the name of its source.
    pub fn excerpts(&self) -> &[(String, String)] {
        &self.excerpts
    }

    /// Next steps for the user.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }
}

/// One line, for notes and logs: the message and its causes.
impl fmt::Display for CommandError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.messages().join(": "))
    }
}

#[derive(Debug)]
struct Because {
    message: String,
    cause: Box<dyn Error + Send + Sync>,
}

impl fmt::Display for Because {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Error for Because {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.cause.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_listed_outermost_first() {
        let error = CommandError::failure("cannot write coverage/run.json")
            .caused_by(std::io::Error::other("no space left on device"))
            .caused_by("the disk is full");
        assert_eq!(error.messages(), ["cannot write coverage/run.json", "the disk is full"]);

        let error = CommandError::failure("cannot write coverage/run.json")
            .caused_by(std::io::Error::other("no space left on device"));
        assert_eq!(error.to_string(), "cannot write coverage/run.json: no space left on device");
    }
}
