//! Go's coverage data: read, merged and written. Pure: bytes in, values out; no file is opened here.

mod profile;

pub use profile::{CounterMode, Function, Package, Profile, Totals, Unit};
