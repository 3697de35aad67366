//! What the program says it counted, and what coverage data say.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// How often lines ran, by the names of files and the numbers of lines.
#[derive(Debug, Default)]
pub struct Ledger(BTreeMap<(String, u32), u64>);

impl Ledger {
    /// The sum of what all processes wrote.
    pub fn read(directory: &Path) -> Self {
        let mut ledger = Self::default();
        for entry in fs::read_dir(directory).unwrap() {
            for line in fs::read_to_string(entry.unwrap().path()).unwrap().lines() {
                let (place, count) = line.split_once(' ').unwrap();
                let (file, number) = place.split_once(':').unwrap();
                let place = (file.to_owned(), number.parse().unwrap());
                *ledger.0.entry(place).or_default() += count.parse::<u64>().unwrap();
            }
        }
        ledger
    }
}

/// How well data fit a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// There are no counters.
    Nothing,
    /// Some counters are missing or wrong.
    Part,
    /// Every counter of every block is what it has to be.
    Everything,
}

/// Compares a text profile, if there is one, with what the program counted. Says what is wrong on standard error.
pub fn compare(profile: Option<&str>, ledger: &Ledger, mode: &str) -> Kept {
    let Some(profile) = profile else { return Kept::Nothing };
    let mut lines = profile.lines();
    let Some(first) = lines.next() else { return Kept::Nothing };
    assert_eq!(first, format!("mode: {mode}"));
    let (mut kept, mut blocks, mut seen) = (Kept::Everything, 0, 0);
    for line in lines {
        let block = Block::parse(line);
        let expected = ledger.0.iter().filter(|((file, line), _)| block.contains(file, *line));
        let expected: Vec<u64> = expected.map(|(_, count)| *count).collect();
        assert!(expected.len() < 2, "{line} has two lines of the ledger");
        seen += expected.len();
        blocks += 1;
        let expected = expected.first().copied().unwrap_or_default();
        let expected = if mode == "set" { expected.min(1) } else { expected };
        if block.count != expected {
            eprintln!("{line} has to be {expected}");
            kept = Kept::Part;
        }
    }
    let lines_of = |wanted: &str| ledger.0.keys().filter(|(file, _)| file == wanted).count();
    let covers_main = profile.contains("/main.go:");
    // Neither is the ledger empty nor the profile.
    let all = lines_of("work.go") + if covers_main { lines_of("main.go") } else { 0 };
    assert!(all > 10 && blocks > all, "{all} lines, {blocks} blocks");
    assert_eq!(seen, all, "lines of the ledger that are in no block: {ledger:?}\n{profile}");
    kept
}

/// The blocks in a directory of coverage data, by Go's own tool. None without counters.
pub fn profile(directory: &Path) -> Option<String> {
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
    if !names.into_iter().any(|name| name.to_str().unwrap().starts_with("covcounters.")) {
        return None;
    }
    let mut covdata = Command::new("go");
    covdata.args(["tool", "covdata", "textfmt", "-o=/dev/stdout"]);
    let output = covdata.arg(format!("-i={}", directory.display())).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

struct Block {
    file: String,
    lines: std::ops::RangeInclusive<u32>,
    count: u64,
}

impl Block {
    /// `example.com/endings/work/work.go:17.21,20.5 2 4`.
    fn parse(line: &str) -> Self {
        let (place, rest) = line.rsplit_once(':').unwrap();
        let words: Vec<&str> = rest.split(' ').collect();
        let (start, end) = words[0].split_once(',').unwrap();
        let number = |position: &str| position.split_once('.').unwrap().0.parse().unwrap();
        Self {
            file: place.rsplit_once('/').unwrap().1.to_owned(),
            lines: number(start)..=number(end),
            count: words[2].parse().unwrap(),
        }
    }

    fn contains(&self, file: &str, line: u32) -> bool {
        self.file == file && self.lines.contains(&line)
    }
}
