//! A snapshot of a process is what the process writes itself.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use go_coverage::CounterFile;
use podcov_go_programs::{Covered, Linking, LiveProgram, installed_go};

use crate::live::{Live, MODES, RELEASES, Written, assert_same, executable, program};

fn check(program: LiveProgram) {
    let mut live = Live::start_command(Command::new(executable(program)).args(["7", "", "two words"]));
    live.work(5);
    let snapshot = live.snapshot();
    assert_same(&snapshot, &live.finish(), &format!("{program:?}"));
}

/// Every release, every mode, and every way to link with one of the releases.
#[test]
fn a_snapshot_is_what_the_process_writes_at_its_end() {
    for ((release, linking), mode) in
        RELEASES.into_iter().cycle().zip(Linking::ALL).zip(MODES.into_iter().cycle())
    {
        check(LiveProgram { release, mode, linking, covered: Covered::Program });
    }
}

#[test]
#[ignore = "long: every release in every mode, linked in every way"]
fn a_snapshot_of_everything_is_what_the_process_writes_at_its_end() {
    for release in RELEASES {
        for mode in MODES {
            for linking in Linking::ALL {
                check(LiveProgram { release, mode, linking, covered: Covered::Program });
            }
        }
    }
}

#[test]
fn go_reads_the_files_of_a_snapshot() {
    let live = Live::start(program("count", Covered::Program));
    let snapshot = live.snapshot();
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(snapshot.metadata_file_name()), snapshot.metadata_file()).unwrap();
    fs::write(directory.path().join(snapshot.counter_file_name()), snapshot.counter_file()).unwrap();
    let own = tempfile::tempdir().unwrap();
    let written = live.finish();
    for (name, bytes) in [written.metadata.unwrap(), written.counters.unwrap()] {
        fs::write(own.path().join(name), bytes).unwrap();
    }
    let percent = |directory: &tempfile::TempDir| {
        installed_go(&["tool", "covdata", "percent", &format!("-i={}", directory.path().display())])
    };
    let told = percent(&directory);
    assert!(told.contains("example.com/live/work"), "{told}");
    assert_eq!(told, percent(&own));
}

#[test]
fn a_snapshot_of_a_test_binary_is_what_it_writes_at_its_end() {
    for release in RELEASES {
        let program =
            LiveProgram { release, mode: "atomic", linking: Linking::Stripped, covered: Covered::Tests };
        // It does not look at GOCOVERDIR.
        let data = tempfile::tempdir().unwrap();
        let argument = format!("-test.gocoverdir={}", data.path().display());
        let live = Live::start_command(Command::new(executable(program)).arg(argument));
        let snapshot = live.snapshot();
        live.finish();
        assert_same(&snapshot, &Written::read(data.path()), release);
    }
}

/// The runtime counts before its packages are known: their numbers are hard-coded.
#[test]
fn packages_of_the_runtime_have_their_own_counters() {
    for release in RELEASES {
        let program = LiveProgram {
            covered: Covered::ProgramAndRuntime,
            linking: Linking::Stripped,
            mode: "atomic",
            release,
        };
        let live = Live::start(program);
        let snapshot = live.snapshot();
        assert_eq!(snapshot.counters().stray_words(), 0, "{release}");
        let packages = snapshot.program().metadata().packages();
        let runtime = packages.map(|package| package.import_path()).position(|path| path == "runtime");
        let runtime = u32::try_from(runtime.unwrap()).unwrap();
        assert!(snapshot.counters().functions().any(|(package, _, _)| package == runtime), "{release}");
        let written = live.finish();
        let (name, bytes) = written.metadata.unwrap();
        assert_eq!((snapshot.metadata_file_name(), snapshot.metadata_file()), (name, bytes.as_slice()));
        // It goes on counting until it ends.
        let (_, counters) = written.counters.unwrap();
        let file = CounterFile::parse(&counters).unwrap();
        let own: std::collections::HashMap<_, Vec<_>> = file.segments()[0]
            .functions()
            .map(|function| ((function.package(), function.function()), function.counters().collect()))
            .collect();
        for (package, function, counters) in snapshot.counters().functions() {
            let later = &own[&(package, function)];
            assert!(counters.iter().zip(later).all(|(count, later)| count <= later), "{release}");
        }
    }
}

/// Up to Go 1.26, a variable of an odd size can make Go fail when it writes its counters. Its twin without it does not.
#[test]
fn counters_that_are_not_aligned_are_read() {
    for release in ["go1.22.12", "local"] {
        let start = |covered| {
            Live::start(LiveProgram { covered, linking: Linking::Stripped, mode: "count", release })
        };
        let snapshot = start(Covered::ProgramWithHugeVariable).snapshot();
        assert_eq!(snapshot.counters().stray_words(), 0, "{release}");
        let twin = start(Covered::Program).finish();
        assert_eq!(snapshot.metadata_file_name(), twin.metadata.unwrap().0, "{release}");
        let functions = |file: &[u8]| {
            let functions = CounterFile::parse(file).unwrap().segments()[0].functions();
            functions
                .map(|own| (own.package(), own.function(), own.counters().collect::<Vec<_>>()))
                .collect::<Vec<_>>()
        };
        assert_eq!(functions(&snapshot.counter_file()), functions(&twin.counters.unwrap().1), "{release}");
    }
}

/// Go writes nothing of such a program. What its covered package counts is the same as in one whose main is covered.
#[test]
fn a_program_whose_main_is_not_covered_is_read_as_well() {
    for release in RELEASES {
        let [without, with] = [Covered::WithoutMain, Covered::Program].map(|covered| {
            let live =
                Live::start(LiveProgram { covered, linking: Linking::Stripped, mode: "count", release });
            let snapshot = live.snapshot();
            let written = live.finish();
            assert_eq!(written.metadata.is_some(), covered == Covered::Program, "{release}");
            snapshot
        });
        assert!(!without.program().covers_main() && with.program().covers_main(), "{release}");
        let work = |snapshot: &podcov_process_capture::Snapshot| {
            let metadata = snapshot.program().metadata();
            let package =
                metadata.packages().position(|package| package.import_path() == "example.com/live/work");
            let package = u32::try_from(package.unwrap()).unwrap();
            let functions = snapshot.counters().functions().filter(|(own, _, _)| *own == package);
            functions.map(|(_, function, counters)| (function, counters.to_vec())).collect::<Vec<_>>()
        };
        assert_eq!(work(&without), work(&with), "{release}");
    }
}

/// Whose counters the linker has aligned: more memory than they need.
#[test]
fn a_program_of_many_functions_is_what_it_writes_at_its_end() {
    const FUNCTIONS: usize = 5000;
    let module = tempfile::tempdir().unwrap();
    let mut source = "package main\n\nimport (\n\t\"fmt\"\n\t\"io\"\n\t\"os\"\n)\n\nfunc main() {\n\tfor _, f := range functions {\n\t\tf(1)\n\t}\n\tfmt.Println(\"ready\")\n\tio.Copy(io.Discard, os.Stdin)\n}\n\nvar functions = []func(int) int{".to_owned();
    for number in 0..FUNCTIONS {
        write!(source, "f{number}, ").unwrap();
    }
    source.push_str("}\n");
    for number in 0..FUNCTIONS {
        let body = "\tif x > 1 {\n\t\treturn x\n\t}\n\treturn -x\n";
        write!(source, "\nfunc f{number}(x int) int {{\n{body}}}\n").unwrap();
    }
    fs::write(module.path().join("main.go"), source).unwrap();
    fs::write(module.path().join("go.mod"), "module example.com/many\n\ngo 1.21\n").unwrap();
    let executable = module.path().join("many");
    let mut go = Command::new("go");
    go.args(["build", "-cover", "-o"]).arg(&executable).arg(".").current_dir(&module);
    let built = go.env("GOTOOLCHAIN", "local").env("GOWORK", "off").env("GOFLAGS", "").status().unwrap();
    assert!(built.success());

    let live = Live::start_command(&mut Command::new(&executable));
    let snapshot = live.snapshot();
    assert_eq!(snapshot.counters().functions().count(), FUNCTIONS + 1);
    assert_same(&snapshot, &live.finish(), "many functions");
}
