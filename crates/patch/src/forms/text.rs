//! For a terminal.

use podcov_report::{Line, Mark};

use super::{function_name, measured, of, share, source, states};
use crate::report::count;
use crate::{Against, ChangedLines, DiffReport, LineState};

/// Of one stretch of lines, this many are shown.
const MOST_LINES: usize = 12;

/// The lines that a terminal shows.
#[must_use]
pub fn text(report: &DiffReport) -> Vec<Line> {
    let mut output = Output(Vec::new());
    output.add(Mark::Figures, format!("{:<14} {}", "changed", report.changes));
    output.add(Mark::Figures, format!("{:<14} {}", "data", report.data));
    for missing in &report.missing {
        output.add(Mark::Lost, format!("missing: {missing}"));
    }
    for note in &report.notes {
        output.add(Mark::Note, note);
    }
    output.files(report);
    output.excerpts(report);
    if let Some(against) = &report.against {
        output.against(against);
    }
    for line in podcov_report::gates::lines(&report.verdicts) {
        output.add(line.mark, line.text);
    }
    output.0
}

struct Output(Vec<Line>);

impl Output {
    fn add(&mut self, mark: Mark, text: impl AsRef<str>) {
        self.0.push(Line { mark, text: super::inert(text.as_ref()).trim_end().to_owned() });
    }

    fn files(&mut self, report: &DiffReport) {
        let lines = report.lines();
        let width =
            report.files.iter().map(|file| file.path.chars().count()).max().unwrap_or(0).clamp(13, 60);
        for (file, lines) in measured(&report.files).filter(|(_, lines)| !lines.lines.is_empty()) {
            let totals = lines.totals();
            let mark = if totals.covered == totals.statements { Mark::Done } else { Mark::Lost };
            let renamed = file.old_path.as_ref().map(|old| format!("  (was {old})")).unwrap_or_default();
            let states = states(lines);
            let figures = format!("{:>7}  {:>12}", share(totals), of(totals));
            self.add(mark, format!("{:<width$} {figures}  {states}{renamed}", file.path));
        }
        for (file, _) in measured(&report.files).filter(|(_, lines)| lines.lines.is_empty()) {
            self.add(Mark::Figures, format!("{:<width$} {:>7}  no changed line can run", file.path, "–"));
        }
        for file in &report.files {
            if let Err(why) = &file.coverage {
                let mark = if why.is_missing() { Mark::Lost } else { Mark::Figures };
                self.add(mark, format!("{:<width$} {:>7}  {why}", file.path, "–"));
            }
        }
        if report.files.is_empty() {
            self.add(Mark::Figures, "no line of any file was changed");
        } else {
            let statements = report.statements();
            let beside = match statements.statements {
                0 => String::new(),
                _ => format!(
                    ";  {} of the {} in their blocks",
                    share(statements),
                    count(statements.statements, "statement")
                ),
            };
            let figures = format!("{:>7}  {:>12}", share(lines), of(lines));
            self.add(Mark::Figures, format!("{:<width$} {figures}{beside}", "changed lines"));
        }
    }

    fn excerpts(&mut self, report: &DiffReport) {
        for (file, lines) in measured(&report.files) {
            for (index, (start, end)) in lines.gaps().into_iter().enumerate() {
                if index == 0 {
                    self.add(Mark::Figures, "");
                    self.add(Mark::Figures, &file.path);
                }
                self.excerpt(lines, start, end);
            }
        }
        if measured(&report.files).any(|(_, lines)| !lines.gaps().is_empty()) {
            self.add(Mark::Figures, "");
        }
    }

    fn excerpt(&mut self, lines: &ChangedLines, start: u32, end: u32) {
        let shown = lines.sources.range(start..=end);
        for (line, text) in shown.clone().take(MOST_LINES) {
            let mark = match lines.lines.get(line) {
                Some(LineState::Partial) => Mark::Note,
                _ => Mark::Lost,
            };
            self.add(mark, format!("{line:>6}  {}", source(text)));
        }
        let others = shown.count().saturating_sub(MOST_LINES);
        if others > 0 {
            self.add(Mark::Lost, format!("{:>6}  and {others} more up to line {end}", "…"));
        }
    }

    fn against(&mut self, against: &Against) {
        let Against { name, comparison, packages_missing, missing } = against;
        for sentence in missing {
            self.add(Mark::Lost, format!("missing in {name}: {sentence}"));
        }
        for package in packages_missing {
            self.add(Mark::Lost, format!("package {package} has data in {name}, and none now"));
        }
        for lost in &comparison.lost {
            let lines: Vec<String> =
                lost.stretches().iter().map(|gap| lines_of(gap.start_line, gap.end_line)).collect();
            self.add(
                Mark::Lost,
                format!(
                    "{}: {} ran and {} not run now, {} → {}, {} lines {}",
                    function_name(lost),
                    count(lost.statements(), "statement"),
                    if lost.statements() == 1 { "does" } else { "do" },
                    share(lost.before),
                    share(lost.after),
                    lost.file,
                    lines.join(", ")
                ),
            );
        }
        for function in &comparison.not_comparable {
            self.add(Mark::Note, format!("{function} has changed too much to be compared"));
        }
        let mark =
            if comparison.lost.is_empty() && packages_missing.is_empty() { Mark::Done } else { Mark::Lost };
        let lost = match comparison.statements_lost() {
            0 => "nothing".to_owned(),
            lost => {
                format!("{} in {}", count(lost, "statement"), count(comparison.lost.len() as u64, "function"))
            }
        };
        let gone = match comparison.functions_gone {
            0 => String::new(),
            gone => format!(", {gone} gone or renamed"),
        };
        self.add(
            mark,
            format!(
                "untouched code lost {lost} since {name} ({} compared{gone})",
                count(comparison.functions_compared as u64, "function")
            ),
        );
    }
}

fn lines_of(first: u32, last: u32) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}
