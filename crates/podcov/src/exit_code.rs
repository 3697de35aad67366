//! The codes that podcov ends with. The one place that knows the numbers; docs/exit-codes.md is its table.

use crate::interrupt::Signal;

/// How a podcov process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// 0: everything that was asked for was done. Also when the reader of the output went away.
    Success,
    /// 1: podcov itself failed; the message says what and where.
    Failure,
    /// 2: the command line makes no sense.
    Usage,
    /// 3: the tests passed, but coverage data that was expected is missing.
    Incomplete,
    /// 4: the tests passed and the data is complete, but a gate is not passed.
    GateMissed,
    /// 1: `doctor` found why there is no data, or why it is wrong.
    CauseFound,
    /// 2: `doctor` could not look at what it was given.
    CouldNotLook,
    /// 126: a command that podcov was to start is there, but cannot be executed.
    CommandNotExecutable,
    /// 127: a command that podcov was to start is not there.
    CommandNotFound,
    /// 128 + the signal's number (130 for Ctrl-C, 143 for SIGTERM): the user or the system stopped podcov.
    Interrupted(Signal),
    /// The test command's (or the program's) own code; 128 + the signal's number when a signal ended it.
    Command(u8),
}

impl ExitCode {
    /// The number that the caller of podcov sees.
    pub fn number(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure | Self::CauseFound => 1,
            Self::Usage | Self::CouldNotLook => 2,
            Self::Incomplete => 3,
            Self::GateMissed => 4,
            Self::CommandNotExecutable => 126,
            Self::CommandNotFound => 127,
            Self::Interrupted(signal) => 128 + signal.number(),
            Self::Command(code) => code,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        code.number().into()
    }
}
