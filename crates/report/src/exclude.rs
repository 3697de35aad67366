//! What is left out of a report on request: by pattern, because it is generated, or because its author says so in a
//! comment. What is left out is counted, and said.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use globset::{GlobBuilder, GlobMatcher};
use go_coverage::{Function, Package, PackagePattern, Profile};
use go_source::Ignored;
use serde::{Deserialize, Serialize};

use crate::SourceFiles;

/// What is to be left out.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Exclusions {
    /// Files and packages that match one of these.
    pub patterns: Vec<ExcludePattern>,
    /// Files with `// Code generated … DO NOT EDIT.`
    pub generated: bool,
    /// What comments say is to be ignored: see [`go_source::Contents`].
    pub ignore_comments: bool,
    /// Packages called `main`.
    pub main_packages: bool,
    /// Packages that import `testing`: they help tests.
    pub test_support: bool,
}

/// A pattern for files or packages.
///
/// With `...` in it, it is one for import paths, as Go has them: `example.com/shop/internal/...`. Else it is a glob for
/// paths in the checkout and for the names in coverage data: `*` stops at `/`, and `**` does not. Without a `/` it is one
/// for the name of a file or of a directory anywhere, as in .gitignore: `mocks`, `*_gen.go`. What is below a directory
/// that matches, matches.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct ExcludePattern {
    text: String,
    matchers: Matchers,
}

impl TryFrom<String> for ExcludePattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

#[derive(Clone, Debug)]
enum Matchers {
    ImportPath(PackagePattern),
    Globs(Vec<GlobMatcher>),
}

/// Something that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excluded {
    /// Why: `generated`, `pattern mocks`.
    pub reason: String,
    /// Files of which something was left out.
    pub files: u64,
    /// Statements that were left out.
    pub statements: u64,
    /// Those of them that ran.
    pub covered: u64,
}

/// What is to be done with each file; made once, for all profiles of a report.
#[derive(Clone, Debug, Default)]
pub struct Decisions {
    whole: HashMap<String, String>,
    stretches: HashMap<String, Vec<Ignored>>,
    unused_patterns: Vec<String>,
    unused_comments: Vec<String>,
}

impl ExcludePattern {
    /// Reads a pattern. The error is a sentence for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        let matchers = if text.contains("...") {
            Matchers::ImportPath(PackagePattern::new(text))
        } else {
            let anchored = text.trim_start_matches("./").trim_start_matches('/').trim_end_matches('/');
            if anchored.is_empty() {
                return Err(
                    "a pattern is a glob such as **/mocks/*.go or a package such as example.com/shop/..."
                        .to_owned(),
                );
            }
            let anywhere = format!("**/{anchored}");
            let glob = if anchored.contains('/') { anchored } else { &anywhere };
            let globs = [glob.to_owned(), format!("{glob}/**")].into_iter().map(|glob| {
                let built = GlobBuilder::new(&glob).literal_separator(true).build();
                built.map(|glob| glob.compile_matcher()).map_err(|error| error.kind().to_string())
            });
            Matchers::Globs(globs.collect::<Result<_, _>>()?)
        };
        Ok(Self { text: text.to_owned(), matchers })
    }

    /// As it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn matches(&self, import_path: &str, file: &str, path: &str) -> bool {
        match &self.matchers {
            Matchers::ImportPath(pattern) => pattern.matches(import_path),
            Matchers::Globs(globs) => globs.iter().any(|glob| glob.is_match(path) || glob.is_match(file)),
        }
    }
}

impl Exclusions {
    /// Decides for every file of `profile`, which is everything.
    #[must_use]
    pub fn decide(&self, profile: &Profile, files: &SourceFiles) -> Decisions {
        let helping_tests: BTreeSet<&str> = profile
            .packages
            .iter()
            .filter(|package| self.test_support && helps_tests(package, files))
            .map(|package| package.import_path.as_str())
            .collect();
        let mut decisions = Decisions::default();
        let mut used = BTreeSet::new();
        for package in &profile.packages {
            let stretches = package.functions_by_file().filter_map(<[Function]>::first);
            let names: BTreeSet<&str> = stretches.map(|function| function.file.as_str()).collect();
            for file in names {
                let matching = self
                    .patterns
                    .iter()
                    .filter(|pattern| pattern.matches(&package.import_path, file, files.path(file)));
                let matching: Vec<&str> = matching.map(ExcludePattern::as_str).collect();
                used.extend(matching.iter().copied());
                let contents = files.contents(file);
                let says = |is_so: fn(&go_source::Contents) -> bool| contents.is_some_and(is_so);
                let reason = if let Some(pattern) = matching.first() {
                    Some(format!("pattern {pattern}"))
                } else if self.generated && says(|contents| contents.is_generated) {
                    Some("generated".to_owned())
                } else if self.main_packages && says(|contents| contents.package == "main") {
                    Some("package main".to_owned())
                } else if helping_tests.contains(package.import_path.as_str()) {
                    Some("test support".to_owned())
                } else if self.ignore_comments && says(|contents| contents.is_ignored) {
                    Some(COMMENT.to_owned())
                } else {
                    None
                };
                if let Some(reason) = reason {
                    decisions.whole.insert(file.to_owned(), reason);
                } else if let (true, Some(contents)) = (self.ignore_comments, contents) {
                    decisions.add_stretches(package, file, files.path(file), &contents.ignored);
                }
            }
        }
        let unused =
            self.patterns.iter().map(ExcludePattern::as_str).filter(|pattern| !used.contains(pattern));
        decisions.unused_patterns = unused.map(str::to_owned).collect();
        decisions
    }
}

const COMMENT: &str = "comment";

fn helps_tests(package: &Package, files: &SourceFiles) -> bool {
    let mut contents = package.functions.iter().filter_map(|function| files.contents(&function.file));
    contents.any(|contents| contents.imports_testing)
}

impl Decisions {
    fn add_stretches(&mut self, package: &Package, file: &str, path: &str, ignored: &[Ignored]) {
        if ignored.is_empty() {
            return;
        }
        let functions = || package.functions.iter().filter(|function| function.file == file);
        for stretch in ignored {
            let is_used = functions().flat_map(|function| &function.units).any(|unit| is_in(stretch, unit));
            if !is_used {
                self.unused_comments.push(format!("{path}:{}", stretch.comment_line));
            }
        }
        self.stretches.insert(file.to_owned(), ignored.to_vec());
    }

    /// Whether anything is left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.stretches.is_empty()
    }

    /// Files that are left out whole, and why.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.whole.iter().map(|(file, reason)| (file.as_str(), reason.as_str()))
    }

    /// Leaves it out of a profile, and says what that was: most statements first.
    pub fn apply(&self, profile: &mut Profile) -> Vec<Excluded> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut removed = BTreeMap::<&str, Vec<Function>>::new();
        for package in &mut profile.packages {
            let functions = std::mem::take(&mut package.functions);
            for mut function in functions {
                if let Some(reason) = self.whole.get(&function.file) {
                    removed.entry(reason).or_default().push(function);
                    continue;
                }
                let Some(ignored) = self.stretches.get(&function.file) else {
                    package.functions.push(function);
                    continue;
                };
                let is_ignored =
                    |unit: &go_coverage::Unit| ignored.iter().any(|stretch| is_in(stretch, unit));
                let (out, kept) = function.units.iter().copied().partition(is_ignored);
                let out = Function { units: out, ..function.clone() };
                function.units = kept;
                if !out.units.is_empty() {
                    removed.entry(COMMENT).or_default().push(out);
                }
                if !function.units.is_empty() {
                    package.functions.push(function);
                }
            }
        }
        profile.packages.retain(|package| !package.functions.is_empty());
        let mode = profile.mode;
        let excluded = removed.into_iter().map(|(reason, functions)| {
            let packages = vec![Package { import_path: String::new(), functions }];
            let out = Profile { mode, packages };
            let totals = out.totals_with_literals();
            Excluded {
                reason: reason.to_owned(),
                files: out.files().len() as u64,
                statements: totals.statements,
                covered: totals.covered,
            }
        });
        let mut excluded: Vec<_> = excluded.collect();
        excluded.sort_by_key(|excluded| std::cmp::Reverse(excluded.statements));
        excluded
    }

    /// What was asked for and leaves out nothing, a sentence for each.
    pub fn problems(&self) -> impl Iterator<Item = String> {
        let patterns = self
            .unused_patterns
            .iter()
            .map(|pattern| format!("the exclude pattern {pattern} matches no file of the data"));
        let comments = self.unused_comments.iter().map(|place| {
            format!(
                "the comment at {place} ignores nothing: no block of statements lies wholly in what it names"
            )
        });
        patterns.chain(comments)
    }
}

fn is_in(stretch: &Ignored, unit: &go_coverage::Unit) -> bool {
    stretch.contains((unit.start_line, unit.start_column), (unit.end_line, unit.end_column))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        let import_path = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        ExcludePattern::parse(pattern).unwrap().matches(
            &format!("example.com/{import_path}"),
            &format!("example.com/{path}"),
            path,
        )
    }

    #[test]
    fn a_pattern_without_a_slash_is_a_name_anywhere() {
        for (pattern, path) in [
            ("mocks", "internal/mocks/a.go"),
            ("*_gen.go", "a_gen.go"),
            ("*_gen.go", "x/a_gen.go"),
            ("mocks/", "mocks/x/a.go"),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        assert!(!matches("mocks", "internal/mocks_of/a.go"));
        assert!(!matches("mock", "internal/mocks/a.go"));
    }

    #[test]
    fn a_pattern_with_a_slash_begins_at_the_checkout_or_at_the_module_path() {
        for pattern in
            ["internal/db", "/internal/db/", "internal/*/", "**/db/*.go", "example.com/internal/db"]
        {
            assert!(matches(pattern, "internal/db/a.go"), "{pattern}");
        }
        assert!(!matches("db/a.go", "internal/db/a.go"));
        assert!(!matches("internal/*.go", "internal/db/a.go"));
    }

    #[test]
    fn dots_are_packages_as_go_has_them() {
        assert!(matches("example.com/internal/...", "internal/a.go"));
        assert!(matches("example.com/internal/...", "internal/db/a.go"));
        assert!(!matches("example.com/internal/...", "internals/a.go"));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for wrong in ["", "/", "[", "a{b"] {
            assert!(ExcludePattern::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
