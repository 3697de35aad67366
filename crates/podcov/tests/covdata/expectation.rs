//! What podcov is to answer: what covdata answered. Owns the exceptions, where podcov says or does more on purpose.

use podcov_go_programs::{Answer, Call, Scenario};

/// The answer to a call, and what podcov remarks where covdata is silent.
pub struct Expectation {
    pub call: Call,
    pub answer: Answer,
    pub remarks: Vec<&'static str>,
}

impl Expectation {
    /// All calls of a scenario that covdata answered and podcov answers alike.
    pub fn all(scenario: &Scenario) -> Vec<Self> {
        let answers = scenario.answers();
        let selects_nothing = |pattern: &str| {
            let pkglist = answers.iter().find(|(call, _)| call.name == format!("pkglist{pattern}"));
            pkglist.is_some_and(|(_, answer)| answer.stdout.is_empty())
        };
        let nothing = ["-pkg", "-pkgs"].map(|pattern| (pattern, selects_nothing(pattern)));
        answers
            .into_iter()
            .filter(|(call, answer)| !answer.is_panic() && !covdata_refuses(scenario, call))
            .map(|(call, mut answer)| {
                let selects_nothing =
                    nothing.iter().any(|(pattern, nothing)| *nothing && call.name.ends_with(pattern));
                let remarks = remarks(scenario, &call, selects_nothing);
                if scenario.name == WITH_OTHER_FILES {
                    answer.code = Some(INCOMPLETE);
                }
                Self { call, answer, remarks }
            })
            .collect()
    }
}

/// Holds counter files without their meta-data, which covdata passes over.
pub const WITH_OTHER_FILES: &str = "with-other-files";
/// Programs that count in different modes.
pub const MIXED_MODES: &str = "mixed-modes";
/// How podcov ends when it cannot use all of the data.
pub const INCOMPLETE: i32 = 3;

/// covdata makes no text profile of different modes, and adds their counts when it combines programs.
fn covdata_refuses(scenario: &Scenario, call: &Call) -> bool {
    scenario.name == MIXED_MODES
        && (call.subcommand == "textfmt"
            || call.name == "percent-o"
            || call.name.starts_with("merge-pcombine"))
}

/// Where intersect's result is another than Go's, which podcov says.
const BETTER: [&str; 2] = [
    // Go keeps the whole program, or panics.
    "nothing of it is in all inputs",
    // Go keeps the first.
    "all of its programs are kept",
];
/// What depends on how often blocks ran.
const ABOUT_INTERSECTIONS: [&str; 2] = ["not in every process of the later ones", "--by-directory keeps"];

/// Whether there is nothing to compare, since Go's result is wrong.
pub fn is_better(answer: &Answer) -> bool {
    answer.code == Some(0) && BETTER.iter().any(|remark| answer.stderr.contains(remark))
}

fn remarks(scenario: &Scenario, call: &Call, selects_nothing: bool) -> Vec<&'static str> {
    let mut remarks = Vec::new();
    if scenario.name == WITH_OTHER_FILES {
        remarks.extend(["no meta-data for these counters", "never completed by its process"]);
    }
    if scenario.name.ends_with("-without-counters") {
        remarks.push("there are no counter files");
    }
    if selects_nothing {
        remarks.push("no package is selected");
    }
    remarks
}

/// What is wrong with the errors that were printed: each remark is there, and nothing else.
pub fn remarks_difference(remarks: &[&str], expected: &Answer, answer: &Answer) -> Option<String> {
    if !expected.stderr.is_empty() {
        return None;
    }
    let is_remarked =
        |line: &str| remarks.iter().chain(&ABOUT_INTERSECTIONS).any(|remark| line.contains(remark));
    let missing = remarks.iter().find(|remark| !answer.stderr.contains(**remark));
    let other = answer.stderr.lines().find(|line| !is_remarked(line));
    match (missing, other) {
        (Some(missing), _) => Some(format!("does not say that {missing}")),
        (None, Some(other)) => Some(format!("says {other:?}")),
        (None, None) => None,
    }
}
