//! The hash that says which counters belong to which meta-data. How it is made is in `digest`.

use std::fmt;
use std::str::FromStr;

/// Identifies the instrumented program: the same in the meta-data file, in its counter files and in their names.
///
/// ```
/// use go_coverage::MetaDataHash;
///
/// let hash: MetaDataHash = "9bbf1777f47b3fcacb05c38b035512d6".parse()?;
/// assert_eq!(hash.to_string(), "9bbf1777f47b3fcacb05c38b035512d6");
/// # Ok::<(), go_coverage::ParseHashError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MetaDataHash(pub [u8; 16]);

/// The text is not a hash: 32 hexadecimal digits in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a meta-data hash is 32 hexadecimal digits in lower case")]
pub struct ParseHashError;

impl fmt::Display for MetaDataHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for MetaDataHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "MetaDataHash({self})")
    }
}

impl FromStr for MetaDataHash {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digit = |character: u8| match character {
            b'0'..=b'9' => Ok(character - b'0'),
            // Go writes lower case, and file names are compared by their bytes.
            b'a'..=b'f' => Ok(character - b'a' + 10),
            _ => Err(ParseHashError),
        };
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != 16 || !rest.is_empty() {
            return Err(ParseHashError);
        }
        let mut bytes = [0; 16];
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_but_32_lower_case_digits_is_refused() {
        for text in ["", "9b", "9BBF1777f47b3fcacb05c38b035512d6", "9bbf1777f47b3fcacb05c38b035512d6a", "é"]
        {
            assert_eq!(text.parse::<MetaDataHash>(), Err(ParseHashError), "{text}");
        }
    }
}
