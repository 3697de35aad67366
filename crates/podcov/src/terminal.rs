//! Everything the user sees. The only module that prints, and the only one that names the progress library.
//!
//! Data goes to standard output, everything else to standard error. Every line has a mark and a word, so
//! that it means the same without colour. Progress is shown on a terminal only, and only for work that takes
//! longer than [`PROGRESS_DELAY`].

use std::io::{ErrorKind as IoErrorKind, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use podcov_report::{Line, Mark};

use crate::error::{CommandError, ErrorKind};

/// Work that is done sooner shows no progress.
const PROGRESS_DELAY: Duration = Duration::from_millis(700);
const SPINNER_INTERVAL: Duration = Duration::from_millis(120);

/// Widths of the first two columns: the word and what it is about. Longer texts push the rest to the right.
const WORD_WIDTH: usize = 14;
const SUBJECT_WIDTH: usize = 40;

pub const GOOD: Style = AnsiColor::Green.on_default().bold();
pub const NOTICE: Style = AnsiColor::Yellow.on_default().bold();
pub const BAD: Style = AnsiColor::Red.on_default().bold();
pub const STRONG: Style = Style::new().bold();
pub const FAINT: Style = Style::new().dimmed();

/// The user's terminal. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Terminal {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    quiet: bool,
    silent: bool,
    live: bool,
    bars: MultiProgress,
}

/// A line that is there while work goes on, and gone when this is dropped.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    // Dropping it wakes the thread that would show the bar after the delay.
    _shown_until: Option<mpsc::Sender<()>>,
}

impl Terminal {
    /// `quiet` leaves warnings, losses, errors and data.
    pub fn new(quiet: bool) -> Self {
        let live = !quiet && std::io::stderr().is_terminal();
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        Self { shared: Arc::new(Shared { quiet, live, silent: false, bars }) }
    }

    /// One on which nothing appears: for work that is done again and again, and tells elsewhere what came of it.
    pub fn silent() -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        Self { shared: Arc::new(Shared { quiet: true, live: false, silent: true, bars }) }
    }

    /// Something is done: `✓ collected      4 of 4 pods      2.1 MB`. `detail` may be empty.
    pub fn step(&self, word: &str, subject: &str, detail: &str) {
        if !self.shared.quiet {
            self.line(&columns(GOOD, '✓', word, subject, detail));
        }
    }

    /// Something went wrong in a way that ends nothing: `✗ tests          exit code 1      4m 53s`.
    pub fn failed_step(&self, word: &str, subject: &str, detail: &str) {
        if !self.shared.quiet {
            self.line(&columns(BAD, '✗', word, subject, detail));
        }
    }

    /// The user should know this, and may have to act.
    pub fn warning(&self, message: &str) {
        self.line(&columns(NOTICE, '!', "warning", message, ""));
    }

    /// Data that was expected is missing: whose, and why. The end of the run names it once more.
    pub fn loss(&self, whose: &str, why: &str) {
        self.line(&columns(BAD, '✗', "lost", &format!("{whose}: {why}"), ""));
    }

    /// Asks for a yes; none when nobody is there to answer.
    pub fn ask(&self, question: &str) -> Option<bool> {
        if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
            return None;
        }
        self.shared.bars.suspend(|| {
            let _ = write!(anstream::stderr().lock(), "{NOTICE}?{NOTICE:#} {question} [y/N] ");
            let mut answer = String::new();
            let read = std::io::stdin().read_line(&mut answer);
            read.ok().map(|_| matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
        })
    }

    /// A next step for the user.
    pub fn hint(&self, message: &str) {
        self.line(&format!("{STRONG}Hint:{STRONG:#} {message}"));
    }

    /// Lines for people that belong to no column, such as the tail of a log.
    pub fn block(&self, text: &str) {
        for line in text.lines() {
            self.line(line);
        }
    }

    /// An error with its causes and hints.
    pub fn error(&self, error: &CommandError) {
        if error.kind() == ErrorKind::BrokenPipe {
            return;
        }
        for (index, message) in error.messages().iter().enumerate() {
            let label = if index == 0 { "Error:" } else { "Caused by:" };
            self.line(&format!("{BAD}{label}{BAD:#} {message}"));
        }
        for (source, text) in error.excerpts().iter().filter(|(_, text)| !text.is_empty()) {
            self.line(&format!("{FAINT}--- {source}{FAINT:#}"));
            self.block(text);
            self.line(&format!("{FAINT}---{FAINT:#}"));
        }
        for hint in error.hints() {
            self.hint(hint);
        }
    }

    /// What the command is for: text or JSON that a program may read, on standard output.
    pub fn data(&self, text: &str) -> Result<(), CommandError> {
        let written = self.shared.bars.suspend(|| {
            let mut output = anstream::stdout().lock();
            output.write_all(text.as_bytes()).and_then(|()| output.flush())
        });
        written.map_err(cannot_write)
    }

    /// The same, byte for byte, whatever standard output is. The bytes must be safe to show.
    pub fn verbatim(&self, bytes: &[u8]) -> Result<(), CommandError> {
        let written = self.shared.bars.suspend(|| {
            let mut output = std::io::stdout().lock();
            output.write_all(bytes).and_then(|()| output.flush())
        });
        written.map_err(cannot_write)
    }

    /// The same on standard error.
    pub fn verbatim_for_people(&self, bytes: &[u8]) -> Result<(), CommandError> {
        let written = self.shared.bars.suspend(|| std::io::stderr().lock().write_all(bytes));
        written.map_err(cannot_write)
    }

    /// The same for what is too large to be held. The bytes must be safe to show.
    pub fn standard_output(&self) -> impl Write {
        self.shared.bars.set_draw_target(ProgressDrawTarget::hidden());
        std::io::stdout().lock()
    }

    /// Shows that work goes on, once it has taken a while: `⠹ waiting        for api to listen   12s`.
    /// Tell how far it is with [`Progress::update`].
    pub fn progress(&self, word: &str, subject: &str) -> Progress {
        let bar = ProgressBar::hidden();
        bar.set_prefix(format!("{word:WORD_WIDTH$}"));
        bar.set_message(subject.to_owned());
        if !self.shared.live {
            return Progress { bar, _shown_until: None };
        }
        if let Ok(style) = ProgressStyle::with_template("{spinner:.cyan} {prefix} {msg}  {elapsed:.dim}") {
            bar.set_style(style);
        }
        let (shown_until, dropped) = mpsc::channel();
        let (later, bars) = (bar.clone(), self.shared.bars.clone());
        std::thread::spawn(move || {
            if dropped.recv_timeout(PROGRESS_DELAY) == Err(RecvTimeoutError::Timeout) && !later.is_finished()
            {
                bars.set_draw_target(ProgressDrawTarget::stderr());
                bars.add(later.clone()).enable_steady_tick(SPINNER_INTERVAL);
            }
        });
        Progress { bar, _shown_until: Some(shown_until) }
    }

    /// Lines with marks that the command is for, on standard output.
    pub fn lines(&self, lines: &[Line]) -> Result<(), CommandError> {
        let lines: Vec<String> = lines.iter().map(marked).collect();
        self.data(&format!("{}\n", lines.join("\n")))
    }

    /// Lines with marks, on standard error; with --quiet only what is wrong.
    pub fn lines_for_people(&self, lines: &[Line]) {
        let is_wrong = |line: &&Line| matches!(line.mark, Mark::Lost | Mark::Note);
        for line in lines.iter().filter(|line| !self.shared.quiet || is_wrong(line)) {
            self.line(&marked(line));
        }
    }

    /// The end of a run, on standard output.
    pub fn summary(&self, lines: &[Line], page: &Path) -> Result<(), CommandError> {
        self.data(&summary_text(lines, page))
    }

    /// The end of a run, on standard error; with --quiet only what is wrong with it.
    pub fn summary_for_people(&self, lines: &[Line], page: &Path) {
        if !self.shared.quiet {
            return self.block(&summary_text(lines, page));
        }
        for line in lines.iter().filter(|line| matches!(line.mark, Mark::Lost | Mark::Note)) {
            self.line(&marked(line));
        }
    }

    // Nobody can be told that standard error is gone, and the work still has to be finished.
    fn line(&self, line: &str) {
        if self.shared.silent {
            return;
        }
        self.shared.bars.suspend(|| {
            let _ = writeln!(anstream::stderr().lock(), "{line}");
        });
    }
}

/// Why standard output could not be written to. That its reader went away is nobody's failure.
pub fn cannot_write(error: std::io::Error) -> CommandError {
    match error.kind() {
        IoErrorKind::BrokenPipe => CommandError::new(ErrorKind::BrokenPipe, error),
        _ => CommandError::failure("cannot write to standard output").caused_by(error),
    }
}

impl Progress {
    /// What is being worked on and how far it is, such as `2 of 4 pods, 1.2 MB`.
    pub fn update(&self, subject: impl Into<String>) {
        self.bar.set_message(subject.into());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn summary_text(lines: &[Line], page: &Path) -> String {
    let lines: Vec<String> = lines.iter().map(marked).collect();
    format!("{}\n  {:WORD_WIDTH$} {}\n", lines.join("\n"), "report", page.display())
}

fn marked(line: &Line) -> String {
    let style = match line.mark {
        Mark::Done => GOOD,
        Mark::Lost => BAD,
        Mark::Note => NOTICE,
        Mark::Figures => Style::new(),
    };
    format!("{style}{}{style:#} {}", line.mark.sign(), line.text)
}

fn columns(style: Style, mark: char, word: &str, subject: &str, detail: &str) -> String {
    if detail.is_empty() {
        return format!("{style}{mark}{style:#} {word:WORD_WIDTH$} {subject}");
    }
    format!("{style}{mark}{style:#} {word:WORD_WIDTH$} {subject:SUBJECT_WIDTH$} {FAINT}{detail}{FAINT:#}")
}

/// `2026-11-03 09:12:44 UTC`.
pub fn time(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// `4m 53s`, `12s`, `0.4s`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1}s", duration.as_secs_f64()),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// `2.1 MB`, `310 B`: decimal units, as in the file manager.
#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
pub fn bytes(count: u64) -> String {
    let mut value = count as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        // From here on one decimal would round up to the next unit.
        if value < 999.95 {
            return if unit == "B" { format!("{count} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

/// Names and words from outside, which must not steer the terminal.
pub fn printable(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

/// `1 pod`, `2 pods`.
pub fn count(number: usize, singular: &str) -> String {
    match (number, singular.strip_suffix("ss"), singular.strip_suffix('y')) {
        (1, _, _) => format!("1 {singular}"),
        (_, Some(_), _) => format!("{number} {singular}es"),
        (_, _, Some(stem)) => format!("{number} {stem}ies"),
        _ => format!("{number} {singular}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_long_subjects_keep_a_gap() {
        let plain = |text: &str| anstream::adapter::strip_str(text).to_string();
        let line = plain(&columns(GOOD, '✓', "tests", "84 passed", "4m 53s"));
        assert_eq!(line, "✓ tests          84 passed                                4m 53s");
        let subject = "x".repeat(60);
        assert_eq!(
            plain(&columns(GOOD, '✓', "tests", &subject, "4m")),
            format!("✓ tests          {subject} 4m")
        );
    }

    #[test]
    fn figures_read_well() {
        assert_eq!(duration(Duration::from_millis(420)), "0.4s");
        assert_eq!(duration(Duration::from_secs(293)), "4m 53s");
        assert_eq!(bytes(310), "310 B");
        assert_eq!(bytes(2_100_000), "2.1 MB");
        assert_eq!(bytes(999_999), "1.0 MB");
        assert_eq!(count(1, "pod"), "1 pod");
        assert_eq!(count(3, "process"), "3 processes");
        assert_eq!(count(0, "directory"), "0 directories");
    }
}
