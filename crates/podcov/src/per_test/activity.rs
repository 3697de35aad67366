//! Whose time it is: from starts and ends of tests to segments of time, each of which belongs to those that ran in it.
//!
//! Tests that run at the same time are one segment, from when the second one starts until only one is left. So are tests
//! that start and end between two looks at what was counted.

use std::collections::BTreeSet;

use super::events::{Event, TestName};

/// The tests that run now, and those that have had a part of the time since the last segment.
#[derive(Debug, Default)]
pub struct Activity {
    active: BTreeSet<TestName>,
    members: BTreeSet<TestName>,
}

impl Activity {
    /// What has happened since it was last asked. If a segment ends with it: the tests that ran in it, which are none for
    /// the time between tests.
    pub fn follow(&mut self, events: &[Event]) -> Option<BTreeSet<TestName>> {
        let before = self.active.clone();
        let mut passed = BTreeSet::new();
        for event in events {
            match event {
                Event::Starts(test) => {
                    self.active.insert(test.clone());
                }
                // One that waits at once for its turn has run nothing.
                Event::Waits(test) => {
                    self.active.remove(test);
                }
                Event::Ends(test, _) => {
                    if self.active.remove(test) && !before.contains(test) {
                        passed.insert(test.clone());
                    }
                }
            }
        }
        let goes_on = before == self.active && passed.is_empty() || before.len() > 1 && self.active.len() > 1;
        self.members.extend(before);
        self.members.extend(passed);
        (!goes_on).then(|| std::mem::take(&mut self.members))
    }

    /// Those that run now.
    pub fn active(&self) -> &BTreeSet<TestName> {
        &self.active
    }

    /// Whether these still run, and others with them.
    pub fn has_joined(&self, tests: &BTreeSet<TestName>) -> bool {
        self.active.len() > tests.len() && self.active.is_superset(tests)
    }

    /// Their segment goes on after all.
    pub fn resume(&mut self, tests: BTreeSet<TestName>) {
        self.members.extend(tests);
    }

    /// Everything has ended: the tests of the last segment.
    pub fn finish(&mut self) -> BTreeSet<TestName> {
        self.members.append(&mut self.active);
        std::mem::take(&mut self.members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `+A` starts, `~A` waits, `-A` ends; a word is what happens between two looks, such as `-A+B`.
    fn segments(looks: &str) -> Vec<String> {
        let mut activity = Activity::default();
        let test = |name: &str| TestName { package: String::new(), name: name.to_owned() };
        let mut segments = Vec::new();
        let names =
            |tests: BTreeSet<TestName>| tests.iter().map(|test| test.name.as_str()).collect::<String>();
        for look in looks.split(' ') {
            let pairs = look.as_bytes().chunks(2);
            let event = |pair: &[u8]| {
                let test = test(std::str::from_utf8(&pair[1..]).unwrap());
                match pair[0] {
                    b'+' => Event::Starts(test),
                    b'~' => Event::Waits(test),
                    _ => Event::Ends(test, None),
                }
            };
            let events: Vec<Event> = pairs.map(event).collect();
            segments.extend(activity.follow(&events).map(names));
        }
        segments.push(names(activity.finish()));
        segments
    }

    #[test]
    fn tests_one_after_the_other_have_a_segment_each() {
        assert_eq!(segments("+A -A +B -B"), ["", "A", "", "B", ""]);
        assert_eq!(segments("+A -A+B -B"), ["", "A", "B", ""]);
        assert_eq!(segments("+A"), ["", "A"], "one that the end of all has cut off");
    }

    #[test]
    fn tests_at_the_same_time_are_one_segment() {
        assert_eq!(segments("+A +B +C -A -B -C"), ["", "A", "ABC", "C", ""]);
        assert_eq!(segments("+A+B -A-B"), ["", "AB", ""]);
        assert_eq!(segments("+A+B -A+C -B-C"), ["", "ABC", ""]);
    }

    #[test]
    fn tests_that_wait_for_the_others_have_no_part_of_their_time() {
        assert_eq!(segments("+A -A+B~B+C~C+B+C -B-C"), ["", "A", "BC", ""]);
    }

    #[test]
    fn tests_between_two_looks_cannot_be_told_apart() {
        assert_eq!(segments("+A -A+B-B+C -C"), ["", "AB", "C", ""]);
        assert_eq!(segments("+A-A+B-B"), ["AB", ""]);
    }
}
