//! The words that the terminal and the page share: who lost what, and why.

use crate::run::{
    Capture, Completeness, Diagnosis, Ending, LossReason, Origin, Outcome, Process, ReadAt, Run, Way,
};

/// A part of the run that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    /// `pod shop/api-7d9 container api`.
    pub who: String,
    /// The class of the reason.
    pub reason: String,
    /// The evidence; may be empty.
    pub detail: String,
    /// The cause, if it was found.
    pub diagnosis: Option<Diagnosis>,
}

impl Loss {
    pub(crate) fn of(capture: &Capture) -> Option<Self> {
        let who = origin(&capture.origin);
        let diagnosis = capture.diagnosis.clone();
        let missing = capture.processes_started.saturating_sub(capture.processes_captured);
        match &capture.outcome {
            Outcome::Lost { reason, detail } => {
                let reason = loss_reason(*reason).to_owned();
                Some(Self { who, reason, detail: detail.clone(), diagnosis })
            }
            Outcome::Heard if missing > 0 => Some(Self {
                who,
                reason: format!(
                    "{missing} of {} handed over no counters",
                    processes(capture.processes_started)
                ),
                detail: String::new(),
                diagnosis,
            }),
            Outcome::Heard | Outcome::NotInstrumented => None,
        }
    }

    /// Whose, why, the evidence, and the cause: `pod shop/api-7d9 container api: no data (gocoverdir-unset)`.
    pub(crate) fn sentence(&self) -> String {
        let Self { who, reason, detail, diagnosis } = self;
        let separator = if detail.is_empty() { "" } else { ": " };
        let cause = diagnosis.as_ref().map(|Diagnosis { id, .. }| format!(" ({id})")).unwrap_or_default();
        format!("{who}: {reason}{separator}{detail}{cause}")
    }
}

/// What is missing of a run, one sentence for each part: whose, and why.
#[must_use]
pub fn missing(run: &Run) -> Vec<String> {
    let lost = run.captures.iter().filter_map(Loss::of).map(|loss| loss.sentence());
    let set_aside = run.set_aside.iter().map(|file| format!("set aside {}: {}", file.file, file.reason));
    let missing: Vec<String> = lost.chain(set_aside).collect();
    if missing.is_empty() && !run.is_complete() {
        return vec![format!("only {} were heard", completeness(run))];
    }
    missing
}

/// `pod shop/api-7d9 container api`, `program server`.
pub(crate) fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Pod { namespace, pod, container, restart: 0, .. } => {
            format!("pod {namespace}/{pod} container {container}")
        }
        Origin::Pod { namespace, pod, container, restart, .. } => {
            format!("pod {namespace}/{pod} container {container} restart {restart}")
        }
        Origin::Local { name, .. } => format!("program {name}"),
    }
}

pub(crate) const fn loss_reason(reason: LossReason) -> &'static str {
    match reason {
        LossReason::NoData => "no data",
        LossReason::Killed => "ended without writing counters",
        LossReason::Deadline => "not handed over before the deadline",
        LossReason::DiskFull => "no room on the volume",
        LossReason::StillRunning => "still running",
        LossReason::Unreachable => "out of reach",
    }
}

pub(crate) const fn way(way: Way) -> &'static str {
    match way {
        Way::Files => "files that Go wrote at exit",
        Way::Supervised => "supervised, read at the end of each process",
        Way::Attached => "memory of the running process",
    }
}

pub(crate) fn outcome(capture: &Capture) -> String {
    match (&capture.outcome, Loss::of(capture)) {
        (Outcome::NotInstrumented, _) => "not built with coverage".to_owned(),
        (_, Some(loss)) if loss.detail.is_empty() => loss.reason,
        (_, Some(loss)) => format!("{}: {}", loss.reason, loss.detail),
        (_, None) => "heard".to_owned(),
    }
}

/// `exit code 0`, `signal 9 (SIGKILL)`.
pub(crate) fn ending(process: &Process) -> String {
    match (process.ending, process.read_at) {
        (Some(Ending::ExitCode(code)), _) => format!("exit code {code}"),
        (Some(Ending::Signal(number)), _) => match signal_name(number) {
            Some(name) => format!("signal {number} ({name})"),
            None => format!("signal {number}"),
        },
        (None, Some(ReadAt::Exec)) => "became another program".to_owned(),
        (None, Some(ReadAt::Left)) => "left running".to_owned(),
        (None, _) => "not seen".to_owned(),
    }
}

const fn signal_name(number: i32) -> Option<&'static str> {
    Some(match number {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        6 => "SIGABRT",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        _ => return None,
    })
}

/// How the counters of one process were read, and when.
pub(crate) fn reading(process: &Process) -> String {
    let how = match process.way {
        None => "not read",
        Some(Way::Files) => "file that Go wrote",
        Some(Way::Supervised | Way::Attached) => "memory",
    };
    let when = match process.read_at {
        None => return how.to_owned(),
        Some(ReadAt::End) => "at its end".to_owned(),
        Some(ReadAt::Exec) => "when it became another program".to_owned(),
        Some(ReadAt::Left) => "when its parent had ended".to_owned(),
        Some(ReadAt::Interval { seconds_after_start, seconds_before_end }) => {
            let before_end =
                seconds_before_end.map(|seconds| format!(", at most {} before its end", duration(seconds)));
            format!("{} after its start{}", duration(seconds_after_start), before_end.unwrap_or_default())
        }
    };
    format!("{how}, {when}")
}

/// How much of what was expected is here: `4 of 4 pods, 5 of 5 processes`.
#[must_use]
pub fn completeness(run: &Run) -> String {
    let Completeness { pods_expected, pods_heard, processes_started, processes_captured } =
        run.completeness();
    let noun = pods_or_programs(run, pods_expected);
    let processes = plural(processes_started, "process", "processes");
    format!("{pods_heard} of {pods_expected} {noun}, {processes_captured} of {processes_started} {processes}")
}

/// What there is of a run that goes on: `4 pods, 5 processes so far`.
pub(crate) fn so_far(run: &Run) -> String {
    let Completeness { pods_expected, processes_started, .. } = run.completeness();
    let noun = pods_or_programs(run, pods_expected);
    format!("{pods_expected} {noun}, {} so far", processes(processes_started))
}

fn pods_or_programs(run: &Run, number: u32) -> &'static str {
    let is_pod = |capture: &Capture| matches!(capture.origin, Origin::Pod { .. });
    match (run.captures.iter().any(is_pod), run.captures.iter().all(is_pod)) {
        (_, true) => plural(number, "pod", "pods"),
        (false, _) => plural(number, "program", "programs"),
        (true, false) => plural(number, "pod or program", "pods and programs"),
    }
}

fn processes(number: u32) -> String {
    format!("{number} {}", plural(number, "process", "processes"))
}

const fn plural(number: u32, one: &'static str, many: &'static str) -> &'static str {
    if number == 1 { one } else { many }
}

/// `2.1 MB`.
#[expect(clippy::cast_precision_loss, reason = "only one decimal is shown")]
pub(crate) fn bytes(number: u64) -> String {
    let mut value = number as f64;
    let mut unit = "B";
    for next in ["kB", "MB", "GB", "TB"] {
        // From here on one decimal would round up to the next unit.
        if value < 999.95 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    if unit == "B" { format!("{number} B") } else { format!("{value:.1} {unit}") }
}

/// `Go 1.26.8` for `go1.26.8`; of a version without a release, such as `devel go1.28-…`, what it says.
#[must_use]
pub fn go_version(version: &str) -> String {
    match version.strip_prefix("go").filter(|rest| rest.starts_with(|first: char| first.is_ascii_digit())) {
        Some(number) => format!("Go {number}"),
        None => version.to_owned(),
    }
}

/// `4m 53s`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a wall time in seconds; saturates"
)]
pub(crate) fn duration(seconds: f64) -> String {
    if seconds < 9.95 {
        return format!("{:.1}s", seconds.max(0.0));
    }
    let seconds = seconds.round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m {seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h {minutes:02}m"),
    }
}

/// `2026-11-03 09:12:44 UTC` for RFC 3339 in UTC; anything else stays as it is.
pub(crate) fn time(text: &str) -> String {
    match text.strip_suffix('Z').and_then(|text| text.split_once('T')) {
        Some((date, time)) => format!("{date} {} UTC", time.split('.').next().unwrap_or(time)),
        None => text.to_owned(),
    }
}

/// A command as it could be typed.
pub(crate) fn command(words: &[String]) -> String {
    let is_plain = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "-_./=:,+@%".contains(c))
    };
    let quoted = words
        .iter()
        .map(|word| if is_plain(word) { word.clone() } else { format!("'{}'", word.replace('\'', r"'\''")) });
    quoted.collect::<Vec<_>>().join(" ")
}

/// `12,431`.
pub(crate) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_times_and_numbers_are_short() {
        assert_eq!(
            [bytes(0), bytes(999), bytes(2_100_000), bytes(999_999)],
            ["0 B", "999 B", "2.1 MB", "1.0 MB"]
        );
        assert_eq!(
            [duration(0.04), duration(9.97), duration(293.0), duration(3_725.0)],
            ["0.0s", "10s", "4m 53s", "1h 02m"]
        );
        assert_eq!(
            [number(0), number(999), number(1_000), number(12_345_678)],
            ["0", "999", "1,000", "12,345,678"]
        );
    }

    #[test]
    fn a_process_says_how_it_ended_and_when_it_was_read() {
        let process = |ending, read_at| Process {
            process_id: 1,
            program: "/api".to_owned(),
            go_version: None,
            started: String::new(),
            way: Some(Way::Supervised),
            read_at,
            ending,
            detail: None,
        };
        let killed = process(Some(Ending::Signal(9)), Some(ReadAt::End));
        assert_eq!(
            (ending(&killed).as_str(), reading(&killed).as_str()),
            ("signal 9 (SIGKILL)", "memory, at its end")
        );
        let interval = |seconds_before_end| {
            process(None, Some(ReadAt::Interval { seconds_after_start: 12.0, seconds_before_end }))
        };
        assert_eq!(
            (ending(&interval(None)).as_str(), reading(&interval(None)).as_str()),
            ("not seen", "memory, 12s after its start")
        );
        assert_eq!(reading(&interval(Some(4.2))), "memory, 12s after its start, at most 4.2s before its end");
    }

    #[test]
    fn a_release_of_go_is_called_as_people_call_it() {
        assert_eq!(go_version("go1.26.8"), "Go 1.26.8");
        for other in ["devel go1.28-0a1b2c", "gopher", ""] {
            assert_eq!(go_version(other), other);
        }
    }

    #[test]
    fn a_time_is_read_by_people() {
        assert_eq!(time("2026-11-03T09:12:44.123Z"), "2026-11-03 09:12:44 UTC");
        assert_eq!(time("yesterday"), "yesterday");
    }

    #[test]
    fn a_command_can_be_typed_again() {
        let words = ["go", "test", "./e2e/...", "-run", "A|B", "it's", ""].map(str::to_owned);
        assert_eq!(command(&words), r"go test ./e2e/... -run 'A|B' 'it'\''s' ''");
    }
}
