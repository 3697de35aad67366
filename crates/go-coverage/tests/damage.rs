//! Damaged and hostile files: an error or a result, no panic, no allocation out of proportion, and no effect on what
//! was added before.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

mod support;

use std::fs;
use std::path::PathBuf;

use go_coverage::{CounterFile, CounterMode, Error, Merger, MetaDataFile, MetaDataHash, Profile};
use podcov_go_programs::testdata;
use support::writer::{as_u32, metadata_file, package_with, uleb128};
use support::{files, merge, text};

const RELEASES: [&str; 3] = ["go1.22.12", "go1.26.8", "go1.27.3"];
/// A unit of 5 bytes becomes one of 24; a counter of one byte four, in an array that doubles when it is full.
const MEMORY_PER_BYTE: u64 = 32;
const MEMORY_ANYWAY: u64 = 4096;

struct Sample {
    directory: PathBuf,
    metadata: Vec<u8>,
    counters: Vec<u8>,
}

fn samples() -> Vec<Sample> {
    let directories = RELEASES.map(|release| testdata().join("coverage").join(release));
    let read = |directory: &PathBuf, prefix: &str| {
        let directories = std::slice::from_ref(directory);
        fs::read(files(directories, prefix).last().unwrap()).unwrap()
    };
    directories
        .into_iter()
        .map(|directory| Sample {
            metadata: read(&directory, "covmeta."),
            counters: read(&directory, "covcounters."),
            directory,
        })
        .collect()
}

/// The file with every byte changed in every way, one at a time.
fn each_change(bytes: &[u8], mut check: impl FnMut(&[u8])) {
    let mut changed = bytes.to_vec();
    for (index, original) in bytes.iter().enumerate() {
        for difference in 1..=u8::MAX {
            changed[index] = original ^ difference;
            check(&changed);
        }
        changed[index] = *original;
    }
}

/// Does something with `input_length` bytes, and looks at the memory that it takes.
fn in_proportion<Value>(input_length: usize, action: impl FnOnce() -> Value) -> Value {
    let mut value = None;
    let used = allocation_counter::measure(|| value = Some(action()));
    let allowed = input_length as u64 * MEMORY_PER_BYTE + MEMORY_ANYWAY;
    assert!(used.bytes_max <= allowed, "{} bytes of memory for {input_length} of input", used.bytes_max);
    value.unwrap()
}

fn merger_with(sample: &Sample) -> Merger {
    let mut merger = Merger::new();
    merger.add_metadata(&sample.metadata).unwrap();
    merger.add_counters(&sample.counters).unwrap();
    merger
}

#[test]
fn the_samples_are_sound() {
    for sample in samples() {
        let theirs = fs::read_to_string(sample.directory.join("textfmt")).unwrap();
        assert_eq!(text(&merge(&[sample.directory])), theirs);
    }
}

#[test]
fn every_truncation_is_noticed() {
    for Sample { metadata, counters, .. } in samples() {
        for length in 0..metadata.len() {
            let error = MetaDataFile::parse(&metadata[..length]).unwrap_err();
            assert!(
                matches!(error, Error::Truncated { offset, .. } if offset <= length),
                "{length}: {error}"
            );
        }
        for length in 0..counters.len() {
            let cut = &counters[..length];
            let error = CounterFile::parse(cut).unwrap_err();
            let is_named = matches!(error, Error::Truncated { .. } | Error::WrongMagic { .. });
            assert!(is_named, "{length}: {error}");
            let mut merger = Merger::new();
            merger.add_metadata(&metadata).unwrap();
            assert_eq!(merger.add_counters(cut), Err(error));
        }
    }
}

#[test]
fn changed_metadata_never_panics() {
    for sample in samples() {
        let before = merger_with(&sample).finish();
        each_change(&sample.metadata, |changed| {
            in_proportion(changed.len(), || drop(MetaDataFile::parse(changed)));
            let mut merger = merger_with(&sample);
            let result = merger.add_metadata(changed);
            let profiles = merger.finish();
            if result.is_err() {
                assert_eq!(profiles, before);
            } else {
                profiles.iter().for_each(write);
            }
        });
    }
}

#[test]
fn changed_counters_change_all_or_nothing() {
    for sample in samples() {
        let once = merger_with(&sample).finish();
        each_change(&sample.counters, |changed| {
            let parsed = in_proportion(changed.len(), || CounterFile::parse(changed).map(drop));
            let mut merger = merger_with(&sample);
            let added = in_proportion(changed.len(), || merger.add_counters(changed));
            if added.is_err() {
                assert_eq!(merger.finish(), once);
            } else {
                assert_eq!(parsed, Ok(()));
                merger.finish().iter().for_each(write);
            }
        });
    }
}

#[test]
fn two_files_of_one_hash_must_agree() {
    let [sample, ..] = &*samples() else { panic!("no sample") };
    let mut merger = merger_with(sample);
    let hash = MetaDataFile::parse(&sample.metadata).unwrap().hash();
    assert_eq!(merger.add_metadata(&sample.metadata), Ok(hash));
    let mut changed = sample.metadata.clone();
    // The number of statements of the last unit, before the literal flag.
    let statements = changed.len() - 2;
    changed[statements] += 1;
    assert_eq!(merger.add_metadata(&changed), Err(Error::ConflictingMetaData { hash }));
}

#[test]
fn what_cannot_be_read_is_named() {
    let [Sample { metadata, counters, .. }, ..] = &*samples() else { panic!("no sample") };
    let changed = |bytes: &[u8], offset: usize, value: u8| {
        let mut bytes = bytes.to_vec();
        bytes[offset] = value;
        bytes
    };
    let metadata_error = |offset, value| MetaDataFile::parse(changed(metadata, offset, value)).unwrap_err();
    let counters_error = |offset, value| CounterFile::parse(&changed(counters, offset, value)).unwrap_err();
    assert_eq!(metadata_error(4, 2), Error::UnknownVersion { file: "meta-data", version: 2 });
    for mode in [0, 4, 5, 6] {
        assert_eq!(metadata_error(48, mode), Error::UnusableCounterMode { mode, offset: 48 });
    }
    assert_eq!(metadata_error(49, 3).to_string(), "unknown counter granularity at offset 49");
    assert_eq!(counters_error(25, 1), Error::BigEndian { offset: 25 });
    assert_eq!(counters_error(24, 3).to_string(), "unknown counter flavor at offset 24");
    assert_eq!(
        CounterFile::parse(metadata).unwrap_err().to_string(),
        "not a counter file: wrong magic number at offset 0"
    );
    let longer = [metadata.as_slice(), b"x"].concat();
    let expected = format!("bytes after the end of the file at offset {}", metadata.len());
    assert_eq!(MetaDataFile::parse(&longer).unwrap_err().to_string(), expected);
}

#[test]
fn counters_of_another_build_are_refused() {
    let [Sample { metadata, counters, .. }, ..] = &*samples() else { panic!("no sample") };
    // At the end: two counters of one function, one of the other, three numbers before each, and the footer.
    let offset = counters.len() - 16 - (2 + 3) - (1 + 3);
    let (length, function) = (usize::from(counters[offset]), counters[offset + 2]);
    let mut merger = Merger::new();
    merger.add_metadata(metadata).unwrap();
    let mut other = counters.clone();
    other[offset + 2] = 9;
    let hash = MetaDataFile::parse(metadata).unwrap().hash();
    let unknown = Error::UnknownFunction { offset, hash, package: 0, function: 9 };
    assert_eq!(merger.add_counters(&other), Err(unknown));
    other[offset + 2] = 1 - function;
    let function = u32::from(1 - function);
    let differ = Error::CounterCount { offset, package: 0, function, counters: length, units: 3 - length };
    assert_eq!(merger.add_counters(&other), Err(differ));
}

#[test]
fn small_files_cannot_claim_to_be_large() {
    let hash = MetaDataHash([7; 16]);
    let refused = |packages: &[Vec<u8>]| {
        let bytes = metadata_file(hash, CounterMode::Set, packages);
        in_proportion(bytes.len(), || MetaDataFile::parse(&bytes).unwrap_err()).to_string()
    };
    let strings = || vec![2, 0, 1, b'p'];

    // A hundred functions that are all the same bytes.
    let mut units = Vec::new();
    for number in [1000, 1, 1] {
        uleb128(&mut units, number);
    }
    units.extend([1; 5001]);
    let offsets = (448_u32).to_le_bytes().repeat(100);
    let package = package_with(0, 2, 100, &[offsets, strings(), units]);
    assert!(refused(&[package]).contains("overlaps"));

    // More functions, strings or units than there are bytes.
    let package = package_with(0, 2, 1 << 30, &[strings()]);
    assert!(refused(&[package]).contains("within the function offsets"));
    let package = package_with(0, 2, 0, &[vec![0xff, 0xff, 0xff, 0xff, 0x0f]]);
    assert!(refused(&[package]).contains("within a string table"));
    let package = package_with(0, 2, 1, &[52_u32.to_le_bytes().to_vec(), strings(), vec![0xff, 0x7f, 1, 1]]);
    assert!(refused(&[package]).contains("within the units of a function"));

    // One long name, a thousand times.
    let mut long_name = vec![2, 0];
    uleb128(&mut long_name, 1_000_000);
    long_name.extend(vec![b'n'; 1_000_000]);
    let start = 44 + 4 * 1000 + long_name.len();
    let offsets = (0..1000).flat_map(|index| as_u32(start + 4 * index).to_le_bytes()).collect();
    let package = package_with(0, 2, 1000, &[offsets, long_name, [0, 1, 1, 0].repeat(1000)]);
    assert!(refused(&[package]).contains("implausibly long"));

    // Packages on top of each other, and beyond the end.
    let package = package_with(0, 2, 0, &[strings()]);
    let mut bytes = metadata_file(hash, CounterMode::Set, &[package.clone(), package]);
    bytes.copy_within(56..64, 64);
    assert!(MetaDataFile::parse(&bytes).unwrap_err().to_string().contains("overlaps"));
    for length_or_count in [8..16, 16..24] {
        let mut bytes = metadata_file(hash, CounterMode::Set, &[]);
        bytes[length_or_count].fill(0xff);
        assert!(matches!(MetaDataFile::parse(&bytes), Err(Error::Truncated { .. })));
    }
}

fn write(profile: &Profile) {
    let _ = (profile.totals(), profile.totals_with_literals());
    text(std::slice::from_ref(profile));
}
