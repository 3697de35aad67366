//! Writes meta-data files and counter files: the bytes that Go writes for the same contents.

mod counters;
mod metadata;
mod strings;

pub use counters::CounterFileWriter;
pub use metadata::{PackageBuilder, metadata_file, program_metadata_file};

/// Appends a number in ULEB128.
fn push_uleb128(bytes: &mut Vec<u8>, number: u32) {
    let mut rest = number;
    while rest >= 0x80 {
        let [low, ..] = rest.to_le_bytes();
        bytes.push(low | 0x80);
        rest >>= 7;
    }
    let [low, ..] = rest.to_le_bytes();
    bytes.push(low);
}
