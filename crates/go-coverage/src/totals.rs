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

    /// Its functions in stretches of the same source file, of which a file has one or a few.
    pub fn functions_by_file(&self) -> impl Iterator<Item = &[Function]> {
        self.functions.chunk_by(|one, next| one.file == next.file)
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
        let declared = |function: &Function| !function.is_literal;
        self.units_of(declared).into_values().map(|units| block_totals(&units)).sum()
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
        self.units_by_file().into_iter().map(|(file, units)| (file, block_totals(&units)))
    }

    /// The units of all source files, sorted by file; those of each function together.
    #[must_use]
    pub fn units_by_file(&self) -> BTreeMap<&str, Vec<&[Unit]>> {
        self.units_of(|_| true)
    }

    fn units_of(&self, is_counted: impl Fn(&Function) -> bool) -> BTreeMap<&str, Vec<&[Unit]>> {
        let mut files = BTreeMap::<&str, Vec<&[Unit]>>::new();
        for functions in self.packages.iter().flat_map(Package::functions_by_file) {
            let Some(first) = functions.first() else { continue };
            let counted = functions.iter().filter(|function| is_counted(function));
            files.entry(&first.file).or_default().extend(counted.map(|function| function.units.as_slice()));
        }
        files
    }

    /// The functions of all packages.
    pub fn functions(&self) -> impl Iterator<Item = &Function> {
        self.packages.iter().flat_map(|package| &package.functions)
    }
}

/// The statements of the units of one file. Units with the same range are one block, which ran if one of them did. Go
/// refuses a profile in which they differ in their number of statements; the larger number counts here.
#[must_use]
pub fn block_totals(units: &[&[Unit]]) -> Totals {
    let mut all = Vec::with_capacity(units.iter().map(|units| units.len()).sum());
    for units in units {
        let first = all.len();
        all.extend_from_slice(units);
        // Functions mostly follow each other in the file: then nothing else is out of order.
        all.get_mut(first..).unwrap_or_default().sort_unstable();
    }
    all.sort_unstable();
    all.chunk_by(same_range)
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
