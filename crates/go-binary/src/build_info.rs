//! Build information, as `go version -m` shows it: found, decoded, and asked. Since Go 1.18 it stands in one piece.

use crate::elf::limited;
use crate::scan::{read, words};
use crate::{ByteSource, Error, Found, Place, Section, Segment};

const SECTION: &str = ".go.buildinfo";
const MAGIC: [u8; 14] = *b"\xff Go buildinf:";
const HEADER: usize = 32;
const INLINE: u8 = 2;
/// The longest that are written: a version with experiments, and a few hundred modules.
const MOST_VERSION_BYTES: u64 = 512;
const MOST_TEXT_BYTES: u64 = 4 << 20;
/// Sentinels of 16 bytes stand around the text.
const FRAME: usize = 16;

/// The version of Go that built an executable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoVersion(String);

impl GoVersion {
    /// As `go1.26.8`, `go1.27rc1`, `devel go1.28-…`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language's part: 26 of `go1.26.8`.
    #[must_use]
    pub fn minor(&self) -> Option<u32> {
        let (_, rest) = self.0.split_once("go1.")?;
        let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        rest.get(..digits)?.parse().ok()
    }
}

/// A module that is part of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// As `example.com/shop`.
    pub path: String,
    /// As `v1.2.3`, or `(devel)`.
    pub version: String,
}

/// What the go command wrote into the executable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildInfo {
    /// What built it.
    pub go_version: GoVersion,
    /// The import path of the main package; empty if it was not built with modules.
    pub main_package: String,
    /// The module of the main package.
    pub main_module: Option<Module>,
    /// The other modules; of those that were replaced, what replaced them.
    pub dependencies: Vec<Module>,
    /// As `-trimpath=true`, `GOOS=linux`, `vcs.revision=…`, in the order of the file.
    pub settings: Vec<(String, String)>,
}

impl BuildInfo {
    /// A setting's value.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<&str> {
        self.settings.iter().find(|(own, _)| own == key).map(|(_, value)| value.as_str())
    }

    /// Whether it says that it was built with `-cover`. Go up to 1.22 does not say, nor does any release tell
    /// `-covermode` and `-coverpkg`; those are in the meta-data. None where it cannot be known.
    #[must_use]
    pub fn cover(&self) -> Option<bool> {
        if let Some(value) = self.setting("-cover") {
            return Some(value == "true");
        }
        // The compiler is always among the settings, unless something else than the go command wrote them.
        let is_told = self.go_version.minor()? >= 23 && self.setting("-compiler").is_some();
        is_told.then_some(false)
    }

    fn new(go_version: String, text: &str) -> Self {
        let mut info = Self {
            go_version: GoVersion(go_version),
            main_package: String::new(),
            main_module: None,
            dependencies: Vec::new(),
            settings: Vec::new(),
        };
        for line in text.lines() {
            let Some((keyword, rest)) = line.split_once('\t') else { continue };
            match keyword {
                "path" => rest.clone_into(&mut info.main_package),
                "mod" => info.main_module = Some(Module::new(rest)),
                "dep" => info.dependencies.push(Module::new(rest)),
                // It replaces the module in the line before.
                "=>" => {
                    let replaced = info.dependencies.last_mut().or(info.main_module.as_mut());
                    if let Some(replaced) = replaced {
                        *replaced = Module::new(rest);
                    }
                }
                "build" => info.settings.extend(setting(rest)),
                _ => {}
            }
        }
        info
    }
}

impl Module {
    fn new(line: &str) -> Self {
        let mut fields = line.split('\t').map(str::to_owned);
        Self { path: fields.next().unwrap_or_default(), version: fields.next().unwrap_or_default() }
    }
}

/// `key=value`, either of which is quoted where it has blanks or quotes.
fn setting(line: &str) -> Option<(String, String)> {
    let (key, rest) = if line.starts_with(['"', '`']) {
        let (key, rest) = unquote(line)?;
        (key, rest.strip_prefix('=')?)
    } else {
        let (key, rest) = line.split_once('=')?;
        (key.to_owned(), rest)
    };
    let value = if rest.starts_with(['"', '`']) { unquote(rest)?.0 } else { rest.to_owned() };
    Some((key, value))
}

/// A string literal of Go at the beginning of a line, and what follows it.
fn unquote(line: &str) -> Option<(String, &str)> {
    if let Some(raw) = line.strip_prefix('`') {
        return raw.split_once('`').map(|(text, rest)| (text.to_owned(), rest));
    }
    let mut rest = line.strip_prefix('"')?;
    let mut bytes = Vec::new();
    loop {
        let (plain, special) = rest.split_at(rest.find(['"', '\\'])?);
        bytes.extend_from_slice(plain.as_bytes());
        if let Some(end) = special.strip_prefix('"') {
            return Some((String::from_utf8_lossy(&bytes).into_owned(), end));
        }
        let mut characters = special.chars();
        let escape = characters.nth(1)?;
        rest = characters.as_str();
        let mut number = |digits: usize| {
            let (number, after) = rest.split_at_checked(digits)?;
            rest = after;
            u32::from_str_radix(number, 16).ok()
        };
        match escape {
            'x' => bytes.push(u8::try_from(number(2)?).ok()?),
            'u' | 'U' => {
                let character = char::from_u32(number(if escape == 'u' { 4 } else { 8 })?)?;
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            'a' => bytes.push(7),
            'b' => bytes.push(8),
            't' => bytes.push(b'\t'),
            'n' => bytes.push(b'\n'),
            'v' => bytes.push(11),
            'f' => bytes.push(12),
            'r' => bytes.push(b'\r'),
            '\\' | '"' => bytes.push(u8::try_from(escape).ok()?),
            _ => return None,
        }
    }
}

/// Looks in the section, and if there is none, in the segments. None means that Go did not build it.
pub(crate) fn find(
    source: &impl ByteSource,
    sections: &[Section],
    segments: &[Segment],
) -> Result<Option<Found<BuildInfo>>, Error> {
    if let Some(section) = sections.iter().find(|section| section.name == SECTION) {
        let place = |offset| Place::Section { name: SECTION.to_owned(), offset };
        let range = section.offset..section.offset.saturating_add(section.size);
        if let Some((offset, value)) = find_in(source, range, true)? {
            return Ok(Some(Found { value, place: place(offset) }));
        }
    }
    // It is data that can be written, though nothing writes it; the release that changes that is the next one.
    let (writable, others): (Vec<&Segment>, Vec<&Segment>) =
        segments.iter().filter(|segment| !segment.executable).partition(|segment| segment.writable);
    for segment in writable.into_iter().chain(others) {
        if let Some((offset, value)) = find_in(source, segment.file_range(), segment.writable)? {
            return Ok(Some(Found { value, place: Place::Segment { offset } }));
        }
    }
    Ok(None)
}

/// The old format is little more than the magic number, and was never where nothing can be written: there, it is a string of
/// a program that reads build information.
fn find_in(
    source: &impl ByteSource,
    range: std::ops::Range<u64>,
    may_be_old: bool,
) -> Result<Option<(u64, BuildInfo)>, Error> {
    let Some((start, rest)) = MAGIC.split_first_chunk() else { return Ok(None) };
    let end = range.end.min(source.length());
    let start = u64::from_le_bytes(*start);
    words(source, range.start..end, |offset, word| {
        if word != start || end - offset < HEADER as u64 {
            return Ok(None);
        }
        let header = read(source, offset, HEADER)?;
        // Programs that read build information have the magic number among their strings.
        if header.get(8..MAGIC.len()) != Some(rest) {
            return Ok(None);
        }
        match header.get(15) {
            Some(flags) if flags & INLINE != 0 => decode(source, offset, end),
            Some(0) if may_be_old && header.get(14) == Some(&8) => Err(Error::OldBuildInfo { offset }),
            _ => Ok(None),
        }
    })
}

/// None if it only looks as if it were there.
fn decode(source: &impl ByteSource, offset: u64, end: u64) -> Result<Option<(u64, BuildInfo)>, Error> {
    let mut at = offset + HEADER as u64;
    let version = string(source, &mut at, end, "the Go version", MOST_VERSION_BYTES)?;
    let Some(version) = version else { return Ok(None) };
    let malformed = |reason| Error::Malformed { offset, reason };
    let version = String::from_utf8(version).map_err(|_| malformed("a Go version that is not UTF-8"))?;
    if !version.contains("go1.") && !version.contains("devel") {
        return Ok(None);
    }
    // What costs most comes last, so that a file full of imitations is searched quickly.
    let Some(text) = string(source, &mut at, end, "the build information", MOST_TEXT_BYTES)? else {
        return Ok(None);
    };
    let framed = text.len().checked_sub(2 * FRAME).and_then(|length| text.get(FRAME..FRAME + length));
    let text = String::from_utf8_lossy(framed.unwrap_or_default());
    let steers = |character: char| character.is_control() && !matches!(character, '\n' | '\t');
    if version.contains(char::is_control) || text.contains(steers) {
        return Err(malformed("build information with control characters"));
    }
    Ok(Some((offset, BuildInfo::new(version, &text))))
}

/// A length in ULEB128, and so many bytes. None if they end behind `end`.
fn string(
    source: &impl ByteSource,
    at: &mut u64,
    end: u64,
    what: &'static str,
    most: u64,
) -> Result<Option<Vec<u8>>, Error> {
    let mut length = 0_u64;
    for shift in [0, 7, 14, 21, 28] {
        if *at >= end {
            return Ok(None);
        }
        let byte = read(source, *at, 1)?.first().copied().unwrap_or_default();
        *at += 1;
        length |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
        if shift == 28 {
            return Ok(None);
        }
    }
    if length > end - *at {
        return Ok(None);
    }
    let bytes = read(source, *at, limited(what, length, most)?)?;
    *at += length;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_settings_are_read_as_go_reads_them() {
        let pairs = [
            ("-tags=a,b", "-tags", "a,b"),
            (r#"-ldflags="-s -w -X 'main.v=\"1\"'""#, "-ldflags", r#"-s -w -X 'main.v="1"'"#),
            (r#""a b"="c\td\x41\u00e9\\""#, "a b", "c\tdA\u{e9}\\"),
            ("CGO_CFLAGS=", "CGO_CFLAGS", ""),
            ("k=`a\\b`", "k", "a\\b"),
        ];
        for (line, key, value) in pairs {
            assert_eq!(setting(line), Some((key.to_owned(), value.to_owned())), "{line}");
        }
        for line in ["", "no value", r#"k="open"#, r#"k="\q""#, r#"k="\x4"#] {
            assert_eq!(setting(line), None, "{line}");
        }
    }

    #[test]
    fn the_minor_version_is_read_from_releases_candidates_and_development() {
        let minor = |version: &str| GoVersion(version.to_owned()).minor();
        assert_eq!(minor("go1.26.8"), Some(26));
        assert_eq!(minor("go1.27rc1 X:jsonv2"), Some(27));
        assert_eq!(minor("devel go1.28-0123abc Thu"), Some(28));
        assert_eq!(minor("devel +0123abc"), None);
    }
}
