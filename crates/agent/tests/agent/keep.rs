//! A well-behaved pod: what is kept, what is waited for, and how it ends.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use podcov_agent_protocol::{
    ContainerSnapshot, EXIT_DEADLINE, SnapshotOutcome, ToAgent, is_metadata_file_name,
};
use podcov_wait as wait;

use crate::go_program;
use crate::keeper::{AGENT, FAR_DEADLINE, Keeper, data_flag, files_on_volume};
use crate::reader::Reader;

#[test]
fn files_written_before_and_after_attach_arrive() {
    let volume = tempfile::tempdir().unwrap();
    let mut keeper = Keeper::start(volume.path(), FAR_DEADLINE, &["api", "worker"]);
    go_program::run(&keeper.directory("api"));

    let mut reader = keeper.attach();
    reader.until_files(2);
    assert_eq!(reader.containers, ["api", "worker"]);
    go_program::run(&keeper.directory("worker"));
    reader.until_files(4);
    let running = go_program::start(&keeper.directory("api"));
    reader.until("a start to be told while its process runs", |reader| reader.starts.len() == 3);
    assert_eq!(reader.files.len(), 4);
    go_program::finish(running);
    reader.until_files(5);
    keeper.terminate();
    reader.until_ended();

    assert_eq!(reader.files, files_on_volume(volume.path(), &["api", "worker"]));
    for (position, (container, name)) in reader.order.iter().enumerate() {
        let metadata = reader.order[..position]
            .iter()
            .any(|(before, name)| before == container && is_metadata_file_name(name));
        assert!(metadata || is_metadata_file_name(name), "{container}/{name} came before its meta-data");
    }
    let (containers, volume_free_bytes) = reader.ended.clone().unwrap();
    assert_eq!(containers.len(), 2);
    assert!(containers.iter().all(|end| end.unfinished_files.is_empty()), "{containers:?}");
    assert!(volume_free_bytes > 0);

    reader.acknowledge_all();
    reader.say(&ToAgent::Done);
    keeper.exit_successfully();
    reader.exit_successfully();
}

#[test]
fn a_snapshot_has_what_was_there_before_and_says_that_nobody_supervises() {
    let volume = tempfile::tempdir().unwrap();
    let keeper = Keeper::start(volume.path(), FAR_DEADLINE, &["api"]);
    let mut reader = keeper.attach();
    reader.until("the greeting", |reader| reader.up_to_date);
    go_program::run(&keeper.directory("api"));
    reader.say(&ToAgent::Snapshot { number: 7 });
    reader.until("the snapshot", |reader| !reader.snapshots.is_empty());
    let outcome = SnapshotOutcome::NotSupervised;
    assert_eq!(reader.snapshots, [(7, vec![ContainerSnapshot { container: "api".to_owned(), outcome }])]);
    assert_eq!(reader.files, files_on_volume(volume.path(), &["api"]));
}

#[test]
fn every_reader_gets_everything() {
    let volume = tempfile::tempdir().unwrap();
    let mut keeper = Keeper::start(volume.path(), FAR_DEADLINE, &["api"]);
    let mut readers = [keeper.attach(), keeper.connect()];
    go_program::run(&keeper.directory("api"));
    for reader in &mut readers {
        reader.until_files(2);
        reader.acknowledge_all();
    }
    let mut late = keeper.attach();
    late.until_files(2);
    keeper.terminate();
    for reader in readers.iter_mut().chain([&mut late]) {
        reader.until_ended();
        assert_eq!(reader.files, files_on_volume(volume.path(), &["api"]));
        assert_eq!(reader.starts.len(), 1);
        reader.say(&ToAgent::Done);
    }
    keeper.exit_successfully();
}

#[test]
fn the_keeper_waits_for_its_data_to_be_taken() {
    let volume = tempfile::tempdir().unwrap();
    let mut keeper = Keeper::start(volume.path(), FAR_DEADLINE, &["api"]);
    go_program::run(&keeper.directory("api"));
    keeper.terminate();
    keeper.until_log("files to be taken within 600 seconds: 2");
    keeper.terminate();

    let mut interrupted = keeper.attach();
    interrupted.until_ended();
    drop(interrupted);
    let mut reader = keeper.attach();
    reader.until_ended();
    assert_eq!(reader.files, files_on_volume(volume.path(), &["api"]));
    reader.say(&ToAgent::Done);
    keeper.exit_successfully();
}

#[test]
fn a_deadline_names_what_was_left() {
    let volume = tempfile::tempdir().unwrap();
    let mut keeper = Keeper::start(volume.path(), 1, &["api", "worker"]);
    go_program::run(&keeper.directory("api"));
    go_program::run(&keeper.directory("worker"));
    let mut reader = keeper.attach();
    reader.until_files(4);
    let (left, taken): (Vec<_>, Vec<_>) =
        reader.order.clone().into_iter().partition(|(container, _)| container == "worker");
    for (container, name) in &taken {
        reader.say(&ToAgent::Acknowledge { container: container.clone(), name: name.clone() });
    }
    reader.fall_silent();
    // The keeper hangs up after it has read all that was said.
    reader.until_closed();
    keeper.signal(Signal::SIGINT);

    let status = keeper.exit();
    assert_eq!(status.code(), Some(EXIT_DEADLINE), "{}", keeper.log());
    for (container, name) in left {
        keeper.until_log(&format!("not taken before the deadline: {container}/{name}"));
    }
    for (container, name) in taken {
        assert!(!keeper.log().contains(&format!("{container}/{name}")), "{}", keeper.log());
    }
}

#[test]
fn an_acknowledged_pod_ends_at_once() {
    let volume = tempfile::tempdir().unwrap();
    let mut keeper = Keeper::start(volume.path(), FAR_DEADLINE, &["api"]);
    go_program::run(&keeper.directory("api"));
    let mut reader = keeper.attach();
    reader.until_files(2);
    reader.acknowledge_all();
    reader.fall_silent();
    // The keeper hangs up after it has read all that was said.
    reader.until_closed();
    keeper.terminate();
    keeper.exit_successfully();
    assert_eq!(files_on_volume(volume.path(), &["api"]), reader.files, "taken files stay on the volume");
}

#[test]
fn a_pod_without_data_ends_at_once() {
    let volume = tempfile::tempdir().unwrap();
    let mut keeper = Keeper::start(volume.path(), FAR_DEADLINE, &["api"]);
    keeper.terminate();
    keeper.exit_successfully();

    let mut keeper = Keeper::start(volume.path(), FAR_DEADLINE, &["api"]);
    let mut reader = keeper.attach();
    reader.until("the greeting", |reader| reader.up_to_date);
    keeper.terminate();
    reader.until_ended();
    reader.say(&ToAgent::Done);
    keeper.exit_successfully();
    reader.exit_successfully();
}

#[test]
fn a_discarded_pod_ends_at_once() {
    let volume = tempfile::tempdir().unwrap();
    let mut keeper = Keeper::start(volume.path(), FAR_DEADLINE, &["api"]);
    go_program::run(&keeper.directory("api"));
    let mut reader = keeper.attach();
    reader.until_files(2);
    reader.say(&ToAgent::Discard);
    reader.fall_silent();
    reader.until_closed();
    let _silent = keeper.connect();
    keeper.terminate();
    keeper.exit_successfully();
}

#[test]
fn each_start_of_a_process_is_counted() {
    const PROCESSES: usize = 12;
    let volume = tempfile::tempdir().unwrap();
    let keeper = Keeper::start(volume.path(), FAR_DEADLINE, &["api"]);
    let mut reader = keeper.attach();
    let killed = (0..PROCESSES / 2).map(|_| go_program::start(&keeper.directory("api")));
    // A killed process writes no counters: its start is all there is of it.
    for (number, mut process) in killed.enumerate() {
        reader.until("the start of a process", |reader| reader.starts.len() > number);
        process.kill().unwrap();
        process.wait().unwrap();
    }
    for _ in 0..PROCESSES / 2 {
        go_program::run(&keeper.directory("api"));
    }
    reader.until_files(1 + PROCESSES / 2);
    assert_eq!(reader.starts.len(), PROCESSES);
    let mut late = keeper.attach();
    late.until_files(1 + PROCESSES / 2);
    assert_eq!(late.starts, reader.starts);
}

#[test]
fn a_restarted_keeper_offers_everything_again() {
    let volume = tempfile::tempdir().unwrap();
    let mut keeper = Keeper::start(volume.path(), FAR_DEADLINE, &["api"]);
    go_program::run(&keeper.directory("api"));
    let mut reader = keeper.attach();
    reader.until_files(2);
    reader.acknowledge_all();
    keeper.signal(Signal::SIGKILL);
    keeper.exit();
    reader.until_closed();
    reader.exit_successfully();
    go_program::run(&keeper.directory("api"));

    let mut keeper = Keeper::start(volume.path(), FAR_DEADLINE, &["api"]);
    let mut reader = keeper.attach();
    reader.until_files(3);
    assert_eq!(reader.starts.len(), 1, "the meta-data file that is there is the last start");
    go_program::run(&keeper.directory("api"));
    reader.until_files(4);
    assert_eq!(reader.starts.len(), 2);
    keeper.terminate();
    reader.until_ended();
    assert_eq!(reader.files, files_on_volume(volume.path(), &["api"]));
    reader.say(&ToAgent::Done);
    keeper.exit_successfully();
}

#[test]
fn a_reader_that_only_listens_gets_what_there_is() {
    let volume = tempfile::tempdir().unwrap();
    let keeper = Keeper::start(volume.path(), FAR_DEADLINE, &["api"]);
    go_program::run(&keeper.directory("api"));
    let mut reader = keeper.attach();
    reader.fall_silent();
    reader.until_closed();
    reader.exit_successfully();
    assert_eq!(reader.files, files_on_volume(volume.path(), &["api"]));
}

#[test]
fn attach_waits_for_its_keeper() {
    let volume = tempfile::tempdir().unwrap();
    let mut reader = Reader::attach(Command::new(AGENT).arg("attach").arg(data_flag(volume.path())));
    let _keeper = Keeper::start(volume.path(), FAR_DEADLINE, &["api"]);
    reader.until("the greeting", |reader| reader.containers == ["api"]);
}

#[test]
fn attach_says_that_there_is_no_keeper() {
    let volume = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let output = Command::new(AGENT).arg("attach").arg(data_flag(volume.path())).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(begun.elapsed() >= Duration::from_secs(10), "it gave up early");
    assert!(output.stdout.is_empty());
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("no keeper answers at") && message.contains(".agent/socket"), "{message}");
}

#[test]
fn attach_ends_when_nobody_reads_its_output() {
    let volume = tempfile::tempdir().unwrap();
    let keeper = Keeper::start(volume.path(), FAR_DEADLINE, &["api"]);
    let mut command = Command::new(AGENT);
    command.arg("attach").arg(data_flag(volume.path())).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut attach = command.spawn().unwrap();
    drop(attach.stdout.take());
    go_program::run(&keeper.directory("api"));
    assert!(wait::until_exit("`agent attach` to end", &mut attach).success());
}

#[test]
fn a_wrong_command_line_is_explained() {
    let output = Command::new(AGENT).arg("keep").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("--deadline-seconds=N is missing") && message.contains("usage:"), "{message}");
}

#[test]
fn an_impossible_volume_is_named() {
    let volume = tempfile::tempdir().unwrap();
    fs::write(volume.path().join("api"), "").unwrap();
    let mut command = Command::new(AGENT);
    command.args(["keep", "--deadline-seconds=1", "api"]).arg(data_flag(volume.path()));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("cannot make the directory") && message.contains("/api"), "{message}");
}
