//! The report as one page that needs nothing else: no network, no file beside it.
//!
//! The frame, with the run and its losses, is rendered here and readable at once. Figures and sources follow as data
//! blocks, one per source file and compressed, so that the page's script unpacks a file only when it is opened.

mod data;
mod embed;
mod frame;
mod join;

use std::io::Write;

use askama::Template;

use crate::{Error, Report};
use data::{FileData, Index};
pub use embed::Packer;
use frame::Frame;

/// The page, whose files can be made one by one, or by several threads.
#[derive(Debug)]
pub struct Page<'a> {
    report: &'a Report<'a>,
    /// None if there is no data.
    index: Option<Index<'a>>,
    live: Option<Live>,
}

/// What a page that follows a run knows of its place in it.
#[derive(Clone, Copy, Debug)]
struct Live {
    version: u64,
    /// The run has not begun, or goes on: nothing is missing yet.
    is_early: bool,
}

/// Writes the page.
pub fn html(report: &Report<'_>, output: &mut impl Write) -> Result<(), Error> {
    let page = Page::new(report);
    page.write_beginning(output)?;
    let mut packer = Packer::new();
    (0..page.file_count())
        .try_for_each(|number| Ok(output.write_all(page.file(number, &mut packer)?.as_bytes())?))
}

impl<'a> Page<'a> {
    /// Of a report.
    #[must_use]
    pub fn new(report: &'a Report<'a>) -> Self {
        Self { report, index: report.has_data().then(|| Index::new(report)), live: None }
    }

    /// The same such that it asks whoever it came from, at `state`, whether there is newer data than `version`, and loads
    /// itself again then. As long as it `is_early`, the run has not begun or goes on, and nothing is missing.
    #[must_use]
    pub fn live(self, version: u64, is_early: bool) -> Self {
        Self { live: Some(Live { version, is_early }), ..self }
    }

    /// Writes all that comes before the files.
    pub fn write_beginning(&self, output: &mut impl Write) -> Result<(), Error> {
        let frame = Frame::new(self.report, self.live).render()?;
        output.write_all(embed::without_hidden_characters(&frame).as_bytes())?;
        if let Some(index) = &self.index {
            embed::data_block(output, "index", index)?;
            embed::data_block(output, "functions", &index.functions(self.report))?;
        }
        Ok(())
    }

    /// How many files there are.
    #[must_use]
    pub fn file_count(&self) -> usize {
        self.index.as_ref().map_or(0, Index::file_count)
    }

    /// What stands in the page for the file with this number. The files follow the beginning in order.
    pub fn file(&self, number: usize, packer: &mut Packer) -> Result<String, Error> {
        let data = self.index.as_ref().map(|index| index.file(self.report, number));
        let source = data.as_ref().and_then(FileData::source);
        packer.block(&format!("file-{number}"), &data, source)
    }
}
