//! Inputs of a report that have a label, such as `unit` and `e2e`, and text profiles of `go test -coverprofile`.
//!
//! Owns what belongs to which kind of test. What is missing of a kind is said where the inputs are recorded.

use std::fs;
use std::path::{Path, PathBuf};

use go_coverage::{CounterMode, Profile, TextProfile, join_profiles};
use podcov_report::run::Input;

use crate::coverage_data::{self, CovdataDirectory, Group, LARGEST_TEXT_PROFILE, Refused};

/// Text profiles and labels of a report.
#[derive(Debug, Default)]
pub struct Kinds {
    texts: Vec<Text>,
    /// The directories of each label.
    directories: Vec<(String, PathBuf)>,
    /// In the order of the inputs.
    labels: Vec<String>,
    /// Text profiles that could not be read.
    pub refused: Vec<Refused>,
}

/// A text profile.
#[derive(Debug)]
struct Text {
    label: Option<String>,
    /// As the input was named.
    path: PathBuf,
    profile: TextProfile,
}

impl Kinds {
    /// Reads the text profiles among the inputs, which are named relative to the run directory.
    pub fn read(inputs: &[Input], run_directory: &Path) -> Self {
        let mut kinds = Self::default();
        for Input { label, path: named } in inputs {
            let path = run_directory.join(named);
            if let Some(label) = label.as_ref().filter(|label| !kinds.labels.contains(label)) {
                kinds.labels.push(label.clone());
            }
            match (path.is_dir(), label) {
                (true, Some(label)) => kinds.directories.push((label.clone(), path)),
                (true, None) => {}
                (false, label) => match read_text_profile(&path) {
                    Ok(profile) => {
                        kinds.texts.push(Text { label: label.clone(), path: named.into(), profile });
                    }
                    Err(reason) => kinds.refused.push(Refused { path, reason }),
                },
            }
        }
        kinds
    }

    /// The profiles of the data, one for each counter mode, with the text profiles.
    pub fn everything(&self, profiles: Vec<Profile>) -> Joined {
        let texts: Vec<&TextProfile> = self.texts.iter().map(|text| &text.profile).collect();
        join(profiles, &texts)
    }

    /// The text profiles, as the inputs name them.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = (&Path, &TextProfile)> {
        self.texts.iter().map(|text| (text.path.as_path(), &text.profile))
    }

    /// The profile of each kind that has data.
    pub fn profiles(&self, groups: &[Group]) -> Vec<(String, Profile)> {
        let kind = |label: &String| {
            let own: Vec<PathBuf> = self
                .directories
                .iter()
                .filter(|(other, _)| other == label)
                .filter_map(|(_, path)| fs::canonicalize(path).ok())
                .collect();
            let is_own = |covdata: &&CovdataDirectory| {
                let path = fs::canonicalize(&covdata.path).unwrap_or_default();
                own.iter().any(|directory| path.starts_with(directory))
            };
            let directories =
                groups.iter().flat_map(|group| &group.directories).filter(is_own).cloned().collect();
            let data = coverage_data::merge(&[Group { label: label.clone(), directories }]);
            let texts = self.texts.iter().filter(|text| text.label.as_ref() == Some(label));
            let texts: Vec<&TextProfile> = texts.map(|text| &text.profile).collect();
            let joined = join(data.total, &texts);
            Some((label.clone(), joined.everything?))
        };
        self.labels.iter().filter_map(kind).collect()
    }
}

/// Profiles as one.
#[derive(Debug)]
pub struct Joined {
    /// None if there is nothing.
    pub everything: Option<Profile>,
    /// What was joined, where that is several counter modes.
    pub of_modes: Vec<Profile>,
    /// Counts of different modes became 0 and 1.
    pub is_mixed: bool,
}

/// Joins profiles, one for each counter mode and program, with text profiles.
pub fn join(mut profiles: Vec<Profile>, texts: &[&TextProfile]) -> Joined {
    let modes = profiles.iter().map(|profile| profile.mode).chain(texts.iter().map(|text| text.mode()));
    let modes: std::collections::BTreeSet<CounterMode> = modes.collect();
    let is_mixed = modes.len() > 1;
    let everything = match (modes.first(), profiles.as_slice()) {
        (None, _) => None,
        (Some(_), [_]) if texts.is_empty() => profiles.pop(),
        (Some(mode), _) => {
            let mode = if is_mixed { CounterMode::Set } else { *mode };
            Some(join_profiles(mode, &profiles, texts.iter().copied()))
        }
    };
    let of_modes = if profiles.len() > 1 { profiles } else { Vec::new() };
    Joined { everything, of_modes, is_mixed }
}

/// Reads a text profile; the error is a sentence for people.
fn read_text_profile(path: &Path) -> Result<TextProfile, String> {
    let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > LARGEST_TEXT_PROFILE {
        return Err(format!("{length} bytes are more than any profile has"));
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    TextProfile::parse(&bytes).map_err(|error| error.to_string())
}

/// Whether a file begins as a text profile does.
pub fn is_text_profile(path: &Path) -> bool {
    use std::io::Read;
    let mut beginning = [0; TextProfile::MAGIC.len()];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut beginning));
    read.is_ok() && beginning == *TextProfile::MAGIC
}
