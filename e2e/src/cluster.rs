//! The cluster under test, by way of kubectl.

use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    sync::LazyLock,
};

use serde_json::Value;

use crate::{output, repository};

/// The name that `script/cluster` gives the cluster's context.
pub const CONTEXT: &str = "kind-podcov";

/// The kubeconfig of the cluster.
pub static KUBECONFIG: LazyLock<PathBuf> = LazyLock::new(|| {
    let path = output(Command::new(repository().join("script/cluster")).arg("kubeconfig"));
    PathBuf::from(path.trim())
});

/// kubectl on the cluster.
pub fn kubectl() -> Command {
    let mut command = Command::new("kubectl");
    command.env("KUBECONFIG", &*KUBECONFIG);
    command
}

/// Standard output of a kubectl that has to succeed.
pub fn run(arguments: &[&str]) -> String {
    output(kubectl().args(arguments))
}

/// Applies objects, as YAML or JSON.
pub fn apply(namespace: &str, manifests: &str) {
    pipe(&["apply", "-n", namespace, "-f", "-"], manifests);
}

/// kubectl with this standard input; has to succeed.
pub fn pipe(arguments: &[&str], input: &str) {
    let mut command = kubectl();
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("kubectl starts");
    let mut stdin = child.stdin.take().expect("it has an input");
    stdin.write_all(input.as_bytes()).expect("kubectl reads");
    drop(stdin);
    let result = child.wait_with_output().expect("kubectl ends");
    assert!(result.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&result.stderr));
}

/// One object or list as JSON.
pub fn get(namespace: &str, what: &[&str]) -> Value {
    let arguments = [&["get", "-n", namespace, "-o", "json"], what].concat();
    serde_json::from_str(&run(&arguments)).expect("kubectl prints JSON")
}
