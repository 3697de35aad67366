//! Commands that start a program through a shell, which keeps signals to itself.

use crate::shell;

/// Why the program of this command never sees SIGTERM; nothing if it does, or if it cannot be told.
pub(super) fn swallows_signals(command: &[String]) -> Option<String> {
    let (program, rest) = command.split_first()?;
    let name = program.rsplit('/').next().unwrap_or_default();
    if !["sh", "ash", "dash", "bash"].contains(&name) {
        return None;
    }
    // `-c`, `-ec`, `-o pipefail -c`: the script is the word after it.
    let at = rest.iter().position(|word| word.starts_with('-') && word.ends_with('c'))?;
    let script = rest.get(at + 1)?;
    if shell::hands_over(script) || (name == "bash" && shell::is_simple(script)) {
        return None;
    }
    // Only built-ins: no program is started.
    let programs = shell::commands(script);
    programs.iter().any(|command| !command.words.is_empty()).then(|| command.join(" "))
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
