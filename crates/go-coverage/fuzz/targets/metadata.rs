//! Meta-data files: what can be read can be written, and is then read as the same.
#![no_main]

use std::borrow::Cow;

use go_coverage::{HashFunction, MetaDataFile, PackageBuilder, PackageMetaData, Unit, metadata_file};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = MetaDataFile::parse(bytes) else { return };
    assert_eq!(file.as_bytes(), bytes);
    for hash_function in [HashFunction::Md5, HashFunction::Fnv128a] {
        let packages: Vec<_> =
            file.packages().map(|package| Cow::Owned(rebuilt(package, hash_function))).collect();
        let (hash, bytes) = metadata_file(&packages, file.mode(), file.granularity(), hash_function);
        let again = MetaDataFile::parse(bytes).expect("what was written can be read");
        assert_eq!(again.hash(), hash);
        assert_eq!((again.mode(), again.granularity()), (file.mode(), file.granularity()));
        assert_eq!(contents(&again), contents(&file));
    }
});

fn rebuilt(package: PackageMetaData<'_>, hash_function: HashFunction) -> Vec<u8> {
    let mut builder = PackageBuilder::new(package, hash_function);
    for function in package.functions() {
        builder.add(function);
    }
    builder.finish()
}

/// Everything but the order of the strings.
fn contents<'a>(file: &'a MetaDataFile<'_>) -> Vec<([&'a str; 3], Vec<FunctionContents<'a>>)> {
    let packages = file.packages().map(|package| {
        let functions = package.functions().map(|function| {
            let units = function.units().collect();
            (function.name(), function.source_file(), function.is_literal(), units)
        });
        ([package.import_path(), package.name(), package.module_path()], functions.collect())
    });
    packages.collect()
}

type FunctionContents<'a> = (&'a str, &'a str, bool, Vec<Unit>);
