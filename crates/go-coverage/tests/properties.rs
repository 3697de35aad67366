//! What must hold for any program and any runs of it.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

mod support;

use std::collections::HashMap;

use go_coverage::{CounterFile, CounterMode, Merger, MetaDataFile, MetaDataHash, Profile, Unit};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use support::writer::{Function, Package, Program, Run};

fn unit() -> impl Strategy<Value = Unit> {
    // Few places, so that functions of different programs meet.
    (1..4_u32, 1..3_u32, 4..300_u32, 1..3_u32, 0..3_u32).prop_map(
        |(start_line, start_column, end_line, end_column, statements)| Unit {
            start_line,
            start_column,
            end_line,
            end_column,
            statements,
            count: 0,
        },
    )
}

fn function() -> impl Strategy<Value = Function> {
    (select(&["F", "*T.M", "init"][..]), select(&["a.go", "b.go"][..]), any::<bool>(), vec(unit(), 1..4))
        .prop_map(|(name, file, is_literal, units)| Function {
            name: name.to_owned(),
            file: file.to_owned(),
            is_literal,
            units,
        })
}

fn program(mode: CounterMode, hash: u8) -> impl Strategy<Value = Program> {
    let package = (select(&["p", "p/q", "r"][..]), vec(function(), 0..4))
        .prop_map(|(path, functions)| Package { import_path: path.to_owned(), functions });
    vec(package, 1..4).prop_map(move |packages| Program { hash: MetaDataHash([hash; 16]), mode, packages })
}

/// Some counters for each function, of which many are 0 and some are about to overflow.
fn run(program: &Program, seed: &[Index]) -> Run {
    const COUNTS: [u32; 6] = [0, 0, 1, 200, u32::MAX - 100, u32::MAX];
    let mut seed =
        seed.iter().cycle().zip(1..).map(|(index, turn)| COUNTS[index.index(1000 * turn) % COUNTS.len()]);
    let mut run = Run::new();
    for (package_index, package) in (0..).zip(&program.packages) {
        for (function_index, function) in (0..).zip(&package.functions) {
            let counters: Vec<u32> = seed.by_ref().take(function.units.len()).collect();
            // Go leaves out what did not run.
            if counters.iter().any(|count| *count > 0) {
                run.push((package_index, function_index, counters));
            }
        }
    }
    run
}

fn mode() -> impl Strategy<Value = CounterMode> {
    select(&[CounterMode::Set, CounterMode::Count, CounterMode::Atomic][..])
}

/// Two programs of one mode, and three runs of each.
fn programs_and_runs() -> impl Strategy<Value = [(Program, [Run; 3]); 2]> {
    let seeds = || [(); 3].map(|()| vec(any::<Index>(), 20));
    mode().prop_flat_map(move |mode| {
        [1, 2].map(|hash| {
            (program(mode, hash), seeds()).prop_map(|(program, seeds)| {
                let runs = seeds.map(|seed| run(&program, &seed));
                (program, runs)
            })
        })
    })
}

/// More runs than it takes to learn an order, and some in another order.
fn program_and_many_runs() -> impl Strategy<Value = (Program, Vec<Run>)> {
    let seeds = vec((vec(any::<Index>(), 20), any::<bool>(), any::<Index>()), 20..40);
    (mode().prop_flat_map(|mode| program(mode, 1)), seeds).prop_map(|(program, seeds)| {
        let runs = seeds.into_iter().map(|(seed, ordered, turn)| {
            let mut run = run(&program, &seed);
            if !ordered && !run.is_empty() {
                let by = turn.index(run.len());
                run.rotate_left(by);
            }
            run
        });
        let runs = runs.collect();
        (program, runs)
    })
}

fn merged<'a>(
    programs: impl IntoIterator<Item = &'a Program>,
    files: impl IntoIterator<Item = Vec<u8>>,
) -> Vec<Profile> {
    let mut merger = Merger::new();
    for program in programs {
        merger.add_metadata(&program.metadata()).unwrap();
    }
    for file in files {
        merger.add_counters(&file).unwrap();
    }
    merger.finish()
}

/// The counts as a slow reader of the rules would add them, by package, file, function and unit.
fn expected(programs: &[(Program, [Run; 3])]) -> HashMap<(String, String, String, bool, Unit), u32> {
    let mut counts = HashMap::new();
    for (program, runs) in programs {
        for (package_index, package) in (0..).zip(&program.packages) {
            for (function_index, function) in (0..).zip(&package.functions) {
                for (unit_index, unit) in function.units.iter().enumerate() {
                    let key = (
                        package.import_path.clone(),
                        function.file.clone(),
                        function.name.clone(),
                        function.is_literal,
                        *unit,
                    );
                    let sum: &mut u32 = counts.entry(key).or_default();
                    for (package, function, counters) in runs.iter().flatten() {
                        if (*package, *function) == (package_index, function_index) {
                            *sum = sum.saturating_add(counters[unit_index]);
                        }
                    }
                    if program.mode == CounterMode::Set {
                        *sum = (*sum).min(1);
                    }
                }
            }
        }
    }
    counts
}

proptest! {
    #[test]
    fn counts_are_sums(programs in programs_and_runs()) {
        let files = programs.iter().flat_map(|(program, runs)| runs.iter().map(|run| program.counters(&[run], false)));
        let [profile] = &*merged(programs.iter().map(|(program, _)| program), files) else { panic!("one mode") };
        let mut found = HashMap::new();
        for package in &profile.packages {
            for function in &package.functions {
                for unit in &function.units {
                    let (path, file, name) = (&package.import_path, &function.file, &function.name);
                    let place = Unit { count: 0, ..*unit };
                    let key = (path.clone(), file.clone(), name.clone(), function.is_literal, place);
                    prop_assert_eq!(found.insert(key, unit.count), None, "a unit is there twice");
                }
            }
        }
        prop_assert_eq!(found, expected(&programs));
    }

    #[test]
    fn merging_is_commutative(programs in programs_and_runs(), raw: bool) {
        let mut files: Vec<_> = programs
            .iter()
            .flat_map(|(program, runs)| runs.iter().map(move |run| program.counters(&[run], raw)))
            .collect();
        let forwards = merged(programs.iter().map(|(program, _)| program), files.clone());
        files.reverse();
        prop_assert_eq!(merged(programs.iter().rev().map(|(program, _)| program), files), forwards);
    }

    #[test]
    fn merging_is_associative([(program, [one, two, three]), _] in programs_and_runs(), raw: bool) {
        let write = |runs: &[&Run]| program.counters(runs, raw);
        let left = merged([&program], [write(&[&one, &two]), write(&[&three])]);
        prop_assert_eq!(&merged([&program], [write(&[&one]), write(&[&two, &three])]), &left);
        prop_assert_eq!(&merged([&program], [write(&[&one, &two, &three])]), &left);
        prop_assert_eq!(&merged([&program], [one, two, three].each_ref().map(|run| write(&[run]))), &left);
    }

    /// The later of many files are compared with what the first have taught.
    #[test]
    fn the_order_of_functions_and_refused_files_change_no_sum(
        (program, runs) in program_and_many_runs(),
        cut in any::<Index>(),
    ) {
        let mut merger = Merger::new();
        merger.add_metadata(&program.metadata()).unwrap();
        for run in &runs {
            let file = program.counters(&[run], false);
            // The end of the last function, and all of the footer, are missing; then the footer is put back.
            let functions = file.len() - 16;
            let shorter = functions - 1 - cut.index(4.min(functions - 1));
            let damaged = [&file[..shorter], &file[functions..]].concat();
            if !run.is_empty() {
                prop_assert!(merger.add_counters(&damaged).is_err());
            }
            merger.add_counters(&file).unwrap();
        }
        let all: Vec<&Run> = runs.iter().collect();
        prop_assert_eq!(merger.finish(), merged([&program], [program.counters(&all, true)]));
    }

    #[test]
    fn raw_and_uleb128_say_the_same([(program, [one, two, _]), _] in programs_and_runs()) {
        let counters = |raw| merged([&program], [program.counters(&[&one, &two], raw)]);
        prop_assert_eq!(counters(true), counters(false));
    }

    #[test]
    fn what_was_written_is_read_back([(program, runs), _] in programs_and_runs(), raw: bool) {
        let bytes = program.counters(&runs.each_ref(), raw);
        let file = CounterFile::parse(&bytes).unwrap();
        let read: Vec<Run> = file
            .segments()
            .iter()
            .map(|segment| {
                segment.functions().map(|f| (f.package(), f.function(), f.counters().collect())).collect()
            })
            .collect();
        prop_assert_eq!(read.as_slice(), &runs);

        let metadata = MetaDataFile::parse(program.metadata()).unwrap();
        prop_assert_eq!((metadata.hash(), metadata.mode()), (program.hash, program.mode));
        prop_assert_eq!(metadata.packages().len(), program.packages.len());
        for (read, written) in metadata.packages().zip(&program.packages) {
            prop_assert_eq!(read.import_path(), &written.import_path);
            for (read, written) in read.functions().zip(&written.functions) {
                prop_assert_eq!((read.name(), read.source_file()), (written.name.as_str(), written.file.as_str()));
                prop_assert_eq!((read.is_literal(), read.units().collect()), (written.is_literal, written.units.clone()));
            }
        }
    }

    #[test]
    fn any_bytes_give_a_result(mut bytes in vec(any::<u8>(), 0..400), beginning in 0..3_usize) {
        let magic: &[u8] = [&b""[..], b"\0cvm\x01\0\0\0", b"\0cwm\x01\0\0\0"][beginning];
        let length = magic.len().min(bytes.len());
        bytes[..length].copy_from_slice(&magic[..length]);
        let _ = (MetaDataFile::parse(&bytes), CounterFile::parse(&bytes));
    }
}
