//! What `podcov doctor` shows: the verdict, the way with a mark for each hop, the findings, and what is not the cause.
//!
//! Owns the words and their order. Text from files and clusters is made harmless here.

use std::fmt::Write as _;

use anstyle::Style;
use podcov_doctor::{Diagnosis, Examination, Hop, Severity};
use serde_json::{Value, json};

use crate::terminal::{BAD, FAINT, GOOD, NOTICE, STRONG, count, printable};

const PAGES: &str = "docs/diagnoses";
/// Where evidence ends and its place begins, unless it is longer.
const EVIDENCE_WIDTH: usize = 52;

/// For programs.
pub fn json(examination: &Examination) -> String {
    let hops: serde_json::Map<String, Value> =
        Hop::ALL.into_iter().map(|hop| (hop.name().to_owned(), json!(examination.at(hop)))).collect();
    let document = json!({
        "verdict": verdict(examination).1,
        "hops": hops,
        "diagnoses": examination.diagnoses,
    });
    format!("{document:#}\n")
}

/// For people.
pub fn text(examination: &Examination) -> String {
    let mut text = String::new();
    let (severity, sentence) = verdict(examination);
    let style = style(severity);
    push(
        &mut text,
        &format!("{style}{}{style:#} {STRONG}{}{STRONG:#}", mark(severity), printable(&sentence)),
    );
    push(&mut text, "");
    push(&mut text, &chain(examination));
    for diagnosis in examination.diagnoses.iter().filter(|found| found.severity <= Severity::Unknown) {
        finding(&mut text, diagnosis);
    }
    section(&mut text, "Not the cause", examination, Severity::Note);
    section(&mut text, "As it should be", examination, Severity::Ok);
    text
}

fn push(text: &mut String, line: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{}", line.trim_end());
}

fn verdict(examination: &Examination) -> (Severity, String) {
    let worst = examination.diagnoses.first();
    match worst {
        None => (Severity::Unknown, "nothing was looked at".to_owned()),
        Some(found) if found.severity <= Severity::Warning => {
            let same =
                examination.diagnoses.iter().filter(|other| other.severity <= Severity::Warning).count();
            let more =
                if same > 1 { format!(" (and {})", count(same - 1, "other finding")) } else { String::new() };
            (found.severity, format!("{}: {}{more}", found.subject, found.sentence))
        }
        Some(_) => {
            let unknown =
                examination.diagnoses.iter().filter(|found| found.severity == Severity::Unknown).count();
            let looked = examination.diagnoses.iter().any(|found| found.severity == Severity::Ok);
            match (unknown, looked) {
                (0, true) => (
                    Severity::Ok,
                    "nothing stands in the way of coverage data, as far as was looked".to_owned(),
                ),
                (0, false) => (Severity::Ok, "no cause was found in what was looked at".to_owned()),
                _ => (
                    Severity::Unknown,
                    format!("no cause was found, and {} could not be looked at", count(unknown, "thing")),
                ),
            }
        }
    }
}

/// `✓ build ─ ✗ image ─ · pod`
fn chain(examination: &Examination) -> String {
    let hops = Hop::ALL.into_iter().map(|hop| {
        let (style, mark) = match examination.at(hop) {
            // A note alone says that there is nothing wrong.
            Some(Severity::Note | Severity::Ok) => (GOOD, '✓'),
            Some(severity) => (style(severity), mark(severity)),
            None => (FAINT, '·'),
        };
        format!("{style}{mark}{style:#} {}", hop.name())
    });
    let hops: Vec<String> = hops.collect();
    let has_gap = Hop::ALL.into_iter().any(|hop| examination.at(hop).is_none());
    let gap = if has_gap { format!("    {FAINT}· not looked at{FAINT:#}") } else { String::new() };
    format!("  {}{gap}", hops.join(&format!(" {FAINT}──▶{FAINT:#} ")))
}

fn finding(text: &mut String, diagnosis: &Diagnosis) {
    let style = style(diagnosis.severity);
    let mark = mark(diagnosis.severity);
    push(text, "");
    push(text, &format!("{style}{mark} {}{style:#}  {}", diagnosis.id, printable(&diagnosis.subject)));
    push(text, &format!("  {}", printable(&diagnosis.sentence)));
    for (index, evidence) in diagnosis.evidence.iter().enumerate() {
        let label = if index == 0 { "seen" } else { "" };
        let (value, place) = (printable(&evidence.value), printable(&evidence.read_from));
        push(text, &format!("    {label:5} {value:EVIDENCE_WIDTH$} {FAINT}{place}{FAINT:#}"));
    }
    if let Some(fix) = &diagnosis.fix {
        for (index, line) in fix.lines().enumerate() {
            push(text, &format!("    {:5} {}", if index == 0 { "fix" } else { "" }, printable(line)));
        }
    }
    for (index, consequence) in diagnosis.consequences.iter().enumerate() {
        let label = if index == 0 { "hence" } else { "" };
        push(text, &format!("    {label:5} {} ({})", consequence.id, printable(&consequence.subject)));
    }
    push(text, &format!("    {:5} {FAINT}{PAGES}/{}.md{FAINT:#}", "more", diagnosis.id));
}

/// One line for each kind of note, however often it was seen.
fn section(text: &mut String, title: &str, examination: &Examination, severity: Severity) {
    let found = || examination.diagnoses.iter().filter(|found| found.severity == severity);
    if found().next().is_none() {
        return;
    }
    push(text, "");
    push(text, title);
    let mut said: Vec<(&str, &str)> = Vec::new();
    for diagnosis in found() {
        let key = (diagnosis.id.name(), diagnosis.sentence.as_str());
        if severity == Severity::Note && said.contains(&key) {
            continue;
        }
        said.push(key);
        let style = style(severity);
        let subject = if severity == Severity::Ok {
            format!("{}: ", printable(&diagnosis.subject))
        } else {
            String::new()
        };
        push(
            text,
            &format!("  {style}{}{style:#} {subject}{}", mark(severity), printable(&diagnosis.sentence)),
        );
        if let Some(evidence) = diagnosis.evidence.first() {
            push(
                text,
                &format!(
                    "    {FAINT}{}, {}{FAINT:#}",
                    printable(&evidence.value),
                    printable(&evidence.read_from)
                ),
            );
        }
    }
}

const fn mark(severity: Severity) -> char {
    match severity {
        Severity::Error => '✗',
        Severity::Warning => '!',
        Severity::Unknown => '?',
        Severity::Note => '–',
        Severity::Ok => '✓',
    }
}

const fn style(severity: Severity) -> Style {
    match severity {
        Severity::Error => BAD,
        Severity::Warning | Severity::Unknown => NOTICE,
        Severity::Note => FAINT,
        Severity::Ok => GOOD,
    }
}
