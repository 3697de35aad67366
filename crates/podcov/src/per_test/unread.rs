//! What was not read where one test ended and the next began. When it is read later, it may be of either.
//!
//! Owns which tests that are.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::events::TestName;
use crate::live::NotRead;

/// The places of data that were not read when they were last asked.
#[derive(Default)]
pub struct Unread {
    places: Vec<Place>,
}

struct Place {
    within: PathBuf,
    /// Whose counts are not known; none is the time between tests.
    segments: BTreeSet<BTreeSet<TestName>>,
    what: BTreeSet<String>,
}

/// Whose a difference is.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owners {
    pub tests: BTreeSet<TestName>,
    /// Why these and no others, where that is not the segment alone.
    pub notes: BTreeSet<String>,
}

impl Unread {
    /// Those that what was counted in a directory until now may be of, in a segment of these tests.
    pub fn owners(&self, directory: &Path, tests: &BTreeSet<TestName>) -> Owners {
        let mut owners = Owners { tests: tests.clone(), notes: BTreeSet::new() };
        for place in self.places.iter().filter(|place| directory.starts_with(&place.within)) {
            let others = place.segments.iter().filter(|segment| *segment != tests);
            for segment in others {
                let of_none = segment.is_empty() || tests.is_empty();
                let doubt = if of_none { "may have what ran in no test" } else { "cannot be told apart" };
                owners
                    .notes
                    .extend(place.what.iter().map(|what| format!("{doubt}: not read in between: {what}")));
                owners.tests.extend(segment.iter().cloned());
            }
        }
        owners
    }

    /// At the end of a segment of these tests, this was not read, and everything else was.
    pub fn end_segment(&mut self, tests: &BTreeSet<TestName>, not_read: &[NotRead]) {
        let known = std::mem::take(&mut self.places);
        for NotRead { within, what } in not_read {
            let mut place = Place {
                within: within.clone(),
                segments: BTreeSet::from([tests.clone()]),
                what: BTreeSet::from([what.clone()]),
            };
            let overlaps =
                |known: &&Place| known.within.starts_with(within) || within.starts_with(&known.within);
            for earlier in known.iter().filter(overlaps) {
                place.segments.extend(earlier.segments.iter().cloned());
                place.what.extend(earlier.what.iter().cloned());
            }
            self.places.push(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tests(names: &[&str]) -> BTreeSet<TestName> {
        let test = |name: &&str| TestName { package: String::new(), name: (*name).to_owned() };
        names.iter().map(test).collect()
    }

    fn not_read(within: &str) -> NotRead {
        NotRead { within: within.into(), what: format!("{within}: why") }
    }

    #[test]
    fn what_was_not_read_is_of_all_tests_since_it_was_read_and_everything_else_of_the_last_alone() {
        let mut unread = Unread::default();
        let owners = |unread: &Unread, directory: &str, names: &[&str]| {
            let owners = unread.owners(Path::new(directory), &tests(names));
            (owners.tests, owners.notes.len())
        };
        unread.end_segment(&tests(&["A"]), &[not_read("data/two")]);
        assert_eq!(owners(&unread, "data/two", &["B"]), (tests(&["A", "B"]), 1));
        assert_eq!(owners(&unread, "data/one", &["B"]), (tests(&["B"]), 0));
        assert_eq!(owners(&unread, "data/two", &["A"]), (tests(&["A"]), 0), "it went on");

        unread.end_segment(&tests(&["B"]), &[not_read("data/two/pod")]);
        assert_eq!(owners(&unread, "data/two/pod/api-0", &["C"]).0, tests(&["A", "B", "C"]));
        assert_eq!(owners(&unread, "data/two", &["C"]), (tests(&["C"]), 0));

        unread.end_segment(&tests(&["C"]), &[]);
        assert_eq!(owners(&unread, "data/two/pod", &["D"]), (tests(&["D"]), 0));
    }

    #[test]
    fn where_nothing_is_known_everything_is_in_doubt_and_the_time_between_tests_is_said() {
        let mut unread = Unread::default();
        unread.end_segment(&tests(&[]), &[NotRead { within: PathBuf::new(), what: "no answer".to_owned() }]);
        let owners = unread.owners(Path::new("data/any"), &tests(&["A"]));
        assert_eq!(owners.tests, tests(&["A"]));
        assert_eq!(
            owners.notes,
            BTreeSet::from(["may have what ran in no test: not read in between: no answer".to_owned()])
        );
    }
}
