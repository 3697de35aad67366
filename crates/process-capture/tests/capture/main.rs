//! Live processes of real Go programs. What they write themselves when they end is the oracle.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

mod ending;
mod examination;
mod family;
mod forged;
mod live;
mod permission;
mod running;
mod same_bytes;
mod starting;
