//! The agent that this loader carries, as the build script left it.

/// The agent's executable, as one raw deflate stream.
pub static DEFLATED_AGENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/agent.deflate"));

/// The length of the executable.
pub const AGENT_LENGTH: usize = match usize::from_str_radix(env!("PODCOV_AGENT_LENGTH"), 10) {
    Ok(length) => length,
    Err(_) => panic!("the build script gives a number"),
};
