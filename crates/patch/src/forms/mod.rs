//! The forms in which the coverage of a change is told. Each is one function from the report to text.
//!
//! Names and source lines come from patches and data of others: each form makes them inert in its own way.

mod github;
mod json;
mod markdown;
mod sarif;
mod text;

use go_coverage::Totals;
use podcov_report::percent;

pub use github::github;
pub use json::json;
pub use markdown::markdown;
pub use sarif::sarif;
pub use text::text;

use crate::report::count;
use crate::{ChangedFile, ChangedLines, LineState, LostFunction};

/// The longest source line that is shown.
const LONGEST_SOURCE: usize = 120;

/// One line, without anything that moves a cursor or turns text around.
fn inert(text: &str) -> String {
    let is_harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
    };
    text.replace(is_harmful, " ")
}

/// A source line with its tabs made to spaces, and not longer than can be read.
fn source(text: &str) -> String {
    let text = inert(&text.replace('\t', "    "));
    match text.char_indices().nth(LONGEST_SOURCE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// `14 of 17 lines`
fn of(totals: Totals) -> String {
    format!("{} of {}", totals.covered, count(totals.statements, "line"))
}

/// `example.com/shop/cart.(*Cart).Add`; the file, where the data knows no functions.
fn function_name(lost: &LostFunction) -> String {
    let LostFunction { package, name, file, .. } = lost;
    match name.strip_prefix('*').and_then(|name| name.split_once('.')) {
        _ if file.ends_with(&format!("/{name}")) => file.clone(),
        Some((receiver, method)) => format!("{package}.(*{receiver}).{method}"),
        None => format!("{package}.{name}"),
    }
}

/// What a function lost, in a sentence of its own.
fn loss_in_words(lost: &LostFunction, earlier: &str) -> String {
    let places: Vec<String> = lost.stretches().iter().map(ToString::to_string).collect();
    let do_not = if lost.statements() == 1 { "does" } else { "do" };
    format!(
        "{}: {} ran in {earlier} and {do_not} not run now ({}).",
        function_name(lost),
        count(lost.statements(), "statement"),
        places.join(", ")
    )
}

/// `82.4 %`; `–` where there is nothing to cover.
fn share(totals: Totals) -> String {
    if totals.statements == 0 { "–".to_owned() } else { format!("{} %", percent(totals)) }
}

/// What a stretch of lines is, in a sentence of its own.
fn gap_in_words(lines: &ChangedLines, start: u32, end: u32) -> String {
    let states = || lines.lines.range(start..=end).map(|(_, state)| *state);
    let is_partial = states().all(|state| state == LineState::Partial);
    match (start == end, is_partial) {
        (true, true) => format!("Line {start} was changed, and not all of it ran."),
        (true, false) => format!("Line {start} was changed and did not run."),
        (false, true) => format!("Lines {start} to {end} were changed, and not all of them ran."),
        (false, false) => format!("Lines {start} to {end} were changed and did not run."),
    }
}

/// What is known of a file in a few words, such as `2 did not run, 1 only in part`.
fn states(lines: &ChangedLines) -> String {
    let not_covered = lines.count(LineState::NotCovered);
    match (not_covered, lines.count(LineState::Partial)) {
        (0, 0) => String::new(),
        (0, partial) => format!("{partial} only in part"),
        (not_covered, 0) => format!("{not_covered} did not run"),
        (not_covered, partial) => format!("{not_covered} did not run, {partial} only in part"),
    }
}

/// The files with data.
fn measured(files: &[ChangedFile]) -> impl Iterator<Item = (&ChangedFile, &ChangedLines)> {
    files.iter().filter_map(|file| Some((file, file.coverage.as_ref().ok()?)))
}
