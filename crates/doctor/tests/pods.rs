//! Each cause alone gives its id and no other error, and a healthy container none.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use podcov_doctor::facts::binary::{Binary, Contents, Coverage, GoProgram};
use podcov_doctor::facts::running_workload::{
    ContainerFacts, Counted, Ending, Files, ImageDirectory, ProcessDirectory, ProcessFacts, ProcessPlace,
    RunningWorkload, Setting, ShellProcess, State, Unknown, Volume, VolumeKind, Warning,
};
use podcov_doctor::rules::running_pod::{of_container, of_workload};
use podcov_doctor::runtime_log::findings;
use podcov_doctor::{Diagnosis, Evidence, Id, Known, Severity};

fn program(coverage: Coverage) -> Binary {
    let program = GoProgram {
        go_version: Known::found("go1.26.8".to_owned(), "x"),
        main_package: Known::found("example.com/shop/cmd/api".to_owned(), "x"),
        main_module: Known::default(),
        cover_setting: Known::default(),
        coverage,
        coverage_seen: Evidence::new("x", "y"),
        platform: ("linux".to_owned(), "amd64".to_owned()),
        is_stripped: true,
        is_static: true,
        is_position_independent: false,
        settings: Vec::new(),
        packages: Known::default(),
    };
    Binary { name: "/app".to_owned(), chain: None, contents: Contents::Go(Box::new(program)) }
}

/// A covered program that runs, with a volume, seen from inside as well.
fn healthy() -> ContainerFacts {
    let setting =
        Setting { value: Some("/coverdata".to_owned()), read_in: "env of the container".to_owned() };
    let files = Files { metadata: 1, ..Files::default() };
    ContainerFacts {
        setting: Ok(Some(setting)),
        volume: Ok(Some(Volume {
            name: "coverdata".to_owned(),
            mount_path: "/coverdata".to_owned(),
            is_read_only: false,
            kind: VolumeKind::EmptyDir,
        })),
        program: Ok(program(Coverage::WithMain)),
        can_wait_for_termination: Ok(true),
        other_image: Ok(None),
        image_directory: Ok(ImageDirectory::Missing),
        state: State::Running,
        grace_period_seconds: Some(30),
        log: Ok(Vec::new()),
        process: Ok(ProcessFacts {
            place: ProcessPlace { number: 7, node: None },
            shell: None,
            program: Ok(program(Coverage::WithMain)),
            counted: Ok(Counted { functions: 12, ran: 7 }),
            setting: Some("/coverdata".to_owned()),
            waits_for_termination: Some(true),
            user: 65532,
            directory: Ok(Some(there(files))),
        }),
        files: Ok(files),
        ..ContainerFacts::new("pod shop/api-1, container api".to_owned(), "api".to_owned())
    }
}

fn there(files: Files) -> ProcessDirectory {
    ProcessDirectory::There {
        owner: "777 0:0".to_owned(),
        lets_create: true,
        is_read_only: false,
        free_bytes: 1 << 30,
        free_files: Some(1 << 20),
        is_of_container: false,
        files: Some(files),
    }
}

fn errors(found: &[Diagnosis]) -> Vec<Id> {
    found.iter().filter(|it| it.severity == Severity::Error).map(|it| it.id).collect()
}

#[track_caller]
fn expect(id: Id, change: impl FnOnce(&mut ContainerFacts)) {
    let mut container = healthy();
    change(&mut container);
    let found = of_container(&container);
    assert_eq!(errors(&found), [id], "{found:#?}");
    let cause = found.iter().find(|it| it.severity == Severity::Error).unwrap();
    assert!(!cause.evidence.is_empty(), "{cause:?}");
    assert!(cause.fix.is_some(), "{cause:?}");
}

fn process(container: &mut ContainerFacts) -> &mut ProcessFacts {
    container.process.as_mut().unwrap()
}

fn ended(exit_code: i32, reason: &str, took: Option<i64>) -> impl Fn(&mut ContainerFacts) {
    move |container| {
        container.state = State::Ended;
        container.process = Err(Unknown::because("it has ended"));
        let reason = reason.to_owned();
        container.ending = Some(Ending { exit_code, reason, seconds_after_request: took });
    }
}

#[test]
fn a_healthy_container_has_no_errors_while_it_runs_and_when_it_has_ended() {
    let found = of_container(&healthy());
    assert_eq!(errors(&found), []);
    assert_eq!(
        found.iter().map(|it| (it.id, it.severity)).collect::<Vec<_>>(),
        [(Id::StillRunning, Severity::Note), (Id::PathComplete, Severity::Ok)]
    );
    let mut container = healthy();
    ended(0, "Completed", Some(1))(&mut container);
    container.files = Ok(Files { metadata: 1, counters: 1, temporary: 0 });
    assert_eq!(of_container(&container), []);
}

#[test]
fn the_setting_is_examined() {
    expect(Id::GocoverdirUnset, |it| it.setting = Ok(None));
    expect(Id::GocoverdirUnset, |it| process(it).setting = None);
    expect(Id::GocoverdirUnset, |it| {
        it.log = Ok(findings(["warning: GOCOVERDIR not set, no coverage data emitted"].into_iter()));
    });
    expect(Id::GocoverdirOnAnotherContainer, |it| {
        it.setting = Ok(None);
        it.set_on = vec!["proxy".to_owned()];
    });
    expect(Id::GocoverdirRelative, |it| {
        process(it).setting = Some("coverdata".to_owned());
        let line = "error: coverage counter data emit failed: output directory \"coverdata\" inaccessible (err: stat \
                    coverdata: no such file or directory); no coverage data written";
        it.log = Ok(findings([line].into_iter()));
    });
}

#[test]
fn the_directory_is_examined() {
    expect(Id::DirectoryMissing, |it| {
        let why = "No such file or directory".to_owned();
        process(it).directory = Ok(Some(ProcessDirectory::Missing(why)));
    });
    expect(Id::DirectoryMissing, |it| process(it).directory = Ok(Some(ProcessDirectory::NotADirectory)));
    expect(Id::DirectoryMissing, |it| {
        it.process = Err(Unknown::default());
        it.volume = Ok(None);
    });
    for (line, id) in [
        (
            "output directory \"/x\" inaccessible (err: stat /x: no such file or directory)",
            Id::DirectoryMissing,
        ),
        ("output directory \"/x\" not a directory; no coverage data written", Id::DirectoryMissing),
        (
            "creating meta-data file /x/tmp.covmeta.1: open /x/tmp.covmeta.1: permission denied",
            Id::DirectoryNotWritable,
        ),
        ("creating meta-data file /x/tmp.covmeta.1: open: read-only file system", Id::ReadOnlyFileSystem),
        ("writing /x/tmp.covmeta.1: write error: write: no space left on device", Id::VolumeFull),
    ] {
        expect(id, |it| {
            it.process = Err(Unknown::default());
            let line = format!("error: coverage meta-data emit failed: {line}");
            it.log = Ok(findings([line.as_str()].into_iter()));
        });
    }
    expect(Id::ReadOnlyFileSystem, |it| it.volume.as_mut().unwrap().as_mut().unwrap().is_read_only = true);
    expect(Id::ReadOnlyFileSystem, |it| {
        it.process = Err(Unknown::default());
        it.volume = Ok(None);
        it.image_directory = Ok(ImageDirectory::There { owner: "777 0:0".to_owned(), lets_create: true });
        it.has_read_only_root = true;
    });
    let directory = |change: fn(&mut ProcessDirectory)| {
        move |it: &mut ContainerFacts| change(process(it).directory.as_mut().unwrap().as_mut().unwrap())
    };
    expect(
        Id::DirectoryNotWritable,
        directory(|it| {
            let ProcessDirectory::There { lets_create, .. } = it else { unreachable!() };
            *lets_create = false;
        }),
    );
    expect(
        Id::VolumeFull,
        directory(|it| {
            let ProcessDirectory::There { free_bytes, .. } = it else { unreachable!() };
            *free_bytes = 4096;
        }),
    );
    expect(
        Id::VolumeFull,
        directory(|it| {
            let ProcessDirectory::There { free_files, .. } = it else { unreachable!() };
            *free_files = Some(1);
        }),
    );
    expect(
        Id::DataOnContainerFilesystem,
        directory(|it| {
            let ProcessDirectory::There { is_of_container, .. } = it else { unreachable!() };
            *is_of_container = true;
        }),
    );
    let node_path = |here: Result<Option<String>, Unknown>| {
        move |it: &mut ContainerFacts| {
            it.volume.as_mut().unwrap().as_mut().unwrap().kind = VolumeKind::NodePath {
                path: "/coverdata".to_owned(),
                node: "kind-worker".to_owned(),
                on_this_machine: here,
            };
        }
    };
    expect(Id::NodePathNotMounted, node_path(Ok(None)));
    for harmless in
        [Ok(Some("/tmp/coverdata".to_owned())), Err(Unknown::because("no container of that name"))]
    {
        let mut container = healthy();
        node_path(harmless)(&mut container);
        assert_eq!(errors(&of_container(&container)), []);
    }
}

#[test]
fn the_ending_is_examined() {
    expect(Id::OutOfMemory, ended(137, "OOMKilled", None));
    expect(Id::KilledBeforeFlush, ended(137, "Error", None));
    expect(Id::KilledBeforeFlush, ended(137, "Error", Some(1)));
    expect(Id::GracePeriodExceeded, ended(137, "Error", Some(30)));
    expect(Id::SigtermUnhandled, ended(143, "Error", Some(0)));
    expect(Id::SigtermUnhandled, ended(2, "Error", Some(0)));
    expect(Id::Panicked, |it| {
        ended(2, "Error", None)(it);
        it.log = Ok(findings(["panic: assignment to entry in nil map"].into_iter()));
    });
    expect(Id::Panicked, |it| {
        ended(2, "Error", None)(it);
        it.log = Ok(findings(["fatal error: all goroutines are asleep - deadlock!"].into_iter()));
    });
    expect(Id::ExitedWithoutFlush, |it| {
        ended(0, "Completed", None)(it);
        it.files = Ok(Files { metadata: 1, ..Files::default() });
    });
    // SIGINT, as images can ask for with STOPSIGNAL, and SIGSEGV in C.
    for (code, id) in
        [(130, Id::SigtermUnhandled), (139, Id::KilledBeforeFlush), (255, Id::ExitedWithoutFlush)]
    {
        expect(id, |it| {
            ended(code, "Error", Some(0))(it);
            it.files = Ok(Files { metadata: 1, ..Files::default() });
        });
        let mut healthy = healthy();
        ended(code, "Error", Some(0))(&mut healthy);
        healthy.files = Ok(Files { metadata: 1, counters: 1, ..Files::default() });
        assert_eq!(
            errors(&of_container(&healthy)),
            [],
            "it has left its counters, as a program may with any code"
        );
    }
    expect(Id::ShellSwallowsSignals, |it| {
        ended(137, "Error", Some(30))(it);
        it.shell = Some("sh -c 'migrate && /app'".to_owned());
    });
}

#[test]
fn what_will_happen_is_said_of_a_container_that_runs() {
    expect(Id::SigtermUnhandled, |it| process(it).waits_for_termination = Some(false));
    expect(Id::SigtermUnhandled, |it| it.can_wait_for_termination = Ok(false));
    expect(Id::ShellSwallowsSignals, |it| {
        process(it).shell = Some(ShellProcess {
            place: ProcessPlace { number: 6, node: None },
            program: "/bin/dash".to_owned(),
            command_line: "sh -c 'migrate && /app'".to_owned(),
        });
    });
    let mut replaced = healthy();
    replaced.shell = Some("sh -c 'cd /x && exec /app'".to_owned());
    assert_eq!(errors(&of_container(&replaced)), [], "the first process is the program");
}

#[test]
fn what_runs_is_examined_first_and_explains_the_rest() {
    let other = || Ok(Some(("sha256:1".to_owned(), "sha256:2".to_owned())));
    expect(Id::ImageIsStale, |it| it.other_image = other());
    expect(Id::MainNotCovered, |it| it.program = Ok(program(Coverage::WithoutMain)));
    expect(Id::NotAGoBinary, |it| {
        it.program = Ok(Binary { contents: Contents::NotGo("a script".to_owned()), ..Binary::default() });
    });
    expect(Id::NotInstrumented, |it| {
        it.program = Ok(program(Coverage::Nothing));
        it.setting = Ok(None);
        it.process = Err(Unknown::default());
        it.can_wait_for_termination = Ok(false);
    });
}

fn workload(containers: Vec<ContainerFacts>) -> RunningWorkload {
    RunningWorkload {
        subject: "deployment shop/api".to_owned(),
        wanted_pods: 1,
        existing_pods: 1,
        warnings: Vec::new(),
        containers,
    }
}

fn warning(reason: &str, message: &str) -> Warning {
    Warning { about: "replicaset/api-1".to_owned(), reason: reason.to_owned(), message: message.to_owned() }
}

#[test]
fn pods_that_cannot_be_are_explained_by_the_cluster_s_words() {
    for (reason, message, id) in [
        (
            "FailedCreate",
            "pods \"api-1-x\" is forbidden: violates PodSecurity \"restricted:latest\": hostPath",
            Id::PodSecurityForbids,
        ),
        (
            "FailedMount",
            "MountVolume.SetUp failed for volume \"c\" : hostPath type check failed: /x is not a directory",
            Id::NodePathNotMounted,
        ),
    ] {
        let mut waiting = healthy();
        waiting.state = State::Described;
        let mut facts = workload(vec![waiting]);
        facts.existing_pods = 0;
        facts.warnings = vec![warning(reason, message)];
        assert_eq!(errors(&of_workload(&facts)), [id]);
        // They run by now: it was mended.
        let mut facts = workload(vec![healthy()]);
        facts.warnings = vec![warning(reason, message)];
        assert_eq!(errors(&of_workload(&facts)), []);
    }
}

#[test]
fn a_proxy_beside_a_covered_program_need_not_be_covered() {
    let mut proxy = healthy();
    proxy.name = "proxy".to_owned();
    proxy.setting = Ok(None);
    proxy.files = Ok(Files::default());
    proxy.program = Ok(program(Coverage::Nothing));
    assert_eq!(errors(&of_workload(&workload(vec![healthy(), proxy.clone()]))), []);
    assert_eq!(errors(&of_workload(&workload(vec![proxy]))), [Id::NotInstrumented], "alone it is meant");
}

#[test]
fn what_could_not_be_looked_at_is_unknown_with_the_reason_and_what_helps() {
    let mut container = healthy();
    container.process =
        Err(Unknown { reason: "nobody looked".to_owned(), how: "podcov doctor --yes".to_owned() });
    let found = of_container(&container);
    let unknown = found.iter().find(|it| it.severity == Severity::Unknown).unwrap();
    assert!(unknown.sentence.contains("nobody looked"));
    assert_eq!(unknown.fix.as_deref(), Some("podcov doctor --yes"));
}

/// What podcov may not enter or list is neither missing nor empty.
#[test]
fn what_a_program_left_is_unknown_where_neither_its_end_nor_its_files_tell() {
    let of = |state: State, exit_code| {
        let mut container = healthy();
        ended(exit_code, "Error", None)(&mut container);
        container.state = state;
        container.files = Err(Unknown::because("they are on the node"));
        let found = of_container(&container);
        found.into_iter().map(|it| (it.id, it.severity)).collect::<Vec<_>>()
    };
    let starts_again = || State::Waiting("CrashLoopBackOff".to_owned(), "back-off".to_owned());
    for state in [State::Ended, starts_again()] {
        assert_eq!(of(state, 1), [(Id::CouldNotLook, Severity::Unknown)]);
    }
    assert_eq!(of(starts_again(), 137), [(Id::KilledBeforeFlush, Severity::Error)]);
}

#[test]
fn a_container_that_has_not_started_is_unknown_with_the_words_of_the_cluster() {
    let words = "container has runAsNonRoot and image will run as root";
    let mut container = healthy();
    container.state = State::Waiting("CreateContainerConfigError".to_owned(), words.to_owned());
    container.process = Err(Unknown::because("it does not run"));
    let found = of_container(&container);
    assert_eq!(errors(&found), []);
    let unknown: Vec<_> = found.iter().filter(|it| it.severity == Severity::Unknown).collect();
    assert!(
        matches!(unknown[..], [it] if it.evidence.iter().any(|it| it.value.contains(words))),
        "{found:?}"
    );
    // One that has run before is judged by its end.
    ended(137, "OOMKilled", None)(&mut container);
    container.state = State::Waiting("CrashLoopBackOff".to_owned(), String::new());
    assert_eq!(errors(&of_container(&container)), [Id::OutOfMemory]);
}

#[test]
fn a_directory_that_podcov_may_not_enter_is_unknown() {
    let is_unknown = |change: &dyn Fn(&mut ContainerFacts)| {
        let mut container = healthy();
        change(&mut container);
        let found = of_container(&container);
        assert_eq!(errors(&found), []);
        found
            .iter()
            .any(|it| it.severity == Severity::Unknown && it.sentence.contains("where GOCOVERDIR points"))
    };
    assert!(!is_unknown(&|_| {}));
    assert!(is_unknown(&|it| process(it).directory = Err(Unknown::because("permission denied"))));
    assert!(is_unknown(&|it| {
        let Ok(Some(ProcessDirectory::There { files, .. })) = &mut process(it).directory else {
            unreachable!()
        };
        *files = None;
        it.files = Err(Unknown::because("it may not be listed"));
    }));
}
