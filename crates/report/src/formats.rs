//! A report in the formats that other tools and people read, one module each. What a format can say is described in
//! docs/formats.md.

mod badge;
mod baseline;
mod cobertura;
mod func;
mod json;
mod lcov;
mod markdown;
mod sonar;
mod table;

use std::io::Write;

use go_coverage::{Profile, write_text};
use serde::Deserialize;

pub use baseline::Baseline;
pub use func::{FunctionRow, function_rows, function_table};
pub use json::SCHEMA_VERSION as JSON_SCHEMA_VERSION;
pub use table::Rows;

use crate::tree::Tree;
use crate::{Error, Report, html};

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For a terminal, the worst first.
    Table,
    /// Go's text profile.
    Textfmt,
    /// What `go tool covdata func` prints.
    Func,
    /// Trace files of lcov 2.
    Lcov,
    /// Cobertura's XML, `coverage-04.dtd`.
    Cobertura,
    /// SonarQube's generic test coverage.
    Sonar,
    /// podcov's own, with a schema.
    Json,
    /// For a comment or a job's summary.
    Markdown,
    /// A picture of the total.
    Badge,
    /// The page.
    Html,
}

/// What formats are written from.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    /// The run, its parts and kinds.
    pub report: &'a Report<'a>,
    /// An earlier report to compare with.
    pub baseline: Option<&'a Baseline>,
    /// What the table has a row for.
    pub rows: Rows,
}

impl Document<'_> {
    /// Everything; none if there is no data, which is not 0 %.
    pub(crate) fn everything(&self) -> Option<&Profile> {
        let everything = self.report.sections.first()?;
        self.report.has_data().then_some(everything.profile())
    }

    pub(crate) fn tree(&self) -> Option<Tree<'_>> {
        Some(Tree::new(self.everything()?, self.report.files, self.report.versions))
    }

    /// Writes it. Without data, formats that could only say zero are refused.
    pub fn write(&self, format: Format, output: &mut impl Write) -> Result<(), Error> {
        match format {
            Format::Table => table::write(self, output),
            Format::Textfmt => Ok(write_text(self.everything().ok_or(Error::NoData)?, output)?),
            Format::Func => func::write(self.everything().ok_or(Error::NoData)?, output),
            Format::Lcov => lcov::write(&self.tree().ok_or(Error::NoData)?, output),
            Format::Cobertura => cobertura::write(self, &self.tree().ok_or(Error::NoData)?, output),
            Format::Sonar => sonar::write(&self.tree().ok_or(Error::NoData)?, self.report.files, output),
            Format::Json => json::write(self, output),
            Format::Markdown => markdown::write(self, output),
            Format::Badge => badge::write(self, output),
            Format::Html => html(self.report, output),
        }
    }
}

impl Format {
    /// All of them, as docs list them.
    pub const ALL: [Self; 10] = [
        Self::Table,
        Self::Markdown,
        Self::Html,
        Self::Json,
        Self::Lcov,
        Self::Cobertura,
        Self::Sonar,
        Self::Textfmt,
        Self::Func,
        Self::Badge,
    ];

    /// Its name in settings and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Textfmt => "textfmt",
            Self::Func => "func",
            Self::Lcov => "lcov",
            Self::Cobertura => "cobertura",
            Self::Sonar => "sonar",
            Self::Json => "json",
            Self::Markdown => "markdown",
            Self::Badge => "badge",
            Self::Html => "html",
        }
    }

    /// The format of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }
}

/// A name from coverage data such that it stays on its line, is valid in XML, and cannot drive a terminal.
fn printable(name: &str) -> String {
    let is_harmful = |character: char| {
        character.is_control()
            || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
    };
    name.replace(is_harmful, "\u{fffd}")
}
