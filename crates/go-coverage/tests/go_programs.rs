//! Builds and runs real programs with several Go releases, and compares with what the same release's tools say.
//!
//! Needs the go command; it fetches the releases that are not installed.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use go_coverage::{CounterFile, CounterMode, Error, Merger, MetaDataFile, MetaDataHash, Profile};
use support::scenarios::Scenario;
use support::{files, merge, text};

/// Two builds, between which a function got another name of the same length: it has the same blocks in both.
const RENAMED: &str = "renamed-function";

/// Repeats the tests for each release.
macro_rules! with_each_release {
    ($($module:ident: $release:literal;)*) => {$(
        mod $module {
            use std::sync::OnceLock;

            use crate::support::scenarios::{Scenario, prepare};

            fn scenarios() -> &'static [Scenario] {
                static SCENARIOS: OnceLock<Vec<Scenario>> = OnceLock::new();
                SCENARIOS.get_or_init(|| prepare($release))
            }

            #[test]
            fn text_is_that_of_covdata_textfmt() {
                crate::text_is_that_of_covdata_textfmt(scenarios());
            }

            #[test]
            fn totals_are_those_of_cover_func() {
                crate::totals_are_those_of_cover_func(scenarios());
            }

            #[test]
            fn totals_with_literals_are_those_of_covdata_func() {
                crate::totals_with_literals_are_those_of_covdata_func(scenarios());
            }

            #[test]
            fn packages_are_those_of_covdata_percent() {
                crate::packages_are_those_of_covdata_percent(scenarios());
            }

            #[test]
            fn the_order_of_files_does_not_matter() {
                crate::the_order_of_files_does_not_matter(scenarios());
            }

            #[test]
            fn modes_are_never_mixed() {
                crate::modes_are_never_mixed(scenarios());
            }

            #[test]
            fn files_know_their_names() {
                crate::files_know_their_names(scenarios());
            }

            #[test]
            fn counter_files_tell_how_the_program_was_run() {
                crate::counter_files_tell_how_the_program_was_run(scenarios());
            }

            #[test]
            fn counters_without_metadata_are_refused_by_name() {
                crate::counters_without_metadata_are_refused_by_name(scenarios());
            }
        }
    )*};
}

with_each_release! {
    // The oldest for which the tests' programs are written: MD5 hashes.
    go1_22: "go1.22.12";
    installed: "local";
    newest: "go1.27.3";
}

fn text_is_that_of_covdata_textfmt(scenarios: &[Scenario]) {
    for scenario in scenarios {
        let mut ours = text(&merge(&scenario.directories()));
        let mut theirs = scenario.printed("textfmt").unwrap();
        if scenario.name == RENAMED {
            // Go writes the lines of blocks at the same place in an order that changes from run to run.
            ours = sorted_lines(&ours);
            theirs = sorted_lines(&theirs);
        }
        assert!(ours.lines().count() > 1, "{} is empty", scenario.name);
        assert!(ours == theirs, "{}:\n{ours}\nGo writes:\n{theirs}", scenario.name);
    }
}

fn totals_are_those_of_cover_func(scenarios: &[Scenario]) {
    let mut compared = 0;
    for scenario in scenarios {
        if let Some(printed) = scenario.printed("cover-func") {
            let totals = only(merge(&scenario.directories())).totals();
            assert_eq!(
                format!("{:.1}%", totals.percent().unwrap()),
                last_word(&printed),
                "{}",
                scenario.name
            );
            compared += 1;
        }
    }
    assert!(compared > 10, "{compared}");
}

fn totals_with_literals_are_those_of_covdata_func(scenarios: &[Scenario]) {
    // There, Go counts the blocks twice that two functions have in common; `go tool cover` does not.
    let have_common_blocks = ["line-directives", RENAMED];
    for scenario in scenarios.iter().filter(|scenario| !have_common_blocks.contains(&&*scenario.name)) {
        let totals = only(merge(&scenario.directories())).totals_with_literals();
        let printed = scenario.printed("func").unwrap();
        assert_eq!(format!("{:.1}%", totals.percent().unwrap()), last_word(&printed), "{}", scenario.name);
    }
}

fn packages_are_those_of_covdata_percent(scenarios: &[Scenario]) {
    for scenario in scenarios {
        let profile = only(merge(&scenario.directories()));
        let percent: String = profile
            .packages
            .iter()
            .map(|package| match package.totals().percent() {
                Some(percent) => {
                    format!("\t{}\t\tcoverage: {percent:.1}% of statements\n", package.import_path)
                }
                // Go forgets the end of the line.
                None => format!("\t{}\t\t", package.import_path),
            })
            .collect();
        assert_eq!(percent, scenario.printed("percent").unwrap(), "{}", scenario.name);
        let paths: String =
            profile.packages.iter().map(|package| package.import_path.clone() + "\n").collect();
        assert_eq!(paths, scenario.printed("pkglist").unwrap(), "{}", scenario.name);
    }
}

fn the_order_of_files_does_not_matter(scenarios: &[Scenario]) {
    for scenario in scenarios {
        let directories = scenario.directories();
        let mut merger = Merger::new();
        for file in files(&directories, "covmeta.").iter().rev() {
            merger.add_metadata(&fs::read(file).unwrap()).unwrap();
            // A pod that restarted writes the same file again.
            merger.add_metadata(&fs::read(file).unwrap()).unwrap();
        }
        for file in files(&directories, "covcounters.").iter().rev() {
            merger.add_counters(&fs::read(file).unwrap()).unwrap();
        }
        assert_eq!(merger.finish(), merge(&directories), "{}", scenario.name);
    }
}

fn modes_are_never_mixed(scenarios: &[Scenario]) {
    let modes = ["atomic", "count", "set"].map(|mode| find(scenarios, mode));
    let directories: Vec<PathBuf> = modes.iter().flat_map(|scenario| scenario.directories()).collect();
    let profiles = merge(&directories);
    let found: Vec<CounterMode> = profiles.iter().map(|profile| profile.mode).collect();
    assert_eq!(found, [CounterMode::Set, CounterMode::Count, CounterMode::Atomic]);
    for (profile, scenario) in profiles.iter().zip(modes.iter().rev()) {
        assert_eq!(text(std::slice::from_ref(profile)), scenario.printed("textfmt").unwrap());
    }
}

fn files_know_their_names(scenarios: &[Scenario]) {
    for scenario in scenarios {
        let directories = scenario.directories();
        let hash = |file: &PathBuf| -> MetaDataHash {
            file.file_name().unwrap().to_str().unwrap().split('.').nth(1).unwrap().parse().unwrap()
        };
        for file in files(&directories, "covmeta.") {
            assert_eq!(MetaDataFile::parse(&fs::read(&file).unwrap()).unwrap().hash(), hash(&file));
        }
        for file in files(&directories, "covcounters.") {
            assert_eq!(CounterFile::parse(&fs::read(&file).unwrap()).unwrap().hash(), hash(&file));
        }
    }
}

fn counter_files_tell_how_the_program_was_run(scenarios: &[Scenario]) {
    let mut command_lines = BTreeSet::new();
    for file in files(&find(scenarios, "atomic").directories(), "covcounters.") {
        let bytes = fs::read(file).unwrap();
        let file = CounterFile::parse(&bytes).unwrap();
        let arguments = file.arguments().unwrap();
        assert_eq!(arguments.operating_system().unwrap(), std::env::consts::OS);
        assert!(arguments.architecture().is_some());
        let [program, arguments @ ..] = &*arguments.program().collect::<Vec<_>>() else {
            panic!("no program")
        };
        let program = program.rsplit('/').next().unwrap();
        command_lines.insert(format!("{program} {}", arguments.join(" ")));
    }
    let expected = [
        "api-atomic ",
        "api-atomic add",
        "api-atomic add remove",
        "api-atomic discount panic unknown add",
        "worker-atomic ",
        "worker-atomic longer",
    ];
    assert_eq!(command_lines, expected.map(str::to_owned).into());

    let bytes =
        fs::read(&files(&find(scenarios, "several-segments").directories(), "covcounters.")[0]).unwrap();
    let file = CounterFile::parse(&bytes).unwrap();
    assert_eq!(file.segments().len(), 4);
    for segment in file.segments() {
        assert_eq!(segment.functions().count() as u64, segment.function_count());
        assert!(segment.functions().all(|function| function.counters().any(|count| count > 0)));
    }
}

fn counters_without_metadata_are_refused_by_name(scenarios: &[Scenario]) {
    let directories = find(scenarios, "atomic").directories();
    let [one, other] = &*files(&directories, "covmeta.") else { panic!("two programs") };
    let mut merger = Merger::new();
    merger.add_metadata(&fs::read(one).unwrap()).unwrap();
    let missing = MetaDataFile::parse(&fs::read(other).unwrap()).unwrap().hash();
    let mut refused = 0;
    for file in files(&directories, "covcounters.") {
        match merger.add_counters(&fs::read(file).unwrap()) {
            Ok(()) => {}
            Err(Error::OrphanCounters { hash }) if hash == missing => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(refused == 2 || refused == 4, "{refused}");
}

fn find<'a>(scenarios: &'a [Scenario], name: &str) -> &'a Scenario {
    scenarios.iter().find(|scenario| scenario.name == name).unwrap()
}

fn only(profiles: Vec<Profile>) -> Profile {
    let [profile] = <[_; 1]>::try_from(profiles).unwrap();
    profile
}

fn sorted_lines(text: &str) -> String {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

fn last_word(text: &str) -> &str {
    text.split_whitespace().last().unwrap()
}
