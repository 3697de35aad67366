//! Commands that start a program through a shell, which keeps signals to itself.

use crate::{Severity, shell};

/// Bases whose `sh` is busybox, which lets a lone command take its place; dash, of Debian and Ubuntu, does not.
const WITH_BUSYBOX: [&str; 2] = ["alpine", "busybox"];
const WITH_DASH: [&str; 5] = ["debian", "ubuntu", "bookworm", "trixie", "-slim"];

/// Why the program of this command never sees SIGTERM, and how sure that is; nothing if it does, or if it cannot be told.
pub(super) fn swallows_signals(command: &[String], base: &str) -> Option<(Severity, String)> {
    let (program, rest) = command.split_first()?;
    let name = program.rsplit('/').next().unwrap_or_default();
    if !["sh", "ash", "dash", "bash"].contains(&name) {
        return None;
    }
    // `-c`, `-ec`, `-o pipefail -c`: the script is the word after it.
    let at = rest.iter().position(|word| word.starts_with('-') && word.ends_with('c'))?;
    let script = rest.get(at + 1)?;
    if shell::hands_over(script) || shell::commands(script).iter().all(|command| command.words.is_empty()) {
        return None;
    }
    let shown = command.join(" ");
    if !shell::is_simple(script) || name == "dash" {
        return Some((Severity::Error, shown));
    }
    let is_like = |names: &[&str]| names.iter().any(|name| base.contains(name));
    match name {
        "sh" if is_like(&WITH_BUSYBOX) => None,
        "sh" if is_like(&WITH_DASH) => Some((Severity::Error, shown)),
        "sh" => Some((Severity::Warning, shown)),
        _ => None,
    }
}

/// What to say of it.
pub(super) const fn sentence(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => {
            "PID 1 is a shell that stays: it does not pass SIGTERM on, and the program is killed without counters"
        }
        _ => {
            "PID 1 is a shell: unless it lets the program take its place (dash does not), SIGTERM never arrives there"
        }
    }
}

/// The same command with `exec` before the last program.
pub(super) fn handed_over(command: &[String]) -> String {
    let quoted = |word: &String| format!("{word:?}");
    let mut words: Vec<String> = command.to_vec();
    if let Some(script) = words.last_mut() {
        let before = script.rfind(['&', ';', '\n']).map_or(0, |at| at + 1);
        let (before, last) = script.split_at(before);
        *script = format!("{before}{}exec {}", if before.is_empty() { "" } else { " " }, last.trim_start());
    }
    format!("[{}]", words.iter().map(quoted).collect::<Vec<_>>().join(", "))
}
