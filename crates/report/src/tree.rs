//! A profile by package, file and function, with figures at each: what most formats write down.

use std::collections::{BTreeMap, HashMap};

use go_coverage::{Function, Profile, Totals, Unit};

use crate::SourceFiles;
use crate::lines::{LineTotals, Lines};
use crate::versions::{Blocks, FileVersion, Versions};

/// A profile as a tree. Packages and files are sorted by name, functions by place.
#[derive(Clone, Debug)]
pub struct Tree<'a> {
    /// Those that have functions.
    pub packages: Vec<PackageNode<'a>>,
    /// Of all statements, as [`Profile::totals_with_literals`] counts.
    pub totals: Totals,
    /// Of all lines.
    pub lines: LineTotals,
}

/// A package.
#[derive(Clone, Debug)]
pub struct PackageNode<'a> {
    /// For example `example.com/shop/internal/cart`.
    pub import_path: &'a str,
    /// Its files.
    pub files: Vec<FileNode<'a>>,
    /// Its statements.
    pub totals: Totals,
    /// Its lines.
    pub lines: LineTotals,
}

/// A source file.
#[derive(Clone, Debug)]
pub struct FileNode<'a> {
    /// In coverage data: import path and base name, or an absolute path.
    pub name: &'a str,
    /// Relative to the checkout; its name if that is not known.
    pub path: &'a str,
    /// Its functions; of several versions those of the first, which fits the sources.
    pub functions: Vec<FunctionNode<'a>>,
    /// Its statements, each once; of several versions those of all.
    pub totals: Totals,
    /// Its executable lines; of several versions those of the first.
    pub lines: Lines,
    /// Empty if there is only one.
    pub versions: Vec<VersionNode<'a>>,
}

/// A source file as some builds have it.
#[derive(Clone, Debug)]
pub struct VersionNode<'a> {
    /// Which builds, and whether it fits the sources.
    pub version: &'a FileVersion,
    /// Its functions.
    pub functions: Vec<FunctionNode<'a>>,
    /// Its statements, each once.
    pub totals: Totals,
    /// Its executable lines.
    pub lines: Lines,
}

/// A function.
#[derive(Clone, Copy, Debug)]
pub struct FunctionNode<'a> {
    /// As the meta-data names it; empty for blocks of a text profile, which does not say.
    pub name: &'a str,
    /// Where its first block begins.
    pub line: u32,
    /// How often its first block ran.
    pub hits: u32,
    /// Its statements.
    pub totals: Totals,
    /// The function itself.
    pub function: &'a Function,
}

impl<'a> Tree<'a> {
    /// The tree of a profile.
    #[must_use]
    pub fn new(profile: &'a Profile, files: &'a SourceFiles, versions: &'a Versions) -> Self {
        let mut by_file = BTreeMap::<(&str, &str), Vec<&Function>>::new();
        // A file that several packages name, as with tests, is shown in the first.
        let mut package_of = HashMap::<&str, &str>::new();
        for package in &profile.packages {
            for function in &package.functions {
                let package = *package_of.entry(&function.file).or_insert(&package.import_path);
                by_file.entry((package, &function.file)).or_default().push(function);
            }
        }
        let totals: HashMap<&str, Totals> = profile.files().collect();
        let mut packages: Vec<PackageNode<'a>> = Vec::new();
        for ((import_path, name), functions) in by_file {
            let totals = totals.get(name).copied().unwrap_or_default();
            let file = FileNode::new(name, files.path(name), &functions, totals, versions.get(name));
            match packages.last_mut() {
                Some(package) if package.import_path == import_path => package.files.push(file),
                _ => packages.push(PackageNode {
                    import_path,
                    files: vec![file],
                    totals: Totals::default(),
                    lines: LineTotals::default(),
                }),
            }
        }
        for package in &mut packages {
            package.totals = package.files.iter().map(|file| file.totals).sum();
            package.lines = package.files.iter().map(|file| file.lines.totals()).sum();
        }
        Self {
            totals: packages.iter().map(|package| package.totals).sum(),
            lines: packages.iter().map(|package| package.lines).sum(),
            packages,
        }
    }

    /// All files.
    pub fn files(&self) -> impl Iterator<Item = &FileNode<'a>> {
        self.packages.iter().flat_map(|package| &package.files)
    }
}

impl<'a> FileNode<'a> {
    fn new(
        name: &'a str,
        path: &'a str,
        functions: &[&'a Function],
        totals: Totals,
        versions: &'a [FileVersion],
    ) -> Self {
        let versions: Vec<_> = versions.iter().map(VersionNode::new).collect();
        let (functions, lines) = match versions.first() {
            Some(version) => (version.functions.clone(), version.lines.clone()),
            None => (function_nodes(functions.iter().copied()), Lines::of(units(functions.iter().copied()))),
        };
        Self { name, path, functions, totals, lines, versions }
    }
}

impl<'a> VersionNode<'a> {
    fn new(version: &'a FileVersion) -> Self {
        Self {
            version,
            functions: function_nodes(&version.functions),
            totals: Blocks::of(&version.functions).totals(),
            lines: Lines::of(units(&version.functions)),
        }
    }
}

/// By place.
fn function_nodes<'a>(functions: impl IntoIterator<Item = &'a Function>) -> Vec<FunctionNode<'a>> {
    let mut nodes: Vec<FunctionNode<'a>> = functions.into_iter().map(FunctionNode::new).collect();
    nodes.sort_by_key(|node| (node.line, node.function.units.first().map(|unit| unit.start_column)));
    nodes
}

fn units<'a>(functions: impl IntoIterator<Item = &'a Function>) -> impl Iterator<Item = &'a Unit> {
    functions.into_iter().flat_map(|function| &function.units)
}

impl<'a> FunctionNode<'a> {
    fn new(function: &'a Function) -> Self {
        let first = function.units.iter().min_by_key(|unit| (unit.start_line, unit.start_column));
        Self {
            name: &function.name,
            line: first.map_or(0, |unit| unit.start_line),
            hits: first.map_or(0, |unit| unit.count),
            totals: function.totals(),
            function,
        }
    }
}
