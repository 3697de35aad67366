//! What must not harm: an application that plants things on the volume, a reader that says wrong things or
//! nothing, a volume that is full.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use nix::sys::stat::Mode;
use nix::unistd::{geteuid, mkfifo};
use podcov_agent_protocol::{MAX_FRAME_LENGTH, ToAgent};

use crate::go_program;
use crate::keeper::{FAR_DEADLINE, Keeper, files_on_volume};
use crate::pod::skip;

const METADATA_FILE: &str = "covmeta.0123456789abcdef0123456789abcdef";

fn counter_file(number: u32) -> String {
    format!("covcounters.0123456789abcdef0123456789abcdef.{number}.1")
}

#[test]
fn a_symlink_is_not_followed() {
    let volume = tempfile::tempdir().unwrap();
    let secret = volume.path().join("secret");
    fs::write(&secret, "of another container").unwrap();
    let mut keeper = Keeper::start(volume.path(), FAR_DEADLINE, &["api"]);
    let api = keeper.directory("api");
    symlink(&secret, api.join(METADATA_FILE)).unwrap();
    symlink("/dev/zero", api.join(counter_file(1))).unwrap();
    mkfifo(&api.join(counter_file(2)), Mode::S_IRWXU).unwrap();
    fs::create_dir(api.join(counter_file(3))).unwrap();
    File::create(api.join(counter_file(4))).unwrap().set_len(1 << 40).unwrap();
    fs::write(api.join("covmeta.short"), "no name of Go's").unwrap();
    // Renamed to its place, as the watch expects it of a file.
    symlink(&secret, api.join("tmp")).unwrap();
    fs::rename(api.join("tmp"), api.join(counter_file(5))).unwrap();

    let mut reader = keeper.attach();
    reader.until("what is there", |reader| reader.up_to_date);
    keeper.terminate();
    reader.until_ended();
    assert!(reader.files.is_empty(), "{:?}", reader.order);
    assert!(reader.starts.is_empty(), "{:?}", reader.starts);
    let mut refused: Vec<_> = reader.unreadable.keys().map(|(_, name)| name.clone()).collect();
    refused.sort();
    let mut planted: Vec<_> = (1..=5).map(counter_file).chain([METADATA_FILE.to_owned()]).collect();
    planted.sort();
    assert_eq!(refused, planted);
    reader.say(&ToAgent::Done);
    keeper.exit_successfully();
}

#[test]
fn nobody_waits_for_what_cannot_be_taken() {
    let volume = tempfile::tempdir().unwrap();
    let mut keeper = Keeper::start(volume.path(), FAR_DEADLINE, &["api"]);
    symlink("/etc/hostname", keeper.directory("api").join(METADATA_FILE)).unwrap();
    let deleted = keeper.directory("api").join(counter_file(1));
    fs::write(&deleted, "as an entry point does that empties its directory").unwrap();
    keeper.attach().until_files(1);
    fs::remove_file(&deleted).unwrap();
    keeper.terminate();
    keeper.exit_successfully();
}

#[test]
fn an_unreadable_file_that_comes_anew_is_sent() {
    let volume = tempfile::tempdir().unwrap();
    let keeper = Keeper::start(volume.path(), FAR_DEADLINE, &["api"]);
    let api = keeper.directory("api");
    symlink("/etc/hostname", api.join("link")).unwrap();
    fs::rename(api.join("link"), api.join(METADATA_FILE)).unwrap();
    let mut reader = keeper.attach();
    reader.until("the refusal of a link", |reader| reader.unreadable.len() == 1);
    fs::write(api.join("tmp.covmeta"), "a file").unwrap();
    fs::rename(api.join("tmp.covmeta"), api.join(METADATA_FILE)).unwrap();
    reader.until_files(1);
    assert_eq!(reader.files, files_on_volume(volume.path(), &["api"]));
}

#[test]
fn a_malformed_frame_closes_only_its_connection() {
    let volume = tempfile::tempdir().unwrap();
    let mut keeper = Keeper::start(volume.path(), FAR_DEADLINE, &["api"]);
    let mut good = keeper.attach();
    let too_long = u32::try_from(MAX_FRAME_LENGTH + 1).unwrap().to_le_bytes();
    let unknown_variant = [1, 0, 0, 0, 0xff];
    let done_before_the_end = [1, 0, 0, 0, 1];
    for wrong in [too_long.as_slice(), &unknown_variant, &done_before_the_end] {
        let mut bad = keeper.attach();
        bad.say_bytes(wrong);
        bad.until_closed();
        bad.exit_successfully();
        let mut bad = keeper.connect();
        bad.say_bytes(wrong);
        bad.until_closed();
    }
    go_program::run(&keeper.directory("api"));
    good.until_files(2);
    good.say(&ToAgent::Acknowledge { container: "another".into(), name: "../../etc/passwd".into() });
    keeper.terminate();
    good.until_ended();
    good.say(&ToAgent::Done);
    keeper.exit_successfully();
}

#[test]
fn a_stalled_reader_blocks_neither_others_nor_the_deadline() {
    const MORE_THAN_SOCKETS_HOLD: usize = 8 << 20;
    let volume = tempfile::tempdir().unwrap();
    let mut keeper = Keeper::start(volume.path(), 2, &["api"]);
    fs::write(keeper.directory("api").join(METADATA_FILE), vec![7; MORE_THAN_SOCKETS_HOLD]).unwrap();
    let _stalled = std::os::unix::net::UnixStream::connect(volume.path().join(".agent/socket")).unwrap();
    let mut taker = keeper.attach();
    taker.until_files(1);
    taker.acknowledge_all();
    taker.fall_silent();
    // Before the deadline begins, everything is taken.
    taker.until_closed();
    let mut reader = keeper.attach();
    reader.until_files(1);
    keeper.terminate();
    reader.until_ended();
    reader.say(&ToAgent::Done);
    keeper.exit_successfully();
}

#[test]
fn a_full_volume_is_reported() {
    if !geteuid().is_root() {
        return skip("a_full_volume_is_reported", "mounting a small volume needs root");
    }
    let mount = SmallVolume::mount();
    let mut keeper = Keeper::start(mount.path(), FAR_DEADLINE, &["api", "worker"]);
    let mut filler = File::create(mount.path().join("filler")).unwrap();
    while filler.write_all(&[0; 4096]).is_ok() {}
    go_program::run(&keeper.directory("api"));

    let mut reader = keeper.attach();
    reader.until("what is there", |reader| reader.up_to_date);
    keeper.terminate();
    reader.until_ended();
    assert!(reader.files.is_empty());
    let (containers, volume_free_bytes) = reader.ended.clone().unwrap();
    assert_eq!(volume_free_bytes, 0);
    let [api, worker] = containers.as_slice() else { panic!("{containers:?}") };
    assert!(!api.unfinished_files.is_empty(), "{containers:?}");
    assert!(api.unfinished_files.iter().all(|name| name.starts_with("tmp.cov")), "{containers:?}");
    assert!(worker.unfinished_files.is_empty(), "{containers:?}");
    assert!(keeper.log().contains("api left unfinished: tmp.cov"), "{}", keeper.log());
    reader.say(&ToAgent::Done);
    keeper.exit_successfully();
}

/// A file system of few bytes, unmounted with its value.
struct SmallVolume(tempfile::TempDir);

impl SmallVolume {
    fn mount() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(directory.path());
        assert!(command.status().unwrap().success(), "{command:?}");
        Self(directory)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallVolume {
    fn drop(&mut self) {
        // Lazily: a failed test still has processes on it.
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}
