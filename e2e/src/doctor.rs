//! `podcov doctor` as a program reads it.

use serde_json::Value;

use crate::podcov::{Outcome, Podcov};

/// What it found.
#[derive(Debug)]
pub struct Diagnoses {
    all: Vec<Value>,
    outcome: Outcome,
}

/// `podcov doctor` of these in a namespace.
pub fn doctor(namespace: &str, arguments: &[&str]) -> Diagnoses {
    let outcome = Podcov::new("doctor", namespace).arguments(["--output", "json"]).arguments(arguments).run();
    Diagnoses::of(outcome)
}

/// The same as on a machine that runs no node, through a pod on the node.
pub fn doctor_elsewhere(namespace: &str, arguments: &[&str]) -> Diagnoses {
    let podcov = Podcov::elsewhere("doctor", namespace).arguments(["--output", "json"]);
    Diagnoses::of(podcov.arguments(arguments).run())
}

impl Diagnoses {
    /// Those about one workload of several, by its name, which no other one begins with.
    pub fn of_workload(&self, namespace: &str, name: &str) -> Self {
        let starts = [format!("pod {namespace}/{name}-"), format!("deployment {namespace}/{name}")];
        let is_about = |it: &&Value| {
            let subject = it["subject"].as_str().unwrap_or_default();
            starts.iter().any(|start| subject.starts_with(start))
        };
        let all: Vec<Value> = self.all.iter().filter(is_about).cloned().collect();
        assert!(!all.is_empty(), "something is said of {name}: {}", self.outcome.stdout);
        Self { all, outcome: self.outcome.clone() }
    }

    /// What an outcome with `--output json` has.
    pub fn of(outcome: Outcome) -> Self {
        let document: Value = serde_json::from_str(&outcome.stdout)
            .unwrap_or_else(|error| panic!("{error}\n{}{}", outcome.stdout, outcome.stderr));
        let all = document["diagnoses"].as_array().expect("a list of diagnoses").clone();
        Self { all, outcome }
    }

    /// The ids of a severity, each once.
    pub fn ids(&self, severity: &str) -> Vec<&str> {
        let of_severity = self.all.iter().filter(|it| it["severity"] == severity);
        let mut ids: Vec<&str> = of_severity.filter_map(|it| it["id"].as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// What helps, of all with this id.
    pub fn fixes(&self, id: &str) -> Vec<&str> {
        self.all.iter().filter(|it| it["id"] == id).filter_map(|it| it["fix"].as_str()).collect()
    }

    /// Something of this severity was said of a subject with these words.
    pub fn said_of(&self, words: &str, severity: &str) -> bool {
        let about = |it: &Value| it["subject"].as_str().is_some_and(|subject| subject.contains(words));
        self.all.iter().any(|it| it["severity"] == severity && about(it))
    }

    /// This is the only error, with evidence and a fix, and the exit code says so.
    #[track_caller]
    pub fn expect_only(self, id: &str) -> Self {
        assert_eq!(self.ids("error"), [id], "{}", self.outcome.stdout);
        for cause in self.all.iter().filter(|it| it["severity"] == "error") {
            assert!(cause["evidence"].as_array().is_some_and(|evidence| !evidence.is_empty()), "{cause}");
            assert!(cause["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "{cause}");
        }
        assert_eq!(self.outcome.code, Some(1), "{}", self.outcome.stdout);
        self
    }

    /// Nothing is wrong.
    #[track_caller]
    pub fn expect_healthy(self) -> Self {
        assert_eq!(self.ids("error"), Vec::<&str>::new(), "{}", self.outcome.stdout);
        assert_eq!(self.ids("warning"), Vec::<&str>::new(), "{}", self.outcome.stdout);
        self
    }

    /// Something of it was read there.
    #[track_caller]
    pub fn read_in(self, place: &str) -> Self {
        let evidence = self.all.iter().filter_map(|it| it["evidence"].as_array()).flatten();
        let is_read = evidence.clone().any(|it| it.to_string().contains(place));
        assert!(is_read, "{}", self.outcome.stdout);
        self
    }

    /// podcov said this to the user.
    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(self.outcome.stderr.contains(words), "{}", self.outcome.stderr);
        self
    }

    /// This was said, whatever else.
    #[track_caller]
    pub fn has(self, severity: &str, id: &str) -> Self {
        assert!(self.ids(severity).contains(&id), "{}", self.outcome.stdout);
        self
    }
}
