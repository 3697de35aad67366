//! Counts the statements of a profile and its parts. Rounds and formats nothing.

use std::collections::BTreeMap;

use crate::{Function, Package, Profile, Totals, Unit};

impl Unit {
    /// Its statements, which either all ran or all did not.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let statements = u64::from(self.statements);
        Totals { statements, covered: if self.count > 0 { statements } else { 0 } }
    }
}

impl Function {
    /// The sum of its units.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.units.iter().map(Unit::totals).sum()
    }
}

impl Package {
    /// The sum of its functions, as `go tool covdata percent` counts.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.functions.iter().map(Function::totals).sum()
    }
}

impl Profile {
    /// The total that `go tool cover -func` prints for the text of this profile.
    ///
    /// A block that several functions or packages share counts once. Literals outside of any function
    /// (`var handler = func() {…}`) do not count: that tool looks at function declarations only. See
    /// [`Self::totals_with_literals`].
    #[must_use]
    pub fn totals(&self) -> Totals {
        let declared = |function: &&Function| !function.is_literal;
        blocks_by_file(self.functions().filter(declared)).into_values().map(unique).sum()
    }

    /// All statements: those of [`Self::totals`], and those in literals outside of any function. This is the
    /// percentage that `go test -cover` prints.
    #[must_use]
    pub fn totals_with_literals(&self) -> Totals {
        self.files().map(|(_, totals)| totals).sum()
    }

    /// All source files, sorted, with all their statements. A block that several functions share counts once.
    #[must_use]
    pub fn files(&self) -> impl ExactSizeIterator<Item = (&str, Totals)> {
        blocks_by_file(self.functions()).into_iter().map(|(file, units)| (file, unique(units)))
    }

    /// The functions of all packages.
    pub fn functions(&self) -> impl Iterator<Item = &Function> {
        self.packages.iter().flat_map(|package| &package.functions)
    }
}

fn blocks_by_file<'a>(functions: impl Iterator<Item = &'a Function>) -> BTreeMap<&'a str, Vec<Unit>> {
    let mut files = BTreeMap::<_, Vec<_>>::new();
    for function in functions {
        files.entry(function.file.as_str()).or_default().extend(&function.units);
    }
    files
}

/// Units with the same range are one block, which ran if one of them did. Go refuses a profile in which they differ
/// in their number of statements; the larger number counts here.
fn unique(mut units: Vec<Unit>) -> Totals {
    units.sort_unstable();
    units
        .chunk_by(same_range)
        .filter_map(|block| block.iter().copied().reduce(join))
        .map(|unit| unit.totals())
        .sum()
}

fn same_range(one: &Unit, other: &Unit) -> bool {
    let range = |unit: &Unit| (unit.start_line, unit.start_column, unit.end_line, unit.end_column);
    range(one) == range(other)
}

fn join(one: Unit, other: Unit) -> Unit {
    Unit { statements: one.statements.max(other.statements), count: one.count.max(other.count), ..one }
}
