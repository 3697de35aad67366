//! Patches: whatever is read names its files, and never has more lines than its input.
#![no_main]

use libfuzzer_sys::fuzz_target;
use podcov_patch::Patch;

fuzz_target!(|bytes: &[u8]| {
    let Ok(patch) = Patch::parse(bytes) else { return };
    assert!(patch.files.iter().all(|file| file.old_path.is_some() || file.new_path.is_some()));
    let lines: u64 = patch.files.iter().map(|file| file.lines.len()).sum();
    assert!(lines <= bytes.len() as u64);
});
