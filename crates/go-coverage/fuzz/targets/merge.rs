//! Meta-data files and counter files of some programs: the merge is the sum of what is in the files, in any order.
#![no_main]

use std::collections::HashMap;

use go_coverage::{Adder, CounterFile, CounterMode, Merger, Profile, Programs, Segment, write_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (metadata, counters): (Vec<&[u8]>, Vec<&[u8]>) =
        files(bytes).into_iter().partition(|file| file.starts_with(b"\0cvm"));
    let forward = merged(&metadata, counters.iter());
    let backward = merged(&metadata, counters.iter().rev());
    assert_eq!(forward, backward);
    for profile in &forward {
        let _ = (profile.totals(), profile.totals_with_literals());
        write_text(profile, &mut Vec::new()).expect("memory takes everything");
    }
    check_sums(&metadata, &counters);
});

/// The input is files one after the other. Each begins with a magic number and version 1, which a footer has not.
fn files(bytes: &[u8]) -> Vec<&[u8]> {
    let mut files = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let next = (1..rest.len()).find(|at| {
            [b"\0cvm\x01\0\0\0", b"\0cwm\x01\0\0\0"].iter().any(|start| rest[*at..].starts_with(*start))
        });
        let (file, others) = rest.split_at(next.unwrap_or(rest.len()));
        files.push(file);
        rest = others;
    }
    files
}

fn merged<'a>(metadata: &[&[u8]], counters: impl Iterator<Item = &'a &'a [u8]>) -> Vec<Profile> {
    let mut merger = Merger::new();
    for file in metadata {
        let _ = merger.add_metadata(file);
    }
    for file in counters {
        let _ = merger.add_counters(file);
    }
    merger.finish()
}

/// The fast way of adding against the obvious one.
fn check_sums(metadata: &[&[u8]], counters: &[&[u8]]) {
    let mut programs = Programs::new();
    for file in metadata {
        let _ = programs.add(file.to_vec());
    }
    for file in counters {
        let mut adder = Adder::new();
        if adder.add(&programs, file).is_err() {
            continue;
        }
        // The first files of a program teach the order of its functions; later ones are added by it.
        for _ in 1..TIMES {
            adder.add(&programs, file).expect("it was added before");
        }
        let counts = adder.finish(&programs);
        let file = CounterFile::parse(file).expect("what was added can be read");
        let index = programs.iter().position(|program| program.hash() == file.hash());
        let index = index.expect("what was added is of a known program");
        let program = programs.iter().nth(index).expect("it was found just now");
        let fast = counts.get(index).expect("a run was added");
        let obvious = obvious_sums(program.mode(), &file);
        for (package, part) in (0..).zip(program.packages()) {
            for (function, entry) in (0..).zip(part.functions()) {
                let obvious = obvious.get(&(package, function)).map(Vec::as_slice);
                assert_eq!(fast.of_function(&entry), obvious, "package {package}, function {function}");
            }
        }
    }
}

/// More than it takes to learn an order.
const TIMES: usize = 20;

/// By package and function, of so many times the file.
fn obvious_sums(mode: CounterMode, file: &CounterFile<'_>) -> HashMap<(u32, u32), Vec<u32>> {
    let mut sums = HashMap::<_, Vec<u32>>::new();
    for record in file.segments().iter().flat_map(Segment::functions) {
        let sum = sums.entry((record.package(), record.function())).or_default();
        sum.resize(record.counters().count(), 0);
        for (own, added) in sum.iter_mut().zip(record.counters()) {
            *own = (0..TIMES).fold(*own, |own, _| mode.add(own, added));
        }
    }
    sums
}
