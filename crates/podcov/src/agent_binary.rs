//! The agents that this build of podcov carries. What they do is `crates/agent`'s, how they got here `build.rs`'s.

/// An architecture that pods run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// x86-64.
    Amd64,
    /// AArch64.
    Arm64,
}

static AMD64: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/agent-amd64"));
static ARM64: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/agent-arm64"));

/// The agent's executable; none if this build carries none for the architecture.
#[must_use]
pub fn agent_binary(architecture: Architecture) -> Option<&'static [u8]> {
    let binary = match architecture {
        Architecture::Amd64 => AMD64,
        Architecture::Arm64 => ARM64,
    };
    // The build script leaves an empty file for an agent that it could not build.
    (!binary.is_empty()).then_some(binary)
}
