//! What an observer was told, as the test's supervisor wrote it down.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The lines of the log.
#[derive(Debug)]
pub struct Log(Vec<String>);

impl Log {
    pub fn read(file: &Path) -> Self {
        Self(fs::read_to_string(file).unwrap_or_default().lines().map(str::to_owned).collect())
    }

    /// The lines that say this: `image`, `exec`, `exiting`, `gone`, `left`, `not-followed`, `tick`, `ended`. Each
    /// without that word.
    pub fn all(&self, what: &str) -> Vec<&str> {
        self.0.iter().filter_map(|line| line.strip_prefix(what)?.strip_prefix(' ')).collect()
    }

    /// The only such line.
    #[track_caller]
    pub fn only(&self, what: &str) -> &str {
        match self.all(what)[..] {
            [line] => line,
            _ => panic!("not one {what:?} in {self:#?}"),
        }
    }

    /// The processes that were reported, in order.
    pub fn processes(&self) -> Vec<i32> {
        let mut seen = BTreeSet::new();
        self.all("image").into_iter().map(number).filter(|process| seen.insert(*process)).collect()
    }

    /// What was told of one process, without its number.
    pub fn of(&self, process: i32) -> Vec<String> {
        let of_process = |line: &String| {
            let (what, rest) = line.split_once(' ')?;
            let (number, rest) = rest.split_once(' ')?;
            (number.parse() == Ok(process)).then(|| format!("{what} {rest}"))
        };
        self.0.iter().filter_map(of_process).collect()
    }

    /// Each process was seen starting, ending while its memory was there, and gone, and each once.
    #[track_caller]
    pub fn assert_whole(&self) {
        assert!(!self.processes().is_empty(), "{self:#?}");
        for process in self.processes() {
            let told = self.of(process);
            let [first, .., exiting, gone] = &told[..] else { panic!("{process}: {told:#?}") };
            assert!(first.starts_with("image "), "{process}: {told:#?}");
            assert!(
                exiting.starts_with("exiting ") && exiting.contains(": readable"),
                "{process}: {told:#?}"
            );
            assert!(!exiting.contains("not final") && !exiting.contains("moving"), "{process}: {told:#?}");
            assert!(gone.starts_with("gone "), "{process}: {told:#?}");
            for what in ["exiting ", "gone "] {
                let number = told.iter().filter(|line| line.starts_with(what)).count();
                assert_eq!(number, 1, "{process}: {told:#?}");
            }
        }
    }
}

fn number(line: &str) -> i32 {
    line.split(' ').next().unwrap().parse().unwrap()
}
