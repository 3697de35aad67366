//! Everything known about where sources are, gathered once, and the search for one file in it.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

use crate::discover::{self, Checkout, ModuleFile, Nearness};
use crate::file::{Missing, SourceFile};
use crate::{Error, module_cache};

/// Enough to recognise what is meant.
const MOST_NAMED: usize = 5;

/// Where the sources of programs are looked for. The default knows no place, and finds nothing but absolute paths.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    root: PathBuf,
    places: Vec<Place>,
    vendor_directories: Vec<(Nearness, PathBuf)>,
    go_files: Vec<PathBuf>,
    /// The same by base name. Only files that are not where they should be are looked for here.
    by_base_name: OnceLock<HashMap<OsString, Vec<PathBuf>>>,
    problems: Vec<String>,
}

/// A directory that holds the packages of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    module: String,
    directory: PathBuf,
    kind: PlaceKind,
    nearness: Nearness,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum PlaceKind {
    /// In the checkout, or where a `replace` points.
    Checkout,
    /// Downloaded.
    ModuleCache,
}

impl Sources {
    /// Looks for modules from `root` upwards and below it, and for the module cache where the environment says.
    pub fn discover(root: &Path) -> Result<Self, Error> {
        Self::discover_with_module_cache(root, module_cache::from_environment().as_deref())
    }

    /// The same with the module cache at a known place, or without one.
    pub fn discover_with_module_cache(root: &Path, module_cache: Option<&Path>) -> Result<Self, Error> {
        let Checkout { root, module_files, go_files, problems } = discover::discover(root)?;
        let mut sources = Self { root, go_files, problems, ..Self::default() };
        for file in &module_files {
            sources.add_module_file(file, module_cache);
        }
        // Longest path first, as in Go; then the nearest. The sort is stable.
        sources.places.sort_by_key(|place| {
            (place.kind, std::cmp::Reverse(place.module.len()), place.module.clone(), place.nearness)
        });
        sources.places.dedup_by(|next, place| {
            (&next.module, &next.directory, next.kind) == (&place.module, &place.directory, place.kind)
        });
        sources.vendor_directories.sort();
        Ok(sources)
    }

    /// What could not be looked at, one sentence each: unreadable directories, a go.mod without a module.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// The checkout that was searched; none if none was.
    #[must_use]
    pub fn root(&self) -> Option<&Path> {
        (!self.root.as_os_str().is_empty()).then_some(self.root.as_path())
    }

    /// A path as a report names it: relative to the checkout and with `/`, or absolute if it is outside of it.
    #[must_use]
    pub fn relative(&self, path: &Path) -> String {
        let inside = path.strip_prefix(&self.root).ok().filter(|_| !self.root.as_os_str().is_empty());
        inside.unwrap_or(path).to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
    }

    /// The source of `file`, as coverage data names it: import path and base name, or an absolute path.
    pub fn find(&self, file: &str) -> Result<SourceFile, Missing> {
        let (is_absolute, relative) = match file.strip_prefix('/') {
            Some(relative) => (true, relative),
            None => (false, file),
        };
        if !is_plain(relative) {
            return Err(Missing::because("the name is not one that Go gives to a source file"));
        }
        if Path::new(file).extension().is_none_or(|extension| extension != "go") {
            return Err(Missing::because("it is no Go file, but named by a //line directive in one"));
        }
        if is_absolute { self.find_absolute(file, relative) } else { self.find_in_packages(file) }
    }

    fn find_in_packages(&self, file: &str) -> Result<SourceFile, Missing> {
        let in_checkout = self.places.iter().filter(|place| place.kind == PlaceKind::Checkout);
        if let Some(found) = nearest(in_checkout.filter_map(|place| place.file(file))) {
            return found;
        }
        let vendored = self.vendor_directories.iter();
        let vendored = vendored.map(|(nearness, directory)| (0, *nearness, directory.join(file)));
        if let Some(found) = nearest(vendored) {
            return found;
        }
        let downloaded = self.places.iter().filter(|place| place.kind == PlaceKind::ModuleCache);
        if let Some(found) = nearest(downloaded.filter_map(|place| place.file(file))) {
            return found;
        }
        Err(Missing { candidates: self.guess(file), reason: self.why_not_in_packages(file) })
    }

    /// Programs built by file name carry the absolute paths of the machine that built them.
    fn find_absolute(&self, file: &str, relative: &str) -> Result<SourceFile, Missing> {
        if let Some(found) = SourceFile::read(Path::new(file)) {
            return found;
        }
        let best = self.longest_suffixes(relative);
        if let [(length, path)] = best.as_slice() {
            let from_root = path.strip_prefix(&self.root).map_or(0, |path| path.components().count());
            // Every program has a main.go: a base name alone says nothing, unless it is all there is to match.
            if *length > 1 || from_root == 1 {
                return SourceFile::read(path).unwrap_or_else(|| Err(vanished(path)));
            }
        }
        let reason = match best.len() {
            0 => format!(
                "{file} is a path of the machine that built it, and nothing below {} is called so",
                self.shown_root()
            ),
            1 => format!(
                "{file} is a path of the machine that built it, and only a base name below {} agrees",
                self.shown_root()
            ),
            _ => format!(
                "{file} is a path of the machine that built it, and more than one file agrees with it"
            ),
        };
        Err(Missing { candidates: best.into_iter().map(|(_, path)| path).take(MOST_NAMED).collect(), reason })
    }

    /// The files of the checkout whose paths agree with the end of `file` in most components, and in how many.
    fn longest_suffixes(&self, file: &str) -> Vec<(usize, PathBuf)> {
        let base_name = file.rsplit('/').next().unwrap_or(file);
        let agreeing = self.called(base_name).iter().map(|path| {
            let below_root = path.strip_prefix(&self.root).unwrap_or(path);
            let ours = below_root.components().rev().map(Component::as_os_str);
            let length = ours.zip(file.rsplit('/')).take_while(|(ours, theirs)| ours == theirs).count();
            (length, path)
        });
        let agreeing: Vec<_> = agreeing.collect();
        let longest = agreeing.iter().map(|(length, _)| *length).max().unwrap_or(0);
        agreeing
            .into_iter()
            .filter(|(length, _)| *length == longest)
            .map(|(length, path)| (length, path.clone()))
            .collect()
    }

    /// The Go files of the checkout with this base name, sorted.
    fn called(&self, base_name: &str) -> &[PathBuf] {
        let by_base_name = self.by_base_name.get_or_init(|| {
            let mut files = self.go_files.clone();
            files.sort_unstable();
            let mut by_base_name = HashMap::<OsString, Vec<PathBuf>>::new();
            for file in files {
                let name = file.file_name().unwrap_or_default().to_owned();
                by_base_name.entry(name).or_default().push(file);
            }
            by_base_name
        });
        by_base_name.get(OsStr::new(base_name)).map_or(&[], Vec::as_slice)
    }

    fn guess(&self, file: &str) -> Vec<PathBuf> {
        let best = self.longest_suffixes(file);
        best.into_iter().filter(|(length, _)| *length > 1).map(|(_, path)| path).take(MOST_NAMED).collect()
    }

    fn why_not_in_packages(&self, file: &str) -> String {
        if let Some(place) = self.places.iter().find(|place| place.rest(file).is_some()) {
            let module = &place.module;
            let directory = place.directory.display();
            return match place.kind {
                PlaceKind::Checkout => {
                    format!(
                        "module {module} is in {directory}, which has no such file: it moved, is generated, or another version was built"
                    )
                }
                PlaceKind::ModuleCache => {
                    format!(
                        "module {module} is not in the module cache ({directory}); `go mod download` brings it there"
                    )
                }
            };
        }
        if self.root.as_os_str().is_empty() {
            return "no source directory was searched".to_owned();
        }
        let mut modules: Vec<&str> = self
            .places
            .iter()
            .filter(|place| place.kind == PlaceKind::Checkout)
            .map(|place| place.module.as_str())
            .collect();
        modules.dedup();
        match modules.as_slice() {
            [] => format!("no go.mod is in, above or below {}", self.shown_root()),
            [first @ .., _] if first.len() >= MOST_NAMED => {
                let (named, others) = modules.split_at(MOST_NAMED);
                format!(
                    "it belongs to none of the modules of {}: {} and {} others",
                    self.shown_root(),
                    named.join(", "),
                    others.len()
                )
            }
            modules => {
                format!("it belongs to none of the modules of {}: {}", self.shown_root(), modules.join(", "))
            }
        }
    }

    fn shown_root(&self) -> std::path::Display<'_> {
        self.root.display()
    }

    fn add_module_file(&mut self, file: &ModuleFile, module_cache: Option<&Path>) {
        let ModuleFile { directory, nearness, content } = file;
        let mut add = |module: &str, directory: PathBuf, kind| {
            // A stray `..` in a go.mod must not lead anywhere.
            if is_plain(module) {
                self.places.push(Place { module: module.to_owned(), directory, kind, nearness: *nearness });
            }
        };
        if let Some(module) = &content.module {
            add(module, directory.clone(), PlaceKind::Checkout);
        }
        for replace in &content.replaces {
            match (&replace.target_version, module_cache) {
                (None, _) => {
                    let target = directory.join(&replace.target);
                    add(&replace.path, target.canonicalize().unwrap_or(target), PlaceKind::Checkout);
                }
                (Some(version), Some(cache)) if is_plain(&replace.target) && is_component(version) => {
                    add(
                        &replace.path,
                        module_cache::directory(cache, &replace.target, version),
                        PlaceKind::ModuleCache,
                    );
                }
                _ => {}
            }
        }
        for (path, version) in &content.requires {
            let replaced = content.replaces.iter().any(|replace| {
                replace.path == *path && replace.version.as_ref().is_none_or(|replaced| replaced == version)
            });
            if let (false, Some(cache), true) = (replaced, module_cache, is_component(version)) {
                add(path, module_cache::directory(cache, path, version), PlaceKind::ModuleCache);
            }
        }
        let vendor_directory = directory.join("vendor");
        if vendor_directory.is_dir() {
            self.vendor_directories.push((*nearness, vendor_directory));
        }
    }
}

impl Place {
    /// What follows the module path in `file`.
    fn rest<'a>(&self, file: &'a str) -> Option<&'a str> {
        // Import paths of the standard library do not begin with its module.
        if self.module == "std" {
            return Some(file);
        }
        file.strip_prefix(self.module.as_str())?.strip_prefix('/')
    }

    /// Where `file` would be, with what decides between several: the length of the module path, then nearness.
    fn file(&self, file: &str) -> Option<(usize, Nearness, PathBuf)> {
        let rest = self.rest(file)?;
        // A directory with a go.mod of its own belongs to another module.
        let mut directory = self.directory.clone();
        let (packages, _) = rest.rsplit_once('/').unwrap_or(("", rest));
        for component in packages.split('/').filter(|component| !component.is_empty()) {
            directory.push(component);
            if directory.join("go.mod").is_file() {
                return None;
            }
        }
        Some((self.module.len(), self.nearness, self.directory.join(rest)))
    }
}

/// The first that exists; an error if another one with the same claim exists too. Ordered by claim.
fn nearest(
    candidates: impl Iterator<Item = (usize, Nearness, PathBuf)>,
) -> Option<Result<SourceFile, Missing>> {
    let mut existing = candidates.filter(|(_, _, path)| path.is_file());
    let (length, nearness, path) = existing.next()?;
    let mut rivals: Vec<PathBuf> = existing
        .take_while(|(other_length, other_nearness, _)| {
            (*other_length, *other_nearness) == (length, nearness)
        })
        .map(|(_, _, path)| path)
        // Two modules may require, or replace, the same one.
        .filter(|other| *other != path)
        .collect();
    if rivals.is_empty() {
        return Some(SourceFile::read(&path).unwrap_or_else(|| Err(vanished(&path))));
    }
    rivals.insert(0, path);
    rivals.truncate(MOST_NAMED);
    let reason =
        "more than one copy or version of its module has it; name the directory of the one that was built";
    Some(Err(Missing { candidates: rivals, reason: reason.to_owned() }))
}

fn vanished(path: &Path) -> Missing {
    Missing::because(format!("{} is no longer there", path.display()))
}

/// A relative path of ordinary names with `/` between them.
fn is_plain(path: &str) -> bool {
    path.split('/').all(is_component)
}

fn is_component(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\\', '\0'])
}
