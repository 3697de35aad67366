//! Text profiles: what can be read is written as Go would write it, which is then read as the same.
#![no_main]

use go_coverage::{Join, TextProfile, write_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(profile) = TextProfile::parse(bytes) else { return };
    let once = written(&profile);
    let again = TextProfile::parse(&once).expect("what was written can be read");
    assert_eq!(again.mode(), profile.mode());
    assert!(again.files().keys().eq(profile.files().keys()));
    assert_eq!(written(&again), once);
});

fn written(profile: &TextProfile) -> Vec<u8> {
    let mut text = Vec::new();
    let join = Join::new(profile.mode(), [], |_| true).with_texts([profile], |_| true);
    write_text(&join.profile(), &mut text).expect("memory takes everything");
    text
}
