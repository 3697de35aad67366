//! For a comment on a pull request, or the summary of a job: short, with the details folded.

use std::fmt::Write;

use super::{function_name, measured, of, share, source, states};
use crate::report::count;
use crate::{Against, ChangedLines, DiffReport, LineState};

/// GitHub refuses a comment of more than 65,536 characters.
const MOST_CHARACTERS: usize = 60_000;
/// Of files, functions and the like, this many are listed.
const MOST_LISTED: usize = 50;

/// A heading, a table, and what did not run.
#[must_use]
pub fn markdown(report: &DiffReport) -> String {
    let mut output = String::new();
    let lines = report.lines();
    let headline = if lines.statements == 0 {
        "### Coverage of the change: no changed line can run".to_owned()
    } else {
        format!("### Coverage of the change: {} ({})", share(lines), of(lines))
    };
    let mut paragraph = |text: String| {
        let _ = write!(output, "{text}\n\n");
    };
    paragraph(headline);
    for verdict in &report.verdicts {
        let mark = if verdict.passed { '✅' } else { '❌' };
        let cheapest = verdict
            .cheapest_in_words()
            .map(|cheapest| format!("<br>{}", escaped(&cheapest)))
            .unwrap_or_default();
        paragraph(format!("{mark} **{}**: {}{cheapest}", escaped(&verdict.gate), escaped(&verdict.reason)));
    }
    for missing in &report.missing {
        paragraph(format!("⚠️ missing: {}", escaped(missing)));
    }
    for note in &report.notes {
        paragraph(format!("ℹ️ {}", escaped(note)));
    }
    table(&mut output, report);
    if let Some(against) = &report.against {
        lost(&mut output, against);
    }
    excerpts(&mut output, report);
    let _ = writeln!(output, "<sub>{} · {}</sub>", escaped(&report.changes), escaped(&report.data));
    output
}

fn table(output: &mut String, report: &DiffReport) {
    if report.files.is_empty() {
        return;
    }
    output.push_str("| File | Covered | Changed | |\n|---|---:|---:|---|\n");
    let known = measured(&report.files).map(|(file, lines)| {
        let totals = lines.totals();
        let what = if totals.statements == 0 { "no changed line can run".to_owned() } else { states(lines) };
        let renamed = file.old_path.as_ref().map(|old| format!(" (was {})", code(old))).unwrap_or_default();
        format!("| {} | {} | {} | {what}{renamed} |", code(&file.path), share(totals), of(totals))
    });
    let unknown = report.files.iter().filter_map(|file| {
        let why = file.coverage.as_ref().err()?;
        let mark = if why.is_missing() { "⚠️ " } else { "" };
        Some(format!("| {} | – | – | {mark}{} |", code(&file.path), escaped(&why.to_string())))
    });
    for row in known.chain(unknown).take(MOST_LISTED) {
        let _ = writeln!(output, "{row}");
    }
    output.push('\n');
    if report.files.len() > MOST_LISTED {
        let _ = write!(output, "and {} other files\n\n", report.files.len() - MOST_LISTED);
    }
}

fn lost(output: &mut String, against: &Against) {
    let Against { name, comparison, packages_missing, missing } = against;
    for sentence in missing {
        let _ = write!(output, "⚠️ missing in {}: {}\n\n", code(name), escaped(sentence));
    }
    for package in packages_missing {
        let _ = write!(output, "⚠️ package {} has data in {}, and none now\n\n", code(package), code(name));
    }
    if comparison.lost.is_empty() {
        let compared = count(comparison.functions_compared as u64, "function");
        let _ = write!(output, "Untouched code lost nothing since {} ({compared} compared).\n\n", code(name));
        return;
    }
    let statements = count(comparison.statements_lost(), "statement");
    let _ = write!(output, "**Untouched code lost {statements} since {}**\n\n", code(name));
    output.push_str("| Function | Lost | Before | Now |\n|---|---:|---:|---:|\n");
    for lost in comparison.lost.iter().take(MOST_LISTED) {
        let function = code(&function_name(lost));
        let (before, after) = (share(lost.before), share(lost.after));
        let _ = writeln!(output, "| {function} | {} | {before} | {after} |", lost.statements());
    }
    output.push('\n');
    if comparison.lost.len() > MOST_LISTED {
        let _ = write!(output, "and {} other functions\n\n", comparison.lost.len() - MOST_LISTED);
    }
}

fn excerpts(output: &mut String, report: &DiffReport) {
    let with_gaps = || measured(&report.files).filter(|(_, lines)| !lines.gaps().is_empty());
    if with_gaps().next().is_none() {
        return;
    }
    output.push_str("<details><summary>What did not run</summary>\n\n");
    let mut left_out = 0;
    for (file, lines) in with_gaps() {
        let text = excerpt(lines);
        if output.len() + text.len() > MOST_CHARACTERS {
            left_out += 1;
            continue;
        }
        let _ = write!(output, "{}\n\n{text}\n", code(&file.path));
    }
    if left_out > 0 {
        let _ = write!(output, "and in {left_out} other files\n\n");
    }
    output.push_str("</details>\n\n");
}

fn excerpt(lines: &ChangedLines) -> String {
    let mut text = String::new();
    for (start, end) in lines.gaps() {
        if !text.is_empty() {
            text.push_str("      …\n");
        }
        for (line, source_line) in lines.sources.range(start..=end) {
            let sign = if lines.lines.get(line) == Some(&LineState::Partial) { '~' } else { '-' };
            let _ = writeln!(text, "{sign}{line:>6}  {}", source(source_line));
        }
    }
    let fence = fence(&text);
    format!("{fence}diff\n{text}{fence}\n")
}

/// Longer than any row of backticks in the text, so that none of them ends the block.
fn fence(text: &str) -> String {
    "`".repeat(longest_row_of_backticks(text).max(2) + 1)
}

fn longest_row_of_backticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// As code, which is also inert in the cell of a table.
fn code(text: &str) -> String {
    // In a table, a bar ends the cell even in code; HTML has no such exception.
    format!("<code>{}</code>", escaped(text))
}

/// Text in which nothing is markup: not Markdown's, not HTML's, and nobody is mentioned.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in super::inert(text).chars() {
        match c {
            '&' | '<' | '>' | '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' | '~' | '@' | '!' | '"'
            | '$' => {
                let _ = write!(escaped, "&#{};", u32::from(c));
            }
            c => escaped.push(c),
        }
    }
    escaped
}
