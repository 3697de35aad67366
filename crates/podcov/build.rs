//! Builds the agent that podcov carries into pods, one for each architecture that this machine can build.
//!
//! Leaves `agent-amd64` and `agent-arm64` in `OUT_DIR` for `src/agent_binary.rs`; an empty file says that
//! this build carries none. `PODCOV_AGENT_AMD64` and `PODCOV_AGENT_ARM64` name agents that were built
//! elsewhere, for machines that cannot build them.

#[path = "build/agent.rs"]
mod agent;

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use agent::{ARCHITECTURES, Architecture, CannotBuild, INPUTS};

/// A ConfigMap holds 1,048,576 bytes; the rest is room for its other keys and for growth.
const LONGEST_AGENT: usize = 900_000;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    for input in INPUTS {
        println!("cargo::rerun-if-changed={input}");
    }
    let output = env::var("OUT_DIR")?;
    for architecture in ARCHITECTURES {
        let agent = find_agent(architecture, Path::new(&output))?;
        if agent.len() > LONGEST_AGENT {
            let (name, length) = (architecture.name, agent.len());
            return Err(format!("the agent for {name} has {length} bytes, over {LONGEST_AGENT}").into());
        }
        fs::write(Path::new(&output).join(format!("agent-{}", architecture.name)), agent)?;
    }
    Ok(())
}

/// The agent's bytes; none when it cannot be built here and need not be.
fn find_agent(architecture: Architecture, output: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed={}", architecture.override_variable);
    if let Ok(path) = env::var(architecture.override_variable) {
        println!("cargo::rerun-if-changed={path}");
        return fs::read(&path)
            .map_err(|error| format!("{} names {path}: {error}", architecture.override_variable).into());
    }
    match agent::build(architecture, output) {
        Ok(executable) => Ok(fs::read(executable)?),
        Err(CannotBuild(reason)) if architecture.is_native() => Err(reason.into()),
        Err(CannotBuild(reason)) => {
            let (name, variable) = (architecture.name, architecture.override_variable);
            println!("cargo::warning=no agent for linux/{name} pods: {reason} ({variable} can name one)");
            Ok(Vec::new())
        }
    }
}
