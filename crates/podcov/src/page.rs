//! Writes the page of a report, whose files are compressed on several threads.

use std::io::Write;

use podcov_report::{Error, Page};

use crate::parallel;

/// Below that, compressing files on another thread takes longer than it saves.
const FILES_WORTH_A_THREAD: u64 = 10;
/// So many are in memory at a time.
const FILES_AT_ONCE: usize = 256;

/// Writes it.
pub fn write(page: &Page<'_>, output: &mut impl Write) -> Result<(), Error> {
    page.write_beginning(output)?;
    for first in (0..page.file_count()).step_by(FILES_AT_ONCE) {
        let count = FILES_AT_ONCE.min(page.file_count() - first);
        let threads = parallel::threads(count as u64, FILES_WORTH_A_THREAD);
        for file in parallel::in_order(count, threads, |offset| page.file(first + offset)) {
            output.write_all(file?.as_bytes())?;
        }
    }
    Ok(())
}
