//! Which machine an image is for, in Go's words.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use crate::Error;

/// An operating system and an architecture, as `linux/arm64`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Platform {
    /// GOOS.
    #[serde(default)]
    pub os: String,
    /// GOARCH.
    #[serde(default)]
    pub architecture: String,
    /// Such as `v7` of arm; mostly empty.
    #[serde(default)]
    pub variant: String,
}

impl Platform {
    /// Linux on an architecture that Go names.
    #[must_use]
    pub fn linux(architecture: &str) -> Self {
        Self { os: "linux".to_owned(), architecture: architecture.to_owned(), variant: String::new() }
    }

    /// Linux on this machine's architecture: what a local engine runs, also on macOS and Windows.
    #[must_use]
    pub fn of_local_engine() -> Self {
        Self::linux(match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        })
    }

    /// Whether an image that says it is for `self` runs where `wanted` is asked for.
    pub(crate) fn serves(&self, wanted: &Self) -> bool {
        self.os == wanted.os
            && self.architecture == wanted.architecture
            && (wanted.variant.is_empty() || self.known_variant() == wanted.known_variant())
    }

    /// arm64 without a variant is v8.
    fn known_variant(&self) -> &str {
        if self.architecture == "arm64" && self.variant.is_empty() { "v8" } else { &self.variant }
    }

    /// What builders give the attestations that they put beside images.
    pub(crate) fn is_unknown(&self) -> bool {
        self.os == "unknown" || self.architecture == "unknown"
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.os, self.architecture)?;
        if self.variant.is_empty() { Ok(()) } else { write!(formatter, "/{}", self.variant) }
    }
}

impl FromStr for Platform {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts: Vec<&str> = text.split('/').collect();
        let (os, architecture, variant) = match parts[..] {
            [os, architecture] => (os, architecture, ""),
            [os, architecture, variant] if !variant.is_empty() => (os, architecture, variant),
            _ => return Err(Error::BadPlatform(text.to_owned())),
        };
        if os.is_empty() || architecture.is_empty() {
            return Err(Error::BadPlatform(text.to_owned()));
        }
        Ok(Self { os: os.to_owned(), architecture: architecture.to_owned(), variant: variant.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_it_was_read() {
        for text in ["linux/amd64", "linux/arm/v7"] {
            assert_eq!(text.parse::<Platform>().unwrap().to_string(), text);
        }
        for text in ["", "linux", "linux/", "/amd64", "linux/arm/", "linux/arm/v7/x"] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_variant_counts_only_where_it_is_asked_for() {
        let platform = |text: &str| text.parse::<Platform>().unwrap();
        assert!(platform("linux/arm64").serves(&platform("linux/arm64/v8")));
        assert!(platform("linux/arm64/v8").serves(&platform("linux/arm64")));
        assert!(platform("linux/arm/v6").serves(&platform("linux/arm")));
        assert!(!platform("linux/arm/v6").serves(&platform("linux/arm/v7")));
        assert!(!platform("linux/amd64").serves(&platform("linux/arm64")));
        assert!(!platform("windows/amd64").serves(&platform("linux/amd64")));
    }
}
