//! Adds up what was found: programs, and the sum of their runs. Names what cannot be used.

use std::collections::BTreeSet;
use std::path::Path;

use go_coverage::{CounterMode, Counts, Join, MetaDataFile, PackagePattern, Programs};

use super::InputArgs;
use super::inputs::Inputs;
use crate::counter_files::{self, another_program, hash_in_name};
use crate::coverage_data::Refused;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::terminal::{self, Terminal};

/// As long as a list may be that a person reads.
const LONGEST_LIST: usize = 20;

/// All data of a command's inputs.
#[derive(Debug)]
pub struct Merged {
    pub inputs: Inputs,
    /// By the path of their meta-data file, as Go has them.
    pub programs: Programs,
    pub counts: Counts,
    selection: Selection,
}

/// Which packages are meant.
#[derive(Clone, Debug)]
pub struct Selection {
    /// None: all.
    included: Option<Vec<PackagePattern>>,
    excluded: Vec<PackagePattern>,
}

impl Selection {
    fn new(args: &InputArgs) -> Self {
        let included = (!args.pkg.is_empty()).then(|| PackagePattern::list(&args.pkg));
        let excluded = args.exclude.iter().map(PackagePattern::new).collect();
        Self { included, excluded }
    }

    /// Whether a package is meant.
    pub fn selects(&self, import_path: &str) -> bool {
        let any = |patterns: &[PackagePattern]| patterns.iter().any(|pattern| pattern.matches(import_path));
        self.included.as_deref().is_none_or(any) && !any(&self.excluded)
    }

    /// Whether some packages may not be meant.
    pub fn is_partial(&self) -> bool {
        self.included.is_some() || !self.excluded.is_empty()
    }
}

impl Merged {
    /// Finds and reads the meta-data, but no counters.
    pub fn programs(args: &InputArgs) -> Result<Self, CommandError> {
        let mut inputs = Inputs::find(args)?;
        let mut known = BTreeSet::new();
        let mut files = Vec::new();
        for file in &inputs.metadata {
            // Every process writes the same file; one of them is enough.
            if hash_in_name(&file.path).is_some_and(|hash| known.contains(&hash)) {
                continue;
            }
            match read_metadata(&file.path) {
                Ok(metadata) => {
                    if known.insert(metadata.hash()) {
                        files.push((file.clone(), metadata));
                    }
                }
                Err(reason) => inputs.refused.push(Refused { path: file.path.clone(), reason }),
            }
        }
        files.sort_by(|(one, _), (other, _)| {
            one.path.as_os_str().as_encoded_bytes().cmp(other.path.as_os_str().as_encoded_bytes())
        });
        let mut programs = Programs::new();
        for (file, metadata) in files {
            if let Err(error) = programs.insert(metadata) {
                inputs.refused.push(Refused { path: file.path, reason: error.to_string() });
            }
        }
        Ok(Self { inputs, programs, counts: Counts::new(), selection: Selection::new(args) })
    }

    /// Finds and reads everything.
    pub fn read(args: &InputArgs) -> Result<Self, CommandError> {
        let mut merged = Self::programs(args)?;
        let all: Vec<usize> = (0..merged.inputs.counters.len()).collect();
        merged.counts = merged.add(&all);
        merged.check(args)?;
        Ok(merged)
    }

    /// Adds up counter files, given by their index.
    pub fn add(&mut self, files: &[usize]) -> Counts {
        let counters = files.iter().filter_map(|index| self.inputs.counters.get(*index));
        let paths: Vec<&Path> = counters.map(|file| file.path.as_path()).collect();
        let (sum, refused) = counter_files::add_up(&self.programs, &paths);
        self.inputs.refused.extend(refused);
        sum
    }

    /// Fails if there is nothing to work with, or something that must not be.
    pub fn check(&mut self, args: &InputArgs) -> Result<(), CommandError> {
        self.inputs.refused.sort();
        if args.strict
            && let Some(Refused { path, reason }) = self.inputs.refused.first()
        {
            let message = format!("{}: {reason}", self.inputs.shown(path));
            return Err(CommandError::failure(message).hint("without --strict, the other files are used"));
        }
        if self.programs.iter().len() > 0 || !self.inputs.texts.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = args.inputs().map(|input| input.display().to_string()).collect();
        let mut error = CommandError::failure(format!("no coverage data in {}", names.join(", ")));
        if !self.inputs.refused.is_empty() {
            let list = self.refused_lines().join("\n");
            error = error.excerpt("files that cannot be used", list);
        }
        if self.inputs.counters.is_empty() && !self.inputs.skipped.is_empty() {
            let count = terminal::count(self.inputs.skipped.len(), "directory below was");
            error = error.hint(format!("{count} not looked into; --recursive does"));
        } else if !self.inputs.counters.is_empty() {
            error = error
                .hint("counters need the covmeta file of their program: it is written when a program starts");
        } else {
            error = error.hint("name the directory that GOCOVERDIR was set to");
        }
        Err(error)
    }

    /// What all programs and text profiles count, or none if they differ.
    pub fn mode(&self) -> Option<CounterMode> {
        let texts = self.inputs.texts.iter().map(go_coverage::TextProfile::mode);
        let mut modes = self.programs.iter().map(MetaDataFile::mode).chain(texts);
        let first = modes.next()?;
        modes.all(|mode| mode == first).then_some(first)
    }

    /// All of it as one.
    pub fn join(&self) -> Join<'_> {
        let members =
            self.programs.iter().enumerate().map(|(index, program)| (program, self.counts.get(index)));
        let join = Join::new(self.mode().unwrap_or(CounterMode::Set), members, |path| self.selects(path));
        if self.inputs.texts.is_empty() {
            return join;
        }
        join.with_texts(&self.inputs.texts, |path| self.selects(path))
    }

    /// Whether a package is meant.
    pub fn selects(&self, import_path: &str) -> bool {
        self.selection.selects(import_path)
    }

    /// Whether some packages may not be meant.
    pub fn is_partial(&self) -> bool {
        self.selection.is_partial()
    }

    /// Says what is missing, and how the command ends.
    pub fn conclude(&self, terminal: &Terminal) -> ExitCode {
        for line in self.refused_lines() {
            terminal.warning(&line);
        }
        for path in self.inputs.unfinished.iter().take(LONGEST_LIST) {
            terminal
                .warning(&format!("{}: never completed by its process, not used", self.inputs.shown(path)));
        }
        let has_runs = (0..self.programs.iter().len()).any(|index| self.counts.get(index).is_some());
        if !has_runs && self.inputs.texts.is_empty() && self.inputs.counters.is_empty() {
            terminal.warning("there are no counter files: no process of these programs has ended in a way that writes them");
        }
        let mut paths =
            self.programs.iter().flat_map(MetaDataFile::packages).map(|package| package.import_path());
        if self.is_partial() && self.inputs.texts.is_empty() && !paths.clone().any(|path| self.selects(path))
        {
            let example = paths.next().unwrap_or_default();
            terminal
                .warning(&format!("no package is selected; patterns match import paths, such as {example}"));
        }
        for program in (0..self.programs.iter().len()).filter_map(|index| self.counts.get(index)) {
            if program.counts().contains(&u32::MAX) {
                terminal.warning("a counter has reached 4294967295, where Go stops counting");
                break;
            }
        }
        if self.inputs.refused.is_empty() { ExitCode::Success } else { ExitCode::Incomplete }
    }

    fn refused_lines(&self) -> Vec<String> {
        let line = |refused: &Refused| format!("{}: {}", self.inputs.shown(&refused.path), refused.reason);
        let mut lines: Vec<_> = self.inputs.refused.iter().take(LONGEST_LIST).map(line).collect();
        let others = self.inputs.refused.len() - lines.len();
        if others > 0 {
            lines.push(format!("and {} more", terminal::count(others, "file")));
        }
        lines
    }
}

fn read_metadata(path: &Path) -> Result<MetaDataFile<'static>, String> {
    let mut bytes = Vec::new();
    counter_files::read(path, &mut bytes)?;
    let metadata = MetaDataFile::parse(bytes).map_err(|error| error.to_string())?;
    match hash_in_name(path) {
        Some(hash) if hash != metadata.hash() => Err(another_program(hash, metadata.hash())),
        _ => Ok(metadata),
    }
}
