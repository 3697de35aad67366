//! `merge`, and the files that it, `subtract` and `intersect` write.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use go_coverage::{
    CounterFileWriter, CounterFlavor, CounterGranularity, CounterMode, FunctionMetaData, HashFunction,
    MetaDataFile, MetaDataHash, PackageBuilder, ProgramCounts, RunArguments, metadata_file,
};

use super::merged::Merged;
use super::{InputArgs, MergeArgs};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::terminal::Terminal;

/// `podcov covdata merge`
pub fn merge(args: &MergeArgs, terminal: &Terminal) -> Result<ExitCode, CommandError> {
    let merged = Merged::read(&args.output.input)?;
    refuse_texts(&merged)?;
    let output = Output::create(&args.output.output)?;
    if args.pcombine == Some(true) {
        combine(&merged, &output, terminal)?;
    } else {
        for (index, program) in merged.programs.iter().enumerate() {
            let counts = merged.counts.get(index);
            output.program(&merged, program, counts, counts.and_then(ProgramCounts::arguments))?;
        }
    }
    Ok(merged.conclude(terminal))
}

/// Text profiles have no meta-data that could be written.
pub fn refuse_texts(merged: &Merged) -> Result<(), CommandError> {
    if merged.inputs.texts.is_empty() {
        return Ok(());
    }
    Err(CommandError::usage("a text profile cannot become data files: it does not tell the functions")
        .hint("percent, func, pkglist and textfmt read text profiles beside data files"))
}

/// Fails before anything is read if that is certain to end badly.
pub fn check_directories(args: &InputArgs, count: usize, what: &str) -> Result<(), CommandError> {
    if args.inputs().len() < count {
        return Err(CommandError::usage(format!("{what} takes {count} inputs: -i=DIR1,DIR2")));
    }
    Ok(())
}

/// The directory that files go to.
pub struct Output<'a> {
    directory: &'a Path,
    nanoseconds: u128,
}

impl<'a> Output<'a> {
    /// Makes it if it is not there.
    pub fn create(directory: &'a Path) -> Result<Self, CommandError> {
        fs::create_dir_all(directory).map_err(|error| cannot_write(directory, error))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Self { directory, nanoseconds: now.as_nanos() })
    }

    /// Writes a program with the sum of its runs: the meta-data as it is, or as far as packages are selected.
    pub fn program(
        &self,
        merged: &Merged,
        program: &MetaDataFile<'_>,
        counts: Option<&ProgramCounts>,
        arguments: Option<&RunArguments>,
    ) -> Result<(), CommandError> {
        let selected: Vec<_> =
            program.packages().filter(|package| merged.selects(package.import_path())).collect();
        let mut hash = program.hash();
        if merged.is_partial() {
            let blobs: Vec<_> = selected.iter().map(|package| Cow::Borrowed(package.as_bytes())).collect();
            let function = hash_function(program).unwrap_or(HashFunction::Fnv128a);
            let (own, bytes) = metadata_file(&blobs, program.mode(), program.granularity(), function);
            hash = own;
            self.metadata(hash, &bytes)?;
        } else {
            self.metadata(hash, program.as_bytes())?;
        }
        let mut writer = writer(hash, arguments);
        for (package, part) in (0..).zip(&selected) {
            for (function, entry) in (0..).zip(part.functions()) {
                if let Some(counters) = counts.and_then(|counts| counts.of_function(&entry)) {
                    writer.function(package, function, counters);
                }
            }
        }
        self.counters(hash, &writer.finish())
    }

    fn metadata(&self, hash: MetaDataHash, bytes: &[u8]) -> Result<(), CommandError> {
        self.write(&format!("covmeta.{hash}"), bytes)
    }

    /// Go uses 0 for the process ID, since there is not one process.
    fn counters(&self, hash: MetaDataHash, bytes: &[u8]) -> Result<(), CommandError> {
        self.write(&format!("covcounters.{hash}.0.{}", self.nanoseconds), bytes)
    }

    /// A reader never sees a part of a file.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), CommandError> {
        let path = self.directory.join(name);
        let write = || {
            let mut file = tempfile::Builder::new().prefix("tmp.podcov-").tempfile_in(self.directory)?;
            file.write_all(bytes)?;
            share(file.as_file(), &fs::metadata(self.directory)?)?;
            file.persist(&path).map_err(|error| error.error)
        };
        write().map(drop).map_err(|error| cannot_write(&path, error))
    }
}

/// A temporary file is its owner's alone; coverage data is for those who may look into its directory.
#[cfg(unix)]
fn share(file: &fs::File, directory: &fs::Metadata) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(directory.permissions().mode() & 0o644))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
fn share(_file: &fs::File, _directory: &fs::Metadata) -> std::io::Result<()> {
    Ok(())
}

fn cannot_write(path: &Path, error: std::io::Error) -> CommandError {
    CommandError::failure(format!("cannot write {}", path.display())).caused_by(error)
}

fn writer(hash: MetaDataHash, arguments: Option<&RunArguments>) -> CounterFileWriter {
    let unknown = RunArguments::default();
    CounterFileWriter::new(hash, CounterFlavor::Uleb128, arguments.unwrap_or(&unknown))
}

/// What the release that a program was built with hashes meta-data with.
fn hash_function(program: &MetaDataFile<'_>) -> Option<HashFunction> {
    program
        .packages()
        .find(|package| package.functions().len() > 0)
        .and_then(|package| package.hash_function())
}

/// A package of several programs.
struct Combined<'a> {
    builder: PackageBuilder<'a>,
    /// A function by all that its meta-data says, to its index.
    known: HashMap<(&'a str, &'a str, &'a [u8]), usize>,
    /// Of each function; none where no run has a record.
    counters: Vec<Option<Vec<u32>>>,
}

/// Writes all programs as one.
fn combine(merged: &Merged, output: &Output<'_>, terminal: &Terminal) -> Result<(), CommandError> {
    let mode = merged.mode().unwrap_or(CounterMode::Set);
    if merged.mode().is_none() {
        terminal.warning(
            "the programs count in different modes, which cannot be added: the result says only whether a \
             statement ran (mode set)",
        );
    }
    // The newer one, if the programs were built with several releases.
    let function = merged.programs.iter().filter_map(|program| hash_function(program)).max();
    let function = function.unwrap_or(HashFunction::Fnv128a);
    let mut indices = HashMap::new();
    let mut packages: Vec<Combined<'_>> = Vec::new();
    let mut arguments: Option<RunArguments> = None;
    for (index, program) in merged.programs.iter().enumerate() {
        let counts = merged.counts.get(index);
        if let Some(own) = counts.and_then(ProgramCounts::arguments) {
            arguments.get_or_insert_with(|| own.clone()).agree_with(own);
        }
        for package in program.packages().filter(|package| merged.selects(package.import_path())) {
            let index = *indices.entry(package.import_path()).or_insert(packages.len());
            if index == packages.len() {
                let builder = PackageBuilder::new(package, function);
                packages.push(Combined { builder, known: HashMap::new(), counters: Vec::new() });
            }
            let Some(combined) = packages.get_mut(index) else { continue };
            for entry in package.functions() {
                combined.add(mode, entry, counts.and_then(|counts| counts.of_function(&entry)));
            }
        }
    }
    let granularity =
        merged.programs.iter().next().map_or(CounterGranularity::PerBlock, MetaDataFile::granularity);
    let (builders, counters): (Vec<_>, Vec<_>) =
        packages.into_iter().map(|package| (package.builder, package.counters)).unzip();
    let blobs: Vec<_> = builders.into_iter().map(|builder| Cow::Owned(builder.finish())).collect();
    let (hash, bytes) = metadata_file(&blobs, mode, granularity, function);
    output.metadata(hash, &bytes)?;
    let mut writer = writer(hash, arguments.as_ref());
    for (package, counters) in (0..).zip(&counters) {
        for (function, counters) in (0..).zip(counters) {
            if let Some(counters) = counters {
                writer.function(package, function, counters);
            }
        }
    }
    output.counters(hash, &writer.finish())
}

impl<'a> Combined<'a> {
    fn add(&mut self, mode: CounterMode, function: FunctionMetaData<'a>, counters: Option<&[u32]>) {
        let key = (function.name(), function.source_file(), function.unit_bytes());
        let next = self.counters.len();
        let index = *self.known.entry(key).or_insert(next);
        if index == next {
            self.builder.add(function);
            self.counters.push(None);
        }
        let (Some(own), Some(counters)) = (self.counters.get_mut(index), counters) else { return };
        let zeros = || vec![0; counters.len()];
        for (own, counter) in own.get_or_insert_with(zeros).iter_mut().zip(counters) {
            *own = mode.add(*own, *counter);
        }
    }
}
