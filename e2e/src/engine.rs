//! The container engine: images that it builds, and their way onto the nodes.

use std::path::Path;
use std::process::Command;

use crate::{output, repository};

/// Builds what is in a directory by this Dockerfile, with these build arguments.
pub fn build(tag: &str, context: &Path, dockerfile: &str, arguments: &[&str]) {
    std::fs::write(context.join("Dockerfile"), dockerfile).expect("the Dockerfile is written");
    let mut command = Command::new("docker");
    command.args(["build", "--quiet", "--tag", tag]);
    for argument in arguments {
        command.args(["--build-arg", argument]);
    }
    output(command.arg(context));
}

/// Puts images on every node. One that did not change is not loaded again.
pub fn load(tags: &[&str]) {
    output(Command::new(repository().join("script/cluster")).arg("load").args(tags));
}
