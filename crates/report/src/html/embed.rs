//! Data and code inside a page, such that neither can be mistaken for markup.

use std::fmt::Write as _;
use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::Error;

/// Writes `value` as a data block, which a browser does not run.
pub(super) fn data_block(output: &mut impl Write, id: &str, value: &impl Serialize) -> Result<(), Error> {
    write!(output, "<script type=\"application/json\" id=\"{id}\">")?;
    write_without_markup(output, &serde_json::to_vec(value)?)?;
    writeln!(output, "</script>")?;
    Ok(())
}

/// Compresses data blocks one after the other, in memory that is used again.
#[derive(Debug)]
pub struct Packer {
    encoder: DeflateEncoder<Vec<u8>>,
    json: Vec<u8>,
    packed: Vec<u8>,
}

impl Packer {
    /// Without any.
    #[must_use]
    pub fn new() -> Self {
        let encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        Self { encoder, json: Vec::new(), packed: Vec::new() }
    }

    /// A compressed data block, which the script unpacks when it is needed: `value` as a line of JSON, and the text, if
    /// there is one, as it is.
    pub(super) fn block(
        &mut self,
        id: &str,
        value: &impl Serialize,
        text: Option<&str>,
    ) -> Result<String, Error> {
        self.json.clear();
        serde_json::to_writer(&mut self.json, value)?;
        if text.is_some() {
            self.json.push(b'\n');
        }
        self.encoder.write_all(&self.json)?;
        self.encoder.write_all(text.unwrap_or_default().as_bytes())?;
        self.packed.clear();
        self.packed = self.encoder.reset(std::mem::take(&mut self.packed))?;
        let mut block = format!("<script type=\"application/octet-stream\" id=\"{id}\">");
        STANDARD.encode_string(&self.packed, &mut block);
        block.push_str("</script>\n");
        Ok(block)
    }
}

impl Default for Packer {
    fn default() -> Self {
        Self::new()
    }
}

/// Text of the page in which no character moves or hides others: they are named. Such characters in names make a text
/// look like another one.
pub(super) fn without_hidden_characters(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hidden(character) {
            // Writing to a string cannot fail.
            let _ = write!(shown, "‹U+{:04X}›", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    shown
}

/// The same as in `templates/script/data.js`.
const fn is_hidden(character: char) -> bool {
    match character {
        '\t' | '\n' => false,
        '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}'
        | '\u{feff}' => true,
        other => other.is_ascii_control() || matches!(other, '\u{80}'..='\u{9f}'),
    }
}

/// The source expression that allows exactly this inline script or style.
pub(super) fn content_security_hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

/// Writes JSON such that it holds no `</script>` and no `<!--`. These characters occur only inside of strings, where
/// an escape means the same.
fn write_without_markup(output: &mut impl Write, mut json: &[u8]) -> std::io::Result<()> {
    while let Some(position) = memchr::memchr3(b'<', b'>', b'&', json) {
        let (plain, rest) = json.split_at(position);
        output.write_all(plain)?;
        let Some((special, rest)) = rest.split_first() else { break };
        write!(output, "\\u{special:04x}")?;
        json = rest;
    }
    output.write_all(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_ends_its_data_block() {
        let hostile = "</script><script>alert(1)</script><!-- & \u{2028}";
        let mut page = Vec::new();
        data_block(&mut page, "index", &hostile).unwrap();
        let page = String::from_utf8(page).unwrap();
        let inside = page
            .strip_prefix("<script type=\"application/json\" id=\"index\">")
            .and_then(|page| page.strip_suffix("</script>\n"))
            .unwrap();
        assert!(!inside.contains(['<', '>', '&']), "{inside}");
        assert_eq!(serde_json::from_str::<String>(inside).unwrap(), hostile);
    }

    #[test]
    fn no_name_turns_text_around() {
        assert_eq!(without_hidden_characters("a\u{202e}b\u{1b}[2J\nc"), "a‹U+202E›b‹U+001B›[2J\nc");
    }

    #[test]
    fn the_hash_is_that_of_the_specification() {
        // The example of CSP Level 3, "alert('Hello, world.');".
        assert_eq!(
            content_security_hash("alert('Hello, world.');"),
            "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='"
        );
    }
}
