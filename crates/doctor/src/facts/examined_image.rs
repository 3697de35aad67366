//! What a container image says of itself: what a container of it runs, as whom, and where it could write.

use crate::facts::Binary;
use crate::facts::running_workload::{Answer, ImageDirectory};
use crate::shell;

/// An image.
#[derive(Clone, Debug)]
pub struct ExaminedImage {
    /// `image shop-api:dev`.
    pub subject: String,
    /// What a container of it runs.
    pub command_line: Vec<String>,
    /// The shell script that the command line is or names, if it is one.
    pub script: Option<Script>,
    /// The user, as the image names it; empty for root.
    pub user: String,
    /// `ENV GOCOVERDIR`.
    pub setting: Option<String>,
    /// What the image has there; none without the variable.
    pub directory: Option<Answer<ImageDirectory>>,
    /// Whether it has a shell.
    pub has_shell: bool,
    /// Its Go programs; their names are their paths.
    pub programs: Vec<Binary>,
    /// The path of the program that is started, as far as it was found.
    pub started: Answer<String>,
}

/// A shell script that starts a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// `ENTRYPOINT`, or the file it is in.
    pub place: String,
    /// Its text.
    pub text: String,
}

/// What a shell makes of the program that its script starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShellRole {
    /// The program takes the shell's place (`exec`).
    Replaced,
    /// One command and nothing else: some shells let it take their place, others do not.
    DependsOnShell,
    /// The shell stays the first process.
    Stays,
}

impl Script {
    /// What becomes of the shell when the program runs.
    #[must_use]
    pub fn shell_role(&self) -> ShellRole {
        let is_code = |line: &&str| !line.is_empty() && !line.starts_with('#');
        let text = self.text.lines().map(str::trim).filter(is_code).collect::<Vec<_>>().join("\n");
        if shell::hands_over(&text) {
            ShellRole::Replaced
        } else if shell::is_simple(&text) && !text.contains('\n') {
            ShellRole::DependsOnShell
        } else {
            ShellRole::Stays
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_stays_unless_it_is_told_to_go() {
        let role = |text: &str| Script { place: String::new(), text: text.to_owned() }.shell_role();
        for replaced in ["exec /app", "set -e\nmigrate\nexec /app \"$@\"", "cd /x && exec /app"] {
            assert_eq!(role(replaced), ShellRole::Replaced, "{replaced}");
        }
        assert_eq!(role("/app --port 80"), ShellRole::DependsOnShell);
        assert_eq!(role("#!/bin/sh\n# starts it\n/app \"$@\"\n"), ShellRole::DependsOnShell);
        for stays in ["migrate && /app", "/app | tee log", "/app; echo done", "migrate\n/app", "/app &\nwait"]
        {
            assert_eq!(role(stays), ShellRole::Stays, "{stays}");
        }
    }
}
