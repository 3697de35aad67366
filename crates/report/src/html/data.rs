//! The figures and sources of the page, as small as they can be said.
//!
//! The keys are read by `templates/script/data.js`.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use go_coverage::{Function, Profile, Unit};
use go_source::SourceFile;
use serde::Serialize;

use super::join;
use crate::tests::TestMapping;
use crate::versions::{Blocks, FileVersion};
use crate::{Report, Section};

/// Said of a file that no profile of the look-up names.
const NOT_LOOKED_FOR: &str = "its source was not looked for";

/// What the page's script reads at once.
#[derive(Debug, Serialize)]
pub(super) struct Index<'a> {
    sections: Vec<PartHead<'a>>,
    kinds: Vec<PartHead<'a>>,
    tests: Vec<TestHead<'a>>,
    packages: Vec<&'a str>,
    files: Vec<FileHead<'a>>,
    /// The functions of each file: by section, and then by kind. They follow in the file's own block.
    #[serde(skip)]
    functions: Vec<Vec<Vec<&'a Function>>>,
    /// What tests ran of each file, if that was recorded.
    #[serde(skip)]
    test_blocks: Option<&'a TestMapping>,
}

/// A section, or a kind of test.
#[derive(Debug, Serialize)]
struct PartHead<'a> {
    label: &'a str,
    mode: &'static str,
    /// Counters came. Without them a file's statements would read as 0 %.
    heard: bool,
}

#[derive(Debug, Serialize)]
struct TestHead<'a> {
    name: &'a str,
    members: &'a [String],
    seconds: f64,
    notes: &'a [String],
}

#[derive(Debug, Serialize)]
struct FileHead<'a> {
    /// In coverage data, which may differ from import path and base name.
    name: &'a str,
    /// Index of the package.
    package: usize,
    /// Statements and covered statements in each section; none where the section does not have the file.
    totals: Vec<Option<(u64, u64)>>,
    /// Statements by the kinds that ran them; empty unless there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kinds: Vec<u64>,
    /// How many versions builds have of it, if that is not one.
    #[serde(skip_serializing_if = "Option::is_none")]
    versions: Option<usize>,
}

/// What the page's script reads when a function is looked for: of each file the names, and for each of them the line,
/// the statements and the covered ones.
#[derive(Serialize)]
pub(super) struct FunctionList<'a>(Vec<(Vec<&'a str>, Vec<u32>)>);

/// What the page's script reads when a file is opened.
#[derive(Serialize)]
pub(super) struct FileData<'a> {
    /// None when it was not found. It follows on the figures.
    #[serde(skip)]
    source: Option<&'a str>,
    /// Why it was not found.
    missing: Option<&'a str>,
    /// Files that may have been meant.
    candidates: Vec<String>,
    /// The functions and units of different builds. Sections of one build share one.
    shapes: Vec<Shape<'a>>,
    #[serde(flatten)]
    counts: PartCounts,
    /// If builds have several versions of the file: then nothing is in `counts`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    versions: Vec<VersionData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tests: Option<Tests>,
}

/// A version of a file, and what each part has of it.
#[derive(Serialize)]
struct VersionData {
    label: String,
    /// The sections that have this version and no other.
    only: Vec<usize>,
    #[serde(flatten)]
    counts: PartCounts,
}

/// For each part which shape, and the count of each of its units.
#[derive(Default, Serialize)]
struct PartCounts {
    sections: Vec<Option<(usize, Vec<u32>)>>,
    /// The kinds of test.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kinds: Vec<Option<(usize, Vec<u32>)>>,
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

/// Which tests ran the blocks of a file. Many blocks have the same ones.
#[derive(Serialize)]
struct Tests {
    sets: Vec<Vec<u32>>,
    /// Start line and column, end line and column, and the set of each block, one after the other.
    blocks: Vec<u32>,
}

type FilesByName<'a> = BTreeMap<(&'a str, &'a str), Vec<Vec<&'a Function>>>;

impl<'a> Index<'a> {
    pub(super) fn new(report: &'a Report<'_>) -> Self {
        let sections: Vec<PartHead<'_>> = report
            .sections
            .iter()
            .map(|section| {
                PartHead::new(&section.label, section.profile(), report.totals(section).statements > 0)
            })
            .collect();
        let kinds: Vec<PartHead<'_>> = report.kinds.iter().map(PartHead::of_kind).collect();
        let profiles: Vec<&Profile> = report
            .sections
            .iter()
            .map(Section::profile)
            .chain(report.kinds.iter().map(Section::profile))
            .collect();
        let heard: Vec<bool> = sections.iter().chain(&kinds).map(|part| part.heard).collect();
        let files = by_name(&profiles, &heard);
        let mut packages: Vec<&str> = files.keys().map(|(package, _)| *package).collect();
        packages.dedup();
        let heads = files.iter().map(|((package, name), functions)| FileHead {
            name,
            package: packages.binary_search(package).unwrap_or_default(),
            totals: report
                .sections
                .iter()
                .zip(&heard)
                .map(|(section, heard)| section.files().get(*name).filter(|_| *heard))
                .map(|totals| totals.map(|totals| (totals.statements, totals.covered)))
                .collect(),
            kinds: join::statements_by_kinds(functions.get(sections.len()..).unwrap_or_default()),
            versions: Some(report.versions.get(name).len()).filter(|versions| *versions > 1),
        });
        let files_heads = heads.collect();
        Self {
            sections,
            kinds,
            tests: report.tests.map_or_else(Vec::new, test_heads),
            packages,
            files: files_heads,
            functions: files.into_values().collect(),
            test_blocks: report.tests,
        }
    }

    pub(super) fn file_count(&self) -> usize {
        self.files.len()
    }

    /// The functions of all files, as the first part has them that has the file; of several versions those of the first.
    pub(super) fn functions(&self, report: &Report<'a>) -> FunctionList<'a> {
        let lists = self.functions.iter().zip(&self.files).map(|(parts, file)| {
            let version = report.versions.get(file.name).first();
            let functions = parts.iter().find(|functions| !functions.is_empty());
            let functions = functions.into_iter().flatten().copied().filter(|_| version.is_none());
            let functions = functions.chain(version.into_iter().flat_map(|version| &version.functions));
            let mut list = (Vec::new(), Vec::new());
            for function in functions {
                let totals = function.totals();
                let number = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
                list.0.push(function.name.as_str());
                list.1.push(function.units.first().map_or(0, |unit| unit.start_line));
                list.1.extend([number(totals.statements), number(totals.covered)]);
            }
            list
        });
        FunctionList(lists.collect())
    }

    /// The data of one file.
    pub(super) fn file(&self, report: &Report<'a>, number: usize) -> FileData<'a> {
        let name = self.files.get(number).map_or("", |file| file.name);
        let found = report.files.source(name);
        let source = found.and_then(Result::ok);
        let missing = found.and_then(Result::err);
        let suspect = source.filter(|_| !report.files.is_whole(name));
        let mut shapes = Shapes { suspect, list: Vec::new() };
        let functions = self.functions.get(number).map_or(&[][..], Vec::as_slice);
        let versions = report.versions.get(name);
        let counts = if versions.is_empty() {
            let of_part = |functions: &Vec<&'a Function>| {
                shapes.add(
                    functions.iter().map(|function| (function.name.as_str(), Cow::from(&function.units))),
                )
            };
            self.counts(functions.iter().map(of_part))
        } else {
            PartCounts::default()
        };
        let versions = self.versions(versions, functions, &mut shapes);
        let shapes = shapes.list;
        let candidates = missing.into_iter().flat_map(|missing| &missing.candidates);
        // A text that no part fits would only be weight.
        let fits = shapes.iter().any(|shape| shape.misfit.is_none());
        FileData {
            source: source.filter(|_| fits).map(|source| source.text.as_str()),
            missing: match found {
                None => Some(NOT_LOOKED_FOR),
                Some(_) => missing.map(|missing| missing.reason.as_str()),
            },
            candidates: candidates.map(|path| path.display().to_string()).collect(),
            shapes,
            counts,
            versions,
            tests: self.test_blocks.and_then(|mapping| Tests::of(mapping, name)),
        }
    }
}

impl<'a> FileData<'a> {
    pub(super) const fn source(&self) -> Option<&'a str> {
        self.source
    }
}

impl<'a> Index<'a> {
    /// Sections first, then kinds.
    fn counts(&self, parts: impl Iterator<Item = Option<(usize, Vec<u32>)>>) -> PartCounts {
        let mut sections: Vec<_> = parts.collect();
        let kinds = sections.split_off(self.sections.len().min(sections.len()));
        PartCounts { sections, kinds }
    }

    /// What each part has of each version of a file. The first part is everything, which the versions are of.
    fn versions(
        &self,
        versions: &'a [FileVersion],
        parts: &[Vec<&'a Function>],
        shapes: &mut Shapes<'a>,
    ) -> Vec<VersionData> {
        if versions.is_empty() {
            return Vec::new();
        }
        let parts: Vec<Blocks> =
            parts.iter().map(|functions| Blocks::of(functions.iter().copied())).collect();
        let data = versions.iter().map(|version| {
            let whole =
                version.functions.iter().map(|function| (function.name.as_str(), Cow::from(&function.units)));
            let everything = shapes.add(whole);
            let others = parts.iter().skip(1).map(|blocks| {
                let within = version
                    .within(blocks)
                    .map(|(function, units)| (function.name.as_str(), Cow::from(units)));
                shapes.add(within)
            });
            let counts = self.counts([everything].into_iter().chain(others));
            let has_only = |part: &usize| parts.get(*part).is_some_and(|blocks| version.has(blocks));
            VersionData {
                label: version.label(),
                only: (1..self.sections.len()).filter(has_only).collect(),
                counts,
            }
        });
        data.collect()
    }
}

impl<'a> PartHead<'a> {
    fn new(label: &'a str, profile: &Profile, heard: bool) -> Self {
        Self { label, mode: profile.mode.as_str(), heard }
    }

    fn of_kind(kind: &'a Section) -> Self {
        Self::new(&kind.label, kind.profile(), kind.totals().covered > 0)
    }
}

/// The shapes of a file, each once.
struct Shapes<'a> {
    /// The source, if not all positions lie in it.
    suspect: Option<&'a SourceFile>,
    list: Vec<Shape<'a>>,
}

impl<'a> Shapes<'a> {
    /// The shape of these functions, and the counts of its units; none for a part that does not have the file.
    fn add(
        &mut self,
        functions: impl Iterator<Item = (&'a str, Cow<'a, [Unit]>)>,
    ) -> Option<(usize, Vec<u32>)> {
        let mut functions: Vec<_> = functions.collect();
        if functions.is_empty() {
            return None;
        }
        functions.sort_by_key(|(_, units)| units.first().copied().map(position));
        let units = || functions.iter().flat_map(|(_, units)| units.iter());
        let names: Vec<_> = functions.iter().map(|(name, units)| (*name, units.len())).collect();
        let numbers: Vec<u32> = units().flat_map(numbers).collect();
        let same = |known: &Shape<'_>| known.functions == names && known.units == numbers;
        let known = self.list.iter().position(same).unwrap_or_else(|| {
            let misfit = self.suspect.and_then(|source| source.check_positions(units().flat_map(ends)).err());
            let misfit = misfit.map(|misfit| misfit.reason);
            self.list.push(Shape { functions: names, units: numbers, misfit });
            self.list.len() - 1
        });
        Some((known, units().map(|unit| unit.count).collect()))
    }
}

impl Tests {
    fn of(mapping: &TestMapping, file: &str) -> Option<Self> {
        let mut sets = HashMap::<&[u32], u32>::new();
        let mut tests = Self { sets: Vec::new(), blocks: Vec::new() };
        for block in mapping.blocks(file) {
            let next = u32::try_from(sets.len()).unwrap_or(u32::MAX);
            let set = *sets.entry(&block.tests).or_insert_with(|| {
                tests.sets.push(block.tests.clone());
                next
            });
            tests.blocks.extend([
                block.start_line,
                block.start_column,
                block.end_line,
                block.end_column,
                set,
            ]);
        }
        (!tests.blocks.is_empty()).then_some(tests)
    }
}

fn test_heads(mapping: &TestMapping) -> Vec<TestHead<'_>> {
    let heads = mapping.tests.iter().map(|test| TestHead {
        name: &test.name,
        members: &test.members,
        seconds: test.seconds,
        notes: &test.notes,
    });
    heads.collect()
}

/// The functions of each file in each profile, by package and name.
fn by_name<'a>(profiles: &[&'a Profile], heard: &[bool]) -> FilesByName<'a> {
    let mut files = FilesByName::new();
    let mut package_of = HashMap::<&str, &str>::new();
    for (number, profile) in profiles.iter().enumerate() {
        if !heard.get(number).copied().unwrap_or_default() {
            continue;
        }
        for package in &profile.packages {
            for functions in package.functions_by_file() {
                let Some(Function { file, .. }) = functions.first() else { continue };
                let package = *package_of.entry(file).or_insert(&package.import_path);
                let by_part =
                    files.entry((package, file)).or_insert_with(|| vec![Vec::new(); profiles.len()]);
                if let Some(of_part) = by_part.get_mut(number) {
                    of_part.extend(functions);
                }
            }
        }
    }
    files
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
