//! How the agent and its loader are built: targets, flags, and what must not leak in from the outer build.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the agent is made from, relative to this package.
pub const INPUTS: [&str; 20] = [
    "../agent/Cargo.toml",
    "../agent/src",
    "../agent-loader/Cargo.toml",
    "../agent-loader/Cargo.lock",
    "../agent-loader/build.rs",
    "../agent-loader/src",
    "../agent-protocol/Cargo.toml",
    "../agent-protocol/src",
    "../go-binary/Cargo.toml",
    "../go-binary/src",
    "../go-coverage/Cargo.toml",
    "../go-coverage/src",
    "../process-capture/Cargo.toml",
    "../process-capture/src",
    "../process-supervision/Cargo.toml",
    "../process-supervision/src",
    "../supervised-capture/Cargo.toml",
    "../supervised-capture/src",
    "../../Cargo.toml",
    "../../Cargo.lock",
];

/// An architecture that pods run on.
#[derive(Clone, Copy)]
pub struct Architecture {
    /// As Go and Kubernetes name it.
    pub name: &'static str,
    /// Names an agent that was built elsewhere.
    pub override_variable: &'static str,
    target: &'static str,
    linker_variable: &'static str,
    cross_linker: &'static str,
}

/// Every architecture that podcov may carry an agent for.
pub const ARCHITECTURES: [Architecture; 2] = [
    Architecture {
        name: "amd64",
        override_variable: "PODCOV_AGENT_AMD64",
        target: "x86_64-unknown-linux-gnu",
        linker_variable: "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER",
        cross_linker: "x86_64-linux-gnu-gcc",
    },
    Architecture {
        name: "arm64",
        override_variable: "PODCOV_AGENT_ARM64",
        target: "aarch64-unknown-linux-gnu",
        linker_variable: "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER",
        cross_linker: "aarch64-linux-gnu-gcc",
    },
];

/// Why an agent cannot be built.
pub struct CannotBuild(pub String);

/// Static, for images without a libc; at a fixed address, which is smaller.
const AGENT_FLAGS: &str = "-C target-feature=+crt-static -C relocation-model=static";
/// The loader's flags are its own build script's.
const LOADER_FLAGS: &str = "";

/// The agent's release profile. On the command line, because a package of a workspace has no profile.
const AGENT_PROFILE: [&str; 5] = [
    "profile.release.opt-level='z'",
    "profile.release.lto='fat'",
    "profile.release.codegen-units=1",
    "profile.release.panic='abort'",
    "profile.release.strip=true",
];

/// What the outer cargo, clippy or a coverage tool wants of the outer build only.
const OUTER_VARIABLES: [&str; 6] = [
    "CARGO_ENCODED_RUSTFLAGS",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_RUSTC_WRAPPER",
    "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_TARGET",
];

impl Architecture {
    /// Whether this machine is a Linux of this architecture, where building must work.
    pub fn is_native(self) -> bool {
        cfg!(all(target_os = "linux", target_env = "gnu")) && self.target.starts_with(env::consts::ARCH)
    }
}

/// Builds the agent and the loader around it. Returns the path of the loader.
pub fn build(architecture: Architecture, output: &Path) -> Result<PathBuf, CannotBuild> {
    println!("cargo::rerun-if-env-changed={}", architecture.linker_variable);
    let linker = find_linker(architecture)?;
    find_standard_library(architecture)?;
    // Not the outer target directory: the outer cargo holds its lock.
    let target_directory = output.join("agent-build");
    let executable = |name: &str| target_directory.join(architecture.target).join("release").join(name);
    let cargo_build = |package: &str, flags: &str| {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(["build", "--release", "--locked", "--target", architecture.target]);
        command.arg("--manifest-path").arg(package_directory(package).join("Cargo.toml"));
        command.arg("--target-dir").arg(&target_directory);
        for variable in OUTER_VARIABLES {
            command.env_remove(variable);
        }
        command.env("RUSTFLAGS", flags);
        if let Some(linker) = linker {
            command.env(architecture.linker_variable, linker);
        }
        command
    };
    let mut agent = cargo_build("agent", AGENT_FLAGS);
    for setting in AGENT_PROFILE {
        agent.args(["--config", setting]);
    }
    run(agent, "the agent")?;
    let mut loader = cargo_build("agent-loader", LOADER_FLAGS);
    loader.env("PODCOV_AGENT", executable("podcov-agent"));
    run(loader, "the agent's loader")?;
    Ok(executable("podcov-agent-loader"))
}

/// None stands for the toolchain's own choice.
fn find_linker(architecture: Architecture) -> Result<Option<&'static str>, CannotBuild> {
    let linker = architecture.cross_linker;
    if architecture.is_native() || env::var_os(architecture.linker_variable).is_some() {
        Ok(None)
    } else if Command::new(linker).arg("--version").output().is_ok_and(|output| output.status.success()) {
        Ok(Some(linker))
    } else {
        Err(CannotBuild(format!("no linker {linker}")))
    }
}

fn find_standard_library(architecture: Architecture) -> Result<(), CannotBuild> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let target = architecture.target;
    let installed = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", target])
        .output()
        .is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir());
    if installed { Ok(()) } else { Err(CannotBuild(format!("no Rust standard library for {target}"))) }
}

/// Where this runs, and not where this script was compiled: a target directory may have been moved.
fn package_directory(package: &str) -> PathBuf {
    let podcov = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    Path::new(&podcov).join("..").join(package)
}

fn run(mut command: Command, what: &str) -> Result<(), CannotBuild> {
    let output = command.output().map_err(|error| CannotBuild(format!("cannot run cargo: {error}")))?;
    let text = String::from_utf8_lossy(&output.stderr);
    // Standard output belongs to this script's own instructions to cargo.
    eprint!("{text}");
    if output.status.success() {
        return Ok(());
    }
    let reason = text.lines().find(|line| line.starts_with("error")).unwrap_or("cargo says nothing");
    Err(CannotBuild(format!("{what} cannot be built: {reason}")))
}
