//! The coverage data of a comparison: from run directories, directories of Go's data, reports as JSON, and text profiles.
//!
//! Owns what is read from where, and that what is missing is said. Writes nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use go_coverage::{Profile, TextProfile};
use go_source::Sources;
use podcov_report::formats::Baseline;
use podcov_report::run::SetAside;
use podcov_report::{NamedFiles, completeness, missing, name_blocks};

use crate::content;
use crate::coverage_data::{self, Group, LARGEST_FILE, Merged};
use crate::error::CommandError;
use crate::existing_data::{self, Input};
use crate::kinds;
use crate::run_directory::RunDirectory;
use crate::settings::Settings;
use crate::terminal::Terminal;

/// In a run directory, Go's text profile.
const PROFILES: [&str; 4] = ["coverage.txt", "coverage-set.txt", "coverage-count.txt", "coverage-atomic.txt"];

const HINT: &str = "name a directory with coverage data, a run directory, a report of --format json, or a profile of \
    go test -coverprofile";

/// What ran, of everything that was named.
#[derive(Debug)]
pub struct Data {
    /// As the user named it.
    pub name: String,
    /// All of it as one; none if there are no counters.
    pub profile: Option<Profile>,
    /// What is known of how complete it is, such as `3 of 3 pods, 3 of 3 processes`; empty for text profiles alone.
    pub completeness: String,
    /// What is missing, one sentence each.
    pub missing: Vec<String>,
    /// What a reader should know besides.
    pub notes: Vec<String>,
    /// Files that the settings leave out, and why.
    pub excluded: BTreeMap<String, String>,
}

impl Data {
    /// Reads all of these, and leaves out what the settings say.
    pub fn read(paths: &[PathBuf], settings: &Settings, terminal: &Terminal) -> Result<Self, CommandError> {
        let progress = terminal.progress("merging", "coverage data");
        let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        let mut data = Self {
            name: names.join(", "),
            profile: None,
            completeness: String::new(),
            missing: Vec::new(),
            notes: Vec::new(),
            excluded: BTreeMap::new(),
        };
        let mut parts = Parts::default();
        let (directories, files): (Vec<&PathBuf>, Vec<&PathBuf>) =
            paths.iter().partition(|path| path.is_dir());
        if !directories.is_empty() {
            data.add_directories(&directories, &mut parts)?;
        }
        for file in files {
            data.add_file(file, &mut parts)?;
        }
        drop(progress);
        let texts: Vec<&TextProfile> = parts.texts.iter().collect();
        data.profile = kinds::join(parts.profiles, &texts).everything;
        if let Some(profile) = &mut data.profile {
            data.excluded = leave_out(profile, settings);
        }
        Ok(data)
    }

    fn add_directories(&mut self, paths: &[&PathBuf], parts: &mut Parts) -> Result<(), CommandError> {
        let mut inputs = Vec::new();
        for path in paths {
            inputs.push(Input::new(None, path)?);
        }
        let recorded = inputs.iter().flat_map(recorded_directories);
        let recorded: Vec<PathBuf> = recorded.filter(|path| path.is_dir()).collect();
        let named = inputs.iter().map(|input| input.path.as_path());
        let found = coverage_data::find_all(recorded.iter().map(PathBuf::as_path).chain(named))?;
        if found.directories.iter().all(|directory| directory.metadata.is_empty()) {
            return self.add_profiles_of_runs(&inputs, &found, parts);
        }
        existing_data::check_not_empty(&inputs, &found)?;
        let Merged { total, set_aside, .. } =
            coverage_data::merge(&[Group { label: String::new(), directories: found.directories.clone() }]);

        // What is recorded of data is the same for every command; only where it would be written is nobody's.
        let nowhere = tempfile::tempdir()
            .map_err(|error| CommandError::failure("cannot create a temporary directory").caused_by(error))?;
        let mut record = RunDirectory::create(nowhere.path(), &Terminal::new(true))?;
        existing_data::record(&inputs, &found, &mut record);
        let run = record.run_mut();
        let refused = found.unreadable.iter().chain(&set_aside);
        run.set_aside = refused
            .map(|file| SetAside { file: file.path.display().to_string(), reason: file.reason.clone() })
            .collect();
        self.completeness = completeness(run);
        self.missing = missing(run);
        let is_heard =
            run.captures.is_empty() || run.captures.iter().any(|capture| capture.processes_captured > 0);
        if is_heard {
            parts.profiles.extend(total);
        }
        // A report of several kinds of test has text profiles besides.
        for file in inputs.iter().flat_map(recorded_texts) {
            match read(&file).and_then(|bytes| text_profile(&file, &bytes)) {
                Ok(text) => parts.texts.push(text),
                Err(error) => self.missing.push(error.to_string()),
            }
        }
        Ok(())
    }

    /// A report as JSON, or a text profile.
    fn add_file(&mut self, path: &Path, parts: &mut Parts) -> Result<(), CommandError> {
        let bytes = read(path)?;
        // No text profile begins so.
        if !bytes.trim_ascii_start().starts_with(b"{") {
            parts.texts.push(text_profile(path, &bytes)?);
            return Ok(());
        }
        let report =
            Baseline::parse(&bytes).map_err(|reason| cannot_read(path).caused_by(reason).hint(HINT))?;
        self.missing.extend(report.losses().into_iter().map(|loss| format!("{}: {loss}", path.display())));
        parts.profiles.extend(report.into_profile());
        Ok(())
    }

    /// Of runs whose data was not kept, the profile.
    fn add_profiles_of_runs(
        &mut self,
        inputs: &[Input],
        found: &coverage_data::Found,
        parts: &mut Parts,
    ) -> Result<(), CommandError> {
        for Input { path, record, .. } in inputs {
            let files: Vec<PathBuf> =
                PROFILES.iter().map(|name| path.join(name)).filter(|file| file.is_file()).collect();
            let Some(run) = record.as_ref().filter(|_| !files.is_empty()) else { continue };
            self.completeness = completeness(run);
            self.missing.extend(missing(run));
            self.notes
                .push(format!("{} has only its profile left, which knows no functions", path.display()));
            for file in files {
                parts.texts.push(text_profile(&file, &read(&file)?)?);
            }
        }
        if parts.texts.is_empty() {
            existing_data::check_not_empty(inputs, found)?;
        }
        Ok(())
    }
}

/// What was read, before it is one.
#[derive(Default)]
struct Parts {
    profiles: Vec<Profile>,
    texts: Vec<TextProfile>,
}

/// The data of a run may be outside its directory.
fn recorded_directories(input: &Input) -> Vec<PathBuf> {
    let captures = input.record.iter().flat_map(|run| &run.captures);
    captures.map(|capture| input.path.join(&capture.directory)).collect()
}

fn recorded_texts(input: &Input) -> Vec<PathBuf> {
    let recorded = input.record.iter().flat_map(|run| &run.inputs);
    recorded.map(|recorded| input.path.join(&recorded.path)).filter(|path| !path.is_dir()).collect()
}

fn read(path: &Path) -> Result<Vec<u8>, CommandError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes))
        .map_err(|error| cannot_read(path).caused_by(error))?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(cannot_read(path).caused_by("it is larger than any profile"));
    }
    Ok(bytes)
}

fn text_profile(path: &Path, bytes: &[u8]) -> Result<TextProfile, CommandError> {
    TextProfile::parse(bytes).map_err(|error| cannot_read(path).caused_by(error).hint(HINT))
}

fn cannot_read(path: &Path) -> CommandError {
    CommandError::failure(format!("cannot read {}", path.display()))
}

/// Leaves out what the settings say, and tells which whole files that are, and why.
fn leave_out(profile: &mut Profile, settings: &Settings) -> BTreeMap<String, String> {
    let sources = Sources::discover(&settings.source).unwrap_or_default();
    let files = content::look_up(NamedFiles::of(&sources, [&*profile]));
    name_blocks(profile, &files);
    let decisions = settings.exclusions.decide(profile, &files);
    decisions.apply(profile);
    decisions.files().map(|(file, reason)| (file.to_owned(), reason.to_owned())).collect()
}
