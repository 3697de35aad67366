//! The agent that this loader carries, as the build script left it.

/// The agent's executable, as one raw deflate stream.
pub static DEFLATED_AGENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/agent.deflate"));

/// The length of the executable.
pub const AGENT_LENGTH: usize = include!(concat!(env!("OUT_DIR"), "/agent_length.rs"));
