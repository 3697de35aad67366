//! Package patterns, as `go tool covdata -pkg` knows them (`cmd/internal/pkgpattern`, MatchSimplePattern).

/// Selects packages by import path: `...` stands for any string, and `net/...` also for `net` itself.
///
/// ```
/// use go_coverage::PackagePattern;
///
/// let pattern = PackagePattern::new("example.com/shop/...");
/// assert!(pattern.matches("example.com/shop") && pattern.matches("example.com/shop/internal/cart"));
/// assert!(!pattern.matches("example.com/shopping"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackagePattern(String);

const WILDCARD: &str = "...";

impl PackagePattern {
    /// One pattern, without commas.
    #[must_use]
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    /// The patterns of a list with commas. An empty list has none.
    #[must_use]
    pub fn list(patterns: &str) -> Vec<Self> {
        patterns.split(',').filter(|pattern| !pattern.is_empty()).map(Self::new).collect()
    }

    /// Whether a package has this import path.
    #[must_use]
    pub fn matches(&self, import_path: &str) -> bool {
        matches_pieces(&self.0, import_path)
            || self.0.strip_suffix("/...").is_some_and(|parent| matches_pieces(parent, import_path))
    }

    /// As it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Between wildcards, the leftmost place is as good as any.
fn matches_pieces(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once(WILDCARD) else { return pattern == name };
    let (middle, last) = rest.rsplit_once(WILDCARD).unwrap_or(("", rest));
    let Some(name) = name.strip_prefix(first).and_then(|name| name.strip_suffix(last)) else { return false };
    let pieces = middle.split(WILDCARD).filter(|piece| !piece.is_empty());
    pieces
        .into_iter()
        .try_fold(name, |name, piece| name.find(piece).and_then(|at| name.get(at + piece.len()..)))
        .is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cases of Go's own `TestMatchSimplePattern`, and some of regular expressions' special characters.
    #[test]
    fn patterns_match_what_go_says() {
        for (pattern, matching, others) in [
            ("...", &["foo", "foo/bar", ""][..], &[][..]),
            ("net", &["net"], &["net/http"]),
            ("net/http", &["net/http"], &["net"]),
            ("net...", &["net", "net/http", "netchan"], &["not/http", "not/net/http"]),
            ("net/...", &["net", "net/http"], &["not/http", "netchan"]),
            (".../cart", &["example.com/cart", "/cart"], &["cart", "example.com/cart/v2"]),
            ("a...b...c", &["abc", "a-b-b-c", "abbc"], &["acb", "ac", "abcd"]),
            ("a...a", &["aa", "aba"], &["a"]),
            ("a......b", &["ab", "axb"], &["a"]),
            ("example.com/a+b/...", &["example.com/a+b"], &["exampleXcom/a+b", "example.com/aab"]),
            ("foo/vendor/...", &["foo/vendor", "foo/vendor/x"], &["foo"]),
        ] {
            let pattern = PackagePattern::new(pattern);
            for name in matching {
                assert!(pattern.matches(name), "{pattern:?} {name}");
            }
            for name in others {
                assert!(!pattern.matches(name), "{pattern:?} {name}");
            }
        }
    }

    #[test]
    fn an_empty_list_has_no_pattern() {
        assert_eq!(PackagePattern::list(""), []);
        assert_eq!(PackagePattern::list("a,,b"), ["a", "b"].map(PackagePattern::new));
    }
}
