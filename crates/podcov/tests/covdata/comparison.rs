//! Whether podcov answers what covdata answered. Owns which differences do not count.

use std::process::Command;

use go_coverage::CounterFile;
use podcov_go_programs::{Answer, Call, Release, Scenario};
use tempfile::TempDir;

/// `podcov covdata`, without any arguments yet.
pub fn podcov() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_podcov"));
    command.arg("covdata");
    command
}

/// Makes calls in a scenario's place, and collects what podcov does otherwise.
pub struct Comparison {
    output: TempDir,
    compared: usize,
    differences: Vec<String>,
}

impl Comparison {
    /// Makes the calls that are meant for every scenario of a release. Fails at the end, if podcov does anything
    /// otherwise than covdata.
    pub fn of(release: &Release, is_meant: impl Fn(&Call) -> bool) {
        let mut comparison =
            Self { output: tempfile::tempdir().unwrap(), compared: 0, differences: Vec::new() };
        for scenario in &release.scenarios {
            for (call, expected) in scenario.answers() {
                if is_meant(&call) && !expected.is_panic() {
                    comparison.add(scenario, &call, &expected);
                }
            }
        }
        let Self { compared, differences, .. } = comparison;
        assert!(compared > 0, "nothing to compare");
        assert!(differences.is_empty(), "{} of {compared}:\n{}", differences.len(), differences.join("\n"));
    }

    fn add(&mut self, scenario: &Scenario, call: &Call, expected: &Answer) {
        let output = self.output.path().join(&scenario.name).join(&call.name);
        let answer = call.make(podcov(), scenario.directory(), &output);
        self.compared += 1;
        let in_any_order = scenario.has_common_blocks();
        if let Some(difference) = difference(expected, &answer, in_any_order) {
            self.differences.push(format!("{}: {}: {difference}", scenario.name, call.name));
        }
    }
}

/// Counters that Go drops without a word. The exit code tells as well.
pub const ORPHANS: &str = "no meta-data for these counters";
/// What podcov says where Go's result is wrong, or Go has none: there is nothing to compare.
const BETTER: [&str; 3] = [
    // Go keeps the whole program, or panics.
    "nothing of it is in all inputs",
    // Go keeps the first.
    "all of its programs are kept",
    // Go refuses them, or adds counts of different kinds.
    "count in different modes",
];
/// What podcov says where Go is silent (docs/covdata.md).
const SAID: [&str; 6] = [
    ORPHANS,
    "there are no counter files",
    "no package is selected",
    "never completed by its process",
    "not in every process of the later ones",
    "--by-directory keeps",
];

/// The first difference between two answers, for people to read.
pub fn difference(expected: &Answer, answer: &Answer, in_any_order: bool) -> Option<String> {
    if BETTER.iter().any(|said| answer.stderr.contains(said)) {
        return (answer.code != Some(0)).then(|| format!("ends with {:?}: {}", answer.code, answer.stderr));
    }
    let code = if answer.stderr.contains(ORPHANS) { Some(3) } else { expected.code };
    if answer.code != code {
        let (code, expected) = (answer.code, expected.code);
        return Some(format!("ends with {code:?}, Go's with {expected:?}: {}", answer.stderr));
    }
    let is_known = |line: &str| SAID.iter().any(|said| line.contains(said));
    if expected.stderr.is_empty() && !answer.stderr.lines().all(is_known) {
        return Some(format!("prints errors: {}", answer.stderr));
    }
    let [expected_stdout, stdout] = [expected, answer].map(|answer| without_command_line(&answer.stdout));
    if let Some(difference) = text_difference(expected_stdout, stdout, in_any_order) {
        return Some(format!("prints something else, {difference}"));
    }
    if !answer.files.keys().eq(expected.files.keys()) {
        let [names, expected] = [answer, expected].map(|answer| answer.files.keys().collect::<Vec<_>>());
        return Some(format!("writes the files {names:?}, Go {expected:?}"));
    }
    expected.files.iter().find_map(|(name, expected)| {
        let written = &answer.files[name];
        let difference = if name.starts_with("covcounters.") {
            counter_file_difference(expected, written)
        } else if name.starts_with("covmeta.") {
            (expected != written).then(|| binary_difference(expected, written))
        } else {
            text_difference(expected, written, in_any_order)
        };
        difference.map(|difference| format!("writes another {name}, {difference}"))
    })
}

/// A dump begins with the command line that it was made by.
fn without_command_line(stdout: &[u8]) -> &[u8] {
    const END: &[u8] = b"\n */\n";
    if !stdout.starts_with(b"/*") {
        return stdout;
    }
    let end = stdout.windows(END.len()).position(|bytes| bytes == END);
    end.map_or(stdout, |end| &stdout[end + END.len()..])
}

/// In any order where Go's own order changes from run to run.
fn text_difference(expected: &[u8], text: &[u8], in_any_order: bool) -> Option<String> {
    if expected == text {
        return None;
    }
    let [mut expected, mut lines] =
        [expected, text].map(|text| text.split(|byte| *byte == b'\n').collect::<Vec<_>>());
    if in_any_order {
        expected.sort_unstable();
        lines.sort_unstable();
        if expected == lines {
            return None;
        }
    }
    let length = expected.len().max(lines.len());
    let first = (0..length).find(|index| expected.get(*index) != lines.get(*index))?;
    let [expected, line] = [expected, lines].map(|lines| {
        lines
            .get(first)
            .map_or_else(|| "nothing".to_owned(), |line| format!("{:?}", String::from_utf8_lossy(line)))
    });
    Some(format!("line {}: {line}, Go: {expected}", first + 1))
}

fn binary_difference(expected: &[u8], bytes: &[u8]) -> String {
    let same = expected.iter().zip(bytes).take_while(|(one, other)| one == other).count();
    format!("{} bytes, Go's has {}, from offset {same} on", bytes.len(), expected.len())
}

/// Go writes the strings of the arguments in an order that changes from run to run. What they say must be the same, and
/// everything else must be the same bytes.
fn counter_file_difference(expected: &[u8], bytes: &[u8]) -> Option<String> {
    if expected == bytes {
        return None;
    }
    let [expected_file, file] = [expected, bytes].map(|bytes| CounterFile::parse(bytes).unwrap());
    let [expected_arguments, arguments] = [&expected_file, &file].map(|file| {
        let arguments = file.arguments().unwrap();
        let program: Vec<_> = arguments.program().collect();
        (program, arguments.operating_system(), arguments.architecture())
    });
    if arguments != expected_arguments {
        return Some(format!("of {arguments:?}, Go's of {expected_arguments:?}"));
    }
    let [expected_rest, rest] = [expected, bytes].map(around_arguments);
    (rest != expected_rest).then(|| binary_difference(expected, bytes))
}

/// The header and what follows the strings and arguments of a counter file's first segment.
fn around_arguments(bytes: &[u8]) -> (&[u8], &[u8]) {
    const HEADERS: usize = 32 + 16;
    let length = |offset: usize| u32::from_le_bytes(bytes[offset..offset + 4].try_into().unwrap()) as usize;
    let (headers, rest) = bytes.split_at(HEADERS);
    (headers, &rest[length(HEADERS - 8) + length(HEADERS - 4)..])
}
