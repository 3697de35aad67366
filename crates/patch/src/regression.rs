//! Code that an earlier run covered and this one does not.
//!
//! Functions are matched by package and name, and within a function the units by their shape: how many lines they
//! have, in which columns they begin and end, and how many statements. So code that moved is the same code, and a
//! line that was put into a function does not hide the rest of it.

use std::collections::{BTreeMap, HashMap, VecDeque};

use go_coverage::{Function, Package, Profile, Totals, Unit};
use podcov_report::gates::Stretch;

/// Functions that differ more than this (the product of their units that are not alike at the beginning or the end)
/// are not compared. The largest functions that people write have a few hundred units.
const MOST_PAIRS: usize = 4_000_000;

/// What an earlier run covered, held against what this one covers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// The functions that lost something, in the order of packages and functions.
    pub lost: Vec<LostFunction>,
    /// How many functions are in both.
    pub functions_compared: usize,
    /// How many functions were only in the earlier one, in packages that both have: removed, or renamed.
    pub functions_gone: usize,
    /// Packages that only the earlier one has, with a file of each. Nothing is known of them now.
    pub packages_gone: Vec<(String, String)>,
    /// Functions that are too different to be compared, by name.
    pub not_comparable: Vec<String>,
}

/// A function that lost coverage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostFunction {
    /// Its import path.
    pub package: String,
    /// As the coverage data names it. The file, where the data knows no functions.
    pub name: String,
    /// As the coverage data names it.
    pub file: String,
    /// Units that ran and do not run now, where they are now.
    pub units: Vec<Unit>,
    /// All its statements, and those that ran, in the earlier run.
    pub before: Totals,
    /// The same now.
    pub after: Totals,
}

impl LostFunction {
    /// How many statements ran and do not run now.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.units.iter().map(|unit| u64::from(unit.statements)).sum()
    }
}

impl LostFunction {
    /// The lines of the units: first, last, and how many statements. Units that follow each other are one stretch.
    #[must_use]
    pub fn stretches(&self) -> Vec<Stretch> {
        let mut stretches: Vec<Stretch> = Vec::new();
        for unit in &self.units {
            let gain = u64::from(unit.statements);
            match stretches.last_mut() {
                Some(last) if unit.start_line <= last.end_line.saturating_add(1) => {
                    last.end_line = last.end_line.max(unit.end_line);
                    last.gain += gain;
                }
                _ => stretches.push(Stretch {
                    file: self.file.clone(),
                    start_line: unit.start_line,
                    end_line: unit.end_line,
                    gain,
                }),
            }
        }
        stretches
    }
}

impl Comparison {
    /// How many statements ran and do not run now.
    #[must_use]
    pub fn statements_lost(&self) -> u64 {
        self.lost.iter().map(LostFunction::statements).sum()
    }
}

/// Compares two profiles. Units that `is_changed` says yes to (their file, and where they are now) are not held against
/// the earlier run: they are new code.
#[must_use]
pub fn compare(before: &Profile, after: &Profile, is_changed: impl Fn(&str, &Unit) -> bool) -> Comparison {
    let now: BTreeMap<&str, &Package> =
        after.packages.iter().map(|package| (package.import_path.as_str(), package)).collect();
    let mut comparison = Comparison::default();
    for package in &before.packages {
        if let Some(now) = now.get(package.import_path.as_str()) {
            comparison.add(package, now, &is_changed);
        } else {
            let file = package.functions.first().map(|function| function.file.clone());
            comparison.packages_gone.push((package.import_path.clone(), file.unwrap_or_default()));
        }
    }
    comparison
}

impl Comparison {
    fn add<'a>(
        &mut self,
        before: &'a Package,
        after: &'a Package,
        is_changed: &impl Fn(&str, &Unit) -> bool,
    ) {
        let parts = if knows_functions(before) && knows_functions(after) { functions } else { files };
        let mut candidates = Candidates::new(parts(after));
        for then in parts(before) {
            let Some(now) = candidates.take(&then) else {
                self.functions_gone += 1;
                continue;
            };
            self.functions_compared += 1;
            let Some(pairs) = align(&then.units, &now.units) else {
                self.not_comparable.push(format!("{}.{}", before.import_path, then.name));
                continue;
            };
            let file = now.file;
            let is_lost = |(then, now): &(Unit, Unit)| {
                then.count > 0 && now.count == 0 && now.statements > 0 && !is_changed(file, now)
            };
            let units: Vec<Unit> = pairs.into_iter().filter(is_lost).map(|(_, now)| now).collect();
            if !units.is_empty() {
                self.lost.push(LostFunction {
                    package: before.import_path.clone(),
                    name: now.name.to_owned(),
                    file: now.file.to_owned(),
                    units,
                    before: then.totals(),
                    after: now.totals(),
                });
            }
        }
    }
}

/// What is compared as a whole: a function, or a file where the data knows no functions.
struct Part<'a> {
    key: Key<'a>,
    name: &'a str,
    file: &'a str,
    /// Sorted by place.
    units: Vec<Unit>,
}

/// By what a part is found again in the same package.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key<'a> {
    Function(&'a str),
    /// Its name says where it is, which changes when it moves.
    Literal,
    File(&'a str),
}

impl Part<'_> {
    fn totals(&self) -> Totals {
        self.units.iter().map(Unit::totals).sum()
    }

    fn has_shape_of(&self, other: &Self) -> bool {
        self.units.iter().map(shape).eq(other.units.iter().map(shape))
    }
}

/// The parts of a package that nothing was compared with yet.
struct Candidates<'a>(HashMap<Key<'a>, VecDeque<Part<'a>>>);

impl<'a> Candidates<'a> {
    fn new(parts: Vec<Part<'a>>) -> Self {
        let mut candidates = HashMap::<_, VecDeque<_>>::new();
        for part in parts {
            candidates.entry(part.key).or_default().push_back(part);
        }
        Self(candidates)
    }

    /// The one with the same name. A literal has none, and is found only if nothing in it has changed.
    fn take(&mut self, part: &Part<'a>) -> Option<Part<'a>> {
        let named = self.0.get_mut(&part.key)?;
        let alike = named.iter().position(|candidate| candidate.has_shape_of(part));
        match (alike, part.key) {
            (Some(index), _) => named.remove(index),
            (None, Key::Literal) => None,
            (None, _) => named.pop_front(),
        }
    }
}

/// Profiles that come from Go's text format have no functions.
fn knows_functions(package: &Package) -> bool {
    package.functions.iter().all(|function| !function.name.is_empty())
}

fn functions(package: &Package) -> Vec<Part<'_>> {
    let functions = package.functions.iter().map(|function| {
        let key = if function.is_literal { Key::Literal } else { Key::Function(&function.name) };
        Part { key, name: &function.name, file: &function.file, units: in_order(function.units.clone()) }
    });
    functions.collect()
}

fn files(package: &Package) -> Vec<Part<'_>> {
    let mut files = BTreeMap::<&str, Vec<Unit>>::new();
    for Function { file, units, .. } in &package.functions {
        files.entry(file).or_default().extend(units);
    }
    let files = files.into_iter().map(|(file, units)| {
        let name = file.rsplit('/').next().unwrap_or(file);
        Part { key: Key::File(name), name, file, units: in_order(units) }
    });
    files.collect()
}

fn in_order(mut units: Vec<Unit>) -> Vec<Unit> {
    units.sort_unstable();
    units
}

/// What stays the same of a unit when it moves up or down.
type Shape = (u32, u32, u32, u32);

fn shape(unit: &Unit) -> Shape {
    (unit.end_line.saturating_sub(unit.start_line), unit.start_column, unit.end_column, unit.statements)
}

/// The units of both that are the same, in order: a longest common subsequence. None if finding it takes too long.
fn align(before: &[Unit], after: &[Unit]) -> Option<Vec<(Unit, Unit)>> {
    let alike = |(then, now): &(&Unit, &Unit)| shape(then) == shape(now);
    let head = before.iter().zip(after).take_while(alike).count();
    let (head_before, rest_before) = before.split_at(head);
    let (head_after, rest_after) = after.split_at(head);
    let tail = rest_before.iter().rev().zip(rest_after.iter().rev()).take_while(alike).count();
    let (middle_before, tail_before) = rest_before.split_at(rest_before.len() - tail);
    let (middle_after, tail_after) = rest_after.split_at(rest_after.len() - tail);

    let both = |before: &[Unit], after: &[Unit]| -> Vec<(Unit, Unit)> {
        before.iter().copied().zip(after.iter().copied()).collect()
    };
    let mut pairs = both(head_before, head_after);
    pairs.extend(common(middle_before, middle_after)?);
    pairs.extend(both(tail_before, tail_after));
    Some(pairs)
}

fn common(before: &[Unit], after: &[Unit]) -> Option<Vec<(Unit, Unit)>> {
    let width = after.len() + 1;
    let pairs = before.len().checked_mul(after.len()).filter(|pairs| *pairs <= MOST_PAIRS)?;
    if pairs == 0 {
        return Some(Vec::new());
    }
    // How long the common subsequence of what follows is, for each pair of places.
    let mut lengths = vec![0_u32; width * (before.len() + 1)];
    for (row, then) in before.iter().enumerate().rev() {
        for (column, now) in after.iter().enumerate().rev() {
            let at = row * width + column;
            lengths[at] = if shape(then) == shape(now) {
                lengths[at + width + 1] + 1
            } else {
                lengths[at + 1].max(lengths[at + width])
            };
        }
    }
    let mut common = Vec::new();
    let (mut row, mut column) = (0, 0);
    while let (Some(then), Some(now)) = (before.get(row), after.get(column)) {
        let at = row * width + column;
        if shape(then) == shape(now) {
            common.push((*then, *now));
            (row, column) = (row + 1, column + 1);
        } else if lengths[at + width] >= lengths[at + 1] {
            row += 1;
        } else {
            column += 1;
        }
    }
    Some(common)
}
