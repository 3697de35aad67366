//! Joins programs to one profile, the way `go tool covdata textfmt` does: a package is its import path, a function is
//! its file, name and literal flag, a unit is its range and number of statements.

use std::collections::{BTreeMap, HashMap};

use crate::merge::{Program, add};
use crate::{CounterMode, Function, FunctionMetaData, Package, Profile, Unit};

/// The programs must have this mode.
pub(crate) fn join<'a>(mode: CounterMode, programs: impl Iterator<Item = &'a Program>) -> Profile {
    let mut packages = BTreeMap::<&str, JoinedPackage>::new();
    let mut known_units = HashMap::new();
    for program in programs {
        for package in program.metadata.packages() {
            let joined = packages.entry(package.import_path()).or_default();
            for function in package.functions() {
                let counts = program.counts.get(function.unit_range()).unwrap_or_default();
                joined.add(mode, function, counts, &mut known_units);
            }
        }
    }
    let packages = packages.into_iter().map(|(import_path, joined)| Package {
        import_path: import_path.to_owned(),
        functions: joined.functions,
    });
    Profile { mode, packages: packages.collect() }
}

#[derive(Default)]
struct JoinedPackage<'a> {
    functions: Vec<Function>,
    /// File, name and literal flag to the index of the function.
    known: HashMap<(&'a str, &'a str, bool), usize>,
}

impl<'a> JoinedPackage<'a> {
    fn add(
        &mut self,
        mode: CounterMode,
        function: FunctionMetaData<'a>,
        counts: &[u32],
        known_units: &mut HashMap<Unit, usize>,
    ) {
        let key = (function.source_file(), function.name(), function.is_literal());
        let index = *self.known.entry(key).or_insert_with(|| {
            self.functions.push(Function {
                name: key.1.to_owned(),
                file: key.0.to_owned(),
                is_literal: key.2,
                units: Vec::new(),
            });
            self.functions.len() - 1
        });
        let Some(Function { units, .. }) = self.functions.get_mut(index) else { return };
        let added = function.units();
        if units.iter().map(without_count).eq(added.iter().copied()) {
            for (unit, count) in units.iter_mut().zip(counts) {
                unit.count = add(mode, unit.count, *count);
            }
            return;
        }
        // Two builds of the function, or two functions of the same name in the file (init, `_`).
        known_units.clear();
        known_units.extend(units.iter().enumerate().map(|(index, unit)| (without_count(unit), index)));
        units.reserve(added.len());
        for (unit, count) in added.iter().zip(counts) {
            let index = *known_units.entry(*unit).or_insert_with(|| {
                units.push(*unit);
                units.len() - 1
            });
            if let Some(unit) = units.get_mut(index) {
                unit.count = add(mode, unit.count, *count);
            }
        }
    }
}

const fn without_count(unit: &Unit) -> Unit {
    Unit { count: 0, ..*unit }
}
