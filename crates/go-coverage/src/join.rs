//! Joins programs, the way `go tool covdata textfmt` does: a package is its import path, a function is its file, name
//! and literal flag, a unit is its range and number of statements.

use std::collections::{BTreeMap, HashMap, HashSet};

use foldhash::fast::RandomState;

use crate::{
    CounterMode, Function, FunctionMetaData, MetaDataFile, Package, PackageMetaData, Profile, ProgramCounts,
    TextProfile, Totals, Unit,
};

/// Some programs and the sums of their runs, seen as one: packages that programs share are there once.
///
/// Nothing is added up before it is asked for, so that packages can be worked through one by one, or by several
/// threads, without all of them in memory.
#[derive(Debug)]
pub struct Join<'a> {
    mode: CounterMode,
    /// Sorted by import path.
    packages: Vec<JoinedPackage<'a>>,
}

#[derive(Debug)]
struct JoinedPackage<'a> {
    import_path: &'a str,
    /// From each program that has it.
    parts: Vec<Part<'a>>,
    /// Files and their units from text profiles.
    texts: Vec<(&'a str, &'a [Unit])>,
}

#[derive(Clone, Copy, Debug)]
struct Part<'a> {
    package: PackageMetaData<'a>,
    /// One per unit of the program; none if it did not run.
    counts: Option<&'a ProgramCounts>,
}

impl<'a> Join<'a> {
    /// Joins programs, each with the sum of its runs, as far as `selects` says yes to a package's import path.
    ///
    /// Counts are added as `mode` says. Where programs of different modes are joined, only whether a count is 0 means
    /// something: that is [`CounterMode::Set`].
    pub fn new(
        mode: CounterMode,
        programs: impl IntoIterator<Item = (&'a MetaDataFile<'a>, Option<&'a ProgramCounts>)>,
        selects: impl Fn(&str) -> bool,
    ) -> Self {
        let mut packages = BTreeMap::<&str, Vec<Part<'a>>>::new();
        for (metadata, counts) in programs {
            for package in metadata.packages().filter(|package| selects(package.import_path())) {
                packages.entry(package.import_path()).or_default().push(Part { package, counts });
            }
        }
        let packages = packages.into_iter();
        let packages =
            packages.map(|(import_path, parts)| JoinedPackage { import_path, parts, texts: Vec::new() });
        Self { mode, packages: packages.collect() }
    }

    /// Adds text profiles, as far as `selects` says yes to the import path of a file's package: the one that has the
    /// file, or else the directory that its name begins with.
    #[must_use]
    pub fn with_texts(
        mut self,
        texts: impl IntoIterator<Item = &'a TextProfile>,
        selects: impl Fn(&str) -> bool,
    ) -> Self {
        let mut packages: BTreeMap<&str, JoinedPackage<'a>> =
            self.packages.into_iter().map(|package| (package.import_path, package)).collect();
        let parts = packages.values().flat_map(|package| &package.parts);
        let known: HashMap<&str, &str, RandomState> = parts
            .flat_map(|part| {
                let import_path = part.package.import_path();
                part.package.functions().map(move |function| (function.source_file(), import_path))
            })
            .collect();
        for (file, units) in texts.into_iter().flat_map(TextProfile::files) {
            let directory = file.rsplit_once('/').map_or(".", |(directory, _)| directory);
            let import_path = known.get(file.as_str()).copied().unwrap_or(directory);
            if selects(import_path) {
                let new = || JoinedPackage { import_path, parts: Vec::new(), texts: Vec::new() };
                packages.entry(import_path).or_insert_with(new).texts.push((file, units));
            }
        }
        self.packages = packages.into_values().collect();
        self
    }

    /// What the counts mean.
    #[must_use]
    pub const fn mode(&self) -> CounterMode {
        self.mode
    }

    /// How many packages there are.
    #[must_use]
    pub const fn package_count(&self) -> usize {
        self.packages.len()
    }

    /// Import paths, sorted.
    #[must_use]
    pub fn import_paths(&self) -> impl ExactSizeIterator<Item = &'a str> {
        self.packages.iter().map(|package| package.import_path)
    }

    /// How many units the parts of a package have: how much work it is.
    #[must_use]
    pub fn unit_count(&self, package: usize) -> usize {
        let parts = self.packages.get(package).map_or(&[][..], |package| &package.parts);
        parts.iter().map(|part| part.package.unit_range().len()).sum()
    }

    /// Adds up the package with this index, from 0.
    #[must_use]
    pub fn package(&self, index: usize) -> Option<Package> {
        self.packages.get(index).map(|package| package.join(self.mode))
    }

    /// The statements of the package with this index: the same as [`Package::totals`] of [`Self::package`], and faster.
    #[must_use]
    pub fn totals(&self, index: usize) -> Option<Totals> {
        let package = self.packages.get(index)?;
        package.totals_of_one().or_else(|| Some(package.join(self.mode).totals()))
    }

    /// Adds up all packages.
    #[must_use]
    pub fn profile(&self) -> Profile {
        let packages = self.packages.iter().map(|package| package.join(self.mode)).collect();
        Profile { mode: self.mode, packages }
    }
}

impl JoinedPackage<'_> {
    fn join(&self, mode: CounterMode) -> Package {
        let mut functions = Functions::default();
        let mut rest = self.parts.as_slice();
        while let [part, others @ ..] = rest {
            let mut counts = part.own_counts().to_vec();
            counts.resize(part.package.unit_range().len(), 0);
            // Programs often have the very same package: then units need not be compared.
            let same = others
                .iter()
                .take_while(|other| other.package.as_bytes() == part.package.as_bytes())
                .inspect(|other| {
                    for (count, added) in counts.iter_mut().zip(other.own_counts()) {
                        *count = mode.add(*count, *added);
                    }
                })
                .count();
            functions.add_part(mode, part.package, &counts);
            rest = others.get(same..).unwrap_or_default();
        }
        let mut functions = functions.list;
        add_texts(mode, &mut functions, &self.texts);
        Package { import_path: self.import_path.to_owned(), functions }
    }
}

impl JoinedPackage<'_> {
    /// The statements, if nothing has to be joined: all programs have the very same package, and nothing is in it twice.
    fn totals_of_one(&self) -> Option<Totals> {
        let (first, others) = self.parts.split_first()?;
        let is_same = |part: &Part<'_>| part.package.as_bytes() == first.package.as_bytes();
        if !self.texts.is_empty() || !others.iter().all(is_same) {
            return None;
        }
        let functions = first.package.functions();
        let mut known = HashSet::with_capacity_and_hasher(functions.len(), RandomState::default());
        let (mut totals, mut units, mut at) = (Totals::default(), Vec::new(), 0);
        for function in functions {
            if !known.insert((function.source_file(), function.name(), function.is_literal())) {
                return None;
            }
            units.clear();
            units.extend(function.units());
            for (offset, unit) in units.iter_mut().enumerate() {
                let ran =
                    |part: &Part<'_>| part.own_counts().get(at + offset).is_some_and(|count| *count > 0);
                totals = [totals, Unit { count: u32::from(self.parts.iter().any(ran)), ..*unit }.totals()]
                    .into_iter()
                    .sum();
            }
            at += units.len();
            if has_one_twice(&mut units) {
                return None;
            }
        }
        Some(totals)
    }
}

/// Whether a unit is there twice, as line directives make it.
fn has_one_twice(units: &mut [Unit]) -> bool {
    if units.is_sorted_by(|one, next| one < next) {
        return false;
    }
    units.sort_unstable();
    units.windows(2).any(|neighbours| matches!(neighbours, [one, next] if one == next))
}

impl<'a> Part<'a> {
    /// One per unit of the package; empty if the program did not run.
    fn own_counts(&self) -> &'a [u32] {
        let units = self.package.unit_range();
        self.counts.and_then(|counts| counts.counts().get(units)).unwrap_or_default()
    }
}

/// Joins profiles and text profiles, whatever they are of: unit tests and end-to-end tests, or runs that count in
/// different modes. `mode` says how counts are added; [`CounterMode::Set`] is right for all.
///
/// Functions are one when file, name and ranges agree. Where the ranges do not, they are of two versions of the source;
/// both are there, one after the other. What no function has of a text profile becomes a literal without a name.
#[must_use]
pub fn join_profiles<'a>(
    mode: CounterMode,
    profiles: impl IntoIterator<Item = &'a Profile>,
    texts: impl IntoIterator<Item = &'a TextProfile>,
) -> Profile {
    let mut packages = BTreeMap::<&str, Package>::new();
    let mut known = HashMap::<(&str, &str, bool), Vec<usize>, RandomState>::default();
    let mut package_of = HashMap::<&str, &str, RandomState>::default();
    for package in profiles.into_iter().flat_map(|profile| &profile.packages) {
        let new = || Package { import_path: package.import_path.clone(), functions: Vec::new() };
        let joined = packages.entry(&package.import_path).or_insert_with(new);
        for function in &package.functions {
            package_of.entry(&function.file).or_insert(&package.import_path);
            let versions = known.entry((&function.file, &function.name, function.is_literal)).or_default();
            let same = versions.iter().copied().find(|index| {
                let ranges = |function: &'a Function| function.units.iter().map(without_count);
                let version = joined.functions.get(*index).filter(|other| other.file == function.file);
                version.is_some_and(|other| other.units.iter().map(without_count).eq(ranges(function)))
            });
            let units = function.units.iter().map(|unit| Unit { count: mode.add(0, unit.count), ..*unit });
            if let Some(version) = same.and_then(|index| joined.functions.get_mut(index)) {
                for (unit, added) in version.units.iter_mut().zip(units) {
                    unit.count = mode.add(unit.count, added.count);
                }
            } else {
                versions.push(joined.functions.len());
                joined.functions.push(Function { units: units.collect(), ..function.clone() });
            }
        }
    }
    let mut of_texts = BTreeMap::<&str, Vec<(&str, &[Unit])>>::new();
    for (file, units) in texts.into_iter().flat_map(TextProfile::files) {
        let directory = file.rsplit_once('/').map_or(".", |(directory, _)| directory);
        let import_path = package_of.get(file.as_str()).copied().unwrap_or(directory);
        of_texts.entry(import_path).or_default().push((file, units));
    }
    for (import_path, texts) in of_texts {
        let new = || Package { import_path: import_path.to_owned(), functions: Vec::new() };
        add_texts(mode, &mut packages.entry(import_path).or_insert_with(new).functions, &texts);
    }
    Profile { mode, packages: packages.into_values().collect() }
}

/// The functions of a package, each once.
#[derive(Default)]
struct Functions<'a> {
    list: Vec<Function>,
    /// File, name and literal flag to the index of the function.
    known: HashMap<(&'a str, &'a str, bool), usize, RandomState>,
}

impl<'a> Functions<'a> {
    /// `counts` has one for each unit of the package.
    fn add_part(&mut self, mode: CounterMode, package: PackageMetaData<'a>, counts: &[u32]) {
        let functions = package.functions();
        self.list.reserve(functions.len());
        self.known.reserve(functions.len());
        let mut counts = counts;
        for function in functions {
            let (own, rest) = counts.split_at_checked(function.units().len()).unwrap_or_default();
            self.add(mode, function, own);
            counts = rest;
        }
    }

    fn add(&mut self, mode: CounterMode, function: FunctionMetaData<'a>, counts: &[u32]) {
        let key = (function.source_file(), function.name(), function.is_literal());
        let added =
            function.units().zip(counts).map(|(unit, count)| Unit { count: mode.add(0, *count), ..unit });
        let next = self.list.len();
        let index = *self.known.entry(key).or_insert(next);
        let Some(known) = self.list.get_mut(index) else {
            let mut units: Vec<Unit> = added.collect();
            // A function that has a unit twice (line directives) counts it once.
            if has_one_twice(&mut units.iter().map(without_count).collect::<Vec<_>>()) {
                units = join_units(mode, units.into_iter());
            }
            let (name, file, is_literal) = (key.1.to_owned(), key.0.to_owned(), key.2);
            self.list.push(Function { name, file, is_literal, units });
            return;
        };
        if known.units.iter().map(without_count).eq(function.units()) {
            for (unit, added) in known.units.iter_mut().zip(added) {
                unit.count = mode.add(unit.count, added.count);
            }
        } else {
            // Two builds of the function, or two functions of the same name in the file (init, `_`).
            known.units = join_units(mode, known.units.iter().copied().chain(added));
        }
    }
}

/// A text profile does not say which function a unit is of. What no function has becomes a literal without a name.
fn add_texts(mode: CounterMode, functions: &mut Vec<Function>, texts: &[(&str, &[Unit])]) {
    for (file, added) in texts {
        let mut known = HashMap::<Unit, &mut Unit, RandomState>::default();
        for function in functions.iter_mut().filter(|function| function.file == *file) {
            known.extend(function.units.iter_mut().map(|unit| (without_count(unit), unit)));
        }
        let mut others = Vec::new();
        for unit in *added {
            match known.get_mut(&without_count(unit)) {
                Some(known) => known.count = mode.add(known.count, unit.count),
                None => others.push(*unit),
            }
        }
        if !others.is_empty() {
            let units = join_units(mode, others.into_iter());
            functions.push(Function {
                name: String::new(),
                file: (*file).to_owned(),
                is_literal: true,
                units,
            });
        }
    }
}

/// Each unit once, where it comes first, with the sum of its counts.
fn join_units(mode: CounterMode, units: impl Iterator<Item = Unit>) -> Vec<Unit> {
    let mut joined = Vec::with_capacity(units.size_hint().0);
    let mut known = HashMap::with_capacity_and_hasher(units.size_hint().0, RandomState::default());
    for unit in units {
        let index = *known.entry(without_count(&unit)).or_insert_with(|| {
            joined.push(without_count(&unit));
            joined.len() - 1
        });
        if let Some(known) = joined.get_mut(index) {
            known.count = mode.add(known.count, unit.count);
        }
    }
    joined
}

const fn without_count(unit: &Unit) -> Unit {
    Unit { count: 0, ..*unit }
}
