//! Compresses the agent named by `PODCOV_AGENT` for `src/payload.rs`, and says how the loader is linked.
//!
//! Compression is here, beside decompression, so that both use one version of one library.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use miniz_oxide::deflate::compress_to_vec;

const AGENT_VARIABLE: &str = "PODCOV_AGENT";
const LENGTH_VARIABLE: &str = "PODCOV_AGENT_LENGTH";
const BEST_COMPRESSION: u8 = 10;

/// A static executable at a fixed address: nothing has to be relocated before it can run. The rest is size.
const LINK_ARGUMENTS: [&str; 8] = [
    "-nostartfiles",
    "-nostdlib",
    "-static",
    "-no-pie",
    "-Wl,--build-id=none",
    "-Wl,-z,norelro",
    "-Wl,-z,noseparate-code",
    "-Wl,--no-eh-frame-hdr",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={AGENT_VARIABLE}");
    for argument in LINK_ARGUMENTS {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    let agent_path =
        env::var(AGENT_VARIABLE).map_err(|_| format!("{AGENT_VARIABLE} must name the agent's executable"))?;
    println!("cargo::rerun-if-changed={agent_path}");
    let agent = fs::read(&agent_path).map_err(|error| format!("cannot read {agent_path}: {error}"))?;

    println!("cargo::rustc-env={LENGTH_VARIABLE}={}", agent.len());
    let deflated = Path::new(&env::var("OUT_DIR")?).join("agent.deflate");
    fs::write(deflated, compress_to_vec(&agent, BEST_COMPRESSION))?;
    Ok(())
}
