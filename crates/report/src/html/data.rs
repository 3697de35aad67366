//! The figures and sources of the page, as small as they can be said.
//!
//! The keys are read by `templates/script/data.js`.

use std::collections::{BTreeMap, HashMap};

use go_coverage::{Function, Unit};
use serde::Serialize;

use crate::Report;

/// What the page's script reads at once.
#[derive(Serialize)]
pub(super) struct Index<'a> {
    sections: Vec<SectionHead<'a>>,
    packages: Vec<&'a str>,
    files: Vec<FileHead<'a>>,
    /// The functions of each file, by section. They follow in the file's own block.
    #[serde(skip)]
    functions: Vec<Vec<Vec<&'a Function>>>,
}

#[derive(Serialize)]
struct SectionHead<'a> {
    label: &'a str,
    mode: &'static str,
    /// Counters came. Without them a file's statements would read as 0 %.
    heard: bool,
}

#[derive(Serialize)]
struct FileHead<'a> {
    /// In coverage data, which may differ from import path and base name.
    name: &'a str,
    /// Index of the package.
    package: usize,
    /// Statements and covered statements in each section; none where the section does not have the file.
    totals: Vec<Option<(u64, u64)>>,
}

/// What the page's script reads when a file is opened.
#[derive(Serialize)]
pub(super) struct FileData<'a> {
    /// None when it was not found.
    source: Option<String>,
    /// Why it was not found.
    missing: Option<String>,
    /// Files that may have been meant.
    candidates: Vec<String>,
    /// The functions and units of different builds. Sections of one build share one.
    shapes: Vec<Shape<'a>>,
    /// For each section which shape, and the count of each of its units.
    sections: Vec<Option<(usize, Vec<u32>)>>,
}

#[derive(Serialize)]
struct Shape<'a> {
    /// Name and number of units.
    functions: Vec<(&'a str, usize)>,
    /// Start line and column, end line and column, and statements of each unit, one after the other.
    units: Vec<u32>,
    /// Why its positions do not belong to the source.
    misfit: Option<String>,
}

impl<'a> Index<'a> {
    pub(super) fn new(report: &'a Report<'_>) -> Self {
        let count = report.sections.len();
        let mut files = BTreeMap::<(&str, &str), Vec<Vec<&Function>>>::new();
        let mut package_of = HashMap::<&str, &str>::new();
        let heard = |section| report.totals(section).statements > 0;
        for (number, section) in report.sections.iter().enumerate().filter(|(_, section)| heard(section)) {
            for package in &section.profile.packages {
                for function in &package.functions {
                    let package = *package_of.entry(&function.file).or_insert(&package.import_path);
                    let by_section =
                        files.entry((package, &function.file)).or_insert_with(|| vec![Vec::new(); count]);
                    if let Some(functions) = by_section.get_mut(number) {
                        functions.push(function);
                    }
                }
            }
        }
        let totals = report.sections.iter().map(|section| {
            if heard(section) { section.profile.files().collect() } else { HashMap::<&str, _>::new() }
        });
        let totals: Vec<_> = totals.collect();
        let mut packages: Vec<&str> = files.keys().map(|(package, _)| *package).collect();
        packages.dedup();
        let heads = files.keys().map(|(package, name)| FileHead {
            name,
            package: packages.binary_search(package).unwrap_or_default(),
            totals: totals
                .iter()
                .map(|totals| totals.get(name).map(|totals| (totals.statements, totals.covered)))
                .collect(),
        });
        let heads = heads.collect();
        let sections = report.sections.iter().map(|section| SectionHead {
            label: &section.label,
            mode: section.profile.mode.as_str(),
            heard: heard(section),
        });
        Self {
            sections: sections.collect(),
            packages,
            files: heads,
            functions: files.into_values().collect(),
        }
    }

    pub(super) fn file_count(&self) -> usize {
        self.files.len()
    }

    /// The data of one file. Reads its source.
    pub(super) fn file(&self, report: &Report<'_>, number: usize) -> FileData<'a> {
        let name = self.files.get(number).map_or("", |file| file.name);
        let mut data = FileData {
            source: None,
            missing: None,
            candidates: Vec::new(),
            shapes: Vec::new(),
            sections: Vec::new(),
        };
        let found = report.sources.find(name);
        for functions in self.functions.get(number).into_iter().flatten() {
            if functions.is_empty() {
                data.sections.push(None);
                continue;
            }
            let mut functions = functions.clone();
            functions.sort_by_key(|function| function.units.first().copied().map(position));
            let units = || functions.iter().flat_map(|function| &function.units);
            let counts = units().map(|unit| unit.count).collect();
            let mut shape = Shape {
                functions: functions
                    .iter()
                    .map(|function| (function.name.as_str(), function.units.len()))
                    .collect(),
                units: units().flat_map(numbers).collect(),
                misfit: None,
            };
            let same = |known: &Shape<'_>| known.functions == shape.functions && known.units == shape.units;
            let known = data.shapes.iter().position(same).unwrap_or_else(|| {
                if let Ok(source) = &found {
                    let checked = source.check_positions(units().flat_map(ends));
                    shape.misfit = checked.err().map(|misfit| misfit.reason);
                }
                data.shapes.push(shape);
                data.shapes.len() - 1
            });
            data.sections.push(Some((known, counts)));
        }
        match found {
            Ok(source) => {
                // A text that no section fits would only be weight.
                if data.shapes.iter().any(|shape| shape.misfit.is_none()) {
                    data.source = Some(source.text);
                }
            }
            Err(missing) => {
                data.missing = Some(missing.reason);
                data.candidates = missing.candidates.iter().map(|path| path.display().to_string()).collect();
            }
        }
        data
    }
}

fn position(unit: Unit) -> (u32, u32) {
    (unit.start_line, unit.start_column)
}

fn ends(unit: &Unit) -> [(u32, u32); 2] {
    [(unit.start_line, unit.start_column), (unit.end_line, unit.end_column)]
}

fn numbers(unit: &Unit) -> [u32; 5] {
    [unit.start_line, unit.start_column, unit.end_line, unit.end_column, unit.statements]
}
