//! Workflow commands of GitHub Actions, which the page of a pull request shows beside the lines.

use std::fmt::Write;

use super::{gap_in_words, loss_in_words, measured, of, share};
use crate::DiffReport;

/// A warning for each stretch that did not run, an error for what is missing and for each gate that is not passed.
#[must_use]
pub fn github(report: &DiffReport) -> String {
    let mut output = String::new();
    for (file, lines) in measured(&report.files) {
        for (start, end) in lines.gaps() {
            let place = Place { file: &file.path, start, end };
            command(&mut output, "warning", Some(place), "Not covered", &gap_in_words(lines, start, end));
        }
    }
    for (file, why) in report.files_missing() {
        let place = Place { file, start: 1, end: 1 };
        command(
            &mut output,
            "warning",
            Some(place),
            "No coverage data",
            &format!("Nothing is known of the changed lines: {why}."),
        );
    }
    for missing in &report.missing {
        command(&mut output, "warning", None, "Coverage data is missing", missing);
    }
    if let Some(against) = &report.against {
        for lost in &against.comparison.lost {
            let message = loss_in_words(lost, &against.name);
            command(&mut output, "warning", None, "Lost coverage", &message);
        }
        for package in &against.packages_missing {
            let message = format!("package {package} has data in {}, and none now", against.name);
            command(&mut output, "warning", None, "Coverage data is missing", &message);
        }
    }
    for verdict in report.verdicts.iter().filter(|verdict| !verdict.passed) {
        let title = format!("Coverage gate: {}", verdict.gate);
        let reason = match verdict.cheapest_in_words() {
            Some(cheapest) => format!("{}; {cheapest}", verdict.reason),
            None => verdict.reason.clone(),
        };
        command(&mut output, "error", None, &title, &reason);
    }
    let lines = report.lines();
    let message = format!("{} of the changed lines ran ({})", share(lines), of(lines));
    command(&mut output, "notice", None, "Coverage of the change", &message);
    output
}

struct Place<'a> {
    file: &'a str,
    start: u32,
    end: u32,
}

fn command(output: &mut String, level: &str, place: Option<Place<'_>>, title: &str, message: &str) {
    let place = place
        .map(|Place { file, start, end }| format!("file={},line={start},endLine={end},", property(file)));
    let (place, title, message) = (place.unwrap_or_default(), property(title), data(message));
    // Memory takes everything.
    let _ = writeln!(output, "::{level} {place}title={title}::{message}");
}

/// The runner turns these back.
fn data(text: &str) -> String {
    let escaped = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    escaped.replace(char::is_control, " ")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_or_a_message_ends_the_command() {
        let mut output = String::new();
        let place = Place { file: "a,line=9:b%\n::error::x.go", start: 1, end: 2 };
        command(&mut output, "warning", Some(place), "t:,\n", "50 % \r\n::error::\u{1b}[2J");
        assert_eq!(
            output,
            "::warning file=a%2Cline=9%3Ab%25%0A%3A%3Aerror%3A%3Ax.go,line=1,endLine=2,title=t%3A%2C%0A\
             ::50 %25 %0D%0A::error:: [2J\n"
        );
    }
}
