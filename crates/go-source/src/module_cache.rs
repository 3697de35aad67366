//! Where Go keeps downloaded modules.

use std::env;
use std::path::{Path, PathBuf};

/// GOMODCACHE, or its default below GOPATH or the home directory.
pub(crate) fn from_environment() -> Option<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    if let Some(cache) = set("GOMODCACHE") {
        return Some(cache.into());
    }
    // Go downloads into the first entry only.
    let first = set("GOPATH").and_then(|list| env::split_paths(&list).next());
    let go_path = first.or_else(|| set("HOME").map(|home| Path::new(&home).join("go")))?;
    Some(go_path.join("pkg").join("mod"))
}

/// The directory of a module in the cache.
pub(crate) fn directory(cache: &Path, module: &str, version: &str) -> PathBuf {
    cache.join(format!("{}@{}", escape(module), escape(version)))
}

/// On file systems that ignore case two modules could meet, so an upper case letter is an exclamation mark and the
/// lower case one.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii_uppercase() {
            escaped.push('!');
        }
        escaped.push(character.to_ascii_lowercase());
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upper_case_is_escaped_in_path_and_version() {
        assert_eq!(
            directory(Path::new("/cache"), "github.com/BurntSushi/toml", "v1.0.0-RC1"),
            Path::new("/cache/github.com/!burnt!sushi/toml@v1.0.0-!r!c1")
        );
    }
}
