//! Real images, in a real engine, a real registry and real archives. `docker` and `crane` are the oracles.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod archive;
mod engine;
mod hostile;
mod layout;
mod registry;
mod tools;
