//! `agent snapshot`: which processes of the machine are those of a container, and what is sent of them.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use podcov_agent_protocol::{FromReader, PROTOCOL_VERSION, ReadProcess, decode};
use podcov_wait as wait;

use crate::go_program;
use crate::keeper::AGENT;

/// Where cgroups can be made: of the second version, or of the first.
const HIERARCHIES: [&str; 3] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/pids"];

/// A cgroup that is called as runtimes call that of a container. Empty by then, it is removed with its value.
struct Container {
    id: String,
    path: PathBuf,
}

impl Container {
    /// None where no cgroup can be made, which is said.
    fn new(digit: char, test: &str) -> Option<Self> {
        // Only this one's, whoever else tests on this machine.
        let id = format!("{digit}{:063x}", std::process::id());
        let made = HIERARCHIES.iter().find_map(|hierarchy| {
            let path = Path::new(hierarchy).join(format!("podcov-test-{id}.scope"));
            let is_cgroup = Path::new(hierarchy).join("cgroup.procs").exists();
            (is_cgroup && (path.is_dir() || fs::create_dir(&path).is_ok())).then_some(path)
        });
        if made.is_none() {
            // Past the capturing of what tests print.
            let _ = writeln!(std::io::stderr(), "SKIPPED {test}: no cgroup can be made here");
        }
        Some(Self { id, path: made? })
    }

    /// Starts a program in it as another user, who does nothing until its input ends.
    fn start(&self, program: &str, directory: &Path) -> Child {
        let join = format!("echo 0 > {}/cgroup.procs; exec \"$0\"", self.path.display());
        let mut command = Command::new("sh");
        command.args(["-c", &join, program]).env("GOCOVERDIR", directory);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.path);
    }
}

/// What the agent says, and whether it succeeds.
fn snapshot(arguments: &[&str]) -> (Vec<FromReader>, bool) {
    let output = Command::new(AGENT).arg("snapshot").args(arguments).output().unwrap();
    let (mut messages, mut rest) = (Vec::new(), output.stdout.as_slice());
    while let Some((message, length)) = decode::<FromReader>(rest).unwrap() {
        messages.push(message);
        rest = &rest[length..];
    }
    assert!(rest.is_empty(), "nothing stands between messages");
    (messages, output.status.success())
}

fn read(messages: &[FromReader]) -> Vec<&ReadProcess> {
    let processes = messages.iter().filter_map(|message| match message {
        FromReader::Process(process) => Some(process),
        _ => None,
    });
    processes.collect()
}

/// The bytes that follow the message before them.
fn data_after(messages: &[FromReader], wanted: impl Fn(&FromReader) -> bool) -> Vec<u8> {
    let after = messages.iter().skip_while(|message| !wanted(message)).skip(1);
    let data = after.map_while(|message| match message {
        FromReader::Data { bytes } => Some(bytes.as_slice()),
        _ => None,
    });
    data.collect::<Vec<_>>().concat()
}

#[test]
fn the_processes_of_a_container_are_read_and_no_others() {
    let test = "the_processes_of_a_container_are_read_and_no_others";
    let Some(container) = Container::new('a', test) else { return };
    let data = tempfile::tempdir().unwrap();
    let program = go_program::executable().to_str().unwrap();
    let mut inside: Vec<Child> = (0..2).map(|_| container.start(program, data.path())).collect();
    let shell = container.start("cat", data.path());
    let outside = go_program::start(data.path());

    let mut numbers: Vec<u32> = inside.iter().map(Child::id).collect();
    numbers.sort_unstable();
    let messages = wait::until_some("both programs run in the container", || {
        let (messages, is_success) = snapshot(&[&container.id]);
        assert!(is_success);
        let found: Vec<u32> = read(&messages).iter().map(|process| process.process_id).collect();
        // Not before it has become one, cat is a shell, too.
        (found == numbers
            && messages.contains(&FromReader::Container { container_id: container.id.clone(), processes: 3 }))
        .then_some(messages)
    });

    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap().trim().to_owned();
    let FromReader::Hello { protocol_version, boot_id: said, .. } = &messages[0] else {
        panic!("{:?}", messages[0]);
    };
    assert_eq!((*protocol_version, said), (PROTOCOL_VERSION, &boot_id));
    assert_eq!(messages.last(), Some(&FromReader::End));
    let others = messages.iter().filter_map(|message| match message {
        FromReader::NotRead { process_id, has_no_counters, why } => {
            Some((*process_id, *has_no_counters, why))
        }
        _ => None,
    });
    let others: Vec<_> = others.collect();
    assert_eq!(others.len(), 1);
    assert_eq!((others[0].0, others[0].1), (shell.id(), true));
    assert!(others[0].2.contains("is not a program of Go's"), "{others:?}");

    // What the program itself writes is the same.
    let metadata: Vec<PathBuf> =
        fs::read_dir(data.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let is_metadata = |message: &FromReader| matches!(message, FromReader::MetaData { .. });
    assert_eq!(messages.iter().filter(|message| is_metadata(message)).count(), 1, "one program, told once");
    assert!(data_after(&messages, is_metadata) == fs::read(&metadata[0]).unwrap());
    for process in read(&messages) {
        let name = metadata[0].file_name().unwrap().to_str().unwrap().replace("covmeta", "covcounters");
        assert!(process.counter_file.starts_with(&format!("{name}.{}.", process.process_id)));
        let is_its = |message: &FromReader| matches!(message, FromReader::Process(other) if other == process);
        assert_eq!(data_after(&messages, is_its).len() as u64, process.length);
        assert!(!process.is_torn);
    }

    for child in inside.drain(..).chain([shell, outside]) {
        go_program::finish(child);
    }
    let (messages, is_success) = snapshot(&[&container.id]);
    assert!(is_success);
    let nothing = FromReader::Container { container_id: container.id.clone(), processes: 0 };
    assert_eq!(messages[1..], [nothing, FromReader::End]);
}

#[test]
fn a_process_that_may_not_be_read_is_named_with_the_rule() {
    let test = "a_process_that_may_not_be_read_is_named_with_the_rule";
    let Some(container) = Container::new('b', test) else { return };
    let data = tempfile::tempdir().unwrap();
    let child = container.start(go_program::executable().to_str().unwrap(), data.path());
    // The agent as a user who may read nobody's memory, where every user may execute it.
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let agent = place.path().join("agent");
    let installed = Command::new("install").arg("--mode=0555").arg(AGENT).arg(&agent).status().unwrap();
    assert!(installed.success());
    let why = wait::until_some("the process is in the container", || {
        let mut command = Command::new(&agent);
        command.current_dir(place.path());
        let output = command.args(["snapshot", &container.id]).uid(65532).gid(65532).output().unwrap();
        let mut rest = output.stdout.as_slice();
        while let Some((message, length)) = decode::<FromReader>(rest).unwrap() {
            rest = &rest[length..];
            if let FromReader::NotRead { why, has_no_counters: false, .. } = message {
                return Some(why);
            }
        }
        None
    });
    assert!(why.contains("it runs as user 0, and this one as 65532"), "{why}");
    go_program::finish(child);
}
