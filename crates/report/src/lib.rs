//! A coverage profile and the record of its run, as people and programs read them.
//!
//! Owns the forms: terminal summary, HTML page, the formats of other tools, and the models of `run.json` and `tests.json`; and what is
//! left out of them. Reads no coverage data itself
//! (go-coverage does), finds no sources itself (go-source does), prints nothing and opens no file.

mod blocks;
mod error;
mod exclude;
mod files;
pub mod formats;
pub mod gates;
mod html;
mod lines;
mod percent;
pub mod run;
mod summary;
pub mod tests;
pub mod tree;
mod versions;
mod words;

use std::collections::BTreeMap;

use go_coverage::{Profile, Totals};

pub use blocks::name_blocks;
pub use error::Error;
pub use exclude::{Decisions, ExcludePattern, Excluded, Exclusions};
pub use files::{FileState, NamedFiles, SourceFiles};
pub use html::{Packer, Page, html};
pub use lines::{Line as SourceLine, LineStretch, LineTotals, Lines, MOST_LINES, lines_by_file};
pub use percent::percent;
pub use summary::{Line, Mark, summary};
pub use versions::{FileVersion, Versions};
pub use words::{completeness, go_version, missing};

/// What a report is made from.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// Where the data came from, and how complete it is.
    pub run: &'a run::Run,
    /// The first is everything; then the parts, such as one for each workload. Empty when there is no data.
    pub sections: Vec<Section>,
    /// The same data by the kind of test that it comes from, in the order of the labels: with two of them a line says
    /// unit, E2E, both or neither. Empty unless the input is labelled.
    pub kinds: Vec<Section>,
    /// What is known of the sources.
    pub files: &'a SourceFiles,
    /// The files that not all builds have in the same version.
    pub versions: &'a Versions,
    /// Which tests ran what; none where that was not recorded.
    pub tests: Option<&'a tests::TestMapping>,
}

/// One profile of a report, shown by itself.
#[derive(Clone, Debug)]
pub struct Section {
    /// `all`, or what it is a part of: `deployment/api`, a local program's name, a counter mode, a build; of a kind of test, as
    /// the input was labelled: `unit`, `e2e`.
    pub label: String,
    profile: Profile,
    files: BTreeMap<String, Totals>,
    totals: Totals,
}

impl Section {
    /// Its counts, which are no section any more.
    #[must_use]
    pub fn into_profile(self) -> Profile {
        self.profile
    }

    /// Counts what is in the profile.
    #[must_use]
    pub fn new(label: impl Into<String>, profile: Profile) -> Self {
        let files = profile.files().map(|(file, totals)| (file.to_owned(), totals)).collect();
        Self::with_totals(label, profile, files)
    }

    /// The same where the totals of each file are known already, as [`Profile::files`] gives them.
    #[must_use]
    pub fn with_totals(label: impl Into<String>, profile: Profile, files: BTreeMap<String, Totals>) -> Self {
        Self { label: label.into(), totals: files.values().copied().sum(), profile, files }
    }

    /// Its counts. They may be of another counter mode than those of other sections, and of another build.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// All its statements, and those that ran. Statements in function literals outside of any function count too,
    /// as with `go test -cover`; `go tool cover -func` leaves them out.
    #[must_use]
    pub const fn totals(&self) -> Totals {
        self.totals
    }

    /// The statements of each of its files.
    #[must_use]
    pub const fn files(&self) -> &BTreeMap<String, Totals> {
        &self.files
    }
}

impl Report<'_> {
    /// Whether there is anything to say of what ran.
    #[must_use]
    pub fn has_data(&self) -> bool {
        self.sections.iter().any(|section| self.totals(section).statements > 0)
    }

    fn totals(&self, section: &Section) -> Totals {
        totals_if_heard(self.run, section)
    }
}

/// The figures of `run.json`: of everything, which is the first section, and of its parts.
#[must_use]
pub fn figures(run: &run::Run, sections: &[Section]) -> run::Summary {
    let totals = sections.first().map(|everything| totals_if_heard(run, everything)).unwrap_or_default();
    let workloads = sections.iter().skip(1).map(|section| {
        let totals = totals_if_heard(run, section);
        run::WorkloadSummary {
            workload: section.label.clone(),
            statements: totals.statements,
            covered: totals.covered,
            percent: totals.percent(),
        }
    });
    run::Summary {
        statements: totals.statements,
        covered: totals.covered,
        percent: totals.percent(),
        workloads: workloads.collect(),
    }
}

/// The totals of a section, or none where no counters came: meta-data alone would read as 0 %.
fn totals_if_heard(run: &run::Run, section: &Section) -> Totals {
    let totals = section.totals();
    let is_own = |capture: &&run::Capture| capture.origin.workload() == section.label;
    let mut concerned: Vec<_> = run.captures.iter().filter(is_own).collect();
    if concerned.is_empty() {
        concerned = run.captures.iter().collect();
    }
    let nobody_was_heard =
        !concerned.is_empty() && concerned.iter().all(|capture| capture.processes_captured == 0);
    if totals.covered == 0 && nobody_was_heard { Totals::default() } else { totals }
}
