//! Builds and runs real programs with several Go releases, and compares with what the same release's tools say.
//!
//! Needs the go command; it fetches the releases that are not installed.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use go_coverage::{CounterFile, CounterMode, Error, Merger, MetaDataFile, MetaDataHash, Profile};
use podcov_go_programs::{Release, Scenario};
use support::{files, merge, text};

podcov_go_programs::with_each_release! {
    every: [
        text_is_that_of_covdata_textfmt,
        totals_are_those_of_cover_func,
        totals_with_literals_are_those_of_covdata_func,
        packages_are_those_of_covdata_percent,
        the_order_of_files_does_not_matter,
        modes_are_never_mixed,
        files_know_their_names,
        counter_files_tell_how_the_program_was_run,
        counters_without_metadata_are_refused_by_name,
    ],
    complete: [counter_files_have_all_their_segments],
}

/// The scenarios that are one profile each.
fn profiles(release: &Release) -> impl Iterator<Item = &Scenario> {
    release.scenarios.iter().filter(|scenario| scenario.is_one_profile())
}

fn text_is_that_of_covdata_textfmt(release: &Release) {
    for scenario in profiles(release) {
        let mut ours = text(&merge(&scenario.directories()));
        let mut theirs = scenario.printed("textfmt").unwrap();
        if scenario.has_common_blocks() {
            ours = sorted_lines(&ours);
            theirs = sorted_lines(&theirs);
        }
        assert!(ours.lines().count() > 1, "{} is empty", scenario.name);
        assert!(ours == theirs, "{}:\n{ours}\nGo writes:\n{theirs}", scenario.name);
    }
}

fn totals_are_those_of_cover_func(release: &Release) {
    let mut compared = 0;
    for scenario in profiles(release) {
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
    assert!(compared > 5, "{compared}");
}

fn totals_with_literals_are_those_of_covdata_func(release: &Release) {
    // There, Go counts the blocks twice that two functions have in common; `go tool cover` does not.
    for scenario in profiles(release).filter(|scenario| !scenario.has_common_blocks()) {
        let totals = only(merge(&scenario.directories())).totals_with_literals();
        let printed = scenario.printed("func").unwrap();
        assert_eq!(format!("{:.1}%", totals.percent().unwrap()), last_word(&printed), "{}", scenario.name);
    }
}

fn packages_are_those_of_covdata_percent(release: &Release) {
    for scenario in profiles(release) {
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

fn the_order_of_files_does_not_matter(release: &Release) {
    for scenario in profiles(release) {
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

fn modes_are_never_mixed(release: &Release) {
    let modes = ["atomic", "count", "set"].map(|mode| release.scenario(mode));
    let directories: Vec<PathBuf> = modes.iter().flat_map(|scenario| scenario.directories()).collect();
    let profiles = merge(&directories);
    let found: Vec<CounterMode> = profiles.iter().map(|profile| profile.mode).collect();
    assert_eq!(found, [CounterMode::Set, CounterMode::Count, CounterMode::Atomic]);
    for (profile, scenario) in profiles.iter().zip(modes.iter().rev()) {
        assert_eq!(text(std::slice::from_ref(profile)), scenario.printed("textfmt").unwrap());
    }
}

fn files_know_their_names(release: &Release) {
    for scenario in profiles(release) {
        let directories = scenario.directories();
        let hash = |file: &PathBuf| -> MetaDataHash {
            file.file_name().unwrap().to_str().unwrap().split('.').nth(1).unwrap().parse().unwrap()
        };
        for file in files(&directories, "covmeta.") {
            assert_eq!(MetaDataFile::parse(fs::read(&file).unwrap()).unwrap().hash(), hash(&file));
        }
        for file in files(&directories, "covcounters.") {
            assert_eq!(CounterFile::parse(&fs::read(&file).unwrap()).unwrap().hash(), hash(&file));
        }
    }
}

fn counter_files_tell_how_the_program_was_run(release: &Release) {
    let mut command_lines = BTreeSet::new();
    for file in files(&release.scenario("atomic").directories(), "covcounters.") {
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
}

fn counter_files_have_all_their_segments(release: &Release) {
    let bytes =
        fs::read(&files(&release.scenario("several-segments").directories(), "covcounters.")[0]).unwrap();
    let file = CounterFile::parse(&bytes).unwrap();
    assert_eq!(file.segments().len(), 4);
    for segment in file.segments() {
        assert_eq!(segment.functions().count() as u64, segment.function_count());
        assert!(segment.functions().all(|function| function.counters().any(|count| count > 0)));
    }
}

fn counters_without_metadata_are_refused_by_name(release: &Release) {
    let directories = release.scenario("atomic").directories();
    let [one, other] = &*files(&directories, "covmeta.") else { panic!("two programs") };
    let mut merger = Merger::new();
    merger.add_metadata(&fs::read(one).unwrap()).unwrap();
    let missing = MetaDataFile::parse(fs::read(other).unwrap()).unwrap().hash();
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
