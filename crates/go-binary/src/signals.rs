//! Whether a program asks Go's runtime for signals, which tells whether SIGTERM can be more than its end.
//!
//! The kernel's masks do not tell: the runtime catches nearly all signals of every program, and ends it where nobody
//! asked for one.

use crate::scan::find;
use crate::{ByteSource, Error, Executable, Place, VirtualAddress, symbols};

/// Of the function table, which the linker always writes: names end with a zero.
const NOTIFY: &[u8] = b"os/signal.Notify\0";
const ASKED_FOR: &str = "runtime.sig";
/// Of the runtime's `sig`: a note of one word, and a mask of three numbers, of 32 bits each (since Go 1.10).
const WANTED_OFFSET: u64 = 8 + 3 * 4;

/// Where the function that programs ask for signals with is named. If it is not there, nothing of Go's can ask.
pub(crate) fn notify<Source: ByteSource>(executable: &Executable<Source>) -> Result<Option<Place>, Error> {
    for segment in executable.segments() {
        if let Some(offset) = find(executable.source(), segment.file_range(), NOTIFY)? {
            return Ok(Some(executable.place_of(offset)));
        }
    }
    Ok(None)
}

/// Where the running program keeps, a bit for each, the signals that were asked for. Only the symbol table tells.
pub(crate) fn wanted<Source: ByteSource>(
    executable: &Executable<Source>,
) -> Result<Option<VirtualAddress>, Error> {
    let [found] = symbols::look_up(executable.source(), executable.sections(), [ASKED_FOR])?;
    Ok(found.map(|address| VirtualAddress(address.0.wrapping_add(WANTED_OFFSET))))
}
