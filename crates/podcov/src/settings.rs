//! What is asked of a report: by flags, else by the environment, else by `podcov.toml`, else by default. Resolved once,
//! before anything is done; the rest of the program sees the result.
//!
//! Flags and their variables of the environment are clap's; the file is [`mod@file`]'s.

mod file;

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use clap::parser::ValueSource;
use podcov_report::formats::{Baseline, Format, Rows};
use podcov_report::gates::Gates;
use podcov_report::{ExcludePattern, Exclusions};

use file::SettingsFile;

use crate::error::CommandError;

/// What is written, and of what.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The checkout with the sources.
    pub source: PathBuf,
    /// Formats beside the page.
    pub outputs: Vec<Output>,
    /// What the table has a row for.
    pub rows: Rows,
    /// What is left out.
    pub exclusions: Exclusions,
    /// What the settings file asks of the figures.
    pub gates: Gates,
    /// An earlier report to compare with.
    pub baseline: Option<Baseline>,
    /// Inputs of `podcov report`, where the command line names none.
    pub labels: Vec<(String, PathBuf)>,
}

/// A format, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    pub format: Format,
    /// None for standard output.
    pub path: Option<PathBuf>,
}

/// Options that commands with a report share, beside where it goes.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Report options")]
pub struct SettingsArgs {
    /// Also write the report in this format, to a file or to standard output; may be repeated. One of table, markdown,
    /// html, json, lcov, cobertura, sonar, textfmt, func, badge.
    #[arg(long = "format", value_name = "FORMAT[=FILE]", env = "PODCOV_FORMAT", value_delimiter = ',')]
    #[arg(value_parser = Output::parse)]
    pub formats: Vec<Output>,

    /// What the table has a row for.
    #[arg(long, value_enum, default_value_t, value_name = "WHAT", env = "PODCOV_BY")]
    pub by: By,

    /// An earlier report in the format json, for the change that markdown shows.
    #[arg(long, value_name = "FILE", env = "PODCOV_BASELINE")]
    pub baseline: Option<PathBuf>,

    /// Leave out files and packages: a name or glob such as mocks or internal/**/*_gen.go, or a package such as
    /// example.com/shop/internal/...; may be repeated.
    #[arg(long = "exclude", value_name = "PATTERN", env = "PODCOV_EXCLUDE", value_delimiter = ',')]
    #[arg(value_parser = ExcludePattern::parse)]
    pub exclude: Vec<ExcludePattern>,

    /// Leave out files that say they are generated.
    #[arg(long, value_name = "BOOL", env = "PODCOV_EXCLUDE_GENERATED")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub exclude_generated: Option<bool>,

    /// Leave out packages called main.
    #[arg(long, value_name = "BOOL", env = "PODCOV_EXCLUDE_MAIN")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub exclude_main: Option<bool>,

    /// Leave out packages that import testing: they help tests.
    #[arg(long, value_name = "BOOL", env = "PODCOV_EXCLUDE_TEST_SUPPORT")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub exclude_test_support: Option<bool>,

    /// Leave out what comments such as //coverage:ignore name [default: true].
    #[arg(long, value_name = "BOOL", env = "PODCOV_IGNORE_COMMENTS")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub ignore_comments: Option<bool>,

    /// The settings file [default: podcov.toml in the checkout, else here].
    #[arg(long, value_name = "FILE", env = "PODCOV_CONFIG")]
    pub config: Option<PathBuf>,
}

/// Rows of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum By {
    /// Packages.
    #[default]
    Package,
    /// Source files.
    File,
    /// Functions.
    Function,
}

impl Output {
    /// Reads `lcov`, `lcov=-` and `lcov=FILE`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, path) = text.split_once('=').unwrap_or((text, "-"));
        let format = Format::from_name(name).ok_or_else(|| {
            let names: Vec<&str> = Format::ALL.iter().map(|format| format.as_str()).collect();
            format!("there is no format {name:?}; there are {}", names.join(", "))
        })?;
        if path.is_empty() {
            return Err(format!("name a file, as in {name}=FILE, or - for standard output"));
        }
        Ok(Self { format, path: (path != "-").then(|| PathBuf::from(path)) })
    }
}

impl SettingsArgs {
    /// Joins the flags, which know of the environment, with the settings file. `source` and `output_directory` get
    /// what the file says if they are the defaults of their flags.
    pub fn resolve(
        self,
        source: &mut PathBuf,
        output_directory: &mut PathBuf,
        matches: &ArgMatches,
    ) -> Result<Settings, CommandError> {
        let SettingsFile { source: own_source, output_dir, baseline, formats, exclude, labels, gates } =
            SettingsFile::load(self.config.as_deref(), source)?;
        for (value, id, from_file) in
            [(&mut *source, "source", own_source), (output_directory, "output_dir", output_dir)]
        {
            let is_default = matches.try_contains_id(id).is_ok()
                && matches.value_source(id) != Some(ValueSource::CommandLine);
            if let (true, Some(from_file)) = (is_default, from_file) {
                *value = from_file;
            }
        }
        let outputs = if self.formats.is_empty() {
            formats.into_iter().map(|(format, path)| Output { format, path: Some(path) }).collect()
        } else {
            self.formats
        };
        check_outputs(&outputs)?;
        Ok(Settings {
            source: source.clone(),
            outputs,
            rows: match self.by {
                By::Package => Rows::Packages,
                By::File => Rows::Files,
                By::Function => Rows::Functions,
            },
            exclusions: Exclusions {
                patterns: if self.exclude.is_empty() { exclude.patterns } else { self.exclude },
                generated: self.exclude_generated.or(exclude.generated).unwrap_or(false),
                ignore_comments: self.ignore_comments.or(exclude.ignore_comments).unwrap_or(true),
                main_packages: self.exclude_main.or(exclude.main).unwrap_or(false),
                test_support: self.exclude_test_support.or(exclude.test_support).unwrap_or(false),
            },
            baseline: self.baseline.or(baseline).map(|path| read_baseline(&path)).transpose()?,
            labels,
            gates,
        })
    }
}

impl Settings {
    /// Those of a command that has none of the flags: what the file in the checkout says is left out.
    pub fn of_checkout(source: &Path) -> Result<Self, CommandError> {
        let SettingsFile { exclude, gates, .. } = SettingsFile::load(None, source)?;
        let exclusions = Exclusions {
            patterns: exclude.patterns,
            generated: exclude.generated.unwrap_or(false),
            ignore_comments: exclude.ignore_comments.unwrap_or(true),
            main_packages: exclude.main.unwrap_or(false),
            test_support: exclude.test_support.unwrap_or(false),
        };
        Ok(Self { source: source.to_owned(), exclusions, gates, ..Self::default() })
    }

    /// Whether a format is for standard output.
    pub fn writes_to_standard_output(&self) -> bool {
        self.outputs.iter().any(|output| output.path.is_none())
    }
}

fn check_outputs(outputs: &[Output]) -> Result<(), CommandError> {
    for (index, output) in outputs.iter().enumerate() {
        if outputs.iter().skip(index + 1).any(|other| other.path == output.path) {
            let place =
                output.path.as_ref().map_or("standard output".to_owned(), |path| path.display().to_string());
            return Err(CommandError::usage(format!("two formats would go to {place}"))
                .hint(format!("name a file for each, such as --format {}=FILE", output.format.as_str())));
        }
    }
    Ok(())
}

fn read_baseline(path: &Path) -> Result<Baseline, CommandError> {
    let unusable = || CommandError::failure(format!("the baseline {} cannot be used", path.display()));
    let hint = "a baseline is an earlier report: podcov report … --format json=FILE";
    let bytes = std::fs::read(path).map_err(|error| unusable().caused_by(error).hint(hint))?;
    Baseline::parse(&bytes).map_err(|reason| unusable().caused_by(reason).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_goes_to_a_file_or_to_standard_output() {
        let output = |format, path: Option<&str>| Ok(Output { format, path: path.map(PathBuf::from) });
        assert_eq!(Output::parse("lcov"), output(Format::Lcov, None));
        assert_eq!(Output::parse("lcov=-"), output(Format::Lcov, None));
        assert_eq!(Output::parse("json=a=b.json"), output(Format::Json, Some("a=b.json")));
        assert!(Output::parse("xml").unwrap_err().contains("cobertura"));
        assert!(Output::parse("lcov=").is_err());
    }

    #[test]
    fn two_formats_do_not_share_a_place() {
        let outputs = |texts: [&str; 2]| texts.map(|text| Output::parse(text).unwrap());
        assert!(check_outputs(&outputs(["lcov", "json"])).is_err());
        assert!(check_outputs(&outputs(["lcov=a", "json=a"])).is_err());
        assert!(check_outputs(&outputs(["lcov=a", "json"])).is_ok());
    }
}
