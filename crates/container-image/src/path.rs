//! Paths within an image: what a tar entry's name may be, and how one is walked.

use std::fmt;

/// The longest path that is taken. Linux takes none that is longer.
pub(crate) const MAX_BYTES: usize = 4096;

/// Where a file is in an image: absolute, without `.`, `..` and double slashes, and not always UTF-8.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImagePath(
    /// Without the first slash; empty for the root.
    Vec<u8>,
);

/// Why a name in a layer is no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadName {
    Traversal,
    TooLong,
}

impl ImagePath {
    pub(crate) const ROOT: Self = Self(Vec::new());

    /// Of the name of a tar entry. `..` is refused even where it would stay inside: no builder writes it.
    pub(crate) fn of_entry(name: &[u8]) -> Result<Self, BadName> {
        if name.len() > MAX_BYTES {
            return Err(BadName::TooLong);
        }
        let mut path = Self::ROOT;
        for component in components(name) {
            if component == b".." {
                return Err(BadName::Traversal);
            }
            path.push(component);
        }
        Ok(path)
    }

    /// The bytes, with the first slash.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [b"/", &self.0[..]].concat()
    }

    /// Without the first slash.
    pub(crate) fn as_relative_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) const fn from_relative_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The directory that holds it, and its name in there. The root has neither.
    pub(crate) fn split(&self) -> Option<(Self, &[u8])> {
        if self.0.is_empty() {
            return None;
        }
        match self.0.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => Some((Self(self.0[..slash].to_vec()), &self.0[slash + 1..])),
            None => Some((Self::ROOT, &self.0)),
        }
    }

    /// Goes into a directory. The component has no slash and is neither `.` nor `..`.
    pub(crate) fn push(&mut self, component: &[u8]) {
        if !self.0.is_empty() {
            self.0.push(b'/');
        }
        self.0.extend_from_slice(component);
    }

    /// Goes up; stays at the root.
    pub(crate) fn pop(&mut self) {
        let slash = self.0.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        self.0.truncate(slash);
    }
}

/// The parts between slashes that lead somewhere.
pub(crate) fn components(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/').filter(|component| !component.is_empty() && *component != b".")
}

/// A name from outside as text that cannot steer a terminal.
pub(crate) fn printable(name: &[u8]) -> String {
    String::from_utf8_lossy(name)
        .chars()
        .map(|letter| if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter })
        .collect()
}

impl fmt::Display for ImagePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "/{}", printable(&self.0))
    }
}

impl fmt::Debug for ImagePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
