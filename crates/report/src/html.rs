//! The report as one page that needs nothing else.

use std::io::Write;

use crate::{Error, Report};

/// Writes the page.
pub fn html(_report: &Report<'_>, output: &mut impl Write) -> Result<(), Error> {
    output.write_all(b"<!doctype html>\n")?;
    Ok(())
}
