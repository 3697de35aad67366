//! A coverage profile and the record of its run, as people and programs read them.
//!
//! Owns the forms: terminal summary, HTML page, and the model of `run.json`. Reads no coverage data itself
//! (go-coverage does), finds no sources itself (go-source does), prints nothing and opens no file.

mod error;
mod html;
mod percent;
pub mod run;
mod summary;

pub use error::Error;
pub use html::html;
pub use percent::percent;
pub use summary::{Line, Mark, summary};

/// What a report is made from.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// Where the data came from, and how complete it is.
    pub run: &'a run::Run,
    /// The first is everything; then the parts, such as one for each workload. Empty when there is no data.
    pub sections: Vec<Section>,
    /// Where the sources are.
    pub sources: &'a go_source::Sources,
}

/// One profile of a report, shown by itself.
#[derive(Clone, Debug)]
pub struct Section {
    /// `all`, or what it is a part of: `deployment/api`, a local program's name, a counter mode, a build.
    pub label: String,
    /// Its counts.
    pub profile: go_coverage::Profile,
}

impl Section {
    /// Statements and covered statements.
    #[must_use]
    pub fn totals(&self) -> go_coverage::Totals {
        totals(self.profile.packages.iter().flat_map(|package| &package.functions))
    }
}

fn totals<'a>(functions: impl IntoIterator<Item = &'a go_coverage::Function>) -> go_coverage::Totals {
    let units = functions.into_iter().flat_map(|function| &function.units);
    units
        .map(|unit| {
            let statements = u64::from(unit.statements);
            go_coverage::Totals { statements, covered: if unit.count > 0 { statements } else { 0 } }
        })
        .sum()
}
