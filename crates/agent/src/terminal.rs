//! Lines for people. Standard output belongs to the data, so everything goes to standard error.

use std::io::{self, Write};

/// Writes one line for whoever reads the container's log.
pub fn say(message: impl std::fmt::Display) {
    // A keeper whose log cannot be written must still keep: `eprintln!` would end it.
    let _ = writeln!(io::stderr().lock(), "podcov-agent: {message}");
}
