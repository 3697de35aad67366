//! From what a pod handed over to what the record says of it: whole, or lost and why.

use std::path::Path;

use podcov_agent_protocol::{CountersFrom, Moment, ProcessRecord};
use podcov_cluster::{ContainerResult, HandOverEnd, PodResult};
use podcov_report::run::{Capture, LossReason, Origin, Outcome, Way};

use super::diagnosis::{self, FULL_VOLUME_BYTES};
use crate::{coverage_data, living, process_records};

/// The parts of the record that a pod's containers are. `relative` names a directory as the record does.
pub fn captures(pod: &PodResult, namespace: &str, relative: impl Fn(&Path) -> String) -> Vec<Capture> {
    pod.containers
        .iter()
        .map(|container| {
            let found = coverage_data::find(&container.directory).map(|found| found.directories);
            let records = process_records::read(&found.unwrap_or_default());
            capture(pod, container, namespace, &records, &relative)
        })
        .collect()
}

fn capture(
    pod: &PodResult,
    container: &ContainerResult,
    namespace: &str,
    records: &[ProcessRecord],
    relative: impl Fn(&Path) -> String,
) -> Capture {
    let not_read = u32::try_from(process_records::without_counters(records)).unwrap_or(u32::MAX);
    let captured = container.counter_files.saturating_add(container.live_counter_files);
    let outcome = match loss(pod, container, records) {
        Some((reason, detail)) => Outcome::Lost { reason, detail },
        None => outcome(pod, container),
    };
    Capture {
        origin: Origin::Pod {
            namespace: namespace.to_owned(),
            workload: pod.workload.clone(),
            pod: pod.pod.clone(),
            pod_uid: pod.uid.clone(),
            container: container.container.clone(),
            restart: container.restart,
        },
        directory: relative(&container.directory),
        way: way(container, records),
        processes_started: container.processes_started.max(captured.saturating_add(not_read)),
        processes_captured: captured,
        bytes: size(&container.directory),
        diagnosis: matches!(outcome, Outcome::Lost { .. }).then(|| diagnosis::of(pod, container)).flatten(),
        outcome,
        processes: process_records::processes_gone_by(records, container.gone_by),
    }
}

/// As long as its run goes on, a container counts further whose processes live.
pub fn so_far(capture: Capture) -> Capture {
    match living::read_until(&capture.processes) {
        Some(time) if capture.outcome == Outcome::Heard => {
            Capture { outcome: living::outcome(Some(time)), ..capture }
        }
        _ => capture,
    }
}

/// What its processes say is missing. A process that has not ended was read when everything was read last; unless its pod
/// did not answer, or is gone: then nobody knows what it counted since.
fn loss(
    pod: &PodResult,
    container: &ContainerResult,
    records: &[ProcessRecord],
) -> Option<(LossReason, String)> {
    let is_out_of_reach = match pod.end {
        None => !pod.was_read,
        Some(end) => end == HandOverEnd::Unreachable,
    };
    let has_no_end = container.ending.is_none() && container.live_counter_files > 0;
    let is_live = has_no_end && pod.end.is_none() && !is_out_of_reach;
    let is_its_last_word = |record: &&ProcessRecord| {
        !(is_live && matches!(record.counters, CountersFrom::Memory(Moment::Interval { .. })))
    };
    let loss = process_records::loss_in_pod(records.iter().filter(is_its_last_word), container.gone_by);
    loss.map(|(reason, detail)| {
        (if has_no_end && is_out_of_reach { LossReason::Unreachable } else { reason }, detail)
    })
}

/// What the container was prepared for, unless its processes say that their memory could not be read.
fn way(container: &ContainerResult, records: &[ProcessRecord]) -> Way {
    match records {
        [] if container.is_supervised => Way::Supervised,
        records => process_records::way(records),
    }
}

fn outcome(pod: &PodResult, container: &ContainerResult) -> Outcome {
    let has_data = |container: &ContainerResult| {
        container.processes_started > 0 || container.counter_files > 0 || container.live_counter_files > 0
    };
    if !has_data(container) {
        let is_heard = pod.was_reached && pod.end != Some(HandOverEnd::Unreachable);
        if !pod.containers_named && pod.containers.iter().any(has_data) {
            return Outcome::NotInstrumented;
        }
        return if is_heard {
            lost(LossReason::NoData, "no process built with coverage started", container)
        } else {
            unreachable(pod, container)
        };
    }
    let captured = container.counter_files + container.live_counter_files;
    if captured > 0 && captured >= container.processes_started {
        return Outcome::Heard;
    }
    let missing = format!("{captured} of {} processes wrote their counters", container.processes_started);
    let is_full = pod.volume_free_bytes.is_some_and(|free| free < FULL_VOLUME_BYTES);
    if is_full && !container.unfinished_files.is_empty() {
        return lost(LossReason::DiskFull, &format!("{missing}; the data volume is full"), container);
    }
    match (pod.end, &container.ending) {
        (Some(HandOverEnd::Deadline), _) => {
            lost(LossReason::Deadline, &format!("{missing} before the pod's deadline"), container)
        }
        (_, Some(_)) | (Some(HandOverEnd::Complete), None) => lost(LossReason::Killed, &missing, container),
        (Some(HandOverEnd::Unreachable), None) => unreachable(pod, container),
        (None, None) => lost(
            LossReason::StillRunning,
            &format!(
                "{captured} of {} processes have ended, and Go writes counters at the end",
                container.processes_started
            ),
            container,
        ),
    }
}

fn unreachable(pod: &PodResult, container: &ContainerResult) -> Outcome {
    let failure = pod.last_failure.as_deref().unwrap_or("the pod went away before it had sent everything");
    lost(LossReason::Unreachable, failure, container)
}

fn lost(reason: LossReason, detail: &str, container: &ContainerResult) -> Outcome {
    let ending = container.ending.as_ref().map(|ending| {
        let explanation = match (ending.exit_code, ending.reason.as_str()) {
            (_, "OOMKilled") => " (OOMKilled: out of memory)",
            (137, _) => " (SIGKILL)",
            (143, _) => " (SIGTERM that the program does not handle)",
            (2, _) if reason == LossReason::Killed => {
                " (a panic, or a SIGTERM that the program does not handle)"
            }
            (0, _) if reason == LossReason::Killed => " (it ended without running Go's exit hooks)",
            _ => "",
        };
        format!("; exit code {}{explanation}", ending.exit_code)
    });
    Outcome::Lost { reason, detail: format!("{detail}{}", ending.unwrap_or_default()) }
}

fn size(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.metadata().ok())
        .filter(std::fs::Metadata::is_file)
        .map(|file| file.len())
        .sum()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use podcov_cluster::Ending;
    use podcov_report::run::ReadAt;

    use super::*;

    fn container(name: &str, started: u32, files: u32, exit: Option<(i32, &str)>) -> ContainerResult {
        ContainerResult {
            container: name.to_owned(),
            restart: 0,
            is_supervised: false,
            directory: PathBuf::from("none"),
            processes_started: started,
            counter_files: files,
            live_counter_files: 0,
            ending: exit.map(|(exit_code, reason)| Ending { exit_code, reason: reason.to_owned() }),
            gone_by: None,
            unfinished_files: Vec::new(),
            log: None,
        }
    }

    fn pod(containers: Vec<ContainerResult>, end: Option<HandOverEnd>) -> PodResult {
        PodResult {
            workload: "deployment/api".to_owned(),
            pod: "api-1".to_owned(),
            uid: "u".to_owned(),
            containers_named: false,
            end,
            was_reached: true,
            was_read: true,
            last_failure: None,
            volume_free_bytes: Some(1 << 30),
            containers,
        }
    }

    fn outcomes(pod: &PodResult) -> Vec<Outcome> {
        captures(pod, "shop", |path| path.display().to_string())
            .into_iter()
            .map(|capture| capture.outcome)
            .collect()
    }

    fn reason(outcome: &Outcome) -> (LossReason, &str) {
        match outcome {
            Outcome::Lost { reason, detail } => (*reason, detail),
            other => panic!("{other:?} is no loss"),
        }
    }

    const COMPLETE: Option<HandOverEnd> = Some(HandOverEnd::Complete);

    #[test]
    fn counters_of_every_process_are_heard() {
        let pod = pod(vec![container("api", 2, 2, Some((0, "Completed")))], COMPLETE);
        assert_eq!(outcomes(&pod), [Outcome::Heard]);
    }

    #[test]
    fn each_container_says_the_way_it_was_prepared_for() {
        let supervised = ContainerResult { is_supervised: true, ..container("api", 1, 1, None) };
        let pod = pod(vec![supervised, container("proxy", 1, 1, None)], COMPLETE);
        let captures = captures(&pod, "shop", |path| path.display().to_string());
        let ways: Vec<Way> = captures.iter().map(|capture| capture.way).collect();
        assert_eq!(ways, [Way::Supervised, Way::Files]);
    }

    #[test]
    fn processes_that_could_not_be_read_say_that_it_was_files() {
        let record = |counters| ProcessRecord {
            process_id: 7,
            started_unix_nanoseconds: 1,
            program: "/app".to_owned(),
            go_version: None,
            counters,
            ending: None,
        };
        let own_files = record(CountersFrom::OwnFiles("ptrace is forbidden".to_owned()));
        let memory = record(CountersFrom::Memory(Moment::End));
        let supervised = ContainerResult { is_supervised: true, ..container("api", 1, 1, None) };
        assert_eq!(way(&supervised, std::slice::from_ref(&own_files)), Way::Files);
        assert_eq!(way(&supervised, &[own_files, memory]), Way::Supervised);
    }

    #[test]
    fn a_proxy_beside_a_covered_container_is_left_out() {
        let pod = pod(vec![container("api", 1, 1, None), container("proxy", 0, 0, None)], COMPLETE);
        assert_eq!(outcomes(&pod), [Outcome::Heard, Outcome::NotInstrumented]);
    }

    #[test]
    fn a_container_that_was_named_must_report() {
        let mut pod = pod(vec![container("api", 1, 1, None), container("proxy", 0, 0, None)], COMPLETE);
        pod.containers_named = true;
        assert_eq!(reason(&outcomes(&pod)[1]).0, LossReason::NoData);
    }

    #[test]
    fn a_pod_without_any_coverage_is_a_loss() {
        let pod = pod(vec![container("api", 0, 0, Some((0, "Completed")))], COMPLETE);
        assert_eq!(reason(&outcomes(&pod)[0]).0, LossReason::NoData);
    }

    #[test]
    fn a_killed_process_is_named_with_its_exit_code() {
        let pod = pod(vec![container("api", 1, 0, Some((137, "OOMKilled")))], COMPLETE);
        let outcomes = outcomes(&pod);
        let (reason, detail) = reason(&outcomes[0]);
        assert_eq!(reason, LossReason::Killed);
        assert!(detail.contains("exit code 137 (OOMKilled"), "{detail}");
    }

    #[test]
    fn a_full_volume_is_told_from_a_killed_process() {
        let mut pod = pod(vec![container("api", 1, 0, Some((0, "Completed")))], COMPLETE);
        pod.volume_free_bytes = Some(0);
        pod.containers[0].unfinished_files = vec!["tmp.covcounters.x".to_owned()];
        assert_eq!(reason(&outcomes(&pod)[0]).0, LossReason::DiskFull);
    }

    #[test]
    fn a_process_that_still_runs_is_not_called_killed() {
        let pod = pod(vec![container("api", 1, 0, None)], None);
        assert_eq!(reason(&outcomes(&pod)[0]).0, LossReason::StillRunning);
    }

    #[test]
    fn a_process_that_was_last_read_while_it_lived_says_how_old_that_is() {
        let directory = tempfile::tempdir().unwrap();
        let read_at = SystemTime::now();
        let started = (read_at - Duration::from_secs(12)).duration_since(UNIX_EPOCH).unwrap();
        let record = ProcessRecord {
            process_id: 7,
            started_unix_nanoseconds: u64::try_from(started.as_nanos()).unwrap(),
            program: "/app".to_owned(),
            go_version: None,
            counters: CountersFrom::Memory(Moment::Interval { age_milliseconds: 12_000 }),
            ending: None,
        };
        std::fs::write(directory.path().join(record.file_name()), record.to_text()).unwrap();
        let capture = |end, was_read, gone_by| {
            let mut container = container("api", 1, 0, None);
            container.directory = directory.path().to_owned();
            container.live_counter_files = 1;
            container.gone_by = gone_by;
            let pod = PodResult { was_read, ..pod(vec![container], end) };
            captures(&pod, "shop", |path| path.display().to_string()).remove(0)
        };
        assert_eq!(capture(None, true, None).outcome, Outcome::Heard, "it was read after the tests");
        let gone_by = Some(read_at + Duration::from_secs(3));
        for (end, was_read) in [(None, false), (Some(HandOverEnd::Unreachable), true)] {
            let lost = capture(end, was_read, gone_by);
            let (reason, detail) = reason(&lost.outcome);
            assert_eq!(reason, LossReason::Unreachable);
            assert!(
                detail.ends_with("are those of 12s after its start, at most 3.0s before its end"),
                "{detail}"
            );
            let Some(ReadAt::Interval { seconds_before_end, .. }) = lost.processes[0].read_at else {
                panic!("{:?}", lost.processes)
            };
            assert_eq!(seconds_before_end, Some(3.0));
        }
    }

    #[test]
    fn a_loss_carries_its_diagnosis() {
        let diagnosis = |exit: (i32, &str), log: Option<&str>| {
            let mut container = container("api", 1, 0, Some(exit));
            container.log = log.map(str::to_owned);
            let pod = pod(vec![container], COMPLETE);
            captures(&pod, "shop", |path| path.display().to_string())[0].diagnosis.clone().map(|it| it.id)
        };
        assert_eq!(diagnosis((137, "OOMKilled"), None).as_deref(), Some("out-of-memory"));
        assert_eq!(diagnosis((143, "Error"), None).as_deref(), Some("sigterm-unhandled"));
        assert_eq!(diagnosis((2, "Error"), Some("")).as_deref(), Some("sigterm-unhandled"));
        assert_eq!(diagnosis((2, "Error"), Some("panic: x\n")).as_deref(), Some("panicked"));
        assert_eq!(diagnosis((2, "Error"), None), None, "it may be either");
        assert_eq!(diagnosis((0, "Completed"), None).as_deref(), Some("exited-without-flush"));
        let whole = pod(vec![container("api", 1, 1, Some((0, "Completed")))], COMPLETE);
        assert_eq!(captures(&whole, "shop", |path| path.display().to_string())[0].diagnosis, None);
    }

    #[test]
    fn a_pod_that_went_away_says_what_the_stream_said() {
        let mut pod = pod(vec![container("api", 0, 0, None)], Some(HandOverEnd::Unreachable));
        pod.last_failure = Some("connection reset".to_owned());
        let outcomes = outcomes(&pod);
        assert_eq!(reason(&outcomes[0]), (LossReason::Unreachable, "connection reset"));
    }
}
