//! Unified diffs, of git or of `diff -u`, to the lines that are new in each file.
//!
//! Hunks are read by the numbers in their headers, so that lines of a file that look like a header are none. What
//! stands between the files of a patch (mail headers, commit messages, signatures) is passed over.

use crate::{Error, LineRanges, name};

/// All files that a patch speaks of, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    /// One for each time that a file is spoken of.
    pub files: Vec<FileChange>,
}

/// What a patch does to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// Its path before; none if the patch creates it. Relative to the root of the repository for git's diffs.
    pub old_path: Option<String>,
    /// Its path after; none if the patch removes it.
    pub new_path: Option<String>,
    /// What happens to it.
    pub change: Change,
    /// What it is.
    pub kind: Kind,
    /// The lines of the new file that were not in the old one: added, or modified.
    pub lines: LineRanges,
    /// The paths are git's, so it is known where they begin.
    pub is_of_git: bool,
}

/// What happens to a file as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added,
    /// It was there and is there under the same name.
    Modified,
    /// It has another name now, and maybe other lines.
    Renamed,
    /// It is a copy of another file, maybe with other lines.
    Copied,
    /// It is no longer there.
    Removed,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It has lines.
    Text,
    /// It has none.
    Binary,
    /// A commit of another repository.
    Submodule,
    /// A patch that names it without showing its lines, as `diff -r` does without `-N`.
    NotShown,
}

impl Patch {
    /// Reads a whole patch. An empty one changes nothing.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        Parser { lines: Lines::new(bytes), files: Vec::new(), current: None }.parse()
    }
}

/// Lines without their ends, with their numbers from 1.
struct Lines<'a> {
    rest: Option<&'a [u8]>,
    number: usize,
}

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { rest: (!bytes.is_empty()).then_some(bytes), number: 0 }
    }

    fn next(&mut self) -> Option<&'a [u8]> {
        let (line, rest) = self.split()?;
        self.rest = rest;
        self.number += 1;
        Some(line)
    }

    fn peek(&self) -> Option<&'a [u8]> {
        self.split().map(|(line, _)| line)
    }

    fn split(&self) -> Option<(&'a [u8], Option<&'a [u8]>)> {
        let rest = self.rest?;
        match rest.iter().position(|byte| *byte == b'\n') {
            Some(end) => Some((&rest[..end], rest.get(end + 1..).filter(|rest| !rest.is_empty()))),
            None => Some((rest, None)),
        }
    }
}

struct Parser<'a> {
    lines: Lines<'a>,
    files: Vec<FileChange>,
    current: Option<Current>,
}

/// A file whose part of the patch is being read.
struct Current {
    /// Where it begins.
    line: usize,
    change: FileChange,
    /// git's, where it put one before the names.
    prefixes: Option<(&'static str, &'static str)>,
    /// Lines of git's extended header may follow.
    in_header: bool,
}

impl Parser<'_> {
    fn parse(mut self) -> Result<Patch, Error> {
        let mut is_blank = true;
        while let Some(line) = self.lines.next() {
            is_blank &= line.iter().all(u8::is_ascii_whitespace);
            self.line(line)?;
        }
        self.end_file()?;
        if self.files.is_empty() && !is_blank {
            return Err(Error::NotAPatch);
        }
        Ok(Patch { files: self.files })
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Error> {
        if let Some(names) = line.strip_prefix(b"diff --git ") {
            self.end_file()?;
            self.current = Some(Current::of_git(names, self.lines.number));
        } else if line.starts_with(b"diff --cc ") || line.starts_with(b"diff --combined ") {
            return Err(Error::Combined { line: self.lines.number });
        } else if self.is_pair_of_names(line) {
            self.names(line)?;
        } else if line.starts_with(b"@@ ") {
            self.hunk(line)?;
        } else if let Some(rest) = line.strip_prefix(b"Only in ") {
            self.not_shown(rest)?;
        } else if line.starts_with(b"Binary files ") {
            self.binary(line)?;
        } else if let Some(current) = &mut self.current {
            current.header(line);
        }
        Ok(())
    }

    fn end_file(&mut self) -> Result<(), Error> {
        self.files.extend(self.current.take().map(Current::finish).transpose()?);
        Ok(())
    }

    /// A line that begins with `---` alone may be one of a mail, or of the text around the patch.
    fn is_pair_of_names(&self, line: &[u8]) -> bool {
        line.starts_with(b"--- ") && self.lines.peek().is_some_and(|next| next.starts_with(b"+++ "))
    }

    fn names(&mut self, line: &[u8]) -> Result<(), Error> {
        let begin = self.lines.number;
        let old = name::of_side(&line[4..]);
        let new = self.lines.next().and_then(|line| name::of_side(&line[4..]));
        match self.lines.peek() {
            None => return Err(Error::Truncated { line: begin }),
            // Two lines of a text around the patch that look so.
            Some(next) if !next.starts_with(b"@@ ") => return Ok(()),
            Some(_) => {}
        }
        if old.is_none() && new.is_none() {
            return Err(self.malformed("of a file that is on neither side"));
        }
        match &mut self.current {
            Some(current) if current.in_header => current.names(old, new),
            _ => {
                self.end_file()?;
                self.current = Some(Current::plain(old, new, self.lines.number));
            }
        }
        Ok(())
    }

    fn hunk(&mut self, header: &[u8]) -> Result<(), Error> {
        let begin = self.lines.number;
        let Some((mut old, new_start, mut new)) = hunk_header(header) else {
            return Err(self.malformed("no header of a hunk, although it begins like one"));
        };
        let Some(mut current) = self.current.take() else {
            return Err(self.malformed("a hunk before any file was named"));
        };
        current.in_header = false;
        let mut line = new_start;
        while old > 0 || new > 0 {
            let text = self.lines.next().ok_or(Error::Truncated { line: begin })?;
            let (is_old, is_new) = match text.first() {
                Some(b'+') => (0, 1),
                Some(b'-') => (1, 0),
                // Mail programs cut the space off an empty line.
                Some(b' ' | b'\r') | None => (1, 1),
                Some(b'\\') => continue,
                Some(_) => return Err(self.malformed("no line of a hunk, which is not complete there")),
            };
            let remaining = old.checked_sub(is_old).zip(new.checked_sub(is_new));
            (old, new) = remaining.ok_or(self.malformed("one more than the header of its hunk says"))?;
            if is_old == 0 && !current.change.lines.push(line) {
                return Err(self.malformed("in a hunk that does not come after the one before it"));
            }
            line = line.saturating_add(is_new);
        }
        self.current = Some(current);
        self.no_more_lines()
    }

    /// A hunk that is longer than it says would otherwise lose its end without a word.
    fn no_more_lines(&mut self) -> Result<(), Error> {
        let Some(next) = self.lines.peek() else { return Ok(()) };
        let is_more = match next.first() {
            Some(b'+') => true,
            // The next file of a plain diff, or the signature of a mail.
            Some(b'-') => !next.starts_with(b"--- ") && next.trim_ascii_end() != b"--",
            _ => false,
        };
        if !is_more {
            return Ok(());
        }
        self.lines.next();
        Err(self.malformed("one more than the header of its hunk says"))
    }

    /// `Only in b/internal/cart: new.go`
    fn not_shown(&mut self, rest: &[u8]) -> Result<(), Error> {
        if self.current.as_ref().is_some_and(|current| current.in_header) {
            return Ok(());
        }
        let rest = String::from_utf8_lossy(rest);
        if let Some((directory, file)) = rest.trim_end().split_once(": ") {
            self.end_file()?;
            let path = format!("{directory}/{file}");
            let mut current = Current::plain(None, Some(path), self.lines.number);
            current.change.kind = Kind::NotShown;
            self.current = Some(current);
        }
        Ok(())
    }

    /// `Binary files a/x and b/x differ`: of git after its header, of `diff -r` alone.
    fn binary(&mut self, line: &[u8]) -> Result<(), Error> {
        if let Some(current) = self.current.as_mut().filter(|current| current.in_header) {
            current.change.kind = Kind::Binary;
            return Ok(());
        }
        let line = String::from_utf8_lossy(line);
        let names =
            line.trim_end().strip_prefix("Binary files ").and_then(|rest| rest.strip_suffix(" differ"));
        if let Some((old, new)) = names.and_then(|names| names.split_once(" and ")) {
            self.end_file()?;
            let side = |name: &str| (name != "/dev/null").then(|| name.to_owned());
            let mut current = Current::plain(side(old), side(new), self.lines.number);
            current.change.kind = Kind::Binary;
            self.current = Some(current);
        }
        Ok(())
    }

    const fn malformed(&self, reason: &'static str) -> Error {
        Error::Malformed { line: self.lines.number, reason }
    }
}

impl Current {
    fn of_git(names: &[u8], line: usize) -> Self {
        let (old, new) = name::of_both_sides(names).unzip();
        let mut current = Self::plain(old, new, line);
        current.change.change = Change::Modified;
        current.change.is_of_git = true;
        current.in_header = true;
        // Names that cannot be told apart begin as the whole does.
        if current.prefixes.is_none() && current.change.old_path.is_none() {
            let text = String::from_utf8_lossy(names);
            let second = text.match_indices(' ').map(|(at, _)| &text[at + 1..]);
            let unquoted = |name: &str| name.strip_prefix('"').unwrap_or(name).to_owned();
            current.prefixes = second
                .take(MOST_SPACES)
                .find_map(|second| name::prefixes(&unquoted(&text), &unquoted(second)));
        }
        current
    }

    fn plain(old_path: Option<String>, new_path: Option<String>, line: usize) -> Self {
        let prefixes = match (&old_path, &new_path) {
            (Some(old), Some(new)) => name::prefixes(old, new),
            _ => Some(("a/", "b/")),
        };
        let change = match (&old_path, &new_path) {
            (None, _) => Change::Added,
            (_, None) => Change::Removed,
            _ => Change::Modified,
        };
        let change = FileChange {
            old_path: old_path.map(|path| without_prefix(path, prefixes.map(|pair| pair.0))),
            new_path: new_path.map(|path| without_prefix(path, prefixes.map(|pair| pair.1))),
            change,
            kind: Kind::Text,
            lines: LineRanges::default(),
            is_of_git: false,
        };
        Self { line, change, prefixes, in_header: false }
    }

    /// The names before the first hunk. After a rename they say the same as its own lines.
    fn names(&mut self, old: Option<String>, new: Option<String>) {
        self.in_header = false;
        match (&old, &new) {
            (None, _) => self.change.change = Change::Added,
            (_, None) => self.change.change = Change::Removed,
            _ => {}
        }
        if let (Some(old), Some(new)) = (&old, &new) {
            self.prefixes = name::prefixes(old, new);
        }
        self.change.old_path = old.map(|path| without_prefix(path, self.prefixes.map(|pair| pair.0)));
        self.change.new_path = new.map(|path| without_prefix(path, self.prefixes.map(|pair| pair.1)));
    }

    /// A line of git's extended header.
    fn header(&mut self, line: &[u8]) {
        if !self.in_header {
            return;
        }
        let file = &mut self.change;
        if let Some(path) = line.strip_prefix(b"rename from ") {
            (file.change, file.old_path) = (Change::Renamed, Some(name::alone(path)));
        } else if let Some(path) = line.strip_prefix(b"rename to ") {
            (file.change, file.new_path) = (Change::Renamed, Some(name::alone(path)));
        } else if let Some(path) = line.strip_prefix(b"copy from ") {
            (file.change, file.old_path) = (Change::Copied, Some(name::alone(path)));
        } else if let Some(path) = line.strip_prefix(b"copy to ") {
            (file.change, file.new_path) = (Change::Copied, Some(name::alone(path)));
        } else if line.starts_with(b"new file mode ") {
            file.change = Change::Added;
        } else if line.starts_with(b"deleted file mode ") {
            file.change = Change::Removed;
        } else if line.starts_with(b"GIT binary patch") {
            file.kind = Kind::Binary;
        }
        let names_a_mode = [&b"new file mode "[..], b"deleted file mode ", b"new mode ", b"index "]
            .iter()
            .any(|word| line.starts_with(word));
        if names_a_mode && line.trim_ascii_end().ends_with(b" 160000") {
            file.kind = Kind::Submodule;
        }
    }

    fn finish(mut self) -> Result<FileChange, Error> {
        match self.change.change {
            Change::Added => self.change.old_path = None,
            Change::Removed => self.change.new_path = None,
            Change::Modified | Change::Renamed | Change::Copied => {}
        }
        if self.change.kind != Kind::Text {
            self.change.lines = LineRanges::default();
        }
        if self.change.old_path.is_none() && self.change.new_path.is_none() {
            let reason = "of a file whose name cannot be told";
            return Err(Error::Malformed { line: self.line, reason });
        }
        Ok(self.change)
    }
}

/// Of a `diff --git` line are looked at, for where the second name begins.
const MOST_SPACES: usize = 64;

fn without_prefix(path: String, prefix: Option<&str>) -> String {
    match prefix.and_then(|prefix| path.strip_prefix(prefix)) {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => path,
    }
}

/// `@@ -1,3 +1,4 @@ func f() {`: the number of old lines, the first new line and the number of new lines.
fn hunk_header(line: &[u8]) -> Option<(u32, u32, u32)> {
    let rest = line.strip_prefix(b"@@ -")?;
    let end = rest.windows(3).position(|window| window == b" @@")?;
    let (old, new) = str::from_utf8(&rest[..end]).ok()?.split_once(" +")?;
    let (_, old) = range(old)?;
    let (start, new) = range(new)?;
    // What is counted up from here stays a line number.
    start.checked_add(new)?;
    (start > 0 || new == 0).then_some((old, start, new))
}

/// `3,2`, or `3` for one line.
fn range(text: &str) -> Option<(u32, u32)> {
    let (start, count) = text.split_once(',').unwrap_or((text, "1"));
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u32>().ok())?;
    Some((number(start)?, number(count)?))
}
