use std::path::PathBuf;

use super::*;

const HASH: &str = "0123456789abcdef0123456789abcdef";

struct Pod {
    _place: tempfile::TempDir,
    directory: PathBuf,
    hand_over: HandOver,
    runs: ContainerRuns,
}

impl Pod {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().join("pod");
        let hand_over = HandOver::new(directory.clone(), vec!["api".to_owned()]);
        Self { _place: place, directory, hand_over, runs: ContainerRuns::default() }
    }

    /// Another podcov goes on in the same directory.
    fn again(&mut self) {
        self.hand_over = HandOver::new(self.directory.clone(), vec!["api".to_owned()]);
    }

    fn live(&mut self, name: &str, text: &str) {
        let length = text.len() as u64;
        assert!(self.hand_over.begin_live("api", name, length, &self.runs).unwrap());
        assert!(self.hand_over.append(text.as_bytes()).unwrap());
        assert_eq!(self.hand_over.finish().unwrap(), None, "nobody acknowledges it");
    }

    /// What a process that lives sends: its record comes first.
    fn live_process(&mut self, process: u32, started: u64, text: &str) {
        self.live(&process_record_name(process, started), "record");
        self.live(&format!("covcounters.{HASH}.{process}.{started}"), text);
    }

    fn final_file(&mut self, name: &str, text: &str) {
        assert!(self.hand_over.begin("api", name, text.len() as u64, &self.runs).unwrap());
        assert!(self.hand_over.append(text.as_bytes()).unwrap());
        assert!(self.hand_over.finish().unwrap().is_some());
    }

    fn end_process(&mut self, process: u32, started: u64, written: u64) {
        self.final_file(&format!("covcounters.{HASH}.{process}.{written}"), "final");
        self.final_file(&process_record_name(process, started), "ended");
    }

    /// All counter files: the end of their names, and what is in them.
    fn counters(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for directory in directories_of(&self.directory, "api") {
            for name in names(&directory).into_iter().filter(|name| name.starts_with("covcounters.")) {
                let text = fs::read_to_string(directory.join(&name)).unwrap();
                found.push((name.split('.').skip(2).collect::<Vec<_>>().join("."), text));
            }
        }
        found.sort();
        found
    }
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn what_is_read_later_replaces_what_was_read_earlier() {
    let mut pod = Pod::new();
    pod.live_process(7, 100, "one");
    pod.live_process(7, 100, "two");
    pod.live_process(8, 100, "other");
    assert_eq!(pod.counters(), pairs(&[("7.100", "two"), ("8.100", "other")]));
    assert_eq!(pod.hand_over.live_counter_files("api", 0), 2);
    assert_eq!(pod.hand_over.bytes(), 2 * 6 + 3 + 5, "each counts once");
}

#[test]
fn what_a_process_left_at_its_end_replaces_what_was_read_of_it() {
    let mut pod = Pod::new();
    pod.live_process(7, 100, "live");
    pod.live_process(8, 100, "other");
    pod.end_process(7, 100, 150);
    assert_eq!(pod.counters(), pairs(&[("7.150", "final"), ("8.100", "other")]));
    assert_eq!(pod.hand_over.counter_files("api", 0), 1);
    assert_eq!(pod.hand_over.live_counter_files("api", 0), 1);
    let record = pod.hand_over.directory("api", 0).join(process_record_name(7, 100));
    assert_eq!(fs::read_to_string(record).unwrap(), "ended");
}

#[test]
fn a_reading_that_comes_after_the_end_is_passed_over() {
    let mut pod = Pod::new();
    pod.end_process(7, 100, 150);
    pod.live_process(7, 100, "late");
    assert_eq!(pod.counters(), pairs(&[("7.150", "final")]));
    // The number is used again by another process.
    pod.live_process(7, 200, "next");
    assert_eq!(pod.counters(), pairs(&[("7.150", "final"), ("7.200", "next")]));
    pod.end_process(7, 200, 250);
    assert_eq!(pod.counters(), pairs(&[("7.150", "final"), ("7.250", "final")]));
}

#[test]
fn what_a_killed_podcov_had_read_is_replaced_as_well() {
    let mut pod = Pod::new();
    pod.live_process(7, 100, "live");
    pod.again();
    pod.end_process(7, 100, 150);
    assert_eq!(pod.counters(), pairs(&[("7.150", "final")]));
}

#[test]
fn a_process_whose_start_becomes_known_better_counts_once() {
    let mut pod = Pod::new();
    // Of the second start of the container, which the API server has not told of yet.
    pod.live_process(7, 21_500_000_000, "live");
    pod.runs = ContainerRuns::of(&[(10, Some(20)), (21, None)]);
    pod.live_process(7, 21_500_000_000, "again");
    assert_eq!(pod.counters(), pairs(&[("7.21500000000", "again")]));
    assert_eq!(pod.hand_over.live_counter_files("api", 1), 1);
    pod.runs = ContainerRuns::default();
    pod.end_process(7, 21_500_000_000, 22_000_000_000);
    assert_eq!(pod.counters(), pairs(&[("7.22000000000", "final")]));
}

#[test]
fn what_was_not_asked_for_is_refused() {
    let mut pod = Pod::new();
    for (container, name, length) in [
        ("other", format!("covcounters.{HASH}.7.1"), 1),
        ("api", format!("covmeta.{HASH}"), 1),
        ("api", "../run.json".to_owned(), 1),
        ("api", format!("covcounters.{HASH}.7.1"), MAX_FILE_LENGTH + 1),
    ] {
        assert!(!pod.hand_over.begin_live(container, &name, length, &pod.runs).unwrap(), "{name}");
    }
}
