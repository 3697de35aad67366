//! What the user's environment says about engines, registries and credentials. Read once; tests have their own.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

const NAMES: [&str; 16] = [
    "CONTAINER_HOST",
    "DOCKER_CERT_PATH",
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "DOCKER_HOST",
    "DOCKER_TLS_VERIFY",
    "HOME",
    "HTTPS_PROXY",
    "NO_PROXY",
    "PATH",
    "REGISTRY_AUTH_FILE",
    "USERPROFILE",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "https_proxy",
    "no_proxy",
];

/// The variables that count, and where this machine keeps things.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: HashMap<String, String>,
    /// Where engines and certificates are looked for: `/`, but for tests.
    root: PathBuf,
}

impl Environment {
    /// That of this process.
    #[must_use]
    pub fn of_this_process() -> Self {
        let variables =
            NAMES.into_iter().filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)));
        Self { variables: variables.collect(), root: PathBuf::from("/") }
    }

    /// One of these variables alone, on a machine whose files of the system are under `root`.
    pub fn of_variables<'a>(
        root: impl Into<PathBuf>,
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self { variables: variables.collect(), root: root.into() }
    }

    /// A variable that is set to something.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A file of the system, named without the first slash.
    pub(crate) fn system(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    pub(crate) fn home(&self) -> Option<&Path> {
        self.variable("HOME").or_else(|| self.variable("USERPROFILE")).map(Path::new)
    }

    /// Where Docker's command line keeps its configuration.
    pub(crate) fn docker_directory(&self) -> Option<PathBuf> {
        let set = self.variable("DOCKER_CONFIG").map(PathBuf::from);
        set.or_else(|| Some(self.home()?.join(".docker")))
    }

    /// Where programs of this user have their sockets.
    pub(crate) fn runtime_directory(&self) -> Option<&Path> {
        self.variable("XDG_RUNTIME_DIR").map(Path::new)
    }

    /// For programs that are started.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
