//! Executables: every question has an answer or an error, and what was found is within the file.
#![no_main]

use go_binary::{Executable, Place};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // Seeds are the beginnings of real programs, whose headers speak of a whole file.
    let mut padded = bytes.to_vec();
    padded.resize(bytes.len().max(256 * 1024), 0);
    for bytes in [bytes, &padded] {
        let Ok(executable) = Executable::read(bytes) else { continue };
        for segment in executable.segments() {
            assert!(segment.file_range().end <= bytes.len() as u64);
        }
        let build_info = executable.build_info().unwrap_or_default();
        if let Some(found) = &build_info {
            let (Place::Section { offset, .. } | Place::Segment { offset }) = found.place else {
                panic!("{}: build information has no symbol", found.place);
            };
            assert!(offset < bytes.len() as u64);
        }
        let _ = executable.instrumentation(build_info.as_ref());
        let _ = executable.module_data();
        let _ = executable.meta_data_list();
    }
});
