//! The report as one page that needs nothing else: no network, no file beside it.
//!
//! The frame, with the run and its losses, is rendered here and readable at once. Figures and sources follow as data
//! blocks, one per source file, so that the page's script parses a file only when it is opened.

mod data;
mod embed;
mod frame;
mod join;

use std::io::Write;

use askama::Template;

use crate::{Error, Report};
use data::Index;
use frame::Frame;

/// Writes the page.
pub fn html(report: &Report<'_>, output: &mut impl Write) -> Result<(), Error> {
    write(report, None, output)
}

/// Writes the page such that it asks whoever it came from, at `state`, whether there is newer data than `version`, and
/// loads itself again then.
pub fn live_html(report: &Report<'_>, version: u64, output: &mut impl Write) -> Result<(), Error> {
    write(report, Some(version), output)
}

fn write(report: &Report<'_>, live: Option<u64>, output: &mut impl Write) -> Result<(), Error> {
    let frame = Frame::new(report, live).render()?;
    output.write_all(embed::without_hidden_characters(&frame).as_bytes())?;
    if !report.has_data() {
        return Ok(());
    }
    let index = Index::new(report);
    embed::data_block(output, "index", &index)?;
    embed::data_block(output, "functions", &index.functions())?;
    for number in 0..index.file_count() {
        embed::data_block(output, &format!("file-{number}"), &index.file(report, number))?;
    }
    Ok(())
}
