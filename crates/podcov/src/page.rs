//! Writes the page of a report, whose files are compressed on several threads.

use std::io::Write;

use podcov_report::{Error, Packer, Page};

use crate::parallel;

/// Below that, compressing files on another thread takes longer than it saves.
const FILES_WORTH_A_THREAD: u64 = 10;
/// So many are in memory at a time.
const FILES_AT_ONCE: usize = 2048;

/// Writes it.
pub fn write(page: &Page<'_>, output: &mut impl Write) -> Result<(), Error> {
    page.write_beginning(output)?;
    for first in (0..page.file_count()).step_by(FILES_AT_ONCE) {
        let count = FILES_AT_ONCE.min(page.file_count() - first);
        let threads = parallel::threads(count as u64, FILES_WORTH_A_THREAD);
        let file = |packer: &mut Packer, offset: usize| page.file(first + offset, packer);
        for file in parallel::in_order_with(count, threads, Packer::new, file) {
            output.write_all(file?.as_bytes())?;
        }
    }
    Ok(())
}
