//! Reads Go's text profile, such as the one that `go test -coverprofile` writes. Writing it is [`crate::text`]'s.

use std::collections::BTreeMap;

use crate::{CounterMode, Error, Unit};

/// A text profile: units by source file. It knows no functions, and no packages without statements.
///
/// ```
/// use go_coverage::{CounterMode, TextProfile};
///
/// let text = b"mode: count\nexample.com/shop/cart.go:3.13,5.2 1 4\n";
/// let profile = TextProfile::parse(text)?;
/// assert_eq!(profile.mode(), CounterMode::Count);
/// assert_eq!(profile.files()["example.com/shop/cart.go"][0].count, 4);
/// # Ok::<(), go_coverage::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextProfile {
    mode: CounterMode,
    files: BTreeMap<String, Vec<Unit>>,
}

impl TextProfile {
    /// What a text profile begins with.
    pub const MAGIC: &'static [u8] = b"mode: ";

    /// Decodes a whole text profile. Profiles that were written one after the other are read as one, as long as they
    /// have the same mode.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut mode = None;
        let mut files = BTreeMap::<String, Vec<Unit>>::new();
        let mut offset = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let malformed = |reason| Error::Malformed { offset, reason };
            let text = str::from_utf8(line).map_err(|_| malformed("a line that is not UTF-8"))?;
            let text = text.trim_end_matches(['\n', '\r']);
            if let Some(word) = text.strip_prefix("mode: ") {
                let own = CounterMode::from_word(word).ok_or(malformed("an unknown counter mode"))?;
                if *mode.get_or_insert(own) != own {
                    return Err(malformed("another counter mode than at the beginning"));
                }
            } else if mode.is_none() {
                return Err(Error::WrongMagic { expected: "text profile", offset });
            } else if !text.is_empty() {
                let (file, unit) = line_of_unit(text).ok_or(malformed("a line that is no block"))?;
                if file.chars().any(char::is_control) {
                    return Err(malformed("a name with a control character"));
                }
                match files.get_mut(file) {
                    Some(units) => units.push(unit),
                    None => drop(files.insert(file.to_owned(), vec![unit])),
                }
            }
            offset += line.len();
        }
        let mode = mode.ok_or(Error::Truncated { offset: 0, what: "the mode" })?;
        Ok(Self { mode, files })
    }

    /// What the counts mean.
    #[must_use]
    pub const fn mode(&self) -> CounterMode {
        self.mode
    }

    /// The units of each source file, in the order of the profile. One may be there several times: then its counts
    /// are to be added.
    #[must_use]
    pub const fn files(&self) -> &BTreeMap<String, Vec<Unit>> {
        &self.files
    }
}

/// `example.com/shop/cart.go:3.13,5.2 1 4`
fn line_of_unit(line: &str) -> Option<(&str, Unit)> {
    // The name may have colons and spaces.
    let (rest, count) = line.rsplit_once(' ')?;
    let (rest, statements) = rest.rsplit_once(' ')?;
    let (file, place) = rest.rsplit_once(':')?;
    let (start, end) = place.split_once(',')?;
    let (start_line, start_column) = start.split_once('.')?;
    let (end_line, end_column) = end.split_once('.')?;
    // Other tools add counts without a limit.
    let count = count.parse::<u64>().ok()?;
    let unit = Unit {
        start_line: number(start_line)?,
        start_column: number(start_column)?,
        end_line: number(end_line)?,
        end_column: number(end_column)?,
        statements: number(statements)?,
        count: u32::try_from(count).unwrap_or(u32::MAX),
    };
    (!file.is_empty()).then_some((file, unit))
}

/// Digits only: a sign would be accepted by `parse`.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_block_is_named_with_its_offset() {
        for line in [
            "a.go",
            "a.go:1.2,3.4 5",
            "a.go:1.2,3 5 6",
            "a.go:+1.2,3.4 5 6",
            ":1.2,3.4 5 6",
            "a.go:1.2,3.4 5 -6",
        ] {
            let profile = format!("mode: set\n{line}\n");
            let expected = Error::Malformed { offset: 10, reason: "a line that is no block" };
            assert_eq!(TextProfile::parse(profile.as_bytes()), Err(expected), "{line}");
        }
        let expected = Error::WrongMagic { expected: "text profile", offset: 0 };
        assert_eq!(TextProfile::parse(b"a.go:1.2,3.4 5 6\n"), Err(expected));
        assert_eq!(TextProfile::parse(b""), Err(Error::Truncated { offset: 0, what: "the mode" }));
        assert!(TextProfile::parse(b"mode: set\nmode: count\n").is_err());
    }

    #[test]
    fn names_may_have_colons_and_spaces() {
        let profile = TextProfile::parse(b"mode: atomic\r\nC:/a b.go:1.2,3.4 5 99999999999\r\n").unwrap();
        let unit = Unit {
            start_line: 1,
            start_column: 2,
            end_line: 3,
            end_column: 4,
            statements: 5,
            count: u32::MAX,
        };
        assert_eq!(profile.files().get("C:/a b.go"), Some(&vec![unit]));
    }
}
