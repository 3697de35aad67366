//! When tests start and end, as their own output says it: `go test -v`, `go test -json`, and Ginkgo with `-v`.
//!
//! Owns what the lines look like. Subtests belong to their test.

use serde::Deserialize;

/// Under the text of a Ginkgo spec.
const RULE: &str = "------------------------------";

/// A test of a package, which is not always known.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TestName {
    pub package: String,
    pub name: String,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// It starts, or goes on after it has waited for others.
    Starts(TestName),
    /// It waits for others.
    Waits(TestName),
    /// It has ended. How long it says that it ran, in seconds.
    Ends(TestName, Option<f64>),
}

/// Reads the lines of a test command, one after the other.
#[derive(Debug, Default)]
pub struct Recogniser {
    ginkgo: Ginkgo,
    /// The Go test that runs Ginkgo's specs. It is not a test beside them.
    suite: Option<TestName>,
}

#[derive(Debug, Default)]
struct Ginkgo {
    state: GinkgoState,
    spec: Option<String>,
}

#[derive(Debug, Default)]
enum GinkgoState {
    #[default]
    Anywhere,
    AfterRule,
    /// A spec's text, unless no place in a file follows it.
    AfterText(String),
}

/// A line of `go test -json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct JsonEvent {
    action: String,
    #[serde(default)]
    package: String,
    #[serde(default)]
    test: String,
    elapsed: Option<f64>,
    #[serde(default)]
    output: String,
}

impl Recogniser {
    /// What a line says, without its end.
    pub fn line(&mut self, line: &str) -> Vec<Event> {
        if let Some(event) =
            line.starts_with('{').then(|| serde_json::from_str::<JsonEvent>(line).ok()).flatten()
        {
            return self.json(event);
        }
        if let Some(event) = plain(line) {
            return self.go(event);
        }
        self.spec(line, "")
    }

    fn json(&mut self, event: JsonEvent) -> Vec<Event> {
        let JsonEvent { action, package, test, elapsed, output } = event;
        if action == "output" {
            return self.spec(output.trim_end_matches('\n'), &package);
        }
        let test = TestName { package, name: test };
        if test.name.is_empty() || is_subtest(&test.name) {
            return Vec::new();
        }
        match action.as_str() {
            "run" | "cont" => self.go(Event::Starts(test)),
            "pause" => self.go(Event::Waits(test)),
            "pass" | "fail" | "skip" => self.go(Event::Ends(test, elapsed)),
            _ => Vec::new(),
        }
    }

    fn go(&mut self, event: Event) -> Vec<Event> {
        match &event {
            Event::Starts(test) => self.suite = Some(test.clone()),
            Event::Waits(_) | Event::Ends(..) => self.suite = None,
        }
        vec![event]
    }

    fn spec(&mut self, line: &str, package: &str) -> Vec<Event> {
        let name = |name: String| TestName { package: package.to_owned(), name };
        match self.ginkgo.line(&without_colours(line)) {
            Some(GinkgoEvent::Starts(spec)) => {
                let suite = self.suite.take().map(Event::Waits);
                suite.into_iter().chain([Event::Starts(name(spec))]).collect()
            }
            Some(GinkgoEvent::Ends(spec, seconds)) => vec![Event::Ends(name(spec), seconds)],
            None => Vec::new(),
        }
    }
}

/// A line of `go test -v`.
fn plain(line: &str) -> Option<Event> {
    // Go marks its own lines so where another program reads them.
    let line = line.strip_prefix('\u{16}').unwrap_or(line);
    if let Some(rest) = line.strip_prefix("=== ") {
        let (word, name) = rest.split_once(' ')?;
        let name = name.trim();
        if name.is_empty() || is_subtest(name) {
            return None;
        }
        let test = TestName { package: String::new(), name: name.to_owned() };
        return match word {
            "RUN" | "CONT" => Some(Event::Starts(test)),
            "PAUSE" => Some(Event::Waits(test)),
            _ => None,
        };
    }
    let rest = ["--- PASS: ", "--- FAIL: ", "--- SKIP: "].iter().find_map(|word| line.strip_prefix(word))?;
    let (name, time) = rest.rsplit_once(" (")?;
    let seconds = time.strip_suffix("s)").and_then(|seconds| seconds.parse().ok());
    let test = TestName { package: String::new(), name: name.to_owned() };
    (!is_subtest(name)).then_some(Event::Ends(test, seconds))
}

fn is_subtest(name: &str) -> bool {
    name.contains('/')
}

enum GinkgoEvent {
    Starts(String),
    Ends(String, Option<f64>),
}

impl Ginkgo {
    fn line(&mut self, line: &str) -> Option<GinkgoEvent> {
        let line = line.trim_end();
        if line == RULE {
            self.state = GinkgoState::AfterRule;
            return None;
        }
        match std::mem::take(&mut self.state) {
            GinkgoState::AfterRule if is_verdict(line) || line.is_empty() => {}
            GinkgoState::AfterRule => self.state = GinkgoState::AfterText(line.to_owned()),
            GinkgoState::AfterText(text) if is_place(line) => {
                self.spec = Some(text.clone());
                return Some(GinkgoEvent::Starts(text));
            }
            GinkgoState::AfterText(_) | GinkgoState::Anywhere => {}
        }
        if !is_verdict(line) {
            return None;
        }
        self.spec.take().map(|spec| GinkgoEvent::Ends(spec, seconds(line)))
    }
}

/// `• [0.120 seconds]`, `• [FAILED] [0.120 seconds]`, `S [SKIPPED] [0.000 seconds]`, `P [PENDING]`; and of what the suite runs
/// around its specs: `[BeforeSuite] PASSED [0.007 seconds]`.
fn is_verdict(line: &str) -> bool {
    let is_of_spec = ["• [", "S [", "P [", "!"].iter().any(|start| line.starts_with(start));
    let is_of_suite = line.starts_with('[') && line.ends_with(" seconds]");
    is_of_spec && line.ends_with(']') || is_of_suite
}

fn seconds(verdict: &str) -> Option<f64> {
    verdict.strip_suffix(" seconds]")?.rsplit('[').next()?.parse().ok()
}

/// `/src/shop/cart_test.go:14`.
fn is_place(line: &str) -> bool {
    let number = line.rsplit_once(".go:").map(|(_, number)| number);
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn without_colours(line: &str) -> String {
    anstream::adapter::strip_str(line).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(output: &str) -> Vec<String> {
        let mut recogniser = Recogniser::default();
        let events = output.lines().flat_map(|line| recogniser.line(line));
        let words = events.map(|event| match event {
            Event::Starts(test) => format!("+{}{}", test.package, test.name),
            Event::Ends(test, Some(seconds)) => format!("-{}{} {seconds}", test.package, test.name),
            Event::Ends(test, None) => format!("-{}{}", test.package, test.name),
            Event::Waits(test) => format!("~{}{}", test.package, test.name),
        });
        words.collect()
    }

    // What go1.26 and Ginkgo 2.22 print.
    #[test]
    fn the_lines_of_go_test_are_read() {
        let output = "\
=== RUN   TestA
    a_test.go:9: === RUN   TestNot
=== RUN   TestA/sub
--- PASS: TestA (0.12s)
    --- PASS: TestA/sub (0.00s)
=== RUN   TestB
=== PAUSE TestB
=== RUN   TestC
=== PAUSE TestC
=== CONT  TestB
=== NAME  TestB
=== CONT  TestC
--- FAIL: TestC (1.00s)
--- SKIP: TestB (0.00s)
PASS
ok  \texample.com/shop\t1.2s";
        let expected = ["+TestA", "-TestA 0.12", "+TestB", "~TestB", "+TestC", "~TestC", "+TestB", "+TestC"];
        assert_eq!(events(output)[..8], expected);
        assert_eq!(events(output)[8..], ["-TestC 1", "-TestB 0"]);
    }

    #[test]
    fn go_test_json_names_the_packages() {
        let output = r#"
{"Time":"2026-11-25T12:00:00Z","Action":"start","Package":"p/"}
{"Time":"2026-11-25T12:00:00Z","Action":"run","Package":"p/","Test":"TestA"}
{"Time":"2026-11-25T12:00:00Z","Action":"output","Package":"p/","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Time":"2026-11-25T12:00:00Z","Action":"run","Package":"p/","Test":"TestA/sub"}
{"Time":"2026-11-25T12:00:00Z","Action":"pass","Package":"p/","Test":"TestA","Elapsed":0.5}
{"Time":"2026-11-25T12:00:00Z","Action":"pass","Package":"p/","Elapsed":0.6}
{"broken"#;
        assert_eq!(events(output), ["+p/TestA", "-p/TestA 0.5"]);
    }

    #[test]
    fn what_a_suite_of_ginkgo_runs_around_its_specs_ends_before_them() {
        let output = "\
------------------------------
\u{1b}[1m[BeforeSuite] \u{1b}[0m
/src/g_test.go:9
[BeforeSuite] PASSED [0.007 seconds]
------------------------------
cart adds
/src/g_test.go:14
• [0.250 seconds]
------------------------------
[AfterSuite]
/src/g_test.go:11
[AfterSuite] PASSED [0.001 seconds]";
        let names = ["[BeforeSuite]", "cart adds", "[AfterSuite]"];
        let expected = names.iter().zip([0.007, 0.25, 0.001]);
        let expected: Vec<_> =
            expected.flat_map(|(name, took)| [format!("+{name}"), format!("-{name} {took}")]).collect();
        assert_eq!(events(output), expected);
    }

    #[test]
    fn the_specs_of_ginkgo_are_tests_and_their_suite_is_none() {
        let output = "\
=== RUN   TestSuite
Will run \u{1b}[1m5\u{1b}[0m of \u{1b}[1m6\u{1b}[0m specs
\u{1b}[38;5;243m------------------------------\u{1b}[0m
\u{1b}[0mcart \u{1b}[0m\u{1b}[1madds\u{1b}[0m
\u{1b}[38;5;243m/src/g_test.go:14\u{1b}[0m
  hello
\u{1b}[38;5;10m• [0.250 seconds]\u{1b}[0m
------------------------------
cart when full refuses
/src/g_test.go:16
  [FAILED] in [It] - /src/g_test.go:16 @ 11/25/26 12:33:16.545
• [FAILED] [0.000 seconds]
cart when full [It] refuses
/src/g_test.go:16

------------------------------
P [PENDING]
cart when full later
/src/g_test.go:17
------------------------------
cart when full skips
/src/g_test.go:18
S [SKIPPED] [0.000 seconds]
cart when full [It] skips
/src/g_test.go:18
--- FAIL: TestSuite (0.00s)";
        assert_eq!(
            events(output),
            [
                "+TestSuite",
                "~TestSuite",
                "+cart adds",
                "-cart adds 0.25",
                "+cart when full refuses",
                "-cart when full refuses 0",
                "+cart when full skips",
                "-cart when full skips 0",
                "-TestSuite 0",
            ]
        );
    }
}
