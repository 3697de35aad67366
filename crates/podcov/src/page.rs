//! Writes the page of a report, whose files are compressed on several threads.

use std::io::Write;

use podcov_report::{Error, Packer, Page};

use crate::parallel;

/// Below that, compressing files on another thread takes longer than it saves.
const FILES_WORTH_A_THREAD: u64 = 10;

/// Writes it.
pub fn write(page: &Page<'_>, output: &mut (impl Write + Send)) -> Result<(), Error> {
    page.write_beginning(output)?;
    let count = page.file_count();
    let threads = parallel::threads(count as u64, FILES_WORTH_A_THREAD);
    let file = |packer: &mut Packer, number: usize| page.file(number, packer);
    parallel::hand_over_in_order(count, threads, Packer::new, file, |file| {
        Ok(output.write_all(file?.as_bytes())?)
    })
}
