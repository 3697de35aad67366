//! Files of which builds have different versions, each version by itself.
//!
//! Owns which builds have the same version of a file, and what is joined across versions: functions whose ranges agree.
//! Totals are not touched: in them each block counts once, as in Go's own tools.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::Path;

use go_coverage::{CounterMode, Function, Profile, Totals, Unit};

use crate::SourceFiles;

/// The files that not all builds have in the same version. The default is none.
#[derive(Clone, Debug, Default)]
pub struct Versions {
    files: BTreeMap<String, Vec<FileVersion>>,
}

/// A version of a file.
#[derive(Clone, Debug)]
pub struct FileVersion {
    /// The labels of the builds that have it.
    pub builds: Vec<String>,
    /// Whether its positions lie in the source that is here.
    pub fits: bool,
    /// Its functions. Where the ranges of one agree with another version's, the counts are of both.
    pub functions: Vec<Function>,
}

/// The blocks of a file in some data, each once, sorted by place.
pub(crate) struct Blocks(Vec<Unit>);

impl Versions {
    /// Compares what builds, by their labels, have of each file. Counts are added as `mode` says.
    #[must_use]
    pub fn of<'a>(
        mode: CounterMode,
        builds: impl IntoIterator<Item = (&'a str, &'a Profile)>,
        files: &SourceFiles,
    ) -> Self {
        let mut by_file = BTreeMap::<&str, Vec<OfBuild<'_>>>::new();
        for (label, profile) in builds {
            let mut own = BTreeMap::<&str, Vec<&Function>>::new();
            for function in profile.functions().filter(|function| is_go(&function.file)) {
                own.entry(&function.file).or_default().push(function);
            }
            for (file, functions) in own {
                let blocks = Blocks::of(functions.iter().copied());
                by_file.entry(file).or_default().push(OfBuild { label, functions, blocks });
            }
        }
        let differing = by_file.into_iter().filter_map(|(file, builds)| {
            let versions = versions(mode, builds, |functions| fit(file, functions, files));
            (versions.len() > 1).then(|| (file.to_owned(), versions))
        });
        Self { files: differing.collect() }
    }

    /// The versions of a file, the one that fits the sources first; empty if there is only one.
    #[must_use]
    pub fn get(&self, file: &str) -> &[FileVersion] {
        self.files.get(file).map_or(&[], Vec::as_slice)
    }

    /// The files, sorted, with their versions.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &[FileVersion])> {
        self.files.iter().map(|(file, versions)| (file.as_str(), versions.as_slice()))
    }

    /// Whether all builds have the same version of every file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

impl FileVersion {
    /// The builds, in one line.
    #[must_use]
    pub fn label(&self) -> String {
        self.builds.join(", ")
    }

    /// What of this version is in other data of the file: the functions whose ranges agree, with the counts there.
    pub(crate) fn within(&self, blocks: &Blocks) -> impl Iterator<Item = (&Function, Vec<Unit>)> {
        let agreeing = self.functions.iter().filter(|function| blocks.have(&function.units));
        agreeing.map(|function| (function, with_counts(&function.units, |unit| blocks.count(unit))))
    }

    /// Whether it has all these blocks.
    pub(crate) fn has(&self, blocks: &Blocks) -> bool {
        Blocks::of(&self.functions).have(&blocks.0)
    }
}

impl Blocks {
    pub(crate) fn of<'a>(functions: impl IntoIterator<Item = &'a Function>) -> Self {
        let mut units: Vec<Unit> =
            functions.into_iter().flat_map(|function| &function.units).copied().collect();
        // Of one that is there twice, the larger count comes first and stays.
        units.sort_unstable_by(|one, other| other.cmp(one));
        units.dedup_by_key(|unit| place(unit));
        units.reverse();
        Self(units)
    }

    pub(crate) fn totals(&self) -> Totals {
        self.0.iter().map(Unit::totals).sum()
    }

    fn position(&self, unit: &Unit) -> Option<usize> {
        self.0.binary_search_by_key(&place(unit), place).ok()
    }

    fn have(&self, units: &[Unit]) -> bool {
        units.iter().all(|unit| self.position(unit).is_some())
    }

    fn count(&self, unit: &Unit) -> u32 {
        self.position(unit).and_then(|at| self.0.get(at)).map_or(0, |unit| unit.count)
    }
}

/// A file as a build has it.
struct OfBuild<'a> {
    label: &'a str,
    functions: Vec<&'a Function>,
    blocks: Blocks,
}

/// Builds have the same version if one has all blocks of the other: profiles may lack functions.
fn versions<F: Ord>(
    mode: CounterMode,
    mut builds: Vec<OfBuild<'_>>,
    fit: impl Fn(&[Function]) -> Option<F>,
) -> Vec<FileVersion> {
    builds.sort_by_key(|build| Reverse(build.blocks.0.len()));
    let mut whole: Vec<(&OfBuild<'_>, Vec<String>)> = Vec::new();
    for build in &builds {
        match whole.iter_mut().find(|(version, _)| version.blocks.have(&build.blocks.0)) {
            Some((_, labels)) => labels.push(build.label.to_owned()),
            None => whole.push((build, vec![build.label.to_owned()])),
        }
    }
    if whole.len() < 2 {
        return Vec::new();
    }
    let joined = |function: &Function| {
        let agreeing: Vec<&Blocks> =
            builds.iter().map(|build| &build.blocks).filter(|blocks| blocks.have(&function.units)).collect();
        let count = |unit: &Unit| agreeing.iter().fold(0, |sum, blocks| mode.add(sum, blocks.count(unit)));
        Function { units: with_counts(&function.units, count), ..function.clone() }
    };
    let mut versions: Vec<(Option<F>, FileVersion)> = whole
        .into_iter()
        .map(|(version, builds)| {
            let functions: Vec<Function> =
                version.functions.iter().map(|function| joined(function)).collect();
            let fit = fit(&functions);
            (fit, FileVersion { builds, fits: false, functions })
        })
        .collect();
    versions.sort_by(|(one, version), (other, next)| {
        other.cmp(one).then_with(|| version.builds.cmp(&next.builds))
    });
    let versions = versions.into_iter();
    versions.map(|(fit, version)| FileVersion { fits: fit.is_some(), ..version }).collect()
}

/// How well they fit the source that is here: the more the greater. None if a position is outside of it.
fn fit(file: &str, functions: &[Function], files: &SourceFiles) -> Option<Reverse<usize>> {
    let source = files.source(file)?.ok()?;
    let units = || functions.iter().flat_map(|function| &function.units);
    let ends = |unit: &Unit| [(unit.start_line, unit.start_column), (unit.end_line, unit.end_column)];
    source.check_positions(units().flat_map(ends)).ok()?;
    Some(Reverse(source.strange_ranges(units().map(ends))))
}

fn with_counts(units: &[Unit], count: impl Fn(&Unit) -> u32) -> Vec<Unit> {
    units.iter().map(|unit| Unit { count: count(unit), ..*unit }).collect()
}

const fn place(unit: &Unit) -> [u32; 5] {
    [unit.start_line, unit.start_column, unit.end_line, unit.end_column, unit.statements]
}

/// What line directives of other languages name is no file of one version.
fn is_go(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|extension| extension == "go")
}

#[cfg(test)]
mod tests {
    use super::*;
    use go_coverage::Package;

    fn function(name: &str, first: u32, counts: &[u32]) -> Function {
        let unit = |(line, count): (u32, &u32)| Unit {
            start_line: line,
            start_column: 2,
            end_line: line,
            end_column: 9,
            statements: 1,
            count: *count,
        };
        let units = (first..).zip(counts).map(unit).collect();
        Function { name: name.to_owned(), file: "m/f.go".to_owned(), is_literal: false, units }
    }

    fn build(label: &str, functions: Vec<Function>) -> (String, Profile) {
        let packages = vec![Package { import_path: "m".to_owned(), functions }];
        (label.to_owned(), Profile { mode: CounterMode::Count, packages })
    }

    fn of(builds: &[(String, Profile)]) -> Versions {
        let builds = builds.iter().map(|(label, profile)| (label.as_str(), profile));
        Versions::of(CounterMode::Count, builds, &SourceFiles::default())
    }

    #[test]
    fn functions_with_the_same_ranges_are_joined_and_others_are_of_their_version() {
        let old = build("old", vec![function("F", 1, &[1, 0]), function("G", 5, &[3, 3])]);
        let new = build("new", vec![function("F", 1, &[2, 0]), function("G", 7, &[5, 0])]);
        let versions = of(&[old, new]);
        let [one, other] = versions.get("m/f.go") else { panic!("{versions:?}") };
        assert_eq!((one.label().as_str(), other.label().as_str()), ("new", "old"));
        assert_eq!(one.functions, [function("F", 1, &[3, 0]), function("G", 7, &[5, 0])]);
        assert_eq!(other.functions, [function("F", 1, &[3, 0]), function("G", 5, &[3, 3])]);
    }

    #[test]
    fn a_block_that_differing_functions_share_is_not_joined() {
        let old = build("old", vec![function("F", 1, &[4, 4, 4])]);
        let mut changed = function("F", 1, &[7, 7, 7]);
        changed.units[2].end_line = 9;
        let versions = of(&[old, build("new", vec![changed.clone()])]);
        assert_eq!(versions.get("m/f.go")[0].functions, [changed]);
        assert_eq!(versions.get("m/f.go")[1].functions, [function("F", 1, &[4, 4, 4])]);
    }

    #[test]
    fn what_agrees_is_one_version_also_where_a_build_lacks_a_function() {
        let whole = build("api", vec![function("F", 1, &[1]), function("G", 5, &[1])]);
        assert!(of(&[whole.clone(), whole.clone()]).is_empty());
        assert!(of(&[build("part", vec![function("G", 5, &[0])]), whole]).is_empty());
    }

    #[test]
    fn files_of_other_languages_have_no_versions() {
        let of_grammar = |label: &str, first| {
            let function = Function { file: "m/grammar.y".to_owned(), ..function("F", first, &[1]) };
            build(label, vec![function])
        };
        assert!(of(&[of_grammar("old", 1), of_grammar("new", 3)]).is_empty());
    }
}
