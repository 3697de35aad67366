//! The settings file, `podcov.toml`: where it is, and what it may say. docs/settings.md describes it for users.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use podcov_report::ExcludePattern;
use podcov_report::formats::Format;
use podcov_report::gates::Gates;
use serde::Deserialize;

use crate::error::CommandError;

const NAME: &str = "podcov.toml";

/// What the file says. Paths in it are relative to it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct SettingsFile {
    pub source: Option<PathBuf>,
    pub output_dir: Option<PathBuf>,
    pub baseline: Option<PathBuf>,
    pub formats: BTreeMap<Format, PathBuf>,
    pub exclude: Exclude,
    #[serde(deserialize_with = "labels")]
    pub labels: Vec<(String, PathBuf)>,
    /// `[gates]`
    pub gates: Gates,
}

/// `[exclude]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Exclude {
    pub patterns: Vec<ExcludePattern>,
    pub generated: Option<bool>,
    pub ignore_comments: Option<bool>,
    pub main: Option<bool>,
    pub test_support: Option<bool>,
}

/// The inputs of a label.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Inputs {
    /// One.
    One(PathBuf),
    /// Several.
    Several(Vec<PathBuf>),
}

fn labels<'a, D: serde::Deserializer<'a>>(deserializer: D) -> Result<Vec<(String, PathBuf)>, D::Error> {
    let labels = BTreeMap::<String, Inputs>::deserialize(deserializer)?;
    let inputs = labels.into_iter().flat_map(|(label, inputs)| {
        let paths = match inputs {
            Inputs::One(path) => vec![path],
            Inputs::Several(paths) => paths,
        };
        paths.into_iter().map(move |path| (label.clone(), path))
    });
    Ok(inputs.collect())
}

impl SettingsFile {
    /// The file that was named; else the one in the checkout, else the one here, else nothing.
    pub fn load(named: Option<&Path>, checkout: &Path) -> Result<Self, CommandError> {
        if let Some(path) = named {
            return Self::read(path)?
                .ok_or_else(|| CommandError::usage(format!("there is no settings file {}", path.display())));
        }
        for directory in [checkout, Path::new("")] {
            if let Some(file) = Self::read(&directory.join(NAME))? {
                return Ok(file);
            }
        }
        Ok(Self::default())
    }

    /// None if it is not there.
    fn read(path: &Path) -> Result<Option<Self>, CommandError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => {
                return Err(CommandError::failure(format!("cannot read {}", path.display())).caused_by(error));
            }
        };
        let mut file = Self::parse(&text).map_err(|reason| {
            CommandError::usage(format!("{}: {reason}", path.display()))
                .hint("the settings are described in docs/settings.md")
        })?;
        let directory = path.parent().unwrap_or(Path::new(""));
        let paths = [&mut file.source, &mut file.output_dir, &mut file.baseline].into_iter().flatten();
        let labelled = file.labels.iter_mut().map(|(_, path)| path);
        for path in paths.chain(file.formats.values_mut()).chain(labelled) {
            *path = directory.join(&*path);
        }
        Ok(Some(file))
    }

    /// The error says where and what, for people.
    fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| {
            let message = error.message().trim();
            match error.span() {
                Some(span) => {
                    let before = text.get(..span.start).unwrap_or_default();
                    format!("line {}: {message}", before.matches('\n').count() + 1)
                }
                None => message.to_owned(),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_documented_is_read() {
        let file = SettingsFile::parse(
            r#"
            source = "."
            output-dir = "out"
            baseline = "main.json"
            [formats]
            lcov = "coverage.info"
            [exclude]
            patterns = ["mocks", "example.com/shop/..."]
            generated = true
            ignore-comments = false
            main = true
            test-support = true
            [labels]
            e2e = "coverage"
            unit = ["a.out", "b.out"]
            [gates]
            total = 80
            "#,
        )
        .unwrap();
        let labels = [("e2e", "coverage"), ("unit", "a.out"), ("unit", "b.out")];
        assert_eq!(file.labels, labels.map(|(label, path)| (label.to_owned(), PathBuf::from(path))));
        assert_eq!(file.formats[&Format::Lcov], Path::new("coverage.info"));
        assert_eq!((file.exclude.patterns.len(), file.exclude.ignore_comments), (2, Some(false)));
        assert_eq!(file.gates.total, "80".parse().ok());
    }

    #[test]
    fn what_makes_no_sense_is_named_with_its_line() {
        for (text, said) in [
            ("sources = \".\"", ["line 1", "sources"]),
            ("\n[exclude]\ngenerate = true", ["line 3", "generate"]),
            ("[exclude]\npatterns = [\"ok\", \"[\"]", ["line 2", "unclosed"]),
            ("[formats]\nxml = \"a\"", ["line 2", "cobertura"]),
            ("[exclude]\ngenerated = \"yes\"", ["line 2", "bool"]),
            ("[labels]\nunit = 3", ["line 2", ""]),
            ("source = ", ["line 1", ""]),
            ("[gates]\ntotal = 101", ["line 2", "0 to 100"]),
        ] {
            let error = SettingsFile::parse(text).unwrap_err();
            assert!(said.iter().all(|word| error.contains(word)), "{text}: {error}");
        }
    }
}
