//! Looks once through a checkout for the modules and Go files in it. Resolves no name.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::gomod::{self, GoMod};

/// The largest go.mod files known have a few thousand lines.
const LARGEST_GO_MOD: u64 = 4 << 20;

/// More than any known checkout; a whole home directory ends here.
const MOST_DIRECTORIES: usize = 200_000;

/// How near a go.mod is to the directory that was named. Of two modules with one path the nearer is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Nearness {
    /// The module around the directory.
    Enclosing,
    /// Used by its go.work.
    Workspace,
    /// Around the enclosing module: an e2e module inside the services' module.
    Above,
    /// Somewhere below.
    Below,
}

/// A go.mod or go.work, where it is, and what it says.
#[derive(Debug)]
pub(crate) struct ModuleFile {
    pub directory: PathBuf,
    pub nearness: Nearness,
    pub content: GoMod,
}

/// What is in a checkout.
#[derive(Debug, Default)]
pub(crate) struct Checkout {
    pub root: PathBuf,
    /// The nearest first.
    pub module_files: Vec<ModuleFile>,
    /// The Go files below the root, in no order; vendored and hidden ones are left out.
    pub go_files: Vec<PathBuf>,
    /// What could not be looked at.
    pub problems: Vec<String>,
}

/// Looks from `root` upwards and below it.
pub(crate) fn discover(root: &Path) -> Result<Checkout, Error> {
    let failed = |source| Error::Root { path: root.to_owned(), source };
    let canonical = root.canonicalize().map_err(failed)?;
    if !canonical.is_dir() {
        return Err(Error::NotADirectory { path: root.to_owned() });
    }
    std::fs::read_dir(&canonical).map_err(failed)?;
    let mut checkout = Checkout { root: canonical.clone(), ..Checkout::default() };
    checkout.look_above(&canonical);
    checkout.look_below(&canonical);
    checkout.module_files.sort_by(|a, b| (a.nearness, &a.directory).cmp(&(b.nearness, &b.directory)));
    Ok(checkout)
}

impl Checkout {
    fn look_above(&mut self, root: &Path) {
        let mut nearness = Nearness::Enclosing;
        let mut has_workspace = false;
        for directory in root.ancestors() {
            if self.add(directory, "go.mod", nearness) {
                nearness = Nearness::Above;
            }
            if !has_workspace {
                has_workspace = self.add_workspace(directory);
            }
            // What lies above a repository belongs to something else.
            if directory.join(".git").exists() {
                break;
            }
        }
    }

    fn look_below(&mut self, root: &Path) {
        let mut pending = vec![(root.to_owned(), false)];
        let mut seen = 0;
        while let Some((directory, in_testdata)) = pending.pop() {
            seen += 1;
            if seen > MOST_DIRECTORIES {
                self.problems.push(format!(
                    "{} has more than {MOST_DIRECTORIES} directories; not all were searched",
                    root.display()
                ));
                return;
            }
            let Ok(entries) = std::fs::read_dir(&directory) else {
                self.problems.push(format!("{} cannot be searched", directory.display()));
                continue;
            };
            let mut below = Vec::new();
            for entry in entries.flatten() {
                let (Ok(kind), Ok(name)) = (entry.file_type(), entry.file_name().into_string()) else {
                    continue;
                };
                if kind.is_dir() {
                    if !name.starts_with('.') && name != "vendor" && name != "node_modules" {
                        below.push((entry.path(), in_testdata || name == "testdata"));
                    }
                } else if name == "go.mod" && !in_testdata {
                    self.add(&directory, "go.mod", Nearness::Below);
                } else if name == "go.work" && !in_testdata {
                    self.add_workspace(&directory);
                } else if Path::new(&name).extension().is_some_and(|extension| extension == "go") {
                    self.go_files.push(entry.path());
                }
            }
            // The same checkout gives the same answer on every file system.
            below.sort_unstable();
            pending.append(&mut below);
        }
    }

    fn add_workspace(&mut self, directory: &Path) -> bool {
        if !self.add(directory, "go.work", Nearness::Workspace) {
            return false;
        }
        let used =
            self.module_files.last().map(|workspace| workspace.content.uses.clone()).unwrap_or_default();
        for used in used {
            if let Ok(used) = directory.join(used).canonicalize() {
                self.add(&used, "go.mod", Nearness::Workspace);
            }
        }
        true
    }

    /// Whether there is such a file.
    fn add(&mut self, directory: &Path, name: &str, nearness: Nearness) -> bool {
        let path = directory.join(name);
        if !path.is_file() {
            return false;
        }
        let is_workspace = name == "go.work";
        let known = self
            .module_files
            .iter_mut()
            .find(|file| file.directory == directory && file.content.module.is_none() == is_workspace);
        if let Some(known) = known {
            known.nearness = known.nearness.min(nearness);
            return !is_workspace;
        }
        let mut text = String::new();
        let read = File::open(&path).and_then(|file| file.take(LARGEST_GO_MOD).read_to_string(&mut text));
        if let Err(error) = read {
            self.problems.push(format!("{} cannot be read: {error}", path.display()));
            return false;
        }
        let content = gomod::parse(&text);
        if !is_workspace && content.module.is_none() {
            self.problems.push(format!("{} names no module", path.display()));
            return false;
        }
        self.module_files.push(ModuleFile { directory: directory.to_owned(), nearness, content });
        true
    }
}
