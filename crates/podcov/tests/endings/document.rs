//! `docs/endings.md`: what was seen, for people.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::sync::Mutex;

use crate::DOCUMENT;
use crate::counts::Kept;
use crate::endings;
use crate::seen::{Place, Seen};

const HEAD: &str = "\
| ending | `go build -cover` alone has | podcov has | exit code alone | with podcov |
|---|---|---|---|---|
";

/// What was seen of an ending in one place, in all builds.
#[derive(Clone, Debug)]
pub struct Row {
    place: Place,
    name: &'static str,
    alone: BTreeSet<Seen>,
    supervised: BTreeSet<Seen>,
}

impl Row {
    pub fn new(place: Place, name: &'static str) -> Self {
        Self { place, name, alone: BTreeSet::new(), supervised: BTreeSet::new() }
    }

    pub fn add(&mut self, alone: Seen, supervised: Seen) {
        self.alone.insert(alone);
        self.supervised.insert(supervised);
    }

    fn cells(&self) -> [Vec<String>; 4] {
        let kept = |seen: &BTreeSet<Seen>| distinct(seen.iter().map(|seen| text_of(seen.kept).to_owned()));
        let codes = |seen: &BTreeSet<Seen>| distinct(seen.iter().map(|seen| seen.code.to_string()));
        [kept(&self.alone), kept(&self.supervised), codes(&self.alone), codes(&self.supervised)]
    }
}

fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    texts.collect::<BTreeSet<_>>().into_iter().collect()
}

const fn text_of(kept: Kept) -> &'static str {
    match kept {
        Kept::Nothing => "nothing",
        Kept::Part => "a part",
        Kept::Everything => "everything",
    }
}

const fn title(place: Place) -> &'static str {
    match place {
        Place::Local => "## On this machine\n",
        Place::Container => "## In a container\n",
        Place::Pod => "## In a pod\n",
        Place::Arm64 => "## On arm64\n",
    }
}

/// What was seen has to be what the document says, or becomes that.
#[track_caller]
pub fn compare(rows: &[Row]) {
    if std::env::var_os("PODCOV_WRITE_ENDINGS").is_some() {
        write(rows);
    } else {
        assert_agrees(rows);
    }
}

/// Replaces the tables of the places in which something was seen.
fn write(rows: &[Row]) {
    static WRITING: Mutex<()> = Mutex::new(());
    let _writing = WRITING.lock().unwrap();
    let mut text = fs::read_to_string(DOCUMENT).unwrap();
    for place in [Place::Local, Place::Container, Place::Pod, Place::Arm64] {
        let mut table = HEAD.to_owned();
        for ending in endings::ALL {
            for row in rows.iter().filter(|row| row.place == place && row.name == ending.name) {
                let cells = row.cells().map(|values| values.join(" or "));
                writeln!(table, "| {} | {} |", row.name, cells.join(" | ")).unwrap();
            }
        }
        if table != HEAD {
            let (start, length) = place_of_table(&text, place);
            text.replace_range(start..start + length, &table);
        }
    }
    fs::write(DOCUMENT, text).unwrap();
}

#[track_caller]
fn assert_agrees(rows: &[Row]) {
    let text = fs::read_to_string(DOCUMENT).unwrap();
    for row in rows {
        let mut lines = table_in(&text, row.place).lines().map(cells_of);
        let written = lines.find(|cells| cells.first() == Some(&row.name));
        let written = written.unwrap_or_else(|| panic!("docs/endings.md has no row {}", row.name));
        for (seen, written) in row.cells().iter().zip(&written[1..]) {
            let written: Vec<&str> = written.split(" or ").collect();
            assert!(
                seen.iter().all(|seen| written.contains(&seen.as_str())),
                "docs/endings.md says {written:?} where it is {seen:?}: {row:?}"
            );
        }
    }
}

/// The endings that the document has.
pub fn names(place: Place) -> Vec<String> {
    let text = fs::read_to_string(DOCUMENT).unwrap();
    table_in(&text, place).lines().skip(2).map(|line| cells_of(line)[0].to_owned()).collect()
}

fn cells_of(line: &str) -> Vec<&str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}

/// The lines of the table below a title.
fn table_in(text: &str, place: Place) -> &str {
    let (start, length) = place_of_table(text, place);
    &text[start..start + length]
}

/// Where they are, and how long. Tables of two places may be the same.
fn place_of_table(text: &str, place: Place) -> (usize, usize) {
    let title = text.find(title(place)).unwrap();
    let start = title + text[title..].find('|').unwrap();
    let table = &text[start..];
    (start, table.find("\n\n").map_or(table.len(), |end| end + 1))
}
