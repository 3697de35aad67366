//! Which packages of a module are in an executable, and which of them count: by the names in the symbol table.
//!
//! A package is in it if one of its functions is. What the compiler makes by itself (initialisation, methods of embedded
//! types) is no code that could be covered, and does not tell.

use std::collections::{BTreeMap, BTreeSet};

use crate::scan::read;
use crate::{BuildInfo, ByteSource, Error, Executable, symbols};

/// Longer names are of generic types of generic types.
const LONGEST_NAME: usize = 4096;
const PIECE: u64 = 1 << 20;
/// What `cmd/cover` calls the meta-data of a package, with a hash before the end.
const META_DATA: (&str, &str) = ("goCover_", "_M");

/// Packages of the main module, by import path. Main itself is not among them: its names do not have its path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModulePackages {
    /// Those with a function in the executable.
    pub linked: BTreeSet<String>,
    /// Those with counters.
    pub covered: BTreeSet<String>,
}

/// None without symbols or modules.
pub(crate) fn of_module<Source: ByteSource>(
    executable: &Executable<Source>,
    info: &BuildInfo,
) -> Result<Option<ModulePackages>, Error> {
    let Some(module) = info.main_module.as_ref().map(|module| module.path.as_str()) else { return Ok(None) };
    let Some(strings) = symbols::strings(executable.sections()) else { return Ok(None) };
    let inner = |path: &str| {
        let inner = info.dependencies.iter().map(|it| it.path.as_str());
        inner.filter(|it| is_within(it, module)).any(|it| is_within(path, it))
    };
    let mut packages = ModulePackages::default();
    let mut functions = BTreeMap::new();
    let range = strings.offset..strings.offset.saturating_add(strings.size);
    let (mut offset, mut rest) = (range.start, Vec::new());
    while offset < range.end {
        let length = usize::try_from((range.end - offset).min(PIECE)).unwrap_or(0);
        rest.extend(read(executable.source(), offset, length)?);
        offset += length as u64;
        let first = offset - rest.len() as u64 - range.start;
        let end = rest.iter().rposition(|byte| *byte == 0).map_or(0, |at| at + 1);
        let mut at = first;
        for name in rest[..end].split_inclusive(|byte| *byte == 0) {
            let text = std::str::from_utf8(name.get(..name.len() - 1).unwrap_or_default()).ok();
            if let Some((package, own)) = text.and_then(split)
                && is_within(&package, module)
                && !inner(&package)
            {
                if own.starts_with(META_DATA.0) && own.ends_with(META_DATA.1) {
                    packages.covered.insert(package);
                } else if is_function(own)
                    && let Ok(at) = u32::try_from(at)
                {
                    functions.insert(at, package);
                }
            }
            at += name.len() as u64;
        }
        rest.drain(..end);
        if rest.len() > LONGEST_NAME {
            // What follows is the end of a name, which is none of a package.
            rest.clear();
        }
    }
    symbols::visit_functions(executable.source(), executable.sections(), |name| {
        packages.linked.extend(functions.remove(&name));
    })?;
    Ok(Some(packages))
}

fn is_within(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The import path, and what is of the package. In names, dots of the last element of a path are written `%2e`.
fn split(name: &str) -> Option<(String, &str)> {
    let head = name.find(['(', '[']).map_or(name, |at| &name[..at]);
    let last = head.rfind('/').map_or(0, |at| at + 1);
    let dot = last + head.get(last..)?.find('.')?;
    Some((name[..dot].replace("%2e", "."), &name[dot + 1..]))
}

/// A function that somebody wrote, and no method of a type, which may come from an embedded one.
fn is_function(own: &str) -> bool {
    own != "init" && !own.starts_with('_') && own.chars().all(|one| one == '_' || one.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_symbols_are_split_at_the_package() {
        for (name, package, own) in [
            ("example.com/shop/internal/work.Do", "example.com/shop/internal/work", "Do"),
            ("gopkg.in/yaml%2ev3.Marshal", "gopkg.in/yaml.v3", "Marshal"),
            ("example.com/a.(*T).M", "example.com/a", "(*T).M"),
            ("example.com/a.F[go.shape.int/x.y]", "example.com/a", "F[go.shape.int/x.y]"),
        ] {
            assert_eq!(split(name), Some((package.to_owned(), own)), "{name}");
        }
        assert_eq!(split("runtime"), None);
        assert!(is_function("Do") && !is_function("init") && !is_function("T.M") && !is_function("_cgo_x"));
    }
}
