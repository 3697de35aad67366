//! An earlier report, read from its JSON document: what another is compared with.

use go_coverage::{CounterMode, Function, Package, Profile, Totals, Unit};
use serde::Deserialize;

use super::json::{Block, FORMAT, SCHEMA_VERSION};
use crate::run::SetAside;

/// An earlier report, as far as another is compared with it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Baseline {
    format: String,
    schema_version: u32,
    run: EarlierRun,
    mode: Option<CounterModeName>,
    pub(super) totals: EarlierTotals,
    pub(super) packages: Vec<EarlierPackage>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct EarlierRun {
    is_complete: bool,
    set_aside: Vec<SetAside>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum CounterModeName {
    Set,
    Count,
    Atomic,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct EarlierPackage {
    pub import_path: String,
    pub totals: EarlierTotals,
    files: Vec<EarlierFile>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct EarlierFile {
    name: String,
    functions: Vec<EarlierFunction>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct EarlierFunction {
    name: String,
    is_literal: bool,
    blocks: Vec<Block>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub(super) struct EarlierTotals {
    pub statements: u64,
    pub covered: u64,
}

impl Baseline {
    /// Reads the JSON document of an earlier report. The error is a sentence for people.
    pub fn parse(json: &[u8]) -> Result<Self, String> {
        let baseline: Self = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        if baseline.format != FORMAT {
            return Err(format!("its format is {:?}, not {FORMAT:?}", baseline.format));
        }
        if baseline.schema_version != SCHEMA_VERSION {
            return Err(format!(
                "it has schema version {}, and this podcov knows {SCHEMA_VERSION}",
                baseline.schema_version
            ));
        }
        Ok(baseline)
    }

    /// What was missing of its run, one sentence for each part.
    #[must_use]
    pub fn losses(&self) -> Vec<String> {
        let set_aside =
            self.run.set_aside.iter().map(|file| format!("set aside {}: {}", file.file, file.reason));
        let mut losses: Vec<String> = set_aside.collect();
        if losses.is_empty() && !self.run.is_complete {
            losses.push("data of its run was missing".to_owned());
        }
        losses
    }

    /// What its run had counted; none if nothing came.
    #[must_use]
    pub fn into_profile(self) -> Option<Profile> {
        let mode = match self.mode? {
            CounterModeName::Set => CounterMode::Set,
            CounterModeName::Count => CounterMode::Count,
            CounterModeName::Atomic => CounterMode::Atomic,
        };
        Some(Profile { mode, packages: self.packages.into_iter().map(package).collect() })
    }
}

fn package(EarlierPackage { import_path, files, .. }: EarlierPackage) -> Package {
    let functions = files.into_iter().flat_map(|EarlierFile { name: file, functions }| {
        functions.into_iter().map(move |EarlierFunction { name, is_literal, blocks }| Function {
            name,
            file: file.clone(),
            is_literal,
            units: blocks.into_iter().map(unit).collect(),
        })
    });
    Package { import_path, functions: functions.collect() }
}

fn unit([start_line, start_column, end_line, end_column, statements, count]: Block) -> Unit {
    Unit { start_line, start_column, end_line, end_column, statements, count }
}

impl From<EarlierTotals> for Totals {
    fn from(totals: EarlierTotals) -> Self {
        Self { statements: totals.statements, covered: totals.covered }
    }
}
