//! How the program ends, or will end: Go writes counters when main returns or os.Exit is called, and at no other end.

use super::super::finding::{Seen, error, note, unknown as unknown_because};
use super::setting::complaint;
use super::with_counted;
use crate::facts::running_workload::{ContainerFacts, Ending, ProcessFacts, State, Unknown};
use crate::runtime_log::{Complaint, LogFinding};
use crate::{Diagnosis, Hop, Id};

/// 128 + SIGKILL.
const KILLED: i32 = 137;
/// 128 + SIGTERM.
const TERMINATED: i32 = 143;
/// The code of an end by the signal of this number is so much more, as shells count.
const BY_SIGNAL: i32 = 128;
const SIGINT: i32 = 2;
/// Of Linux.
const LAST_SIGNAL: i32 = 64;
/// Go's own for a panic and its like; also, before Go 1.27, what the first process of a container has that dies of SIGTERM,
/// which the kernel does not let it die of.
const GO_GAVE_UP: i32 = 2;

pub(super) fn diagnose(container: &ContainerFacts) -> Vec<Diagnosis> {
    if let Some(diagnosis) = container.ending.as_ref().and_then(|ending| ended(container, ending)) {
        return vec![diagnosis];
    }
    if container.state == State::Ended {
        return Vec::new();
    }
    let ahead = shell(container).or_else(|| deaf(container));
    let mut found: Vec<Diagnosis> = ahead.into_iter().collect();
    if found.is_empty() {
        found.extend(still_running(container));
    }
    found
}

/// What the last ending did to the counters. None if it may have left them.
fn ended(container: &ContainerFacts, ending: &Ending) -> Option<Diagnosis> {
    if ending.reason == "OOMKilled" {
        return Some(out_of_memory(container, ending));
    }
    let gave_up = complaint(container, |it| matches!(it, Complaint::Panic | Complaint::FatalError));
    match ending.exit_code {
        KILLED => Some(killed(container, ending)),
        TERMINATED => Some(terminated(container, ending)),
        GO_GAVE_UP => Some(match (gave_up, &container.log) {
            (Some(finding), _) => panicked(container, ending, finding),
            (None, Ok(_)) => terminated(container, ending),
            (None, Err(unknown)) => either(container, ending, unknown),
        }),
        _ => left_nothing(container, ending),
    }
}

fn with_exit_code(diagnosis: Diagnosis, ending: &Ending) -> Diagnosis {
    let reason = if ending.reason.is_empty() { "no reason given" } else { &ending.reason };
    diagnosis.seen("exit code", format!("{} ({reason})", ending.exit_code), "status of the container")
}

fn out_of_memory(container: &ContainerFacts, ending: &Ending) -> Diagnosis {
    let sentence =
        "the kernel killed the program at the container's memory limit, before Go could write counters";
    let diagnosis = error(Id::OutOfMemory, &container.subject, sentence.to_owned());
    with_exit_code(diagnosis, ending).fix("resources of the container:\n  limits:\n    memory: MORE")
}

fn killed(container: &ContainerFacts, ending: &Ending) -> Diagnosis {
    let is_over = match (ending.seconds_after_request, container.grace_period_seconds) {
        (Some(took), Some(grace)) => took >= grace,
        _ => false,
    };
    if !is_over {
        let sentence = "the program was killed (SIGKILL), before Go could write counters";
        let diagnosis = error(Id::KilledBeforeFlush, &container.subject, sentence.to_owned());
        return with_exit_code(diagnosis, ending).fix(
            "end it by SIGTERM, and give it time: kubectl delete pod without --force and --grace-period=0",
        );
    }
    if let Some(diagnosis) = shell(container) {
        return with_exit_code(diagnosis, ending);
    }
    let grace = container.grace_period_seconds.unwrap_or_default();
    let sentence = format!(
        "the program had not ended {grace} s after SIGTERM, when its grace period was over, and was killed before Go could \
         write counters"
    );
    let diagnosis = error(Id::GracePeriodExceeded, &container.subject, sentence);
    with_exit_code(diagnosis, ending)
        .seen("terminationGracePeriodSeconds", grace, "the pod's specification")
        .seen(
            "seconds from SIGTERM to the end",
            ending.seconds_after_request.unwrap_or_default(),
            "the cluster",
        )
        .fix(format!(
            "spec of the pod:\n  terminationGracePeriodSeconds: {}",
            grace.saturating_mul(2).max(30)
        ))
}

const HANDLE: &str = "ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)\ndefer stop()\n\
                      // … serve until <-ctx.Done(), then return from main";

fn terminated(container: &ContainerFacts, ending: &Ending) -> Diagnosis {
    with_exit_code(unhandled(container), ending).fix(HANDLE)
}

fn unhandled(container: &ContainerFacts) -> Diagnosis {
    let sentence =
        "the program does not handle SIGTERM, which ends it at once, and Go writes no counters then";
    error(Id::SigtermUnhandled, &container.subject, sentence.to_owned())
}

/// Without the log, one exit code means two things.
fn either(container: &ContainerFacts, ending: &Ending, unknown: &Unknown) -> Diagnosis {
    let sentence = format!(
        "the program panicked, or does not handle SIGTERM: its log would tell, but {}; either way Go writes no counters",
        unknown.reason
    );
    let diagnosis = unknown_because(Id::SigtermUnhandled, Hop::Process, &container.subject, sentence);
    with_exit_code(diagnosis, ending).fix("kubectl logs --previous, and look for panic: or fatal error:")
}

fn panicked(container: &ContainerFacts, ending: &Ending, finding: &LogFinding) -> Diagnosis {
    let sentence = "the program panicked, or Go's runtime gave up; no counters are written then";
    let diagnosis = error(Id::Panicked, &container.subject, sentence.to_owned());
    with_exit_code(diagnosis, ending).seen("log", &finding.line, "standard error of the program").fix(
        "mend the panic; until then, podcov run reads the counters of the process from its memory at its end",
    )
}

/// There is nothing although its meta-data are there, and no ending that is told by its code alone.
fn left_nothing(container: &ContainerFacts, ending: &Ending) -> Option<Diagnosis> {
    let files = container.files.as_ref().ok()?;
    if files.metadata == 0 || files.counters > 0 {
        return None;
    }
    let (id, sentence, fix) = match ending.exit_code - BY_SIGNAL {
        SIGINT => (
            Id::SigtermUnhandled,
            "the program does not handle SIGINT, which ends it at once, and Go writes no counters then".to_owned(),
            HANDLE,
        ),
        signal @ 1..=LAST_SIGNAL => (
            Id::KilledBeforeFlush,
            format!("signal {signal} ended the program, before Go could write counters"),
            "end the program by SIGTERM, and handle that; if it ends itself so, podcov run reads its counters from its memory",
        ),
        _ => (
            Id::ExitedWithoutFlush,
            "the program ended by itself, and without Go's exit hooks: by syscall.Exit, or by becoming another program \
             (syscall.Exec)"
                .to_owned(),
            "os.Exit instead of syscall.Exit",
        ),
    };
    Some(
        with_exit_code(error(id, &container.subject, sentence), ending)
            .seen("files of counters", files.counters, "where GOCOVERDIR points")
            .seen("files of meta-data", files.metadata, "where GOCOVERDIR points")
            .fix(fix),
    )
}

fn shell(container: &ContainerFacts) -> Option<Diagnosis> {
    // The process itself tells of a shell that did exec, or that saves the process.
    let seen = container.process.as_ref().map(|process| process.shell.as_ref());
    let (line, read_in) = match seen {
        Ok(shell) => (&shell?.command_line, shell?.place.file("cmdline")),
        Err(_) => (container.shell.as_ref()?, "the image and the pod".to_owned()),
    };
    let sentence = "a shell is the first process of the container: it gets SIGTERM, and does not pass it on to the program, \
                    which is killed when the grace period is over";
    let mut diagnosis = error(Id::ShellSwallowsSignals, &container.subject, sentence.to_owned());
    diagnosis = diagnosis.seen("command line", line, read_in);
    if let Ok(Some(shell)) = seen {
        diagnosis = diagnosis.seen("first process", &shell.program, shell.place.file("exe"));
    }
    Some(diagnosis.fix(
        "in the Dockerfile, the exec form:\n  ENTRYPOINT [\"/app\"]\nor in the script:\n  exec /app \"$@\"",
    ))
}

/// Nothing in the program waits for SIGTERM.
fn deaf(container: &ContainerFacts) -> Option<Diagnosis> {
    let seen = container.process.as_ref().ok().filter(|it| it.waits_for_termination == Some(false));
    let cannot = matches!(container.can_wait_for_termination, Ok(false));
    if seen.is_none() && !cannot {
        return None;
    }
    let mut diagnosis = unhandled(container);
    if let Some(process) = seen {
        diagnosis = waiting(diagnosis, process);
    }
    if cannot {
        diagnosis = diagnosis.seen("os/signal.Notify", "not linked in", "the program in the image");
    }
    Some(diagnosis.fix(HANDLE))
}

fn waiting(diagnosis: Diagnosis, process: &ProcessFacts) -> Diagnosis {
    let (answer, of) = match process.waits_for_termination {
        Some(true) => ("yes", "Go's runtime in"),
        Some(false) => ("no", "Go's runtime in"),
        None => ("not known", "without a symbol table,"),
    };
    diagnosis.seen("waits for SIGTERM", answer, format!("{of} {}", process.place.file("mem")))
}

fn still_running(container: &ContainerFacts) -> Option<Diagnosis> {
    if container.state != State::Running {
        return None;
    }
    let sentence = "the program runs, and Go writes counters at its end: until then there is only covmeta";
    let diagnosis = note(Id::StillRunning, &container.subject, sentence.to_owned());
    let mut diagnosis =
        with_counted(diagnosis.seen("state", "running", "status of the container"), container);
    if let Ok(process) = &container.process {
        diagnosis = waiting(diagnosis, process);
    }
    Some(diagnosis.fix(
        "end it (kubectl rollout restart, or scale), or read its counters while it runs: podcov snapshot",
    ))
}
