//! File names as diffs write them: quoted like strings of C, with a time after a tab, with `a/` and `b/` before.

use std::borrow::Cow;

/// What git puts before the names of the two sides: by default, with `diff.mnemonicPrefix`, or reversed.
const PREFIXES: [(&str, &str); 7] =
    [("a/", "b/"), ("b/", "a/"), ("i/", "w/"), ("c/", "i/"), ("c/", "w/"), ("o/", "w/"), ("w/", "i/")];

/// The name in a `---` or `+++` line, without what follows it; none for `/dev/null`.
pub(crate) fn of_side(text: &[u8]) -> Option<String> {
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let name = if text.first() == Some(&b'"') {
        quoted(text).map_or_else(|| lossy(text), |(name, _)| name)
    } else {
        // The time of the file, or nothing where git only marks the end of a name with spaces.
        lossy(text.split(|byte| *byte == b'\t').next().unwrap_or(text))
    };
    (name != "/dev/null").then_some(name)
}

/// The name that a line of git's header has alone, such as `rename to NAME`.
pub(crate) fn alone(text: &[u8]) -> String {
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    quoted(text).map_or_else(|| lossy(text), |(name, _)| name)
}

/// Both names of a `diff --git` line, with their prefixes. Where they have spaces and are not quoted, they can be told
/// apart only because they are the same but for the prefix; they are when nothing was renamed.
pub(crate) fn of_both_sides(text: &[u8]) -> Option<(String, String)> {
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    if let Some((old, rest)) = quoted(text) {
        let rest = rest.strip_prefix(b" ")?;
        return Some((old, alone(rest)));
    }
    if text.last() == Some(&b'"') {
        let space = text.windows(2).position(|pair| pair == b" \"")?;
        return Some((lossy(&text[..space]), alone(&text[space + 1..])));
    }
    let middle = text.len() / 2;
    (text.get(middle) == Some(&b' ')).then(|| (lossy(&text[..middle]), lossy(&text[middle + 1..])))
}

/// The prefixes of both sides, if these names have some.
pub(crate) fn prefixes(old: &str, new: &str) -> Option<(&'static str, &'static str)> {
    PREFIXES.into_iter().find(|(before_old, before_new)| {
        let rests = (old.strip_prefix(before_old), new.strip_prefix(before_new));
        matches!(rests, (Some(old), Some(new)) if !old.is_empty() && !new.is_empty())
    })
}

/// The name between the quotes that the text begins with, and what follows them.
fn quoted(text: &[u8]) -> Option<(String, &[u8])> {
    let mut rest = text.strip_prefix(b"\"")?;
    let mut name = Vec::new();
    loop {
        let (byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            b'"' => return Some((lossy(&name), rest)),
            b'\\' => {
                let (meant, after) = escaped(rest)?;
                name.push(meant);
                rest = after;
            }
            byte => name.push(*byte),
        }
    }
}

/// The byte that stands after a backslash.
fn escaped(text: &[u8]) -> Option<(u8, &[u8])> {
    let (byte, rest) = text.split_first()?;
    let meant = match byte {
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        b'"' | b'\\' => *byte,
        b'0'..=b'3' => {
            let (digits, rest) = text.split_at_checked(3)?;
            let value = u8::from_str_radix(str::from_utf8(digits).ok()?, 8).ok()?;
            return Some((value, rest));
        }
        _ => return None,
    };
    Some((meant, rest))
}

// Go refuses import paths and file names that are not UTF-8, so none of its files is confused with another.
fn lossy(name: &[u8]) -> String {
    match String::from_utf8_lossy(name) {
        Cow::Borrowed(name) => name.to_owned(),
        Cow::Owned(name) => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_those_of_c() {
        let name = |text: &str| of_side(text.as_bytes());
        assert_eq!(name(r#""b/na\303\257ve \"x\"\t.go""#).as_deref(), Some("b/naïve \"x\"\t.go"));
        assert_eq!(name("b/with space.go\t").as_deref(), Some("b/with space.go"));
        assert_eq!(name("new/x.go\t2026-11-03 09:12:44.000000000 +0000").as_deref(), Some("new/x.go"));
        assert_eq!(name("b/x.go\r").as_deref(), Some("b/x.go"));
        assert_eq!(name("/dev/null"), None);
        // Not closed: taken as it is.
        assert_eq!(name(r#""b/x\"#).as_deref(), Some(r#""b/x\"#));
        assert_eq!(name(r#""b/\777""#).as_deref(), Some(r#""b/\777""#));
    }

    #[test]
    fn two_names_are_told_apart() {
        let names = |text: &str| of_both_sides(text.as_bytes());
        let pair = |old: &str, new: &str| Some((old.to_owned(), new.to_owned()));
        assert_eq!(names("a/x b/x.go b/x b/x.go"), pair("a/x b/x.go", "b/x b/x.go"));
        assert_eq!(names(r#""a/\t" "b/\t""#), pair("a/\t", "b/\t"));
        assert_eq!(names(r#"a/x "b/\t""#), pair("a/x", "b/\t"));
        assert_eq!(names("a/old.go b/newer.go"), None);
        assert_eq!(names(""), None);
    }

    #[test]
    fn only_a_pair_of_prefixes_is_one() {
        assert_eq!(prefixes("a/x.go", "b/x.go"), Some(("a/", "b/")));
        assert_eq!(prefixes("i/x.go", "w/x.go"), Some(("i/", "w/")));
        // `git diff --no-prefix` of a file in the directory `a`.
        assert_eq!(prefixes("a/x.go", "a/x.go"), None);
        assert_eq!(prefixes("a/", "b/"), None);
    }
}
