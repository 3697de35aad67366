//! What is only done if the user agrees: it is said first, in full.

use crate::error::CommandError;
use crate::terminal::Terminal;

/// Something to agree to.
pub struct Request<'a> {
    /// Why it takes the user's word.
    pub why: &'a str,
    /// What is created or run, a thing on each line.
    pub lines: &'a [String],
    /// Before the lines, when somebody is there to answer.
    pub introduction: &'a str,
    /// What there is to answer.
    pub question: &'a str,
    /// Other ways, for those who cannot be asked.
    pub hints: &'a [&'a str],
}

/// Asks, unless the answer was given with `--yes`. An error if it is no, or if nobody is there to give it.
pub fn agree(request: &Request<'_>, is_agreed: bool, terminal: &Terminal) -> Result<(), CommandError> {
    let Request { why, lines, introduction, question, hints } = request;
    if is_agreed {
        for line in *lines {
            terminal.step("creating", line, "");
        }
        return Ok(());
    }
    terminal.block(&format!("{why}. {introduction}"));
    terminal.block(&lines.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"));
    match terminal.ask(question) {
        Some(true) => Ok(()),
        Some(false) => Err(CommandError::failure("nothing was created, and nothing read")),
        None => {
            let error = CommandError::usage((*why).to_owned()).hint("agree with --yes");
            Err(hints.iter().fold(error, |error, hint| error.hint(*hint)))
        }
    }
}
