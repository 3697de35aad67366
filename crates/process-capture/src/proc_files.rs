//! What `/proc/PID` tells of a process. Owns how its files are read and taken apart.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::num::NonZeroU32;
use std::path::PathBuf;

use crate::{Reason, denial};

/// The number of a process, as this process sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId(pub NonZeroU32);

impl ProcessId {
    /// None for 0, and for what the system has no process of.
    #[must_use]
    pub fn new(number: u32) -> Option<Self> {
        i32::try_from(number).ok()?;
        NonZeroU32::new(number).map(Self)
    }
}

impl fmt::Display for ProcessId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// When a process was started, in clock ticks since the system was. Together with its number it identifies a process
/// until the next boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StartTime(pub u64);

/// Where the stack of a process begins. The kernel chooses another place each time the process becomes a program
/// (`exec`), so that it tells the process from what it was before, also when it is the same program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StartOfStack(pub u64);

/// More than `ARG_MAX`.
const LONGEST_COMMAND_LINE: u64 = 8 << 20;
/// Files of the kernel's own; the longest here has a few kilobytes.
const LONGEST_FILE: u64 = 64 * 1024;

/// The files of a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProcFiles(pub(crate) ProcessId);

/// A line of `/proc/PID/stat`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stat {
    pub(crate) state: char,
    /// Who started it, or whom it was left to.
    pub(crate) parent: u32,
    pub(crate) start_time: StartTime,
    /// Where code begins; 0 without permission.
    pub(crate) start_of_code: u64,
    /// Where the stack begins; 0 without permission.
    pub(crate) start_of_stack: StartOfStack,
    /// Where its variables begin and end; 0 without permission.
    pub(crate) environment: (u64, u64),
}

impl Stat {
    /// Its parent may not have asked for its status yet.
    pub(crate) const fn has_ended(self) -> bool {
        matches!(self.state, 'Z' | 'X' | 'x')
    }
}

impl ProcFiles {
    pub(crate) fn path(self, name: &str) -> PathBuf {
        format!("/proc/{}/{name}", self.0).into()
    }

    /// Why a file cannot be opened or read.
    pub(crate) fn refused(self, name: &str, error: io::Error) -> Reason {
        const NO_SUCH_PROCESS: i32 = 3;
        match error.kind() {
            io::ErrorKind::NotFound => Reason::Gone,
            _ if error.raw_os_error() == Some(NO_SUCH_PROCESS) => Reason::Gone,
            io::ErrorKind::PermissionDenied => Reason::Denied(denial::explain(self)),
            _ => Reason::System { path: self.path(name).display().to_string(), source: error },
        }
    }

    pub(crate) fn read(self, name: &str, limit: u64) -> Result<Vec<u8>, Reason> {
        let mut bytes = Vec::new();
        let read = File::open(self.path(name)).and_then(|file| file.take(limit).read_to_end(&mut bytes));
        read.map_err(|error| self.refused(name, error))?;
        Ok(bytes)
    }

    pub(crate) fn stat(self) -> Result<Stat, Reason> {
        let bytes = self.read("stat", LONGEST_FILE)?;
        let text = String::from_utf8_lossy(&bytes);
        parse_stat(&text).ok_or_else(|| self.refused("stat", io::ErrorKind::InvalidData.into()))
    }

    /// Its arguments, the program first; none of a process that is ending.
    pub(crate) fn arguments(self) -> Result<Vec<Vec<u8>>, Reason> {
        Ok(split_arguments(&self.read("cmdline", LONGEST_COMMAND_LINE)?))
    }

    /// What it runs, as it is called in its own file system. Names are free to have characters that steer a terminal.
    pub(crate) fn executable_name(self) -> String {
        let path = fs::read_link(self.path("exe")).unwrap_or_else(|_| self.path("exe"));
        let characters = path.to_string_lossy();
        characters
            .chars()
            .map(|character| if character.is_control() { '\u{fffd}' } else { character })
            .collect()
    }

    /// The number that the process itself sees, which differs in a container.
    pub(crate) fn own_id(self) -> Option<u32> {
        let status = self.read("status", LONGEST_FILE).ok()?;
        status_field(&String::from_utf8_lossy(&status), "NSpid")?.split_whitespace().last()?.parse().ok()
    }

    /// Where the kernel told the program that its program headers are.
    pub(crate) fn program_headers(self) -> Result<Option<u64>, Reason> {
        const AT_PHDR: u64 = 3;
        let bytes = self.read("auxv", LONGEST_FILE)?;
        Ok(bytes.as_chunks::<16>().0.iter().find_map(|entry| {
            let (kind, value) = entry.split_first_chunk::<8>()?;
            (u64::from_le_bytes(*kind) == AT_PHDR)
                .then(|| value.first_chunk().copied().map(u64::from_le_bytes))?
        }))
    }

    pub(crate) fn status(self) -> Result<String, Reason> {
        Ok(String::from_utf8_lossy(&self.read("status", LONGEST_FILE)?).into_owned())
    }
}

/// A field of `/proc/PID/status`.
pub(crate) fn status_field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    let mut values = status.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    values.next().map(str::trim)
}

/// The name of the program, in parentheses, may have anything in it.
fn parse_stat(text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<_> = rest.split_whitespace().collect();
    // The manual counts from 1, and the state is the third.
    let field = |number: usize| fields.get(number - 3).copied();
    Some(Stat {
        state: field(3)?.chars().next()?,
        parent: field(4)?.parse().ok()?,
        start_time: StartTime(field(22)?.parse().ok()?),
        start_of_code: field(26)?.parse().ok()?,
        start_of_stack: StartOfStack(field(28)?.parse().ok()?),
        environment: (field(50)?.parse().ok()?, field(51)?.parse().ok()?),
    })
}

fn split_arguments(bytes: &[u8]) -> Vec<Vec<u8>> {
    let Some(bytes) = bytes.strip_suffix(&[0]) else {
        // Only a program that changes its title leaves out the last zero.
        return if bytes.is_empty() { Vec::new() } else { vec![bytes.to_vec()] };
    };
    bytes.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_with_parentheses_does_not_confuse() {
        let numbers = (4..=52).map(|number| number.to_string()).collect::<Vec<_>>().join(" ");
        let stat = parse_stat(&format!("7 (a) R (b) S {numbers}\n")).unwrap();
        assert_eq!((stat.state, stat.parent, stat.start_time), ('S', 4, StartTime(22)));
        assert_eq!((stat.start_of_code, stat.start_of_stack), (26, StartOfStack(28)));
        assert_eq!(stat.environment, (50, 51));
        assert!(parse_stat("7 (a) S 4 5").is_none());
    }

    #[test]
    fn empty_arguments_are_arguments() {
        assert_eq!(split_arguments(b"/bin/api\0\0-v\0\0"), [b"/bin/api".as_slice(), b"", b"-v", b""]);
        assert!(split_arguments(b"").is_empty());
    }
}
